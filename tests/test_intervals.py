"""Intervals that hold what they should, and an AUC that is the one everybody computes."""

import pytest
import torch
from sklearn.metrics import roc_auc_score

from ctkit.measures.intervals import auc, auc_difference, wilson


def drawn(n: int, shift: float, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Scores of n items, of which the positive ones are shifted; coarse, so that there are ties."""
    source = torch.Generator().manual_seed(seed)
    positive = torch.arange(n) % 3 == 0
    return ((torch.randn(n, generator=source) + shift * positive) * 4).round() / 4, positive


@pytest.mark.parametrize("shift", [0.0, 0.7, -1.0])
def test_the_auc_is_that_of_scikit_learn(shift):
    scores, positive = drawn(200, shift, 1)
    assert auc(scores, positive)[0] == pytest.approx(roc_auc_score(positive.numpy(), scores.numpy()))


def test_nineteen_of_twenty_intervals_hold_the_truth():
    source = torch.Generator().manual_seed(0)
    held = difference_held = 0
    for _ in range(400):
        positive = torch.arange(120) % 3 == 0
        one, other = torch.randn(2, 120, generator=source) + positive  # two equally good scores, each of its own chance
        truth = 0.760250  # Φ(1/√2)
        _, low, high = auc(one, positive)
        held += low <= truth <= high
        _, low, high = auc_difference(one, other, positive)
        difference_held += low <= 0 <= high
    assert 0.92 <= held / 400 <= 0.98 and 0.92 <= difference_held / 400 <= 0.98


def test_the_same_scores_do_not_differ():
    scores, positive = drawn(90, 0.5, 2)
    assert auc_difference(scores, scores, positive) == (0.0, 0.0, 0.0)
    value, low, high = auc_difference(-scores, scores, positive)
    assert value == pytest.approx(2 * auc(scores, positive)[0] - 1) and low < value < high


def test_wilson_stays_inside():
    assert wilson(0, 20)[0] == 0 and wilson(20, 20)[1] == 1
    assert wilson(10, 20) == pytest.approx((0.2993, 0.7007), abs=1e-4)
