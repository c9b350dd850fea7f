"""What a card says, measured; one file a section. To add one, write a file with `jobs`, its measures and `section`.

`jobs(n, seed)` names the file's measures with their arguments, to be run side by side in processes of their own; each
takes a model and gives a dict that JSON can hold. `merged(results)`, where there is one, puts the results of several
jobs together; `section(results)` turns them into Markdown.
"""

from . import emphasis, heads, masks, meaning, people, population, prepending, steering, steps, tags

SECTIONS = {
    "population": population,
    "masks": masks,
    "tags": tags,
    "steps": steps,
    "steering": steering,
    "emphasis": emphasis,
    "heads": heads,
    "meaning": meaning,
    "prepending": prepending,
    "people": people,
}
