"""How each teaching model is made: sizes, shares, steps and rates, as values."""

from dataclasses import dataclass

from ..errors import CtkitError, shown
from .documents import Mixture


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training run; the same recipe gives the same data in the same order.

    `stages`: (first step, mixture), each from a multiple of 32 on. `horizon`: the steps over which chains grow, see
    `documents.document`.
    """

    layers: int = 4
    heads: int = 4
    width: int = 128
    inner: int = 384
    context: int = 512
    steps: int = 8600
    batch: int = 32
    warm_up: int = 100
    cool_down: float = 0.27  # the last share of the steps, in which the rates fall linearly to 1 %
    muon_rate: float = 0.006
    adam_rate: float = 0.003
    seed: int = 0
    horizon: int = 16000
    save_every: int = 250
    score_every: int = 750
    stages: tuple[tuple[int, Mixture], ...] = ((0, Mixture()),)


# The stages of tiny, as they came about while its run was watched: look-ups on short chains first; then additions in
# many rows, which sums had waited for; a spell on three hops, which brought nothing; and two hops among more chains.
HARDER = Mixture(
    hunt=0.5,
    sums=0.36,
    drill=0.06,
    hops=(1, 1, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 4, 4, 4, 4, 5, 6),
    lengths=(1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5),
    third_chain=0.5,
    more_sums=5,
)
THREE = Mixture(
    hunt=0.62,
    sums=0.26,
    drill=0.04,
    hops=(1, 2, 3, 3, 3, 3, 3, 3, 4),
    lengths=HARDER.lengths,
    third_chain=0.5,
    reread=0.6,
    think_hunt=0.1,
    more_sums=5,
)
LAST = Mixture(
    hunt=0.56,
    sums=0.32,
    drill=0.04,
    hops=(1, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 6),
    lengths=HARDER.lengths,
    third_chain=0.6,
    reread=0.5,
    think_hunt=0.15,
    more_sums=5,
)
RECIPES = {"tiny": Recipe(stages=((0, Mixture()), (3776, HARDER), (5024, THREE), (6272, LAST)))}


def recipe(name: str) -> Recipe:
    """The recipe of a shipped model."""
    if name not in RECIPES:
        raise CtkitError(f"training {shown(name)}", f"the recipes {', '.join(RECIPES)}", "one of these names")
    return RECIPES[name]
