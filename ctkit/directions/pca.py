"""The first principal component: the line along which the states of two sets of texts vary most."""

import torch
from jaxtyping import Float
from torch import Tensor

from ..interventions import Direction
from .probe import accuracy, reliability
from .request import Request, States


def fit(request: Request) -> Direction:
    """The first component at the place of a request."""
    plus, minus = request.states()
    measured = {"reliability": reliability(of_texts, plus, minus), "accuracy": accuracy(plus, minus, request.seed)}
    return request.direction(of_texts(plus, minus), "pca", **measured)


def of_texts(plus: States, minus: States) -> Float[Tensor, "d_model"]:
    """The first component of texts' mean states, as long as the way between the two means along it: so it points to
    the positive texts, and is short where they differ across the line of most variance.

    With as many texts on both sides each pair is centred on its midpoint, so that what its two texts share does not
    count; otherwise all are centred on the mean of all.
    """
    positive, negative = (torch.stack([state.mean(0) for state in side]) for side in (plus, minus))
    states = torch.cat([positive, negative])
    if len(positive) == len(negative):
        middle = (positive + negative) / 2
        states = states - torch.cat([middle, middle])
    line = first_component(states)
    return line * (line @ (positive.mean(0) - negative.mean(0)))


def first_component(states: Float[Tensor, "text width"]) -> Float[Tensor, "width"]:
    """The unit vector along which rows vary most about their mean; 0 where they do not vary."""
    from sklearn.decomposition import PCA

    if torch.equal(states, states[:1].expand_as(states)):
        return torch.zeros(states.shape[1])
    components = PCA(n_components=1, svd_solver="full").fit(states.double().numpy()).components_
    return torch.from_numpy(components[0]).float()
