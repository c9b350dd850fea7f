"""Token prepending: a placeholder in front of the text that is told, block by block, what the last token knows."""

from dataclasses import dataclass

import torch

from ..errors import CtkitError, shown
from ..prompt import CUE, PLACEHOLDER, Encoding, ModelShape, Piece, Prompt
from .base import Intervention, check_layers

INITS = ("normal", "mean")
SOURCES = ("last", "itself")


@dataclass(frozen=True)
class PrependToken(Intervention):
    """Put a token in front whose state is the last token's, so that early words hear of late ones (TP; Fu et al., ACL
    2025, arXiv 2412.11556).

    A placeholder is set before the last reading of the text (or before the piece `before`). Entering every block l with
    start ≤ l < exit its residual is overwritten by that of the prompt's last token. Positions and mask stay as they
    are. `init`: its embedding, drawn from N(0, 1) with a fixed seed ("normal", the paper) or the mean of the model's
    embeddings ("mean"). `source="itself"` is the control: the plain placeholder, with nothing told to it.
    `start == exit` changes nothing, not even the text.
    """

    start: int = 1
    exit: int = 3
    init: str = "normal"
    before: str | None = None
    source: str = "last"
    seed: int = 0

    def __post_init__(self):
        if self.init not in INITS:
            raise CtkitError(f"PrependToken(init={shown(self.init)})", "no such start", f"one of {', '.join(INITS)}")
        if self.source not in SOURCES:
            raise CtkitError(
                f"PrependToken(source={shown(self.source)})", "no such source", f"one of {', '.join(SOURCES)}"
            )
        whole = all(isinstance(value, int) for value in (self.start, self.exit, self.seed))
        if not whole or not 0 <= self.start <= self.exit:
            raise CtkitError(
                f"PrependToken(start={shown(self.start)}, exit={shown(self.exit)})",
                "no such range of blocks",
                "0 ≤ start ≤ exit",
            )

    def check(self, shape: ModelShape) -> None:
        """The blocks must exist: `exit` is the first block that is not touched any more."""
        if self.start != self.exit:
            check_layers("PrependToken", (self.start, self.exit), shape.n_layers)

    def edit(self, prompt: Prompt) -> Prompt:
        """The prompt with the placeholder before the last reading of its text."""
        if self.start == self.exit:
            return prompt
        parts = list(prompt.parts)
        names = [part.name for part in parts]
        at = parts.index(prompt.piece(self.before)) if self.before is not None else _last_reading(parts)
        if PLACEHOLDER in names:
            raise CtkitError("a second placeholder", f"the pieces {names}", "one PrependToken in a setup")
        return Prompt.of([*parts[:at], Piece(PLACEHOLDER, ""), *parts[at:]])

    def touches(self, layer: int) -> bool:
        """Where the placeholder gets its embedding, and where it is told something."""
        return self.start != self.exit and (layer == 0 or self.start <= layer < self.exit)

    def residual(self, x, enc: Encoding, layer: int):
        """The placeholder's own embedding entering block 0; the last prompt token's state entering start … exit - 1."""
        if self.start == self.exit:
            return x
        spot = enc.span(PLACEHOLDER).start
        if layer == 0:
            x = x.clone()
            x[spot] = self._embedding(enc).to(x)
        if self.start <= layer < self.exit and self.source == "last":
            x = x.clone()
            x[spot] = x[enc.n_prompt - 1]
        return x

    def _embedding(self, enc: Encoding):
        if self.init == "mean":
            return enc.shape.mean_embedding
        return torch.randn(enc.shape.d_model, generator=torch.Generator().manual_seed(self.seed))


def _last_reading(parts: list[Piece]) -> int:
    text = [part for part in parts if part.name not in (CUE, "think") and part.origin != "phrase" and not part.written]
    if not text:
        raise CtkitError(
            "a token in front of the text",
            f"the pieces {[part.name for part in parts]}, of which none is text",
            "a prompt with a question",
        )
    last = max(part.reading for part in text)
    return next(i for i, part in enumerate(parts) if part in text and part.reading == last)
