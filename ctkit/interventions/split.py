"""A piece in sentences, so that each of them can be named: the text stays as it is."""

from dataclasses import dataclass

from ..errors import CtkitError, shown
from ..prompt import Prompt
from .base import Intervention


@dataclass(frozen=True)
class Split(Intervention):
    """Name each sentence of a piece: "context 1", "context 2", … (see `Prompt.split`).

    The text stays the same, letter for letter, and so does all that the model says. Before `Mask("parallel",
    pieces="context")` it keeps the sentences apart; without other interventions it is the run to compare with.

    >>> Split("context").edit(Prompt(context="Ann has a. Bob has b.", question="Who?"))
    Prompt(context 1='Ann has a.', context 2='Bob has b.', question='Who?')
    """

    piece: str

    def __post_init__(self):
        if not isinstance(self.piece, str):
            raise CtkitError(f"Split({shown(self.piece)})", "no name of a piece", 'ct.Split("context")')

    def edit(self, prompt: Prompt) -> Prompt:
        """The prompt with the piece in parts."""
        return prompt.split(self.piece)
