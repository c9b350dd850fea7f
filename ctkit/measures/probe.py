"""Linear probes: how well a class can be read off vectors that the probe was not fitted on."""

from collections.abc import Hashable, Sequence

import numpy as np
from jaxtyping import Float
from torch import Tensor

from ..errors import CtkitError

STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0, 10.0)  # candidates for C, the inverse of the penalty on the weights


def probe_hits(
    x: Float[Tensor, "item feature"], labels: Sequence[Hashable], groups: Sequence[Hashable], folds: int, seed: int
) -> np.ndarray:
    """For each item, whether a logistic regression fitted on the other folds says its class.

    Features are scaled on the fitting part; the penalty (L2) is chosen there too, by an inner split in three. Items of
    one group stand in one fold, outside and inside: a text cannot be learned by heart and then asked for.
    """
    from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold

    y, g = (_numbered(values) for values in (labels, groups))
    hits = np.zeros(len(y), dtype=bool)
    for fit, ask in StratifiedGroupKFold(folds, shuffle=True, random_state=seed).split(x, y, g):
        if len(set(y[fit])) < 2:
            raise CtkitError(
                f"probes in {folds} folds",
                "a fold without which only one class is left",
                "more texts of each class, or fewer folds",
            )
        inner = StratifiedGroupKFold(3, shuffle=True, random_state=seed)
        search = GridSearchCV(_model(), {"logisticregression__C": STRENGTHS}, cv=inner)
        search.fit(x[fit].numpy(), y[fit], groups=g[fit])
        hits[ask] = search.predict(x[ask].numpy()) == y[ask]
    return hits


def _model():
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))


def _numbered(values: Sequence[Hashable]) -> np.ndarray:
    """Values as numbers, in the order in which they first come."""
    order: dict[Hashable, int] = {}
    return np.array([order.setdefault(value, len(order)) for value in values])
