"""How each teaching model is made: sizes, shares, steps and rates, as values."""

from dataclasses import dataclass, field

from ..errors import CtkitError, shown
from .documents import Mixture


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training run; the same recipe gives the same data in the same order."""

    layers: int = 4
    heads: int = 4
    width: int = 128
    inner: int = 384
    context: int = 512
    steps: int = 7500
    batch: int = 32
    warm_up: int = 100
    cool_down: float = 0.3  # the last share of the steps, in which the rates fall linearly to 1 %
    muon_rate: float = 0.006
    adam_rate: float = 0.003
    seed: int = 0
    save_every: int = 250
    score_every: int = 750
    mixture: Mixture = field(default_factory=Mixture)


RECIPES = {"tiny": Recipe()}


def recipe(name: str) -> Recipe:
    """The recipe of a shipped model."""
    if name not in RECIPES:
        raise CtkitError(f"training {shown(name)}", f"the recipes {', '.join(RECIPES)}", "one of these names")
    return RECIPES[name]
