"""The true-thinking score of one step: early exit after it, step and context intact or broken (arXiv 2510.24941)."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .perturb import break_numbers


@dataclass(frozen=True)
class Halves:
    """Per draw: |P(C,s) − P(C,s′)|, the necessity, and |P(C′,s) − P(C′,s′)|, the sufficiency; C′, s′ are broken."""

    necessity: list[float]
    sufficiency: list[float]
    control: float  # the score with s′ = s: exactly 0
    broken: list[str]


def true_thinking(
    steps: Sequence[str],
    index: int,
    question: str,
    draws: int,
    seed: int,
    probability: Callable[[list[list[str]]], list[float]],
) -> Halves:
    """The two halves for step `index`. `probability` gives the chance of the model's own answer when it is asked right
    after each of some thoughts. Only the thought is broken, never the question."""
    step, before = steps[index], list(steps[:index])
    thoughts, broken = [[*before, step], [*before, step]], []
    for draw in range(draws):
        rng = random.Random(f"{seed}/{index}/{draw}")
        other = break_numbers(step, question, rng)
        if other is None:
            continue
        around = [break_numbers(s, question, rng) or s for s in before]
        broken.append(other)
        thoughts += [[*before, other], [*around, step], [*around, other]]
    chances = probability(thoughts)
    intact, again, rest = chances[0], chances[1], chances[2:]
    necessity = [abs(intact - rest[3 * k]) for k in range(len(broken))]
    sufficiency = [abs(rest[3 * k + 1] - rest[3 * k + 2]) for k in range(len(broken))]
    return Halves(necessity, sufficiency, abs(intact - again), broken)
