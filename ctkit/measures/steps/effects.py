"""What each step of a thought does to the answer: the numbers that every measure of steps gives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite, isnan
from statistics import fmean, stdev
from typing import Any

from jaxtyping import Float
from torch import Tensor

from .thought import Thought

Interval = tuple[float, float]
NAN = float("nan")
STUDENT = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
    2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042, 1.960,
)  # fmt: skip  # the 97.5 % quantile at 1 … 30 degrees of freedom, and beyond


@dataclass(frozen=True, eq=False, repr=False)
class StepEffects:
    """What each step does to the answer. All lists have an entry a step; NaN is "not measurable" (or: not yet).

    `scores`: how much of the answer's probability hangs on the step. `intervals`: 95 % over the draws. `control`: the
    same with the step left as it is; 0 unless something is wrong. `answer` is the model's own after the whole thought,
    `probability` its probability there. `passes` counts forward passes, `tokens` what went through them. `labels`: what
    the task says of the step, where it knows it. `broken`: an example of the broken step. `evaluations`: the
    probabilities behind the scores, by what was read. `done`: how many steps are measured; fewer than all while a
    measure is under way, or where only some were asked for.

    What one measure alone gives: the halves of the true-thinking score, `necessity` and `sufficiency`; of early
    answers `curve` and `same` (probability, and whether it is the answer given, after 0 … n steps), `area` and
    `soft_area` over them; of suppression `matrix` and `kl`, step → later step. `filler`: the answer's probability
    behind a thought of fillers. `extras`: further numbers of a measure, by name; its docstring says what they are.
    """

    method: str
    steps: list[str]
    scores: list[float]
    intervals: list[Interval]
    control: list[float]
    answer: str
    probability: float
    passes: int
    tokens: int = 0
    done: int = 0
    labels: list[str | None] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    evaluations: Mapping[str, list[float]] = field(default_factory=dict)
    necessity: list[float] | None = None
    sufficiency: list[float] | None = None
    curve: list[float] | None = None
    same: list[bool | None] | None = None
    area: float | None = None
    soft_area: float | None = None
    filler: float | None = None
    matrix: Float[Tensor, "step later"] | None = None
    kl: Float[Tensor, "step later"] | None = None
    extras: Mapping[str, list[float]] = field(default_factory=dict)

    def to_data(self) -> dict[str, Any]:
        """All of it as JSON can hold it: NaN is None, a matrix a list of rows."""
        return {name: _plain(value) for name, value in vars(self).items()}

    def __repr__(self) -> str:
        said = f"after the whole thought “{self.answer}” has probability {self.probability:.2f}"
        lines = [f"{self.method}: {said}; {self.passes} forward passes"]
        lines += [
            f"  {_bar(s)} {_shown(s, at)}  {text}" for s, at, text in zip(self.scores, self.intervals, self._told())
        ]
        missing = len(self.steps) - self.done
        lines += [f"  {self.done} of {len(self.steps)} steps measured"] if missing else []
        lines += [f"  area over the curve {self.area:.2f}"] if self.area is not None else []
        return "\n".join(lines)

    def _told(self) -> list[str]:
        labels = self.labels or [None] * len(self.steps)
        return [f"{text} ({label})" if label else text for text, label in zip(self.steps, labels, strict=True)]


def collected(
    method: str,
    thought: Thought,
    values: Sequence[Sequence[float]],
    control: Sequence[float],
    evaluations: Mapping[str, Sequence[float]],
    broken: Sequence[str] = (),
) -> StepEffects:
    """The effects, from what was measured of each step: a value a draw, none where there is none (yet)."""
    passes, tokens = thought.cost
    return StepEffects(
        method=method,
        steps=list(thought.steps.texts),
        scores=[mean(v) for v in values],
        intervals=[interval(v) for v in values],
        control=list(control),
        answer=thought.answer,
        probability=thought.probability,
        passes=passes,
        tokens=tokens,
        done=sum(not isnan(c) for c in control),
        labels=list(thought.labels),
        broken=list(broken) or [""] * len(thought.steps),
        evaluations={name: list(row) for name, row in evaluations.items()},
    )


def mean(values: Sequence[float]) -> float:
    """The mean; NaN of nothing."""
    return fmean(values) if values else NAN


def interval(values: Sequence[float]) -> Interval:
    """The 95 % interval of the mean over draws (Student's t). Of one value, which says nothing of others: the value."""
    if len(values) < 2:
        return (mean(values), mean(values))
    quantile = STUDENT[min(len(values) - 1, len(STUDENT)) - 1]
    half = quantile * stdev(values) / len(values) ** 0.5
    return (mean(values) - half, mean(values) + half)


def _plain(value: Any) -> Any:
    if isinstance(value, Tensor):
        return _plain(value.tolist())
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def _bar(score: float, width: int = 10) -> str:
    filled = 0 if isnan(score) else round(min(1.0, abs(score)) * width)
    return "█" * filled + "·" * (width - filled)


def _shown(score: float, at: Interval) -> str:
    if isnan(score):
        return "not measurable" + " " * 7
    score, low, high = (round(value, 2) + 0.0 for value in (score, *at))  # no minus before a zero
    return f"{score:5.2f}" + (f" ({low:5.2f} … {high:5.2f})" if low != high else " " * 16)
