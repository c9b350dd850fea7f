"""A random direction as long as another: the control that every steering result stands beside."""

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from ..interventions import Direction
from . import diffmean
from .probe import cosine
from .request import Request


def random_direction(like: Direction, seed: int = 0) -> Direction:
    """A direction at the same place and of the same length as another, drawn at random; the seed decides all of it.

    >>> like = Direction(torch.tensor([3.0, 4.0]), layer=2)
    >>> drawn = random_direction(like, seed=1)
    >>> drawn.layer, round(float(drawn.vector.norm()), 5), drawn == random_direction(like, seed=1)
    (2, 5.0, True)
    """
    kept = {"layer": like.layer, "site": like.site, "head": like.head}
    return Direction(_drawn(like.vector, seed), method="random", name=f"random, as long as {like.name}", **kept)


def fit(request: Request) -> Direction:
    """A random direction as long as the difference in means at the place of a request. Its reliability says how like
    two draws are; its accuracy is the place's, not its own."""
    means = diffmean.fit(request)
    one, other, drawn = (_drawn(means.vector, request.seed + i) for i in (1, 2, 0))
    again = None if means.reliability is None else cosine(one, other)
    return replace(means, vector=drawn, method="random", reliability=again)


def _drawn(like: Float[Tensor, "*position width"], seed: int) -> Float[Tensor, "*position width"]:
    vector = torch.randn(like.shape, generator=torch.Generator().manual_seed(seed))
    return vector * (like.norm() / vector.norm())
