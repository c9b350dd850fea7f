"""In which lots the steps of a thought are measured: all at once on a small model, a few at a time on a slow one."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ...engine.lm import LM

if TYPE_CHECKING:
    from .thought import Thought

WORK = 2**35  # parameters × tokens in a lot: about a second on two cores


def lots(thought: "Thought", steps: Sequence[int], tokens: int) -> Iterator[list[int]]:
    """Some steps in lots, where each takes about so many tokens. It depends on the model's size alone, so that the same
    measure is always read in the same lots."""
    n = at_once(thought.lm, tokens)
    yield from (list(steps[start : start + n]) for start in range(0, len(steps), n))


def at_once(lm: LM, tokens: int) -> int:
    """How many things a lot has, of which each takes about so many tokens; at least one."""
    size = sum(parameter.numel() for parameter in lm.model.parameters())
    return max(1, WORK // (max(1, size) * max(1, tokens)))


def length(thought: "Thought") -> int:
    """About how many tokens a text with the whole thought has."""
    return len(thought.encoded(thought.with_answer(thought.steps)))
