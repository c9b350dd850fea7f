"""What each step of a thought does to the answer: the numbers that every measure of steps gives."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import fmean, stdev

from jaxtyping import Float
from torch import Tensor

Interval = tuple[float, float]


@dataclass(frozen=True, eq=False)
class StepEffects:
    """What each step does to the answer. All lists have an entry a step; NaN is "not measurable" (or: not yet).

    `scores`: how much of the answer's probability hangs on the step. `intervals`: 95 % over the draws. `control`: the
    same with the step left as it is; 0 unless something is wrong. `answer` is the model's own after the whole thought,
    `probability` its probability there. `passes` counts the texts read and tokens written. `labels`: what the task says
    of the step, where it knows it. `broken`: an example of the broken step. `evaluations`: the probabilities behind the
    scores, by what was read. `done`: how many steps are measured; fewer than all while a measure is under way.
    """

    method: str
    steps: list[str]
    scores: list[float]
    intervals: list[Interval] = field(repr=False)
    control: list[float] = field(repr=False)
    answer: str
    probability: float
    passes: int
    tokens: int = 0
    done: int = 0
    labels: list[str | None] = field(default_factory=list, repr=False)
    broken: list[str] = field(default_factory=list, repr=False)
    evaluations: Mapping[str, list[float]] = field(default_factory=dict, repr=False)
    necessity: list[float] | None = field(default=None, repr=False)  # the two halves of the true-thinking score
    sufficiency: list[float] | None = field(default=None, repr=False)
    matrix: Float[Tensor, "step later"] | None = field(default=None, repr=False)


def mean(values: list[float]) -> float:
    """The mean; NaN of nothing."""
    return fmean(values) if values else float("nan")


def interval(values: list[float]) -> Interval:
    """The 95 % interval of the mean over draws (normal); a point, where there is one draw."""
    if len(values) < 2:
        return (mean(values), mean(values))
    half = 1.96 * stdev(values) / len(values) ** 0.5
    return (mean(values) - half, mean(values) + half)
