"""Does this word come again? A tag for every word, which only a later word decides.

Serves the lesson on masks in sequence labelling (Dukić & Šnajder, ACL Findings 2024, arXiv 2401.14556). It does not
repeat that paper's experiments, which found no effect in small models: this task is **built to need the future**. Each
word of a list is followed by a slot, "_", where a reader shall say "again" if the same word stands anywhere later in
the list, and "last" if not. The tag is never written into the text.

How far the past helps: not at all. Whether a word will come again is the toss of a fair coin, thrown when the word is
placed, and a word that shall come again waits until a later place takes it. The words so far depend on earlier coins
only. A few places without slots at the end take what still waits; without them the last slots would be no riddle.
The first three words differ, so that one of them can be asked for. Difficulty = number of slots: 6, 10, 14.
"""

from random import Random

from .base import Problem, Task, prompt_of
from .hunt import THINGS

SLOT = "_"
AGAIN, LAST = "again", "last"
SLOTS = {1: 6, 2: 10, 3: 14}  # difficulty → words with a slot
TAIL = 3  # words without one; also how many can wait at a time


class Tags(Task):
    """Tell of one word whether it comes again; `tags` has the truth for every slot.

    >>> from ctkit.tasks import get
    >>> problem = get("tags").generate(0, difficulty=1)
    >>> len(get("tags").tags(problem)), problem.prompt.pieces["context"].count(SLOT)
    (6, 6)
    """

    name = "tags"
    title = "Does this word come again? Tags that need the future"
    difficulties = range(1, 4)

    def draw(self, random: Random, seed: int, difficulty: int | None) -> Problem:
        """A list of words, and a question about the first place of one of them."""
        level = difficulty or random.choice(self.difficulties)
        words = draw_words(random, SLOTS[level])
        asked = random.choice(words[:3])
        tag = tags_of(words, 3)[words.index(asked)]
        slotted = [f"{word} {SLOT}" for word in words[:-TAIL]]
        context = f"Words: {' '.join([*slotted, *words[-TAIL:]])}."
        step = f"The {asked} comes {'again' if tag == AGAIN else 'once'}."
        return Problem(prompt_of(context, question(asked)), tag, (step,), ("true",), "tags", seed, level)

    def tags(self, problem: Problem) -> tuple[str, ...]:
        """The tag of every word that has a slot, in the order of the slots."""
        words = read_words(problem.prompt.pieces["context"])
        return tags_of(words, len(words) - TAIL)

    def baselines(self, problem: Problem) -> dict[str, str | tuple[str, ...]]:
        """The past alone can only guess; so can the tag of the list's other words; the last word hardly helps."""
        words = read_words(problem.prompt.pieces["context"])
        asked = problem.prompt.pieces["question"].rstrip("?").split()[-1]
        others = [tag for word, tag in zip(words, self.tags(problem)) if word != asked]
        return {
            "the past alone": (AGAIN, LAST),
            "the last word only": AGAIN if words[-1] == asked else LAST,
            "most frequent tag": max((AGAIN, LAST), key=others.count),
        }

    def words(self) -> set[str]:
        """The things and the tags, and the words around them."""
        return set(THINGS) | {AGAIN, LAST} | set("Words What is the tag of first The comes once".split())


def question(word: str) -> str:
    """The question for the tag of a word's first place."""
    return f"What is the tag of the first {word}?"


def draw_words(random: Random, slots: int) -> list[str]:
    """The words of a list, those behind the last slot included."""
    fresh, words, waiting = random.sample(THINGS, len(THINGS)), [], []
    for place in range(slots):
        full = len(waiting) == TAIL
        again = place >= 3 and waiting and (full or random.random() < 0.5)
        word = waiting.pop(random.randrange(len(waiting))) if again else fresh.pop()
        words.append(word)
        if random.random() < 0.5:
            waiting.append(word)
    tail = [*waiting, *fresh[: TAIL - len(waiting)]]
    return [*words, *random.sample(tail, TAIL)]


def tags_of(words: list[str], slots: int) -> tuple[str, ...]:
    """The tags of the first `slots` words of a list."""
    return tuple(AGAIN if word in words[i + 1 :] else LAST for i, word in enumerate(words[:slots]))


def read_words(context: str) -> list[str]:
    """The words of a context, without its slots."""
    return [word for word in context.removeprefix("Words:").rstrip(".").split() if word != SLOT]
