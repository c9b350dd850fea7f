"""All heads at a glance: each head's attention made small, block by block, so that a long text fits into memory."""

from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from ..engine.lm import LM
from ..engine.rows import rows_of
from ..engine.run import traces, wanted
from ..engine.trace import Trace
from ..errors import CtkitError, shown
from ..interventions import as_setup
from ..prompt import Prompt


@dataclass(frozen=True, eq=False)
class Thumbnails:
    """Attention of every head, at most `size` by `size`.

    `weights[layer][head, i, j]`: how much the queries of cell i give to all keys of cell j together, on average; rows
    sum to 1. Cell i holds the positions `edges[i]` to `edges[i + 1] - 1`. Blocks without attention are left out.
    """

    trace: Trace = field(repr=False)
    weights: dict[int, Float[Tensor, "head cell cell"]] = field(repr=False)
    edges: tuple[int, ...]

    @property
    def size(self) -> int:
        """The number of cells on a side."""
        return len(self.edges) - 1


def thumbnails(lm: LM, prompt: Prompt | str, *setup: Any, size: int = 32) -> Thumbnails:
    """The attention of every head, pooled to `size` cells a side as soon as a block has computed it.

    Never more than one block's full weights are held, however many blocks there are. A text of at most `size` tokens
    is not pooled. Raises `CtkitError` for models whose attention cannot be read.

    >>> import ctkit as ct
    >>> small = ct.thumbnails(ct.load(), "The key is in the box. Where is the key?", size=4)
    >>> sorted(small.weights), small.weights[0].shape
    ([0, 1, 2, 3], torch.Size([4, 4, 4]))
    """
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise CtkitError(f"thumbnails of size {shown(size)}", "no number of cells", "a whole number such as 32")
    rows = rows_of(lm, [prompt], as_setup(*setup))
    edges = _edges(len(rows[0].enc), size)
    trace = traces(lm, rows, wanted(lm, attention="all", pool=_pooling(edges)), last_only=False)[0]
    kept = dict(trace.kept_attention)
    trace.kept_attention.clear()  # what is small stays here; the trace reads the whole where it is asked
    weights = {layer: torch.stack([kept[layer, head] for head in range(lm.n_heads)]) for layer in lm.attending}
    return Thumbnails(trace, weights, edges)


def _edges(length: int, size: int) -> tuple[int, ...]:
    """Where cells begin, as even as can be, and the end."""
    cells = min(size, length)
    return tuple(round(i * length / cells) for i in range(cells + 1))


def _pooling(edges: tuple[int, ...]):
    """Mean over the queries of a cell, sum over the keys of a cell."""
    cell = torch.bucketize(torch.arange(edges[-1]), torch.tensor(edges[1:]), right=True)
    inside = torch.nn.functional.one_hot(cell, len(edges) - 1).float()  # (position, cell)

    def pool(weights: Float[Tensor, "batch head query key"]) -> Float[Tensor, "batch head cell cell"]:
        member = inside.to(weights.device)
        rows = (member / member.sum(0)).mT.to(weights) @ weights
        return rows @ member.to(weights)

    return pool
