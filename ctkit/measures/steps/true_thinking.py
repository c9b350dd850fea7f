"""The true-thinking score: early exit after a step, step and context intact or broken (arXiv 2510.24941)."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from .effects import NAN, StepEffects, collected, mean
from .lots import lots
from .paper import greedy_chances
from .perturb import perturbation as perturbation_called
from .split import Steps
from .thought import Thought

FOUR = (
    "step intact, context intact",
    "step broken, context intact",
    "step intact, context broken",
    "step broken, context broken",
)


def true_thinking(
    thought: Thought, draws: int, seed: int, *, only: Sequence[int], perturbation: str = "offset", paper: bool = False
) -> Iterator[StepEffects]:
    """½ (necessity + sufficiency) of every step, asked right behind it.

    Necessity is |P(C, s) − P(C, s′)|, sufficiency |P(C′, s) − P(C′, s′)|: P is the probability of the model's final
    answer y* behind the context C and the step s, C′ and s′ are broken (`perturbation`; see `perturb.py`). Each draw
    breaks the whole thought once, every number for itself, and each step takes its context and itself from there. Only
    the thought is broken, never the question.

    `paper=True` is as the paper's code has it (commit f7cfa816): offsets of −3, −2, −1, 1 or 2 without keeping the
    number's length, steps without a number left unmeasured, and P(y*) read along the model's own greedy text (up to 20
    tokens) instead of along y*. That code splits at every full stop (`by=r"(?<=\\\\.)"`) and asks with `PAPER_CUE`
    (`cue=ctkit.measures.steps.PAPER_CUE`). It breaks the context anew for each step; we do not.
    """
    read = (lambda texts: greedy_chances(thought, texts)) if paper else thought.chances
    chains = _broken_chains(thought, draws, seed, "paper-offset" if paper else perturbation)
    thought.reader.grow([thought.up_to(_chained(thought.steps, chain)) for chain in chains])
    n = len(thought.steps)
    found: list[list[tuple[float, ...]]] = [[] for _ in range(n)]
    control = [NAN] * n
    for lot in lots(thought, only, 30 * (1 + 3 * draws)):
        _read_lot(thought, lot, chains, read, found, control)
        yield _effects(thought, found, control, chains)


def _broken_chains(thought: Thought, draws: int, seed: int, name: str) -> list[list[str | None]]:
    """For each draw the whole thought broken; None where a step cannot be."""
    broken = perturbation_called(name)
    context, chains = thought.prompt.text, []
    for draw in range(draws):
        rngs = [random.Random(f"{seed}/{draw}/{i}") for i in range(len(thought.steps))]
        chains.append([broken(step, context, rng) for step, rng in zip(thought.steps.texts, rngs, strict=True)])
    return chains


def _read_lot(
    thought: Thought,
    lot: Sequence[int],
    chains: list[list[str | None]],
    read: Callable[[list[Steps]], list[float]],
    found: list[list[tuple[float, ...]]],
    control: list[float],
) -> None:
    texts: list[Steps] = []
    for i in lot:
        texts += [thought.steps.first(i + 1)] * 2  # the second is the control
        for chain in chains:
            texts += _three(thought.steps.first(i + 1), chain)
    chances = iter(read(texts))
    for i in lot:
        intact, again = next(chances), next(chances)
        control[i] = abs(intact - again)
        found[i] = [(intact, next(chances), next(chances), next(chances)) for c in chains if c[i] is not None]


def _three(intact: Steps, chain: list[str | None]) -> list[Steps]:
    """The thought up to a step, the last one of `intact`, with the step, its context, or both broken."""
    i, other = len(intact) - 1, chain[len(intact) - 1]
    if other is None:
        return []
    both = _chained(intact, chain)
    return [intact.with_step(i, other), both.with_step(i, intact.texts[i]), both]


def _chained(steps: Steps, chain: list[str | None]) -> Steps:
    """Some first steps of the thought, broken where they can be."""
    return Steps(tuple(b if b is not None else s for b, s in zip(chain, steps.texts)), steps.leads)


def _effects(thought: Thought, found: list, control: list[float], chains: list) -> StepEffects:
    necessity = [[abs(ci - cb) for ci, cb, _, _ in draws] for draws in found]
    sufficiency = [[abs(bi - bb) for _, _, bi, bb in draws] for draws in found]
    scores = [[(n + s) / 2 for n, s in zip(*pair, strict=True)] for pair in zip(necessity, sufficiency, strict=True)]
    four = {name: [mean([draw[k] for draw in draws]) for draws in found] for k, name in enumerate(FOUR)}
    broken = [next((chain[i] for chain in chains if chain[i] is not None), "") for i in range(len(found))]
    effects = collected("true-thinking", thought, scores, control, four, broken)
    return replace(effects, necessity=[mean(v) for v in necessity], sufficiency=[mean(v) for v in sufficiency])
