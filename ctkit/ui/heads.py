"""The heads of a long text: all of them made small with what each changed, and one of them in the cells asked for."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import CtkitError, shown
from .cells import checked_edges, mask_in_cells, membership
from .look import MOST_CELLS, Look
from .wire import as_bytes, packed, packed_differences, packed_mask, packed_weights

MOST_SMALL = 420_000  # bytes of all small pictures together


def overview_of(before: Look, after: Look | None) -> dict[str, Any]:
    """Every head small, before, after and as a difference, and three numbers a head, each with all keys and without the
    first token: its change (the share of its reading that moved) and its interest (the weight on earlier tokens)."""
    own, _ = before.squares()
    size = _small_size(own)
    edges = before.pooling.own
    found = {"before": packed(as_bytes(_smaller(own, edges, size))), "interest": _rounded(_interest(own, edges))}
    if after is None:
        return found | {"after": None, "difference": None, "change": [], "change_hidden": []}
    now, aligned = after.squares()
    if aligned is None:
        raise CtkitError("a difference of two runs", "a run after that was not looked at beside the run before", "look")
    there = after.pooling.there
    difference = torch.where(there[:, None], aligned[..., :-1] - own, 0)
    new = torch.where(there, aligned[..., -1], 0)
    return found | {
        "after": packed(as_bytes(_smaller(now, after.pooling.own, size))),
        "difference": packed_differences(_smaller(difference, edges, size)),
        "change": _rounded(_change(difference, new, edges)),
        "change_hidden": _rounded(_change(difference[..., 1:], new, edges)),
    }


def most_changed(before: Look, after: Look | None) -> tuple[int, int]:
    """The (layer, head) that changed most; where nothing did, the one that reads most of the earlier text."""
    found = overview_of(before, after)
    best = max(found["change"], default=0) > 0.005
    values = found["change"] if best else found["interest"]
    return divmod(max(range(len(values)), key=values.__getitem__), before.trace.shape.n_heads)


def head_of(look: Look, layer: object, head: object, edges: object) -> dict[str, Any]:
    """One head's weights and mask in cells. Raises `CtkitError` for a head or edges that are none."""
    shape = look.trace.shape
    for name, value, most in (("layer", layer, shape.n_layers), ("head", head, shape.n_heads)):
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < most:
            raise CtkitError(f"{name} {shown(value)}", f"{most} of them", f"a number from 0 to {most - 1}")
    cells = checked_edges(edges, len(look.trace.ids), MOST_CELLS)
    allowed = look.trace.allowed(layer)
    return {
        "weights": packed_weights(look.in_cells(layer, head, cells)),
        "allowed": packed_mask(mask_in_cells(allowed[min(head, len(allowed) - 1)], cells)),
    }


def _small_size(squares: Tensor) -> int:
    """Cells a side of a small picture, so that three of every head are few bytes."""
    heads = squares.shape[0] * squares.shape[1]
    return min(squares.shape[-1], max(8, int((MOST_SMALL / 3 / heads) ** 0.5)))


def _smaller(squares: Float[Tensor, "*heads cell cell"], edges: tuple[int, ...], size: int) -> Tensor:
    """Fewer cells: again the first alone, rows averaged by their tokens, columns summed."""
    cells = squares.shape[-1]
    if cells <= size:
        return squares
    groups = (0, *(1 + round(i * (cells - 1) / (size - 1)) for i in range(size)))
    member = membership(groups)
    weighted = member * torch.tensor(edges).diff()
    return (weighted / weighted.sum(1, keepdim=True)) @ squares @ member.T


def _change(difference: Tensor, new: Tensor, edges: tuple[int, ...]) -> Tensor:
    """The share of its reading that a token moves elsewhere, on average over the tokens."""
    tokens = torch.tensor(edges).diff().float()
    return (((difference.abs().sum(-1) + new) / 2) @ tokens) / edges[-1]


def _interest(squares: Tensor, edges: tuple[int, ...]) -> Tensor:
    """The weight on tokens of earlier cells but the first one, on average over the tokens."""
    return (squares.tril(-1)[..., 1:].sum(-1) @ torch.tensor(edges).diff().float()) / edges[-1]


def _rounded(values: Float[Tensor, "layer head"]) -> list[float]:
    return [round(value, 5) for value in values.flatten().tolist()]
