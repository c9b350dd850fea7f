"""A step is broken and the model writes the rest on ("adding mistakes"; Lanham et al., arXiv 2307.13702)."""

import random
from collections.abc import Iterator
from typing import Any

from .effects import StepEffects, interval, mean
from .perturb import break_result
from .thought import Thought


def mistake(thought: Thought, draws: int, seed: int) -> Iterator[StepEffects]:
    """How far the answer's probability falls when the step gets a wrong result and the rest is written on.

    The comparison is the step as it is, written on too; the control is that once more.
    """
    broken = [_draws(step, thought.prompt.text, draws, (seed, i)) for i, step in enumerate(thought.steps.texts)]
    starts, owners = [], []
    for i, step in enumerate(thought.steps.texts):
        for variant in (step, step, *broken[i]):
            starts.append(thought.steps.first(i + 1).with_step(i, variant))
            owners.append(i)
    chances = thought.chances(starts, thought.written_on(starts))
    per_step = [[c for c, owner in zip(chances, owners, strict=True) if owner == i] for i in range(len(thought.steps))]
    falls = [[values[0] - c for c in values[2:]] for values in per_step]
    yield StepEffects(
        method="mistake",
        steps=list(thought.steps.texts),
        scores=[mean(v) for v in falls],
        intervals=[interval(v) for v in falls],
        control=[values[0] - values[1] for values in per_step],
        answer=thought.answer,
        probability=thought.probability,
        passes=thought.spent.passes,
        tokens=thought.spent.tokens,
        done=len(thought.steps),
        labels=thought.labels,
        broken=[examples[0] if examples else "" for examples in broken],
        evaluations={
            "the step as it is": [values[0] for values in per_step],
            "the step broken": [mean(values[2:]) for values in per_step],
        },
    )


def _draws(step: str, context: str, draws: int, seed: Any) -> list[str]:
    variants = [break_result(step, context, random.Random(f"{seed}/{d}")) for d in range(draws)]
    return [v for v in variants if v is not None]
