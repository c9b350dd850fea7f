"""How each teaching model is made: sizes, shares, steps and rates, as values."""

from dataclasses import dataclass, replace

from ..errors import CtkitError, shown
from .documents import Forms, Part

Mixture = tuple[Part, ...]
Shares = tuple[tuple[str, float], ...]  # mask → share of batches, see masking.py
# Look-ups first, on few and short chains: everything else waits for them.
EASY: Mixture = (
    Part("hunt", 50, Forms(worlds=((1, 2), (2, 1), (2, 2), (3, 1), (4, 1)), think=0.2)),
    Part("sums", 18, Forms(levels=(1, 1, 2, 2), think=0.6, drill=0.25, more=5)),
    Part("signs", 5, Forms(levels=(1, 1, 2), reread=0.1, think=0.5, drill=0.25)),
    Part("because", 4, Forms(levels=(1, 1, 1, 2), reread=0.1)),
    Part("copy", 4, Forms(reread=0.1)),
    Part("meaning", 5, Forms(reread=0.1)),
    Part("emphasis", 4, Forms(reread=0.2)),
    Part("people", 4, Forms(reread=0.1)),
    Part("code", 2, Forms(reread=0.1)),
    Part("mood", 2),
    Part("tags", 2, Forms(levels=(1, 1, 2), reread=0.3)),
)
# Then two hops among more facts, thoughts along deeper chains, and the whole of the other tasks. Three silent hops
# stay rare: where they are asked for often, the model takes to guessing among the ends of chains and unlearns to walk.
FULL: Mixture = (
    Part(
        "hunt",
        22,
        Forms(
            worlds=((3, 1), (2, 2), (3, 2), (3, 2), (4, 2), (2, 3)),
            deep=((3, 2), (2, 3), (3, 3), (2, 4), (2, 5), (2, 6)),
            think=0.3,
        ),
    ),
    Part("hunt", 14, Forms(worlds=((5, 2), (3, 3), (4, 3)), reach=2, reread=0.5, think=0.0)),
    Part("sums", 25, Forms(levels=(1, 2, 2, 3, 3, 4, 4, 5, 5), reread=0.3, think=0.65, drill=0.12, more=5)),
    Part("signs", 7, Forms(levels=(1, 2, 2, 3, 4), reread=0.1, think=0.5, drill=0.15)),
    Part("because", 9, Forms(reread=0.1, think=0.2)),
    Part("copy", 5, Forms(reread=0.1)),
    Part("meaning", 7, Forms(reread=0.1)),
    Part("emphasis", 4, Forms(reread=0.2)),
    Part("people", 3, Forms(reread=0.1)),
    Part("code", 2, Forms(reread=0.1)),
    Part("mood", 2),
    Part("tags", 3, Forms(reread=0.3)),
)


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training run; the same recipe gives the same data in the same order.

    `stages`: (first step, mixture), each from a multiple of 32 on. `masks`: the share of batches read under each mask.
    """

    layers: int = 4
    heads: int = 4
    width: int = 128
    inner: int = 384
    context: int = 512
    steps: int = 10500
    batch: int = 32
    warm_up: int = 100
    cool_down: float = 0.27  # the last share of the steps, in which the rates fall linearly to 1 %
    muon_rate: float = 0.006
    adam_rate: float = 0.003
    seed: int = 0
    save_every: int = 250
    score_every: int = 1000
    masks: Shares = (("causal", 1.0),)
    stages: tuple[tuple[int, Mixture], ...] = ((0, EASY), (4512, FULL))


RECIPES = {"tiny": Recipe()}
RECIPES["tiny-anymask"] = replace(
    RECIPES["tiny"], masks=(("causal", 0.4), ("prefix", 0.2), ("bidirectional", 0.3), ("window", 0.1))
)


def recipe(name: str) -> Recipe:
    """The recipe of a shipped model."""
    if name not in RECIPES:
        raise CtkitError(f"training {shown(name)}", f"the recipes {', '.join(RECIPES)}", "one of these names")
    return RECIPES[name]
