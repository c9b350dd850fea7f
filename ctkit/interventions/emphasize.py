"""Emphasis: some heads give less weight to all of the prompt but a part, so that the part counts for more."""

from dataclasses import dataclass
from math import inf, log

import torch

from .. import masks
from ..errors import CtkitError, shown
from ..masks import places_of
from ..prompt import START, Encoding, ModelShape
from .base import Intervention, as_tuple
from .chosen import Heads, Layers, as_heads, check_chosen, heads_in


@dataclass(frozen=True)
class Emphasize(Intervention):
    """Attention is drawn to a part of the prompt (PASTA; Zhang et al., ICLR 2024, arXiv 2311.02262).

    In the chosen heads the attention weights of all prompt tokens outside `piece` are scaled by `alpha` and each row
    made to sum to 1 again, which is to add log(alpha) to their scores; what the model writes is left alone.

    `piece` names a place (`ctkit.masks.places` lists the names): a piece, positions, "reading 2", several, or words of
    the prompt, such as a sentence of the context. Words count wherever they stand; here a piece, too, counts in all its
    readings. Overlaps count once. `alpha=1` changes nothing, nor does emphasis on the whole prompt.

    `heads` are numbers, meant in each of `layers` (as for `Mask`), or pairs (layer, head), which name single heads.

    >>> Emphasize("The key is in the box.", heads=[(1, 2), (3, 0)])
    Emphasize(piece='The key is in the box.', alpha=0.01, heads=((1, 2), (3, 0)), layers=None)
    """

    piece: masks.Where
    alpha: float = 0.01
    heads: Heads = None
    layers: Layers = None

    def __post_init__(self):
        if isinstance(self.alpha, bool) or not isinstance(self.alpha, (int, float)) or not 0 < self.alpha < inf:
            raise CtkitError(
                f"Emphasize(alpha={shown(self.alpha)})",
                "no factor for attention weights: they stay above 0",
                "a number above 0: 1 changes nothing, 0.01 is the paper's choice",
            )
        object.__setattr__(self, "piece", masks.as_where(self.piece))
        object.__setattr__(self, "layers", as_tuple(self.layers))
        object.__setattr__(self, "heads", as_heads("Emphasize", self.heads, self.layers))

    def check(self, shape: ModelShape) -> None:
        """The layers and heads must exist."""
        check_chosen("Emphasize", self.layers, self.heads, shape)

    def bias(self, enc: Encoding, layer: int):
        """log(alpha) for the prompt's tokens outside the piece, in the chosen heads; None where nothing changes."""
        heads = heads_in(layer, self.layers, self.heads, enc.shape.n_heads)
        if self.alpha == 1 or not heads:
            return None
        outside = sorted(set(range(enc.n_prompt)) - set(places_of(enc, self.piece)))
        if all(enc.places[position][0] == START for position in outside):
            return None
        columns = torch.zeros(len(enc))
        columns[outside] = log(self.alpha)
        if len(heads) == enc.shape.n_heads:
            return columns.expand(1, len(enc), -1)
        bias = torch.zeros(enc.shape.n_heads, len(enc), len(enc))
        bias[list(heads)] = columns
        return bias
