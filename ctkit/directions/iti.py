"""Inference-time intervention: a logistic regression on each head's output says which heads know (ITI)."""

import torch
from torch import Tensor

from ..interventions import Direction
from . import heads
from .probe import probabilities
from .request import Request


def fit(request: Request, method: str = "iti") -> Direction:
    """The direction of the best head: of all, of the request's layer, or the one head it names."""
    k = heads.K if request.head is None else request.lm.n_heads * request.lm.n_layers
    found = heads.fit_heads(
        request.lm,
        request.positive,
        request.negative,
        k=k,
        method=method,
        layers=request.layer,
        tokens=request.tokens,
        name=request.name,
        seed=request.seed,
    )
    return next(each for each in found if request.head in (None, each.head))


def probe(
    train: heads.States, labels: Tensor, check: heads.States, check_labels: Tensor, test: heads.States, seed: int
) -> tuple[Tensor, Tensor]:
    """The chance of "positive" on two sets of states, by a logistic regression for each head (at most 1000 steps)."""
    unseen = torch.cat([check, test])
    chances = [probabilities(train[:, i], labels, unseen[:, i])[:, 1] for i in range(train.shape[1])]
    both = torch.stack(chances, dim=1)
    return both[: len(check)], both[len(check) :]
