"""Echo: the text is given to be rewritten, and stands there once more as its rewriting."""

from dataclasses import dataclass

from ..errors import CtkitError, shown
from ..prompt import Piece, Prompt
from .base import Intervention
from .reread import again, body_of

FORM = "form"  # the piece that asks for the rewriting


@dataclass(frozen=True)
class Echo(Intervention):
    """Say the text twice, the second time as its own rewriting (echo embeddings; Springer et al., arXiv 2402.15449).

    The second reading has seen the whole of the first, so the mean of its stream is an embedding in which early words
    know of late ones: `trace.residual(layer)` at the piece "context (2)"; for many texts use `ctkit.measures.embed`.
    The answer cue is not repeated. The words around the readings are new in a comparison. Where the second reading
    cannot see the first nothing is left of it: `Knockout("reading 2", "reading 1")`.

    >>> Echo().edit(Prompt("The key is in the box.")).text[:54]
    'Rewrite the following paragraph: The key is in the box'
    >>> Echo().edit(Prompt("The key is in the box.")).text[55:]
    ' The rewritten paragraph: The key is in the box.'
    """

    ask: str = "Rewrite the following paragraph:"
    phrase: str = "The rewritten paragraph:"

    def __post_init__(self):
        for value in (self.ask, self.phrase):
            if not isinstance(value, str):
                raise CtkitError(
                    f"Echo(ask={shown(self.ask)}, phrase={shown(self.phrase)})",
                    f"a {type(value).__name__}",
                    'texts; "" for none',
                )

    def edit(self, prompt: Prompt) -> Prompt:
        """The request, the pieces, the phrase and the pieces again, then the cue and what was written."""
        if FORM in prompt.pieces:
            raise CtkitError("an echo", f"the pieces {list(prompt.pieces)}: an echo already", "one Echo in a setup")
        body, tail = body_of(prompt)
        reading = max(part.reading for part in body) + 1
        form = [Piece(FORM, self.ask)] if self.ask else []
        return Prompt.of([*form, *body, *again(body, reading, self.phrase, lead=" "), *tail])
