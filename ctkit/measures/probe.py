"""Linear probes: how well a class can be read off vectors that the probe was not fitted on."""

from collections.abc import Hashable, Sequence

import numpy as np
from jaxtyping import Float
from torch import Tensor

from ..errors import CtkitError

STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0)  # candidates for C, the inverse of the penalty on the weights
INNER = 3  # folds in which C is chosen


def probe_hits(
    x: Float[Tensor, "item feature"], labels: Sequence[Hashable], groups: Sequence[Hashable], folds: int, seed: int
) -> np.ndarray:
    """For each item, whether a logistic regression fitted on the other folds says its class.

    Features are scaled by the fitting part; the penalty (L2) is chosen there too, by an inner split. Items of one group
    stand in one fold, outside and inside: a text cannot be learned by heart and then asked for.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    y, g = (_numbered(values) for values in (labels, groups))
    hits = np.zeros(len(y), dtype=bool)
    for fit, ask in StratifiedGroupKFold(folds, shuffle=True, random_state=seed).split(x, y, g):
        if len(set(y[fit])) < 2:
            raise CtkitError(
                f"probes in {folds} folds",
                "a fold without which only one class is left",
                "more texts of each class, or fewer folds",
            )
        known, asked = _scaled(x[fit].double().numpy(), x[ask].double().numpy())
        inner = StratifiedGroupKFold(INNER, shuffle=True, random_state=seed).split(known, y[fit], g[fit])
        model = _model().set_params(C=_best(known, y[fit], list(inner)))
        hits[ask] = model.fit(known, y[fit]).predict(asked) == y[ask]
    return hits


def _best(x: np.ndarray, y: np.ndarray, splits: list[tuple[np.ndarray, np.ndarray]]) -> float:
    """The C that is right most often over the inner folds (of equals the strongest penalty)."""
    right = dict.fromkeys(STRENGTHS, 0)
    for fit, ask in splits:
        if len(set(y[fit])) < 2:
            continue
        model = _model()  # each C starts from the weights of the one before
        for strength in STRENGTHS:
            right[strength] += int((model.set_params(C=strength).fit(x[fit], y[fit]).predict(x[ask]) == y[ask]).sum())
    return max(STRENGTHS, key=right.__getitem__)


def _model():
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=1000, warm_start=True)


def _scaled(known: np.ndarray, asked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both parts, scaled by the first; where there are more features than items, in the space that the items span,
    which holds all weights that an L2 penalty would choose."""
    mean, spread = known.mean(0), known.std(0)
    known, asked = ((part - mean) / np.where(spread > 0, spread, 1) for part in (known, asked))
    if known.shape[1] <= known.shape[0]:
        return known, asked
    basis, _ = np.linalg.qr(known.T)
    return known @ basis, asked @ basis


def _numbered(values: Sequence[Hashable]) -> np.ndarray:
    """Values as numbers, in the order in which they first come."""
    order: dict[Hashable, int] = {}
    return np.array([order.setdefault(value, len(order)) for value in values])
