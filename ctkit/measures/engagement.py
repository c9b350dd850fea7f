"""Does steering make a model take up a step it ignored, or drop one it followed? (arXiv 2510.24941)"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log
from random import Random
from typing import Any

import torch

from ..directions import random_direction
from ..engine.lm import LM
from ..engine.run import run_many
from ..errors import CtkitError, shown
from ..interventions import Direction, Intervention, Setup, Steer
from ..interventions.setup import as_setup
from ..masks import positions
from ..prompt import Encoding, Prompt
from ..tasks.base import Problem
from .flips import Engagement, Flips
from .score import is_right
from .steps import Thought
from .steps.perturb import break_result
from .thinking_directions import checked_thoughts

LOT = 256  # texts whose logits are in memory at a time
FACTOR = 10.0  # how much more, or less, attention the step gets in the control


@dataclass(frozen=True)
class Weigh(Intervention):
    """Attention to a place scaled by a factor for all tokens behind it, rows made to sum to 1 again; 1 changes nothing.

    >>> Weigh("step 2", 0.1)
    Weigh(where='step 2', factor=0.1)
    """

    where: str
    factor: float = 1.0

    def bias(self, enc: Encoding, layer: int):
        """log(factor) for the place's columns, in the rows behind it."""
        inside = positions(enc, self.where)
        if self.factor == 1 or not inside:
            return None
        bias = torch.zeros(1, len(enc), len(enc))
        bias[:, max(inside) + 1 :, inside] = log(self.factor)
        return bias


def engagement(
    lm: LM,
    problems: Sequence[Problem | tuple[Prompt | str, Any]],
    directions: Direction | Sequence[Direction],
    *setup: Any,
    strength: float = 1.0,
    n_random: int = 4,
    most: int = 100,
    seed: int = 0,
    on_progress: Callable[[int, int], Any] | None = None,
) -> Engagement:
    """The engagement and the disengagement test of a direction, or of one for each layer (Zhao et al., arXiv
    2510.24941), beside their controls.

    Each step of each thought gets a wrong result, and the answer is asked for right behind it. Where the answer is
    right with the step as it is, there are two cases: it stays right all the same, or it follows the error. In the
    first the stream is moved by + `strength` × the direction, in the second by −, at one layer and at all tokens of the
    step, and the answer (the likeliest tokens) may flip. Controls: the opposite sign; `n_random` random directions of
    the same norm; the step left out; attention to it scaled by 10 (engagement) or 1/10 (disengagement) in all blocks,
    renormalised. At strength 0 nothing flips.

    `problems` should be others than those that the directions were fitted on. A problem counts where the model answers
    it right behind its whole thought; for a pair of a prompt and its steps, right is the model's own answer. At most
    `most` cases of each kind. Raises `CtkitError` where there is no case at all.

    >>> import ctkit as ct
    >>> lm, sums = ct.load(), ct.tasks.get("sums")
    >>> d = ct.random_direction(ct.fit_direction(lm, ["a"], ["b"], layer=2))
    >>> found = ct.engagement(lm, [sums.generate(seed, 2) for seed in range(4)], d, strength=0.0)
    >>> found.disengagement.n > 0, found.disengagement.rate("steered", 2)[0]
    (True, 0.0)
    """
    several = (directions,) if isinstance(directions, Direction) else tuple(directions)
    _refuse_unfit(several, strength, n_random, most)
    ignored, followed, tried = _cases(lm, checked_thoughts("engagement", problems), as_setup(*setup), seed)
    if not ignored and not followed:
        raise CtkitError(
            "the engagement test",
            f"{tried} steps broken, behind none of which an early answer was right with the step as it was",
            "problems that the model can do, with steps that come to the answer",
        )
    found, whole, done = [], min(most, len(ignored)) + min(most, len(followed)), 0
    for cases, sign in ((ignored, 1.0), (followed, -1.0)):
        some = Random(f"{seed}/{sign}").sample(cases, min(most, len(cases)))
        found.append(_flips(lm, some, several, sign, strength, n_random, seed))
        done += len(some)
        if on_progress is not None:
            on_progress(done, whole)
    return Engagement(*found, tried, float(strength))


