"""Difference in means: the mean state on positive texts minus the mean state on negative ones."""

import torch
from jaxtyping import Float
from torch import Tensor

from ..interventions import Direction
from .probe import accuracy, reliability
from .request import Request, States


def difference_in_means(
    positive: Float[Tensor, "token d_model"], negative: Float[Tensor, "other d_model"]
) -> Float[Tensor, "d_model"]:
    """Mean over all tokens of the positive texts minus the mean over all tokens of the negative ones (long texts weigh
    more), not normalised: strength 1 is the whole way from one mean to the other."""
    return positive.mean(0) - negative.mean(0)


def fit(request: Request) -> Direction:
    """The difference in means at the place of a request."""
    plus, minus = request.states()
    measured = {"reliability": reliability(of_texts, plus, minus), "accuracy": accuracy(plus, minus, request.seed)}
    return request.direction(of_texts(plus, minus), "diffmean", **measured)


def of_texts(plus: States, minus: States) -> Float[Tensor, "d_model"]:
    """The difference in means of texts, all their tokens pooled."""
    return difference_in_means(torch.cat(list(plus)), torch.cat(list(minus)))
