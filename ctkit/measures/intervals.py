"""Shares and rankings with their 95 % intervals."""

from math import sqrt

from jaxtyping import Bool, Float
from torch import Tensor

Z = 1.959964  # the normal quantile of a 95 % interval


def wilson(right: int, n: int, z: float = Z) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927).

    >>> [round(end, 2) for end in wilson(9, 10)]
    [0.6, 0.98]
    """
    share = right / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, centre - half), min(1.0, centre + half)


def share_difference(right: int, n: int, other: int, m: int) -> tuple[float, float]:
    """The 95 % interval of right / n − other / m, two independent shares (Newcombe 1998, method 10: from the intervals
    of both).

    >>> [round(end, 2) for end in share_difference(56, 70, 48, 80)]
    [0.05, 0.33]
    """
    p, q = right / n, other / m
    (low, high), (least, most) = wilson(right, n), wilson(other, m)
    return p - q - sqrt((p - low) ** 2 + (most - q) ** 2), p - q + sqrt((high - p) ** 2 + (q - least) ** 2)


def auc(scores: Float[Tensor, "item"], positive: Bool[Tensor, "item"]) -> tuple[float, float, float]:
    """The chance that a positive item scores higher than a negative one (ties count half), and its 95 % interval
    (DeLong, DeLong and Clarke-Pearson 1988, cut to 0 … 1). Needs items of both kinds.

    >>> import torch
    >>> auc(torch.tensor([0.1, 0.2, 0.8, 0.9]), torch.tensor([False, False, True, True]))
    (1.0, 1.0, 1.0)
    """
    value, half = _mean_and_half(*_placements(scores, positive))
    return value, max(0.0, value - half), min(1.0, value + half)


def auc_difference(
    first: Float[Tensor, "item"], second: Float[Tensor, "item"], positive: Bool[Tensor, "item"]
) -> tuple[float, float, float]:
    """AUC of the second scores minus that of the first, on the same items, and its 95 % interval (the same paper)."""
    before, after = _placements(first, positive), _placements(second, positive)
    value, half = _mean_and_half(*(b - a for a, b in zip(before, after, strict=True)))
    return value, max(-1.0, value - half), min(1.0, value + half)


def _placements(scores: Tensor, positive: Tensor) -> tuple[Tensor, Tensor]:
    """For each positive item the share of negative ones below it, and for each negative one of positive ones above."""
    above, below = scores[positive].double(), scores[~positive].double()
    wins = (above[:, None] > below).double() + 0.5 * (above[:, None] == below)
    return wins.mean(1), wins.mean(0)


def _mean_and_half(of_positive: Tensor, of_negative: Tensor) -> tuple[float, float]:
    """The mean of placements, and half the width of its interval."""
    spread = sum(float(part.var()) / len(part) if len(part) > 1 else 0.0 for part in (of_positive, of_negative))
    return float(of_positive.mean()), Z * sqrt(spread)
