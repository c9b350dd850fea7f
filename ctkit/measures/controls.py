"""The controls of a steered setup: without steering, with the sign turned round, along random directions."""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import torch
from torch import Tensor

from ..interventions import Direction, Intervention, Setup


def steers(intervention: Intervention) -> bool:
    """Whether an intervention steers: it holds what it steers along in a field called `direction` or `directions`."""
    return bool(_held(intervention))


def unsteered(setup: Setup) -> Setup:
    """The setup without what steers."""
    return Setup([intervention for intervention in setup if not steers(intervention)])


def opposite(setup: Setup) -> Setup:
    """The setup with every direction turned round."""
    return _changed(setup, lambda direction: -direction)


def randomized(setup: Setup, seed: Any) -> Setup:
    """The setup along random directions instead, each as long as the one it stands for (row by row, where a direction
    has several). Equal directions become equal ones.

    >>> import ctkit as ct
    >>> setup = Setup([ct.Steer(Direction(torch.tensor([3.0, 4.0]), 1))])
    >>> [new] = randomized(setup, 0)
    >>> new.direction.name, round(float(new.direction.vector.norm()), 4)
    ('random', 5.0)
    """
    random, made = Random(str(seed)), {}

    def drawn(direction: Direction) -> Direction:
        if direction not in made:
            source = torch.Generator().manual_seed(random.getrandbits(40))
            new = {name: _as_long_as(getattr(direction, name), source) for name in ("vector", "second")}
            made[direction] = replace(direction, name="random", method="random", reliability=None, accuracy=None, **new)
        return made[direction]

    return _changed(setup, drawn)


def _as_long_as(vector: Tensor | None, source: torch.Generator) -> Tensor | None:
    """A vector of any direction, all equally likely, of the same norm; so for each row of several."""
    if vector is None:
        return None
    noise = torch.randn(vector.shape, generator=source)
    return noise / noise.norm(dim=-1, keepdim=True) * vector.detach().float().cpu().norm(dim=-1, keepdim=True)


def _changed(setup: Setup, change: Callable[[Direction], Direction]) -> Setup:
    """The setup with every direction changed."""
    changed = []
    for intervention in setup:
        new = {
            name: change(value) if isinstance(value, Direction) else tuple(change(part) for part in value)
            for name, value in _held(intervention).items()
        }
        changed.append(replace(intervention, **new) if new else intervention)
    return Setup(changed)


def _held(intervention: Intervention) -> dict[str, Direction | tuple[Direction, ...]]:
    """The fields in which an intervention holds what it steers along (not those that choose when, such as probes)."""
    values = {name: getattr(intervention, name, None) for name in ("direction", "directions")}
    return {
        name: value
        for name, value in values.items()
        if isinstance(value, Direction) or (isinstance(value, tuple) and all(isinstance(d, Direction) for d in value))
    }
