"""How did Anna feel? Short stories in two styles, told with happy or with sad words.

Serves the lessons on steering (ActAdd: Turner et al., arXiv 2308.10248; CAA: Rimsky et al., ACL 2024, arXiv
2312.06681).
The style is carried by one word in every sentence; some sentences carry a word of the other style, so that a model is
never quite certain and the strength of a steering vector shows as a dose. Difficulty = share of off-style words: none,
one in five, one in three.
"""

from random import Random

from ..errors import CtkitError, shown
from .base import Problem, Task, prompt_of

STYLES = {
    "happy": "bright cheerful golden joyful kind lovely merry sunny sweet warm".split(),
    "sad": "bleak bitter cold dark dull gloomy grey harsh lonely rainy".split(),
}
PEOPLE = "Anna Ben Carla David Emma Felix Grace Henry".split()
SUBJECTS = "morning street garden song house letter evening room story dinner window market".split()
FRAMES = (
    "The {noun} was {word}.",
    "{name} saw a {word} {noun}.",
    "Then came a {word} {noun}.",
    "It was a {word} {noun}.",
)
OFF = {1: 0.0, 2: 0.2, 3: 0.33}  # difficulty → share of off-style words


class Mood(Task):
    """A story of six sentences; the answer is the style most of its words have.

    >>> from ctkit.tasks import get
    >>> get("mood").generate(0, difficulty=1).answer in ("happy", "sad")
    True
    """

    name = "mood"
    title = "How did Anna feel? The mood of a story"
    difficulties = range(1, 4)

    def draw(self, random: Random, seed: int, difficulty: int | None) -> Problem:
        """A story in a style drawn at random, and a question about its person."""
        level = difficulty or random.choice(self.difficulties)
        style = random.choice(sorted(STYLES))
        sentences, name = tell(random, style, OFF[level])
        steps = (f"Most words are {style}.",)
        return Problem(
            prompt_of(" ".join(sentences), f"How did {name} feel?"), style, steps, ("true",), "mood", seed, level
        )

    def texts(self, style: str, n: int, seed: int = 0) -> list[str]:
        """`n` stories of one style, for fitting a steering direction; other seeds, other stories."""
        if style not in STYLES:
            raise CtkitError(
                f"stories in the style {shown(style)}", f"the styles {', '.join(STYLES)}", "one of these names"
            )
        random = self.random(f"texts {style}", seed, None)
        return [" ".join(tell(random, style, OFF[2])[0]) for _ in range(n)]

    def baselines(self, problem: Problem) -> dict[str, str | tuple[str, ...]]:
        """The style of the first word, and of the last one."""
        found = [style_of(word) for word in problem.prompt.pieces["context"].replace(".", "").split()]
        styles = [style for style in found if style]
        return {"first word's style": styles[0], "last word's style": styles[-1]}

    def words(self) -> set[str]:
        """All words of the stories, their question and their thought."""
        around = "The the was saw a Then came It How did feel Most words are".split()
        return (
            {word for words in STYLES.values() for word in words}
            | set(STYLES)
            | set(PEOPLE)
            | set(SUBJECTS)
            | set(around)
        )


def style_of(word: str) -> str | None:
    """Which style a word belongs to, if to any."""
    return next((style for style, words in STYLES.items() if word in words), None)


def tell(random: Random, style: str, off: float, length: int = 6) -> tuple[list[str], str]:
    """The sentences of a story and the person in it; fewer than half of its words are off-style."""
    other = next(s for s in STYLES if s != style)
    name = random.choice(PEOPLE)
    strange = [random.random() < off for _ in range(length)]
    while sum(strange) * 2 >= length:
        strange[strange.index(True)] = False
    sentences = []
    for is_off in strange:
        word = random.choice(STYLES[other if is_off else style])
        sentences.append(random.choice(FRAMES).format(name=name, noun=random.choice(SUBJECTS), word=word))
    return sentences, name
