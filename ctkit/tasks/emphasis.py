"""Where is the key? An old fact and a newer one in conflict, with or without a word on which to trust.

Serves the lesson on attention steering (PASTA: Zhang et al., ICLR 2024, arXiv 2311.02262). Difficulty 1 says which
notes to trust, as often the old as the new ones. Difficulty 2 does not say it, and OLD_SHARE of the training documents
then answer with the old place: a conflict that is never settled, in which emphasis on the newer fact can show. Facts
are told in any order, so that the newer one is not the later one.
"""

from dataclasses import dataclass
from random import Random

from .base import Problem, Task, prompt_of
from .hunt import THINGS

OLD_SHARE = 0.65  # of training answers where nothing says which notes to trust
TRUST = {"new": "Trust the new notes.", "old": "Trust the old notes."}


@dataclass(frozen=True)
class Note:
    """Where one thing was before, and where it is now."""

    thing: str
    old: str
    new: str

    def told(self, age: str) -> str:
        """The sentence with the old or with the newer fact."""
        old, new = f"Before, the {self.thing} was in the {self.old}.", f"Now, the {self.thing} is in the {self.new}."
        return new if age == "new" else old

    def place(self, age: str) -> str:
        """The old or the newer place."""
        return self.new if age == "new" else self.old


class Emphasis(Task):
    """Two or three things, each with an old and a newer place; the answer is the place to trust, or else the newer.

    >>> from ctkit.tasks import get
    >>> task = get("emphasis")
    >>> problem = task.generate(0, difficulty=2)
    >>> task.newer(problem) in problem.prompt.pieces["context"], problem.answer in task.newer(problem)
    (True, True)
    """

    name = "emphasis"
    title = "Where is the key now? Old notes against new ones"
    difficulties = range(1, 3)

    def draw(self, random: Random, seed: int, difficulty: int | None) -> Problem:
        """Notes in any order; at difficulty 1 the context begins or ends with the notes to trust."""
        level = difficulty or random.choice(self.difficulties)
        notes = draw_notes(random, random.choice((2, 3)))
        sentences = [note.told(age) for note in notes for age in TRUST]
        random.shuffle(sentences)
        trusted = "new"
        if level == 1:
            trusted = random.choice(sorted(TRUST))
            sentences.insert(random.choice((0, len(sentences))), TRUST[trusted])
        prompt = prompt_of(" ".join(sentences), question(notes[0].thing))
        steps = (notes[0].told(trusted),)
        return Problem(prompt, notes[0].place(trusted), steps, ("true",), "emphasis", seed, level)

    def newer(self, problem: Problem) -> str:
        """The sentence with the newer fact about the thing asked for: the part of the context to emphasise."""
        return note_of(problem).told("new")

    def older(self, problem: Problem) -> str:
        """The sentence with the old fact about it."""
        return note_of(problem).told("old")

    def baselines(self, problem: Problem) -> dict[str, str | tuple[str, ...]]:
        """The old place, the newer one, the one told last, either of them."""
        note = note_of(problem)
        context = problem.prompt.pieces["context"]
        last = max(TRUST, key=lambda age: context.index(note.told(age)))
        return {
            "always the old": note.old,
            "always the newer": note.new,
            "told last": note.place(last),
            "either": (note.old, note.new),
        }

    def words(self) -> set[str]:
        """The things, and the words around them; "now" and "before" stand in questions that only training asks."""
        return set(THINGS) | set("Before before Now now the is was in Where Trust old new notes".split())


def question(thing: str) -> str:
    """The question that does not say which notes to trust."""
    return f"Where is the {thing}?"


def draw_notes(random: Random, count: int) -> list[Note]:
    """Notes on `count` things; no thing and no place stands twice."""
    names = random.sample(THINGS, 3 * count)
    return [Note(*names[3 * i : 3 * i + 3]) for i in range(count)]


def notes_in(context: str) -> list[Note]:
    """The notes of a context, in the order in which their things are first named."""
    places: dict[str, dict[str, str]] = {}
    for told in context.rstrip(".").split(". "):
        words = told.split()
        if words[0] != "Trust":
            places.setdefault(words[2], {})["new" if words[0] == "Now," else "old"] = words[-1]
    return [Note(thing, **found) for thing, found in places.items()]


def note_of(problem: Problem) -> Note:
    """The note on the thing that a problem asks for."""
    asked = problem.prompt.pieces["question"].split()[-1][:-1]
    return next(note for note in notes_in(problem.prompt.pieces["context"]) if note.thing == asked)
