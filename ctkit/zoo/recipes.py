"""How each teaching model is made: sizes, shares, steps and rates, as values."""

from dataclasses import dataclass, replace

from ..errors import CtkitError, shown
from .documents import Forms, Part

Mixture = tuple[Part, ...]
Shares = tuple[tuple[str, float], ...]  # mask → share of batches, see masking.py
CAUSAL: Shares = (("causal", 1.0),)
SHORT = ((1, 2), (2, 1), (2, 2), (2, 2), (3, 1), (4, 1))  # worlds: (chains, hops of each)
BEGINNERS: Mixture = (
    Part("meaning", 5, Forms(reread=0.1)),
    Part("emphasis", 4, Forms(reread=0.2)),
    Part("people", 3, Forms(reread=0.1)),
    Part("code", 2, Forms(reread=0.1)),
    Part("mood", 1),
    Part("tags", 2, Forms(levels=(1, 1, 2), reread=0.3)),
)
FEW: Mixture = (
    Part("because", 6, Forms(levels=(1, 1, 1, 2), reread=0.1, think=0.1, listed=0.5)),
    Part("copy", 6, Forms(levels=(1, 1, 2), reread=0.1, doors=(1, 2, 2, 3))),
    *BEGINNERS,
)
# Additions and subtractions first, two in five documents: a few in a hundred, later on, taught none of them.
TABLES: Mixture = (
    Part("hunt", 30, Forms(worlds=SHORT, think=0.15)),
    Part("sums", 58, Forms(levels=(1, 1, 2), reread=0.1, think=0.5, drill=0.7, more=5)),
    Part("signs", 26, Forms(levels=(1, 1, 2), reread=0.1, think=0.5, drill=0.7)),
    *FEW,
)
# Look-ups, on few and short chains, with three blocks: bind, hop, hop. Everything else waits for them.
EASY: Mixture = (
    Part("hunt", 52, Forms(worlds=SHORT, think=0.15)),
    Part("sums", 24, Forms(levels=(1, 1, 2, 2), reread=0.2, think=0.6, drill=0.15, more=5)),
    Part("signs", 6, Forms(levels=(1, 1, 2), reread=0.1, think=0.5, drill=0.15)),
    *FEW,
)
# The same with sums, codes and causes to be looked up among many: among two, a guess is right too often to teach it.
MANY: Mixture = (
    Part("hunt", 52, Forms(worlds=SHORT, think=0.15)),
    Part("sums", 24, Forms(levels=(1, 1, 2, 2), reread=0.2, think=0.6, drill=0.15, listed=0.4, more=5)),
    Part("signs", 6, Forms(levels=(1, 1, 2), reread=0.1, think=0.5, drill=0.15)),
    Part("because", 8, Forms(levels=(1, 1, 1, 2), reread=0.1, think=0.1, listed=0.8)),
    Part("copy", 6, Forms(levels=(1, 1, 2), reread=0.1)),
    *BEGINNERS,
)
OTHERS: Mixture = (
    Part("sums", 26, Forms(levels=(1, 2, 2, 3, 3, 4, 4, 5, 5), reread=0.2, think=0.65, drill=0.08, more=5)),
    Part("signs", 8, Forms(levels=(1, 2, 2, 3, 4), reread=0.1, think=0.5, drill=0.08)),
    Part("because", 9, Forms(reread=0.1, think=0.2, listed=0.3)),
    Part("copy", 4, Forms(reread=0.1)),
    Part("meaning", 6, Forms(reread=0.1)),
    Part("emphasis", 3, Forms(reread=0.2)),
    Part("people", 3, Forms(reread=0.1)),
    Part("code", 2, Forms(reread=0.1)),
    Part("mood", 2),
    Part("tags", 3, Forms(reread=0.3)),
)
DEEP = ((3, 2), (2, 3), (3, 3), (2, 4), (2, 5), (2, 6))  # where a thought is written
# Then two hops among more facts, and all of the other tasks.
TWO: Mixture = (
    Part(
        "hunt",
        34,
        Forms(worlds=((3, 1), (2, 2), (2, 2), (3, 2), (4, 2), (5, 2), (3, 3)), reach=2, reach_twice=2, deep=DEEP),
    ),
    *OTHERS,
)
# With a fourth block, a third hop; where the text is read twice, a fourth and a fifth, which no single reading can do.
THREE = ((3, 1), (2, 2), (3, 2), (4, 2), (2, 3), (2, 3), (3, 3))
TWICE = ((3, 2), (2, 3), (3, 3), (2, 4), (2, 4), (3, 4), (2, 5))
DEEPER: Mixture = (
    Part("hunt", 34, Forms(worlds=THREE, worlds_twice=TWICE, reach_twice=5, reread=0.5, deep=DEEP)),
    *OTHERS,
)
# Asked for four hops now and then, a single reading guesses among the ends: what a second one is to be held against.
GUESSED: Mixture = (
    Part("hunt", 34, Forms(worlds=(*THREE, (2, 4)), worlds_twice=TWICE, reach_twice=5, reread=0.5, deep=DEEP)),
    *OTHERS,
)


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training run; the same recipe gives the same data in the same order.

    `stages`: (first step, mixture), each from a multiple of 32 on. `masks`: (first step, the share of
    batches read under each mask).
    `grown`: the steps before which the last block is put once more on top. `peaks`: (first step, share of the rates).
    `hints`: (first step, the weight of what documents hint at), see `documents/base.py`.
    """

    layers: int = 3  # at first
    grown: tuple[int, ...] = ()
    heads: int = 4
    width: int = 128
    inner: int = 384
    context: int = 512
    steps: int = 10000
    batch: int = 32
    warm_up: int = 100
    peaks: tuple[tuple[int, float], ...] = ((0, 1.0),)
    hints: tuple[tuple[int, float], ...] = ((0, 0.0),)
    cool_down: float = 0.2  # the last share of the steps, in which the rates fall linearly to 1 %
    muon_rate: float = 0.006
    adam_rate: float = 0.003
    seed: int = 0
    save_every: int = 250
    score_every: int = 1000
    masks: tuple[tuple[int, Shares], ...] = ((0, CAUSAL),)
    stages: tuple[tuple[int, Mixture], ...] = ((0, EASY),)
    card: tuple[str, ...] = ()  # the sections of its card (effects/); () for all


RECIPES = {
    "tiny": Recipe(
        steps=12512,
        stages=((0, TABLES), (640, EASY), (4512, MANY), (6528, TWO), (8000, DEEPER), (9504, GUESSED)),
        grown=(8000,),
        peaks=((0, 1.0), (8000, 0.5)),
        hints=((0, 0.5),),
        seed=1,
    )
}
# The twin reads as tiny does until look-ups are there: under mixed masks they come late, and two hops never came.
ANY: Shares = (("causal", 0.4), ("prefix", 0.2), ("bidirectional", 0.3), ("window", 0.1))
RECIPES["tiny-anymask"] = replace(
    RECIPES["tiny"], masks=((0, CAUSAL), (6528, ANY)), card=("population", "masks", "tags")
)


def recipe(name: str) -> Recipe:
    """The recipe of a shipped model."""
    if name not in RECIPES:
        raise CtkitError(f"training {shown(name)}", f"the recipes {', '.join(RECIPES)}", "one of these names")
    return RECIPES[name]