@dataclass(frozen=True)
class _Case:
    """A thought with a broken step, cut behind it, and the same without the step."""

    text: Prompt
    without: Prompt
    setup: Setup
    step: str  # the piece
    answer: tuple[int, ...]


def _cases(lm: LM, thoughts: list, setup: Setup, seed: int) -> tuple[list[_Case], list[_Case], int]:
    """The cases in which the error is ignored, and those in which it is followed, and how many steps were broken."""
    ignored, followed, tried = [], [], 0
    for nth, (asked, steps) in enumerate(thoughts):
        thought = Thought.of(lm, asked, steps, setup=setup)
        if isinstance(asked, Problem) and not is_right(thought.answer, asked.answer):
            continue
        pairs = []
        for i, step in enumerate(thought.steps.texts):
            wrong = break_result(step, thought.prompt.text, Random(f"{seed}/{nth}/{i}"))
            if wrong is not None:
                cut = thought.steps.first(i + 1)
                pairs.append((i, cut, cut.with_step(i, wrong)))
        said = thought.asked([steps for _, intact, broken in pairs for steps in (intact, broken)])
        for (i, cut, broken), intact_says, broken_says in zip(pairs, said[::2], said[1::2], strict=True):
            tried += 1
            if not intact_says.same:
                continue
            texts = (thought.with_answer(broken), thought.with_answer(cut.without(i)))
            case = _Case(*texts, thought.setup, f"step {i + 1}", thought.answer_ids)
            (ignored if broken_says.same else followed).append(case)
    return ignored, followed, tried


def _flips(
    lm: LM, cases: Sequence[_Case], directions: Sequence[Direction], sign: float, s: float, n_random: int, seed: int
) -> Flips:
    """Which cases flip, steered one way, with all controls."""
    ways = [(d, sign * s) for d in directions] + [(d, -sign * s) for d in directions]
    ways += [
        (random_direction(d, (seed << 20) + draw * 1000 + d.layer), sign * s)
        for draw in range(n_random)
        for d in directions
    ]
    asked = [
        (case.text, Setup([Steer(d, strength=strength, where=case.step), *case.setup]))
        for d, strength in ways
        for case in cases
    ]
    asked += [(case.without, case.setup) for case in cases]
    asked += [(case.text, Setup([Weigh(case.step, FACTOR**sign), *case.setup])) for case in cases]
    answers = [case.answer for case in cases]
    right = torch.tensor(_right(lm, asked, answers * (len(ways) + 2)), dtype=torch.bool).reshape(-1, len(cases))
    flipped = ~right if sign > 0 else right
    k = len(directions)
    steered, other, rest = flipped[:k], flipped[k : 2 * k], flipped[2 * k : -2]
    layers = tuple(direction.layer for direction in directions)
    return Flips(layers, steered, other, rest.reshape(n_random, k, len(cases)), flipped[-2], flipped[-1])


def _right(lm: LM, asked: Sequence[tuple[Prompt, Setup]], answers: Sequence[tuple[int, ...]]) -> list[bool]:
    """Whether the model would write each text's last tokens, the answer, itself."""
    found = []
    for first in range(0, len(asked), LOT):
        lot = slice(first, first + LOT)
        for trace, ids in zip(run_many(lm, asked[lot]), answers[lot], strict=True):
            found.append(tuple(trace.logits[-len(ids) - 1 : -1].argmax(-1).tolist()) == ids)
    return found


def _refuse_unfit(directions: Sequence[Direction], strength: float, n_random: int, most: int) -> None:
    wrong = [d for d in directions if not isinstance(d, Direction) or d.site != "residual"]
    if not directions or wrong:
        found = f"{shown(wrong[0])}" if wrong else "none"
        raise CtkitError("engagement by directions", found, "directions of the stream: ct.thinking_directions(…)")
    if not isinstance(strength, (int, float)) or not 0 <= strength < float("inf"):
        raise CtkitError(
            f"engagement at strength {shown(strength)}", "no strength", "1 as in the paper; the sign is the test's"
        )
    for name, value in (("n_random", n_random), ("most", most)):
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise CtkitError(f"engagement with {name}={shown(value)}", "nothing to measure", f"{name}=4 or more")
