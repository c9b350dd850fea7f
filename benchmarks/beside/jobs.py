"""The jobs: what is asked of each library, what it is timed beside, and how its answer is checked first."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .case import N_LAYERS, Case

TOLERANCE = 1e-4  # of a plain answer's standard deviation: eager and sdpa attention differ by float rounding


@dataclass(frozen=True)
class Job:
    """One row. `distance(answer, right)` is 0 where the two are the same numbers; `goal` is what ctkit aims at."""

    name: str
    title: str
    base: str
    goal: str
    distance: Callable[[Any, Any], float]
    weight: int = 1  # how much longer than a forward pass the base takes, to spend fewer pairs on it


def apart(answer: Tensor, right: Tensor) -> float:
    """The largest difference, in standard deviations of the right answer."""
    return float((answer.reshape(right.shape) - right).abs().max() / right.std())


def _streams(answer: list[Tensor], right: list[Tensor]) -> float:
    if len(answer) not in (N_LAYERS - 1, N_LAYERS):  # transformers gives the last one only behind the final norm
        raise RuntimeError(f"{len(answer)} hidden states instead of {N_LAYERS}")
    return max(apart(a, r) for a, r in zip(answer, right, strict=False))


def _one_head(answer: tuple[Tensor, Tensor], right: tuple[Tensor, Tensor]) -> float:
    return max(apart(a, r) for a, r in zip(answer, right, strict=True))


def _tokens(answer: Any, right: Tensor) -> float:
    return float((torch.as_tensor(answer).reshape(right.shape) != right).sum())


JOBS = (
    Job("idle", "read, nothing changed", "forward", "≤ 1.01", apart),
    Job("hidden", "all hidden states", "forward", "≤ 1.03", _streams),
    Job("head", "one head's weights", "forward", "≤ 1.06", _one_head),
    Job("sweep", "patch sweep, 12 layers × 4 positions", "patched one by one", "≤ 0.20", apart, weight=48),
    Job("steered", "24 tokens written, steered", "plain generate", "≤ 1.03", _tokens, weight=16),
    Job("switch", "read, another setup each time", "forward", "", lambda a, r: max(map(apart, a, r))),
)


def bases(case: Case, reference: Any) -> dict[str, Callable[[], Any]]:
    """What the jobs are timed beside."""
    return {"forward": case.plain, "plain generate": case.written, "patched one by one": reference.sweep}
