"""Tokens in cells: a cell reads the mean of what its tokens read, and what is read in it is summed.

So rows still sum to 1. Cell i holds the tokens `edges[i]` to `edges[i + 1] - 1`; the last edge is the number of tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..errors import CtkitError, shown

Edges = tuple[int, ...]


def even_edges(length: int, most: int) -> Edges:
    """The first token alone (a view may hide it), the others in at most `most - 1` cells as even as can be."""
    cells = min(most - 1, length - 1)
    return (0, *(1 + round(i * (length - 1) / cells) for i in range(cells)), length) if cells > 0 else (0, length)


def checked_edges(edges: object, length: int, most: int) -> Edges:
    """Edges that came from outside, if they are ones."""
    fine = isinstance(edges, Sequence) and all(isinstance(e, int) and not isinstance(e, bool) for e in edges)
    if not fine or len(edges) < 2 or edges[0] != 0 or edges[-1] != length or sorted(set(edges)) != list(edges):
        raise CtkitError(f"cells with the edges {shown(edges)}", f"a text of {length} tokens", f"[0, …, {length}]")
    if len(edges) - 1 > most:
        raise CtkitError(f"attention in {len(edges) - 1} cells", f"at most {most} in one message", "larger units")
    return tuple(edges)


def membership(edges: Edges) -> Float[Tensor, "cell token"]:
    """1 where a token is in a cell."""
    cell = torch.bucketize(torch.arange(edges[-1]), torch.tensor(edges[1:]), right=True)
    return torch.nn.functional.one_hot(cell, len(edges) - 1).float().T


def joined_edges(length: int, firsts: Sequence[int], most: int) -> Edges:
    """The cells in which a view first asks for a head: so many tokens at a time as needed, anew with each piece."""
    for joined in range(1, length + 1):
        starts = sorted({0, *firsts})
        spans = zip(starts, [*starts[1:], length], strict=True)
        edges = [at for start, stop in spans for at in range(start, stop, joined)]
        if len(edges) <= most:
            return (*edges, length)
    return (0, length)


def in_cells(weights: Float[Tensor, "*heads query key"], edges: Edges) -> Float[Tensor, "*heads cell cell"]:
    """Weights in cells: means over the rows of a cell, sums over its columns."""
    if len(edges) - 1 == edges[-1]:
        return weights
    sizes = torch.tensor(edges).diff()
    cell = torch.repeat_interleave(torch.arange(len(sizes)), sizes).to(weights.device)
    flat = weights.reshape(-1, *weights.shape[-2:])
    sums = torch.stack([_summed(_summed(head, cell, len(sizes)).T, cell, len(sizes)).T for head in flat])
    return (sums / sizes[:, None].to(sums)).view(*weights.shape[:-2], *sums.shape[1:])


def _summed(rows: Float[Tensor, "token value"], cell: Tensor, cells: int) -> Float[Tensor, "cell value"]:
    """Rows added up by cell: many times sooner than a product with the cells' members."""
    return rows.new_zeros(cells, rows.shape[1]).index_add_(0, cell, rows.contiguous())


def mask_in_cells(allowed: Bool[Tensor, "query key"], edges: Edges) -> Bool[Tensor, "cell cell"]:
    """Whether any token of a cell may attend to any of another."""
    if len(edges) - 1 == edges[-1]:
        return allowed
    starts = torch.tensor(edges[:-1])
    counts = torch.zeros(allowed.shape[0] + 1, allowed.shape[1] + 1, dtype=torch.int32)
    counts[1:, 1:] = allowed.to(torch.int32).cumsum(0).cumsum(1)
    stops = torch.tensor(edges[1:])
    rows = counts[stops] - counts[starts]
    return (rows[:, stops] - rows[:, starts]) > 0


@dataclass(frozen=True, eq=False)
class Pooling:
    """How the weights of a run are made small as soon as a block has computed them: in cells of its own and, where it
    is compared with a run before, in the cells of that run as well."""

    own: Edges
    rows: Float[Tensor, "cell token"] | None = None  # the tokens of this run that a cell of the run before became
    keys: Float[Tensor, "token cell_and_new"] | None = None  # the same for keys; last, what goes to new tokens
    same: bool = False  # whether it is token for token the text of the run before

    @staticmethod
    def of(edges: Edges, before: Edges | None = None, align: Sequence[int] = (), fold: Sequence[int] = ()) -> "Pooling":
        """Cells of this run and, with an alignment as in `measures.compare`, those of the run before."""
        if before is None:
            return Pooling(edges)
        if before == edges and list(align) == list(fold) == list(range(edges[-1])):
            return Pooling(edges, same=True)
        there = torch.zeros(before[-1], edges[-1])
        for i, j in enumerate(align):
            if j >= 0:
                there[i, j] = 1
        rows = membership(before) @ there
        back = torch.zeros(edges[-1], before[-1] + 1)
        back[torch.arange(edges[-1]), torch.tensor([i if i >= 0 else before[-1] for i in fold])] = 1
        keys = torch.cat([back[:, :-1] @ membership(before).T, back[:, -1:]], dim=1)
        return Pooling(edges, rows / rows.sum(1, keepdim=True).clamp_min(1), keys)

    def __call__(self, weights: Float[Tensor, "*heads query key"]) -> Float[Tensor, "*heads value"]:
        """Own cells, then those of the run before, in one line of numbers."""
        own = in_cells(weights, self.own)
        kept = [own.flatten(-2)]
        if self.same:
            kept.append(torch.nn.functional.pad(own, (0, 1)).flatten(-2))
        if self.rows is not None:
            kept.append((self.rows.to(weights) @ weights @ self.keys.to(weights)).flatten(-2))
        return torch.cat(kept, dim=-1)

    @property
    def there(self) -> Bool[Tensor, "cell"]:
        """The cells of the run before of which some token is left."""
        if self.rows is None:
            return torch.ones(len(self.own) - 1, dtype=torch.bool)
        return self.rows.sum(1) > 0

    def split(self, values: Float[Tensor, "*heads value"]) -> tuple[Tensor, Tensor | None]:
        """What a call returned, as squares: own cells; those of the run before with a last column for new tokens."""
        cells = len(self.own) - 1
        own = values[..., : cells**2].unflatten(-1, (cells, cells))
        if self.same:
            return own, values[..., cells**2 :].unflatten(-1, (cells, cells + 1))
        if self.rows is None:
            return own, None
        return own, values[..., cells**2 :].unflatten(-1, (self.rows.shape[0], self.keys.shape[1]))
