"""A step is broken and the model writes the rest on ("adding mistakes"; Lanham et al., arXiv 2307.13702)."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ...engine.encode import encode
from .effects import NAN, StepEffects, collected, mean
from .lots import length, lots
from .perturb import perturbation as perturbation_called
from .split import Steps
from .thought import Thought


def mistake(
    thought: Thought, draws: int, seed: int, *, only: Sequence[int], perturbation: str = "result"
) -> Iterator[StepEffects]:
    """How far the answer's probability falls when the step is broken and the rest is written on by the model.

    Probabilities stand in place of the paper's same-or-not. The comparison is the step as it is, written on too; the
    control is that once more. `perturbation`: how a step is broken; by default its last number is moved, or, where it
    has none, its last word swapped (see `perturb.py`). `filler` is what the answer's probability would be behind a
    thought of fillers, as long in tokens: how much of it needs no thought at all.
    """
    n = len(thought.steps)
    broken = _broken(thought, draws, seed, perturbation)
    falls: list[list[float]] = [[] for _ in range(n)]
    kept, left, control = [NAN] * n, [NAN] * n, [NAN] * n
    filler = filler_chance(thought)
    for lot in lots(thought, only, length(thought) * (1 + draws)):
        starts = {(i, text): thought.steps.first(i + 1).with_step(i, text) for i in lot for text in broken[i]}
        whole, written = _written(thought, lot, list(starts.values()))
        after = dict(zip(starts, written, strict=True))
        for i, (as_it_is, again) in zip(lot, whole, strict=True):
            found = [after[i, text] for text in broken[i]]
            kept[i], left[i], control[i] = as_it_is, mean(found), as_it_is - again
            falls[i] = [as_it_is - chance for chance in found]
        evaluations = {"the step as it is": kept, "the step broken": left}
        examples = [few[0] if few else "" for few in broken]
        yield replace(collected("mistake", thought, falls, control, evaluations, examples), filler=filler)


def _written(
    thought: Thought, lot: Sequence[int], broken: list[Steps]
) -> tuple[list[tuple[float, float]], list[float]]:
    """For each step of a lot the answer's probability with the step as it is and the rest written on, and that once
    more; and the probability behind each of some broken thoughts, written on beside them.

    Where the model writes just the thought's own rest, which one pass over the thought tells, nothing need be written.
    """
    own = [i for i in lot if i + 1 >= thought.writes_itself_from]
    others = [thought.steps.first(i + 1) for i in lot if i not in own]
    chances = [each.chance for each in thought.written_on([*broken, *others, *others])]
    written, again = chances[len(broken) : len(broken) + len(others)], chances[len(broken) + len(others) :]
    read = thought.chances([thought.steps] * 2) if own else []
    pairs = iter(zip(written, again, strict=True))
    return [(read[0], read[1]) if i in own else next(pairs) for i in lot], chances[: len(broken)]


def filler_chance(thought: Thought) -> float:
    """The answer's probability behind "... ... ..." in place of the thought ("filler tokens" of that paper): as many
    tokens, or up to a filler less."""
    length, one, two = (_tokens(thought, text) for text in (thought.steps.text, "...", "... ..."))
    fit = 1 + max(0, length - one) // max(1, two - one)
    return thought.chances([Steps((" ".join(["..."] * fit),), ("",), thought.steps.tail)])[0]


def _tokens(thought: Thought, text: str) -> int:
    """How many tokens a text has behind another."""
    return len(encode(thought.lm, f"a {text}").ids) - len(encode(thought.lm, "a").ids)


def _broken(thought: Thought, draws: int, seed: int, name: str) -> list[list[str]]:
    """For each step the ways to break it, one a draw; none where it cannot be."""
    make, context = perturbation_called(name), thought.prompt.text
    variants = [
        [make(step, context, random.Random(f"{(seed, i)}/{draw}")) for draw in range(draws)]
        for i, step in enumerate(thought.steps.texts)
    ]
    return [[v for v in few if v is not None] for few in variants]
