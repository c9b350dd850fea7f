"""The true-thinking score: early exit after a step, step and context intact or broken (arXiv 2510.24941)."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from .effects import StepEffects, interval, mean
from .perturb import break_numbers
from .split import Steps
from .thought import Thought


def true_thinking(thought: Thought, draws: int, seed: int) -> Iterator[StepEffects]:
    """½ (necessity + sufficiency) of every step."""

    def probability(texts: list[list[str]]) -> list[float]:
        return thought.chances([Steps(tuple(t), thought.steps.leads[: len(t)]) for t in texts])

    steps = thought.steps.texts
    halves = [halves_of(steps, i, thought.prompt.text, draws, seed, probability) for i in range(len(steps))]
    scores = [[(n + s) / 2 for n, s in zip(h.necessity, h.sufficiency, strict=True)] for h in halves]
    yield StepEffects(
        method="true-thinking",
        steps=list(steps),
        scores=[mean(v) for v in scores],
        intervals=[interval(v) for v in scores],
        control=[h.control for h in halves],
        answer=thought.answer,
        probability=thought.probability,
        passes=thought.spent.passes,
        tokens=thought.spent.tokens,
        done=len(steps),
        labels=thought.labels,
        broken=[h.broken[0] if h.broken else "" for h in halves],
        necessity=[mean(h.necessity) for h in halves],
        sufficiency=[mean(h.sufficiency) for h in halves],
    )


@dataclass(frozen=True)
class Halves:
    """Per draw: |P(C,s) − P(C,s′)|, the necessity, and |P(C′,s) − P(C′,s′)|, the sufficiency; C′, s′ are broken."""

    necessity: list[float]
    sufficiency: list[float]
    control: float  # the score with s′ = s: exactly 0
    broken: list[str]


def halves_of(
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
