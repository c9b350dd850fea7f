"""What a lesson asks of its reader: a guess, held against what the model really did."""

from dataclasses import dataclass
from typing import Any

from .errors import CtkitError, shown


@dataclass(frozen=True)
class Verdict:
    """Whether a guess was right, in words; it counts as True or False."""

    right: bool
    words: str

    def __bool__(self) -> bool:
        return self.right

    def __repr__(self) -> str:
        return self.words


def check(guess: Any, truth: Any, tolerance: float = 0.0) -> Verdict:
    """Hold a guess against what was measured. Numbers may be off by `tolerance`; `...` is a guess still to be made.

    >>> check(0.5, 0.47, tolerance=0.05)
    Right: 0.47.
    >>> check(..., 0.47)
    Your turn: put a guess in place of the dots, then run the cell again.
    """
    if guess is ...:
        return Verdict(False, "Your turn: put a guess in place of the dots, then run the cell again.")
    if isinstance(truth, (int, float)) and not isinstance(truth, bool):
        if isinstance(guess, bool) or not isinstance(guess, (int, float)):
            raise CtkitError(f"the guess {shown(guess)}", f"a {type(guess).__name__}", "a number")
        right = abs(guess - truth) <= tolerance
    else:
        right = guess == truth
    said = f"{truth:.2f}" if isinstance(truth, float) else str(truth)
    return Verdict(
        right,
        f"Right: {said}."
        if right
        else f"Not quite: you said {guess}, it is {said}. Change something above and look again.",
    )
