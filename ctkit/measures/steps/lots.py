"""In which lots the steps of a thought are measured: all at once on a small model, a few at a time on a slow one."""

from collections.abc import Iterator, Sequence

from .thought import Thought

WORK = 2**35  # parameters × tokens in a lot: about a second on two cores


def lots(thought: Thought, steps: Sequence[int], tokens: int) -> Iterator[list[int]]:
    """Some steps in lots, where each takes about so many tokens. It depends on the model's size alone, so that the same
    measure is always read in the same lots."""
    size = sum(parameter.numel() for parameter in thought.lm.model.parameters())
    at_once = max(1, WORK // (max(1, size) * max(1, tokens)))
    yield from (list(steps[start : start + at_once]) for start in range(0, len(steps), at_once))


def length(thought: Thought) -> int:
    """About how many tokens a text with the whole thought has."""
    return len(thought.encoded(thought.with_answer(thought.steps)))
