"""Measures of steps held against what a task knows: many thoughts, with their true, decoy and check steps."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan
from statistics import fmean, stdev
from typing import Any

import torch
from torch import Tensor

from ...engine.lm import LM
from ...errors import CtkitError, shown
from ...tasks.base import LABELS, get
from ..intervals import Z
from .measure import effects_of
from .thought import Thought

RESAMPLED = 500  # bootstrap draws
Row = list[float]  # of one thought: the scores of its steps with one label, in their order
Found = tuple[float, float, float]  # a figure, and the ends of its 95 % interval


@dataclass(frozen=True, repr=False)
class StepTruth:
    """The scores of the steps of many thoughts, by what each step is for.

    `scores`: label ("true", "decoy", "check") → a row of scores for each thought; NaN where a step could not be
    measured, which the figures leave out. `control`: the largest effect of a
    step that was left as it is; 0 unless something is wrong. `areas`: of early answers, the area over each thought's
    curve. A problem counts where the model answers it rightly behind the true thought; `left` is how many did not.
    """

    method: str
    task: str
    difficulty: int | None
    seed: int
    scores: Mapping[str, list[Row]] = field(repr=False)
    control: float
    areas: list[float]
    left: int = 0

    @property
    def n(self) -> int:
        """How many thoughts."""
        return len(self.scores["true"])

    def mean(self, label: str) -> Found:
        """The mean score of the steps with a label, thoughts weighing alike, and its interval."""
        measured = [[score for score in row if not isnan(score)] for row in self.scores[label]]
        return mean_of([fmean(row) for row in measured if row])

    @property
    def places(self) -> list[Found]:
        """The mean score of the first, second … true step, and its interval."""
        longest = max((len(row) for row in self.scores["true"]), default=0)
        rows = self.scores["true"]
        return [mean_of([row[i] for row in rows if len(row) > i and not isnan(row[i])]) for i in range(longest)]

    @property
    def auc(self) -> Found:
        """How often a true step scores above a decoy (a tie counts half); interval by a bootstrap over thoughts."""
        true, decoy = self.scores["true"], self.scores["decoy"]
        return (auc(_flat(true), _flat(decoy)), *auc_interval(true, decoy))

    @property
    def area(self) -> Found:
        """The mean area over the curve of early answers, and its interval; NaN of other measures."""
        return mean_of(self.areas)

    def __repr__(self) -> str:
        words = [f"{label} {_said(self.mean(label))}" for label in LABELS if any(self.scores[label])]
        words += [f"AUC {_said(self.auc)}"] if any(self.scores["decoy"]) else []
        words += [f"area {_said(self.area)}"] if self.areas else []
        return f"{self.method}, {self.n} thoughts: {', '.join(words)}"


def step_truth(
    lm: LM,
    task: str = "sums",
    method: str | Sequence[str] = "mistake",
    *,
    n: int = 100,
    difficulty: int | None = None,
    seed: int = 10_000,
    setup: Any = (),
    draws: int = 1,
    options: Mapping[str, Any] | None = None,
    on_progress: Callable[[int, int], Any] | None = None,
) -> StepTruth | dict[str, StepTruth]:
    """Does a measure of steps find the steps that matter? Asked of `n` problems whose true thought is known.

    The thought is the task's own; problems are those from `seed` on which the model answers rightly behind it (the
    paper of the true-thinking score takes such ones only). Several methods give a dict. `draws`: ways to break each
    step; thoughts are many, so one will do. The other arguments are those of `ct.step_effects`.

    >>> import ctkit as ct
    >>> ct.step_truth(ct.load(), n=5, difficulty=3).auc[0] > 0.9
    True
    """
    if not isinstance(n, int) or isinstance(n, bool) or n < 1:
        raise CtkitError(f"n={shown(n)} thoughts", "nothing to measure", "1 or more; 500 for narrow intervals")
    names = [method] if isinstance(method, str) else list(method)
    rows: dict[str, dict[str, list[Row]]] = {name: {label: [] for label in LABELS} for name in names}
    control, areas, left = dict.fromkeys(names, 0.0), {name: [] for name in names}, 0
    for i in range(n):
        problem = get(task).generate(seed + i, difficulty)
        thought = Thought.of(lm, problem, list(problem.steps), setup=setup)
        if thought.answer != problem.answer:
            left += 1
            continue
        found = effects_of(thought, names, draws=draws, options=options)
        for name, effects in found.items():
            for label in LABELS:
                own = [score for score, of in zip(effects.scores, problem.labels, strict=True) if of == label]
                rows[name][label].append(own)
            control[name] = max(control[name], *(abs(c) for c in effects.control if not isnan(c)), 0.0)
            areas[name] += [] if effects.area is None else [effects.area]
        if on_progress is not None:
            on_progress(i + 1, n)
    told = {
        name: StepTruth(name, task, difficulty, seed, rows[name], control[name], areas[name], left) for name in names
    }
    return told[method] if isinstance(method, str) else told


def auc(true: Tensor, decoy: Tensor) -> float:
    """How often a true step scores above a decoy; a tie counts half. NaN where there are none of either."""
    if not len(true) or not len(decoy):
        return float("nan")
    ordered = decoy.sort().values
    below, upto = (torch.searchsorted(ordered, true, right=right) for right in (False, True))
    return float((below + upto).double().mean()) / (2 * len(ordered))


def auc_interval(true: Sequence[Row], decoy: Sequence[Row], seed: int = 0) -> tuple[float, float]:
    """The 95 % interval of the AUC: whole thoughts drawn again with replacement (percentile bootstrap)."""
    rows = [(_flat([t]), _flat([d])) for t, d in zip(true, decoy, strict=True)]
    random = torch.Generator().manual_seed(seed)
    found = []
    for _ in range(RESAMPLED):
        drawn = [rows[i] for i in torch.randint(len(rows), (len(rows),), generator=random).tolist()]
        found.append(auc(torch.cat([t for t, _ in drawn]), torch.cat([d for _, d in drawn])))
    low, high = torch.tensor(found, dtype=torch.double).nanquantile(torch.tensor([0.025, 0.975], dtype=torch.double))
    return float(low), float(high)


def mean_of(values: Sequence[float]) -> Found:
    """A mean and the ends of its 95 % interval (normal); NaN of nothing."""
    if not values:
        return (float("nan"),) * 3
    half = Z * stdev(values) / len(values) ** 0.5 if len(values) > 1 else 0.0
    return fmean(values), fmean(values) - half, fmean(values) + half


def _flat(rows: Sequence[Row]) -> Tensor:
    return torch.tensor([score for row in rows for score in row if not isnan(score)], dtype=torch.double)


def _said(found: Found) -> str:
    value, low, high = (round(each, 2) + 0.0 for each in found)  # + 0.0: no "-0.00"
    return f"{value:.2f} ({low:.2f} to {high:.2f})"
