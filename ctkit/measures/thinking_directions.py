"""From steps that the answer does not rest on to those that it does: a direction for each layer (arXiv 2510.24941)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import isnan
from random import Random
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from ..directions.diffmean import of_texts
from ..directions.probe import accuracy, reliability
from ..engine.lm import LM
from ..engine.run import run_many
from ..errors import CtkitError, shown
from ..interventions import Direction
from ..interventions.setup import Setup, as_setup
from ..prompt import Prompt
from ..tasks.base import Problem
from .steps import Thought, effects_of

LOT = 64  # texts whose streams are in memory at a time
NAME = "steps that count − steps that do not"


@dataclass(frozen=True)
class ScoredStep:
    """A step at the end of its prompt and the steps before it, with its effect on the answer."""

    text: Prompt
    setup: Setup
    step: str
    score: float


def thinking_directions(
    lm: LM,
    problems: Sequence[Problem | tuple[Prompt | str, Any]],
    *setup: Any,
    share: float = 0.2,
    high: float | None = None,
    low: float | None = None,
    most: int = 100,
    method: str = "true-thinking",
    draws: int = 2,
    seed: int = 0,
    on_progress: Callable[[int, int], Any] | None = None,
) -> list[Direction]:
    """A direction for each layer (entering block 0, 1 … and leaving the last): the mean stream at the last token of
    steps with a high effect, less that of steps with a low one (Zhao et al., arXiv 2510.24941).

    The paper calls it the TrueThinking direction, and its scores "true thinking". What is scored is the causal effect
    of the step on the early answer; whether the model "thinks" in such a step is more than the score can show, and the
    direction may be anything that goes along with it, such as the place in the thought.

    `problems` are read with their true steps, or are pairs of a prompt and its steps. Each step is scored by `method`
    (as in `ct.step_effects`), and read behind the steps before it, with nothing after. The highest and the lowest
    `share` of all steps are taken; the paper takes those above `high` = 0.9 and those of at most `low` = 0 (give one or
    both). At most `most` of each, drawn by `seed`. The directions' `reliability` is the cosine between two halves of
    the steps, `accuracy` what a probe tells apart unseen.
    Raises `CtkitError` for no problems, and where all steps have the same effect, or none is high or low.

    >>> import ctkit as ct
    >>> sums = ct.tasks.get("sums")
    >>> found = ct.thinking_directions(ct.load(), [sums.generate(seed, 2) for seed in range(6)], share=0.3)
    >>> [d.layer for d in found], found[2].method
    ([0, 1, 2, 3, 4], 'true-thinking')
    """
    scored = scored_steps(lm, problems, *setup, method=method, draws=draws, seed=seed, on_progress=on_progress)
    return directions_of(lm, scored, share=share, high=high, low=low, most=most, seed=seed, method=method)


def scored_steps(
    lm: LM,
    problems: Sequence[Problem | tuple[Prompt | str, Any]],
    *setup: Any,
    method: str = "true-thinking",
    draws: int = 2,
    seed: int = 0,
    on_progress: Callable[[int, int], Any] | None = None,
) -> list[ScoredStep]:
    """The steps of some thoughts with their effects, those that can be measured."""
    together, found = as_setup(*setup), []
    thoughts = checked_thoughts("a thinking direction", problems)
    for done, (prompt, steps) in enumerate(thoughts, 1):
        thought = Thought.of(lm, prompt, steps, setup=together)
        effects = effects_of(thought, method, draws=draws, seed=seed)
        for i, score in enumerate(effects.scores):
            if not isnan(score):
                text = thought.up_to(thought.steps.first(i + 1))
                found.append(ScoredStep(text, thought.setup, thought.steps.texts[i], score))
        if on_progress is not None:
            on_progress(done, len(thoughts))
    return found


def directions_of(
    lm: LM,
    scored: Sequence[ScoredStep],
    *,
    share: float = 0.2,
    high: float | None = None,
    low: float | None = None,
    most: int = 100,
    seed: int = 0,
    method: str = "true-thinking",
) -> list[Direction]:
    """The directions of scored steps: `thinking_directions` without the scoring."""
    sides = parted(scored, share, high, low)
    some = [Random(f"{seed}/{side}").sample(steps, min(most, len(steps))) for side, steps in enumerate(sides)]
    plus, minus = (_last_states(lm, steps) for steps in some)
    found = []
    for layer in range(lm.n_layers + 1):
        ours, theirs = ([state[layer : layer + 1] for state in states] for states in (plus, minus))
        direction = Direction(of_texts(ours, theirs), layer, method, NAME)
        measured = {"reliability": reliability(of_texts, ours, theirs), "accuracy": accuracy(ours, theirs, seed)}
        found.append(replace(direction, **measured))
    return found


def parted(
    scored: Sequence[ScoredStep], share: float = 0.2, high: float | None = None, low: float | None = None
) -> tuple[list[ScoredStep], list[ScoredStep]]:
    """The steps with a high and those with a low effect: by thresholds where they are given, else by rank."""
    if not isinstance(share, (int, float)) or not 0 < share <= 0.5:
        raise CtkitError(f"the highest and lowest share={shown(share)} of steps", "no such part", "0.2; at most 0.5")
    ranked = sorted(scored, key=lambda step: step.score)
    asked = f"steps with a high and with a low effect among {len(ranked)}"
    remedy = "more or other problems, or other thresholds (high=…, low=…)"
    if not ranked or ranked[0].score == ranked[-1].score:
        raise CtkitError(asked, f"no steps, or all with the same effect {ranked[0].score if ranked else ''}", remedy)
    k = max(1, int(share * len(ranked)))
    above = ranked[-k:] if high is None else [step for step in ranked if step.score > high]
    below = ranked[:k] if low is None else [step for step in ranked if step.score <= low]
    for name, side in (("high", above), ("low", below)):
        if not side:
            found = f"no {name} one: effects from {ranked[0].score:.3f} to {ranked[-1].score:.3f}"
            raise CtkitError(asked, found, remedy)
    if min(step.score for step in above) <= max(step.score for step in below):
        raise CtkitError(asked, "a high side that reaches down to the low one", "a smaller share, or high above low")
    return above, below


def checked_thoughts(asked: str, problems: Any) -> list[tuple[Problem | Prompt | str, Any]]:
    """Pairs of a prompt (or problem) and its steps."""
    if isinstance(problems, (str, Prompt, Problem)) or not isinstance(problems, Sequence) or not len(problems):
        raise CtkitError(asked, "no list of problems", "problems of a task, or pairs (prompt, steps)")
    found = []
    for each in problems:
        if not isinstance(each, Problem) and not (isinstance(each, tuple) and len(each) == 2):
            raise CtkitError(asked, f"a {type(each).__name__}: {shown(each)}", "a problem, or a pair (prompt, steps)")
        found.append((each, each.steps) if isinstance(each, Problem) else each)
    return found


def _last_states(lm: LM, steps: Sequence[ScoredStep]) -> list[Float[Tensor, "layer d_model"]]:
    """The stream at the last token of each step, entering every block and leaving the last."""
    found = []
    for first in range(0, len(steps), LOT):
        asked = [(step.text, step.setup) for step in steps[first : first + LOT]]
        for trace in run_many(lm, asked, residual="all", last_only=True):
            found.append(torch.stack([trace.residual(layer)[-1] for layer in range(lm.n_layers + 1)]))
    return found
