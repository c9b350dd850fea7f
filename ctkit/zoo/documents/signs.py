"""Documents about chains with minus signs: answered at once, after a thought as in sums, and drills of subtraction."""

from random import Random

from ...tasks import signs
from ...tasks.base import prompt_of
from ...tasks.sums import values_of
from .base import END, Document, Forms, Segment, answered, asked, thinking
from .sums import thought


def document(random: Random, forms: Forms) -> Document:
    """Lines and a question, perhaps read again, answered at once or after a thought; or a drill."""
    if random.random() < forms.drill:
        return drill(random)
    lines, name = signs.draw_signed(random, random.choice(forms.levels or tuple(signs.Signs.difficulties)))
    prompt = asked(prompt_of(" ".join(line.told() for line in lines), f"What is {name}?"), random, forms)
    if random.random() < forms.think:
        return Document(thinking(prompt), thought(lines, name, random, forms))
    values = values_of(lines)
    others = random.sample(lines, random.randint(0, min(forms.more, len(lines))))
    names = [name, *(line.name for line in others)]
    return answered(prompt, [(f"What is {each}?", str(values[each])) for each in names])


def drill(random: Random) -> Document:
    """Checks of single subtractions, as thoughts write them: the table that chains with minus signs need."""
    segments = []
    for count in range(random.randint(6, 12)):
        a, b = random.randrange(10), random.randrange(10)
        lead = " " if count else ""
        segments += [Segment(f"{lead}Check: {a} - {b} =", 0.0), Segment(f" {(a - b) % 10}", 1.0), Segment(".", 0.0)]
    return Document([], [*segments, END])
