"""What a problem and a task are, and which tasks there are. Knows nothing of models."""

from dataclasses import dataclass
from random import Random
from typing import ClassVar

from ..errors import CtkitError, shown
from ..prompt import CUE, Prompt

ANSWER = "Answer:"  # the cue of every task
LABELS = ("true", "decoy", "check")


@dataclass(frozen=True)
class Problem:
    """One question with its ground truth.

    `steps` is the true thought, a sentence a step, and `labels` says of each step whether the answer needs it ("true"),
    whether it computes something nobody asks for ("decoy") or restates a step before it ("check"). `order` is how the
    facts are laid out, where a task offers a choice.
    """

    prompt: Prompt
    answer: str
    steps: tuple[str, ...]
    labels: tuple[str, ...]
    task: str
    seed: int
    difficulty: int
    order: str = ""


class Task:
    """A family of problems. A subclass sets the three names and writes `draw`, `baselines` and `words`."""

    known: ClassVar[dict[str, "Task"]] = {}
    name: ClassVar[str]
    title: ClassVar[str]
    difficulties: ClassVar[range]

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        Task.known[cls.name] = cls()

    def generate(self, seed: int, difficulty: int | None = None) -> Problem:
        """The problem number `seed`: the same for ever, and never drawn in training (that has a name space of its own).

        Without a difficulty, the seed picks one.

        >>> get("hunt").generate(0, difficulty=1).prompt.pieces["question"]
        'Where is the car?'
        """
        if not isinstance(seed, int) or isinstance(seed, bool):
            raise CtkitError(
                f"the {self.name} problem {shown(seed)}", f"a {type(seed).__name__}", "a whole number, such as 0"
            )
        return self.draw(self.random("generate", seed, difficulty), seed, self.checked(difficulty))

    def draw(self, random: Random, seed: int, difficulty: int | None) -> Problem:
        """A problem from a source of chance."""
        raise NotImplementedError

    def baselines(self, problem: Problem) -> dict[str, str | tuple[str, ...]]:
        """What shortcuts would answer: name → answer, or the answers among which the shortcut can only guess."""
        raise NotImplementedError

    def words(self) -> set[str]:
        """Every word that this task writes."""
        raise NotImplementedError

    def random(self, split: str, seed: int, difficulty: int | None) -> Random:
        """The source of chance of one problem; splits never share one."""
        return Random(f"ctkit {self.name} {split} {difficulty} {seed}")

    def checked(self, difficulty: int | None) -> int | None:
        """The difficulty, or an error that names those there are."""
        if difficulty is None or difficulty in self.difficulties:
            return difficulty
        first, last = self.difficulties[0], self.difficulties[-1]
        raise CtkitError(
            f"{self.name} at difficulty {shown(difficulty)}",
            f"difficulties {first} to {last}",
            f"one from {first} to {last}",
        )


def get(name: str) -> Task:
    """The task called `name`."""
    if name not in Task.known:
        raise CtkitError(f"the task {shown(name)}", f"the tasks {', '.join(names())}", "one of these names")
    return Task.known[name]


def names() -> list[str]:
    """The names of all tasks."""
    return list(Task.known)


def prompt_of(context: str, question: str) -> Prompt:
    """The three pieces that every task's prompt has."""
    return Prompt(**{"context": context, "question": question, CUE: ANSWER})
