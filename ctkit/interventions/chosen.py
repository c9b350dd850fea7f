"""The blocks and heads in which an intervention on attention acts: all, some heads of some blocks, or single heads."""

from collections.abc import Iterable
from operator import index

from jaxtyping import Bool
from torch import Tensor

from ..errors import CtkitError, shown
from ..prompt import Encoding, ModelShape
from .base import as_tuple, check_heads, check_layers

Layers = tuple[int, ...] | None  # None: all of them
Heads = tuple[int, ...] | tuple[tuple[int, int], ...] | None  # of every chosen block, or pairs of a block and a head


def as_heads(asked: str, value: object, layers: Layers = None) -> Heads:
    """Numbers of heads, or pairs of numbers, as tuples; None stays None (= all). Pairs beside `layers` are refused."""
    entries = list(value) if isinstance(value, Iterable) and not isinstance(value, str) else value
    if not isinstance(entries, list) or not any(isinstance(entry, (tuple, list)) for entry in entries):
        return as_tuple(entries)
    try:
        pairs = tuple((index(layer), index(head)) for layer, head in entries)
    except (TypeError, ValueError) as err:
        raise CtkitError(
            f"the heads {shown(value)}", "neither numbers nor pairs", "heads [0, 2], or pairs [(1, 2), (3, 0)]"
        ) from err
    if layers is not None:
        raise CtkitError(
            f"{asked}(heads={shown(pairs)}, layers={shown(layers)})",
            "pairs (layer, head), which say the layer already",
            "the pairs alone, or numbers of heads with layers=",
        )
    return pairs


def check_chosen(asked: str, layers: Layers, heads: Heads, shape: ModelShape) -> None:
    """Refuse blocks and heads that the model does not have, naming them."""
    if _in_pairs(heads):
        layers, heads = zip(*heads)
    check_layers(asked, layers, shape.n_layers - 1)
    check_heads(asked, heads, shape.n_heads)


def heads_in(layer: int, layers: Layers, heads: Heads, n_heads: int) -> frozenset[int]:
    """The heads of one block in which to act.

    >>> sorted(heads_in(1, (0, 1), None, 4)), sorted(heads_in(1, None, ((1, 2), (3, 0)), 4))
    ([0, 1, 2, 3], [2])
    """
    if _in_pairs(heads):
        return frozenset(head for own, head in heads if own == layer)
    if layers is not None and layer not in layers:
        return frozenset()
    return frozenset(range(n_heads) if heads is None else heads)


def masked_in(
    heads: frozenset[int],
    old: Bool[Tensor, "#head query key"],
    new: Bool[Tensor, "#head query key"],
    enc: Encoding,
) -> Bool[Tensor, "#head query key"]:
    """The new mask in these heads and the old one in the others; the old one itself where there are none."""
    if not heads:
        return old
    if len(heads) == enc.shape.n_heads:
        return new
    result = old.expand(enc.shape.n_heads, -1, -1).clone()
    result[sorted(heads)] = new.expand_as(result)[sorted(heads)]
    return result


def _in_pairs(heads: Heads) -> bool:
    return bool(heads) and isinstance(heads[0], tuple)
