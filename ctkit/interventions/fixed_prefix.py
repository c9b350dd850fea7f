"""A fixed text in front of every prompt, whatever it asks."""

from dataclasses import dataclass

from ..errors import CtkitError, shown
from ..prompt import Piece, Prompt
from .base import Intervention


@dataclass(frozen=True)
class FixedPrefix(Intervention):
    """Put the same text before every prompt (task-agnostic prefix prompt; Ye et al., AAAI 2024, arXiv 2302.14691).

    The paper's text is a set of solved examples of other tasks; any text will do. It is the piece "prefix", and its
    tokens are new in a comparison. End it with a line break to have one. A later one goes before an earlier one, and
    interventions behind it (re-reading) take it for a part of the prompt. `FixedPrefix("")` changes nothing.

    >>> FixedPrefix("Think hard.").edit(Prompt(question="Where is the key?", cue="Answer:")).text
    'Think hard. Where is the key? Answer:'
    """

    text: str

    def __post_init__(self):
        if not isinstance(self.text, str):
            raise CtkitError(f"FixedPrefix({shown(self.text)})", f"a {type(self.text).__name__}", 'a text; "" for none')

    def edit(self, prompt: Prompt) -> Prompt:
        """The prompt behind the text."""
        if not self.text:
            return prompt
        taken = set(prompt.pieces)
        names = ("prefix", *(f"prefix {i}" for i in range(2, len(taken) + 2)))
        return Prompt.of([Piece(next(name for name in names if name not in taken), self.text), *prompt.parts])
