"""What is the code of the red door? A needle of several tokens, to be found in a haystack and copied.

Serves the lesson on retrieval heads (Wu et al., arXiv 2404.15574): heads that look at the very token that is written
next. Difficulty = sentences of the haystack: 2, 5, 8, 12. Half of the contexts hold a second code, of another door, so
that the door must be looked up; no sign stands twice in the codes of one context.
"""

import re
from random import Random

from .base import Problem, Task, prompt_of
from .mood import FRAMES, PEOPLE, SUBJECTS
from .sums import NAMES

COLOURS = "black blue brown green orange pink purple red white yellow".split()
PLAIN = "big clean long narrow new plain quiet short small tall wide".split()  # words of neither mood
LENGTHS = {1: 2, 2: 5, 3: 8, 4: 12}  # difficulty → sentences around the needles
DIGITS = "0123456789"


class Copy(Task):
    """Copy the code of a door, four signs long; the one step is the needle, the sentence that says it.

    >>> from ctkit.tasks import get
    >>> problem = get("copy").generate(0, difficulty=3)
    >>> problem.steps[0] in problem.prompt.pieces["context"], problem.answer in problem.steps[0]
    (True, True)
    """

    name = "copy"
    title = "What is the code of the door? A needle in a haystack"
    difficulties = range(1, 5)

    def draw(self, random: Random, seed: int, difficulty: int | None, doors: int | None = None) -> Problem:
        """A haystack with the codes of `doors` doors in it (one or two, if not said); one of them is asked for."""
        level = difficulty or random.choice(self.difficulties)
        doors = doors or random.choice((1, 2))
        colours, codes = random.sample(COLOURS, doors), draw_codes(random, doors)
        needles = [needle(colour, code) for colour, code in zip(colours, codes)]
        sentences = haystack(random, LENGTHS[level])
        for text in needles:
            sentences.insert(random.randint(0, len(sentences)), text)
        prompt = prompt_of(" ".join(sentences), question(colours[0]))
        return Problem(prompt, codes[0], (needles[0],), ("true",), "copy", seed, level)

    def baselines(self, problem: Problem) -> dict[str, str | tuple[str, ...]]:
        """The code told first, the code told last, any code; each is right where there is but one."""
        codes = tuple(codes_in(problem.prompt.pieces["context"]).values())
        return {"first code": codes[0], "last code": codes[-1], "any code": codes}

    def words(self) -> set[str]:
        """The colours, letters and digits, and the words of the haystack."""
        around = "The the code of door is What was saw a Then came It".split()
        return set(COLOURS) | set(PLAIN) | set(PEOPLE) | set(SUBJECTS) | set(NAMES) | set(DIGITS) | set(around)


def needle(colour: str, code: str) -> str:
    """The sentence that says a door's code."""
    return f"The code of the {colour} door is {code}."


def question(colour: str) -> str:
    """The question for a door's code."""
    return f"What is the code of the {colour} door?"


def codes_in(context: str) -> dict[str, str]:
    """Colour → code, in the order in which the context tells them."""
    return dict(re.findall(r"The code of the (\w+) door is ([a-z0-9 ]+)\.", context))


def draw_codes(random: Random, count: int) -> list[str]:
    """Codes such as "k 7 m 2", no sign of which stands twice in all of them."""
    letters, digits = random.sample(NAMES, 2 * count), random.sample(DIGITS, 2 * count)
    return [" ".join((letters.pop(), digits.pop(), letters.pop(), digits.pop())) for _ in range(count)]


def haystack(random: Random, length: int) -> list[str]:
    """Different sentences in which nothing is said of doors."""
    sentences: list[str] = []
    while len(sentences) < length:
        frame = random.choice(FRAMES)
        told = frame.format(name=random.choice(PEOPLE), noun=random.choice(SUBJECTS), word=random.choice(PLAIN))
        if told not in sentences:
            sentences.append(told)
    return sentences
