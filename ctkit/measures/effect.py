"""What a setup does to accuracy, over many fresh problems: before, after, the paired difference and its interval."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import sqrt
from typing import Any

from ..engine.lm import LM
from ..errors import CtkitError, shown
from ..interventions.setup import Setup, as_setup
from ..tasks import Problem, get
from .score import answers, is_right


@dataclass(frozen=True)
class Outcome:
    """One problem of a population: what was answered before and after."""

    problem: Problem
    before: str
    after: str
    right_before: bool
    right_after: bool


@dataclass(frozen=True)
class Effect:
    """Accuracy before and after on the same problems.

    All figures are fractions. `interval` is the 95 % interval of the difference, for paired proportions (Bonett and
    Price 2012: each kind of change counted once more than it was seen, so that it stays honest near 0).
    """

    task: str
    setup: Setup = field(repr=False)
    outcomes: tuple[Outcome, ...] = field(repr=False)
    seed: int = 0

    @property
    def n(self) -> int:
        """How many problems."""
        return len(self.outcomes)

    @property
    def baseline(self) -> float:
        """Accuracy before."""
        return sum(o.right_before for o in self.outcomes) / self.n

    @property
    def edited(self) -> float:
        """Accuracy after."""
        return sum(o.right_after for o in self.outcomes) / self.n

    @property
    def difference(self) -> float:
        """Accuracy after minus before."""
        return (self.mended - self.broken) / self.n

    @property
    def mended(self) -> int:
        """Problems wrong before and right after."""
        return sum(o.right_after and not o.right_before for o in self.outcomes)

    @property
    def broken(self) -> int:
        """Problems right before and wrong after."""
        return sum(o.right_before and not o.right_after for o in self.outcomes)

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the difference."""
        return paired_interval(self.mended, self.broken, self.n)

    def __str__(self) -> str:
        difference, low, high = (f"{round(100 * value):+d}" for value in (self.difference, *self.interval))
        return (
            f"{self.n} fresh problems of {self.task}: {self.baseline:.0%} → {self.edited:.0%}, "
            f"{difference} points ({low} to {high}); {self.mended} mended, {self.broken} broken"
        )


def effect(
    lm: LM,
    task: Any,
    *setup: Any,
    n: int = 200,
    seed: int = 0,
    difficulty: int | None = None,
    on_progress: Callable[[int, int], Any] | None = None,
) -> Effect:
    """Accuracy of `lm` on `n` fresh problems, with nothing changed and under a setup.

    `task`: a name from `ct.tasks.names()`, or a task. Problem i has seed `seed + i`; none was trained on. An answer
    counts as right when the first words written after the prompt, greedily, are the problem's answer; with thinking on,
    the first words after the cue that the model writes itself.

    >>> import ctkit as ct
    >>> e = ct.effect(ct.load(), "hunt", ct.Mask("causal"), n=20, difficulty=1)
    >>> e.difference, e.mended, e.broken
    (0.0, 0, 0)
    """
    if not isinstance(n, int) or n < 1:
        raise CtkitError(f"an effect over n={shown(n)} problems", "nothing to measure", "n=200")
    task = get(task) if isinstance(task, str) else task
    problems = [task.generate(seed + i, difficulty) for i in range(n)]
    return effect_on(lm, problems, as_setup(*setup), seed=seed, on_progress=on_progress)


def effect_on(
    lm: LM,
    problems: Sequence[Problem],
    setup: Setup,
    seed: int = 0,
    on_progress: Callable[[int, int], Any] | None = None,
) -> Effect:
    """The effect of a setup on given problems."""
    prompts, expected = [p.prompt for p in problems], [p.answer for p in problems]
    before = answers(lm, prompts, expected, Setup(), on_progress)
    after = answers(lm, prompts, expected, setup, on_progress)
    return Effect(problems[0].task, setup, outcomes_of(problems, before, after), seed)


def outcomes_of(problems: Sequence[Problem], before: Sequence[str], after: Sequence[str]) -> tuple[Outcome, ...]:
    """The answers before and after, held against the problems."""
    return tuple(
        Outcome(p, b, a, is_right(b, p.answer), is_right(a, p.answer))
        for p, b, a in zip(problems, before, after, strict=True)
    )


def paired_interval(mended: int, broken: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """The interval of a difference between paired proportions (Bonett and Price 2012), clipped to -1 … 1."""
    gained, lost = (mended + 1) / (n + 2), (broken + 1) / (n + 2)
    centre, spread = gained - lost, z * sqrt((gained + lost - (gained - lost) ** 2) / (n + 2))
    return max(-1.0, centre - spread), min(1.0, centre + spread)
