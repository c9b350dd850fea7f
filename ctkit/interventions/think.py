"""Thinking on or off: the cue that makes a model write its steps before the answer."""

from dataclasses import dataclass

from ..errors import CtkitError, shown
from ..prompt import CUE, Piece, Prompt
from .base import Intervention


@dataclass(frozen=True)
class Think(Intervention):
    """Ask for the steps before the answer (zero-shot chain of thought; Kojima et al. 2022, arXiv 2205.11916).

    The answer cue makes room for the phrase; the model then writes its steps, and the cue itself, when it generates.
    `on=False` changes nothing.

    >>> Think().edit(Prompt(question="Where is the key?", cue="Answer:")).text
    "Where is the key? Let's think step by step."
    """

    on: bool = True
    phrase: str = "Let's think step by step."

    def __post_init__(self):
        if not isinstance(self.on, bool) or not isinstance(self.phrase, str):
            raise CtkitError(
                f"Think(on={shown(self.on)}, phrase={shown(self.phrase)})",
                "no switch, or no text",
                "Think(on=True) or Think(on=False)",
            )

    def edit(self, prompt: Prompt) -> Prompt:
        """The prompt with the phrase where the cue was, or behind everything where there is none."""
        if not self.on:
            return prompt
        body = [part for part in prompt.asked if part.name not in (CUE, "think")]
        return Prompt.of([*body, Piece("think", self.phrase), *prompt.written])
