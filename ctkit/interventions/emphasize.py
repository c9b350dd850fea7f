"""Emphasis: some heads give less weight to all of the prompt but a part, so that the part counts for more."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from math import inf, log
from operator import index

import torch

from .. import masks
from ..errors import CtkitError, shown
from ..prompt import START, Encoding, ModelShape
from .base import Intervention, as_tuple, check_heads, check_layers

Heads = tuple[int, ...] | tuple[tuple[int, int], ...]  # heads of every chosen block, or pairs of a block and a head


@dataclass(frozen=True)
class Emphasize(Intervention):
    """Attention is drawn to a part of the prompt (PASTA; Zhang et al., ICLR 2024, arXiv 2311.02262).

    In the chosen heads the attention weights of all prompt tokens outside `piece` are scaled by `alpha` and each row
    made to sum to 1 again, which is to add log(alpha) to their scores; what the model writes is left alone.

    `piece` names a place as for `Knockout` (a piece, positions, "reading 2", several), or it is a text that stands in
    the prompt, such as a sentence of the context. Every occurrence counts: all readings of a piece, and all places
    where the text stands. Overlaps count once. `alpha=1` changes nothing, nor does emphasis on the whole prompt.

    `heads` are numbers, meant in each of `layers` (as for `Mask`), or pairs (layer, head), which name single heads.

    >>> Emphasize("The key is in the box.", heads=[(1, 2), (3, 0)])
    Emphasize(piece='The key is in the box.', alpha=0.01, heads=((1, 2), (3, 0)), layers=None)
    """

    piece: masks.Where
    alpha: float = 0.01
    heads: Heads | None = None
    layers: tuple[int, ...] | None = None

    def __post_init__(self):
        if isinstance(self.alpha, bool) or not isinstance(self.alpha, (int, float)) or not 0 < self.alpha < inf:
            raise CtkitError(
                f"Emphasize(alpha={shown(self.alpha)})",
                "no factor for attention weights: they stay above 0",
                "a number above 0: 1 changes nothing, 0.01 is the paper's choice",
            )
        object.__setattr__(self, "piece", masks.as_where(self.piece))
        object.__setattr__(self, "heads", _as_heads(self.heads))
        object.__setattr__(self, "layers", as_tuple(self.layers))
        if self._in_pairs and self.layers is not None:
            raise CtkitError(
                f"Emphasize(heads={shown(self.heads)}, layers={shown(self.layers)})",
                "pairs (layer, head), which say the layer already",
                "the pairs alone, or numbers of heads with layers=",
            )

    @property
    def _in_pairs(self) -> bool:
        return bool(self.heads) and isinstance(self.heads[0], tuple)

    def check(self, shape: ModelShape) -> None:
        """The layers and heads must exist."""
        layers, heads = zip(*self.heads) if self._in_pairs else (self.layers, self.heads)
        check_layers("Emphasize", layers, shape.n_layers - 1)
        check_heads("Emphasize", heads, shape.n_heads)

    def bias(self, enc: Encoding, layer: int):
        """log(alpha) for the prompt's tokens outside the piece, in the chosen heads; None where nothing changes."""
        heads = self._heads_of(layer, enc.shape.n_heads)
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

    def _heads_of(self, layer: int, n_heads: int) -> set[int]:
        """The heads of a block that are steered."""
        if self._in_pairs:
            return {head for own, head in self.heads if own == layer}
        if self.layers is not None and layer not in self.layers:
            return set()
        return set(range(n_heads) if self.heads is None else self.heads)


def places_of(enc: Encoding, where: masks.Where) -> list[int]:
    """The positions of a piece in all its readings, of a text wherever it stands in the prompt, or of another place.

    A token is part of a text if any of its characters is. Raises `CtkitError` for a text that the prompt does not have.
    """
    if isinstance(where, tuple):
        return sorted({position for part in where for position in places_of(enc, part)})
    if not isinstance(where, str) or re.fullmatch(r"all|prompt|generated|reading \d+", where):
        return masks.positions(enc, where)
    names = [part.name for part in enc.prompt.parts if where in (part.name, part.origin) and part.name in enc.spans]
    if names or where in enc.spans:
        return masks.positions(enc, tuple(names or [where]))
    found = _with_text(enc, where.strip())
    if not found:
        raise CtkitError(
            f"the part {shown(where)} of a prompt",
            f"the pieces {list(enc.spans)} and, in their text, no such words",
            "a piece, or words exactly as they stand in the prompt",
        )
    return found


def _with_text(enc: Encoding, text: str) -> list[int]:
    """The prompt's tokens of which a character stands in an occurrence of the text."""
    whole, ends = _ends(enc)
    marks = sorted(set(ends.values()))
    starts = dict(zip(marks, [0, *marks]))  # tokens that share a letter end, and so start, together
    found: set[int] = set()
    first = whole.find(text) if text else -1
    while first >= 0:
        found |= {i for i, end in ends.items() if starts[end] < first + len(text) and end > first}
        first = whole.find(text, first + 1)
    return sorted(found)


def _ends(enc: Encoding) -> tuple[str, dict[int, int]]:
    """The prompt's text, and the character of it where each token ends (a placeholder has none)."""
    text, ends = "", {}
    for i, part in enumerate(enc.prompt.parts):
        if part.written:
            break
        text += enc.prompt.lead(i)
        if part.text and part.name in enc.spans:
            ends |= {at: len(text) + enc.places[at][1] for at in range(len(enc))[enc.spans[part.name]]}
        text += part.text
    return text, ends


def _as_heads(value: object) -> Heads | None:
    """Numbers of heads, or pairs of numbers, as tuples; None stays None (= all)."""
    entries = list(value) if isinstance(value, Iterable) and not isinstance(value, str) else value
    if not isinstance(entries, list) or not any(isinstance(entry, (tuple, list)) for entry in entries):
        return as_tuple(entries)
    try:
        return tuple((index(layer), index(head)) for layer, head in entries)
    except (TypeError, ValueError) as err:
        raise CtkitError(
            f"the heads {shown(value)}", "neither numbers nor pairs", "heads [0, 2], or pairs [(1, 2), (3, 0)]"
        ) from err
