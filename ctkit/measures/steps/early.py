"""Early answers: what the model answers after none of the steps, after one, two, … (arXiv 2307.13702)."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import fmean

from .effects import NAN, StepEffects, collected
from .lots import lots
from .mistake import filler_chance
from .thought import Asked, Thought


def early(thought: Thought, draws: int, seed: int, *, only: Sequence[int]) -> Iterator[StepEffects]:
    """How far the answer's probability rises by each step, when it is asked for right behind it.

    `curve` has that probability after 0 … n steps, `same` whether the model's early answer is its final one. `area` is
    the area over the second as in the paper, normalised to the number of steps: the share of the early exits k = 0 …
    n − 1 at which the answer is another one; 0 where the answer ignores the thought, 1 where it needs it to the end.
    `soft_area` is the same of the first: the mean over k < n of 1 − min(1, P_k / P_n). Nothing is drawn, so the
    intervals are points; the control is the text with the step, read once more. `filler`: see `mistake`.
    """
    n = len(thought.steps)
    after: list[Asked | None] = [None] * (n + 1)
    control, filler = [NAN] * n, filler_chance(thought)
    for lot in lots(thought, only, 40):
        places = sorted({place for i in lot for place in (i, i + 1) if after[place] is None})
        again = [thought.steps.first(i + 1) for i in lot]
        found = thought.asked([*(thought.steps.first(k) for k in places), *again])
        for k, asked in zip(places, found[: len(places)], strict=True):
            after[k] = asked
        for i, asked in zip(lot, found[len(places) :], strict=True):
            control[i] = found[places.index(i + 1)].chance - asked.chance
        yield _effects(thought, after, control, filler)


def _effects(thought: Thought, after: list[Asked | None], control: list[float], filler: float) -> StepEffects:
    curve = [NAN if asked is None else asked.chance for asked in after]
    rises = [[b - a] if c == c else [] for a, b, c in zip(curve, curve[1:], control, strict=False)]
    said = {"without the step": curve[:-1], "with the step": curve[1:]}
    effects = collected("early", thought, rises, control, said)
    whole = None not in after
    return replace(
        effects,
        curve=curve,
        same=[None if asked is None else asked.same for asked in after],
        area=fmean(not asked.same for asked in after[:-1]) if whole else None,
        soft_area=fmean(1 - min(1.0, chance / curve[-1]) for chance in curve[:-1]) if whole and curve[-1] else None,
        filler=filler,
    )
