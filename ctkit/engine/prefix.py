"""Rows that go on from texts read before: their keys and values laid side by side, the new tokens read in one pass.

All rows of a pass read the same number of new tokens: the one with most to read decides, the others read the end of
what they share once more. Padding stands on the left, so that everything else is as in a batch read from the start.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any

from jaxtyping import Float
from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from ..errors import CtkitError
from .batch import new_cache, padded_ids
from .lm import LM
from .plan import Row
from .session import Session


@dataclass(frozen=True, eq=False)
class Prefix:
    """A text that was read: its token ids, and each block's keys and values (head position d_head)."""

    ids: tuple[int, ...]
    layers: list[tuple[Tensor, Tensor]]

    def own(self) -> "Prefix":
        """The same in memory of its own, so that the batch it was read in can go."""
        return Prefix(self.ids, [(keys.clone(), values.clone()) for keys, values in self.layers])


@dataclass(frozen=True, eq=False)
class Going:
    """A row that goes on from a prefix, of which it shares the first `shared` tokens (None: from nothing). The logits
    of its `last` positions are wanted."""

    row: Row
    prefix: Prefix | None
    shared: int
    last: int

    @cached_property
    def to_read(self) -> int:
        """How many tokens have to be read, at least."""
        return len(self.row.enc) - min(self.shared, len(self.row.enc) - self.last)

    @cached_property
    def place(self) -> tuple[int, int, int]:
        """Rows of one place take the same keys and values over; sorted by it, they stand side by side."""
        return self.to_read, id(self.prefix), len(self.row.enc)


@dataclass(frozen=True, eq=False)
class Reading:
    """What came out of a pass: `logits` of the last positions of each row, on the model's device, and its cache."""

    goings: Sequence[Going]
    logits: Float[Tensor, "row last vocab"]
    cache: Any
    tokens: int  # computed in this pass, padding included

    def prefix(self, b: int) -> Prefix:
        """Row `b` as a text that was read: a view of the batch's keys and values."""
        row = self.goings[b].row
        kept = [(layer.keys[b, :, row.pad :], layer.values[b, :, row.pad :]) for layer in self.cache.layers]
        return Prefix(row.enc.ids, kept)


def read_on(lm: LM, goings: Sequence[Going]) -> Reading:
    """One pass over rows that go on from what was read before. Their setups must change nothing but text.

    Raises `CtkitError` for a model whose cache is not keys and values of every token in every block.
    """
    rows = [going.row for going in goings]
    ids = padded_ids(rows, lm)
    length = ids.shape[1]
    start = length - max(going.to_read for going in goings)
    cache = _side_by_side(goings, start, length) if start else new_cache(lm, "dynamic", length)
    last = max(going.last for going in goings)
    session = Session(lm, rows, length, cache=cache, length=start)
    with session.installed():
        logits = session.forward(ids[:, start:], last).logits[:, -last:]
    if not all(type(layer) in (DynamicLayer, _Room) and layer.is_initialized for layer in cache.layers):
        raise CtkitError(
            f"texts of {lm.name} that share a beginning",
            "a cache that is more than keys and values of every token",
            "each text read whole",
        )
    return Reading(goings, logits, cache, len(rows) * (length - start))


def shared(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens two texts have in common from the start (by halves: comparing slices is quick)."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _side_by_side(goings: Sequence[Going], start: int, length: int) -> DynamicCache:
    """A cache of `start` positions with room for `length`: each row's share of its prefix, behind its padding."""
    runs, first = [], 0
    for _, run in groupby(goings, lambda going: going.place):
        size = len(list(run))
        runs.append((slice(first, first + size), goings[first].row.pad, goings[first].prefix))
        first += size
    cache = DynamicCache()
    blocks = next(going.prefix for going in goings if going.prefix is not None).layers
    cache.layers = [
        _Room(*(_block(runs, block, part, len(goings), start, length) for part in (0, 1)), start)
        for block in range(len(blocks))
    ]
    return cache


def _block(runs: list, block: int, part: int, n_rows: int, start: int, length: int) -> Tensor:
    """One block's keys (part 0) or values (part 1), (row head position d_head)."""
    like = next(prefix.layers[block][part] for _, _, prefix in runs if prefix is not None)
    room = like.new_empty(n_rows, like.shape[0], length, like.shape[2])
    for rows, pad, prefix in runs:
        room[rows, :, : min(pad, start)] = 0  # masked, but a number it must be
        if pad < start:
            room[rows, :, pad:start] = prefix.layers[block][part][:, : start - pad]
    return room


class _Room(DynamicLayer):
    """Keys and values with room for those to come, so that new ones are written behind and nothing is copied."""

    def __init__(self, keys: Tensor, values: Tensor, start: int):
        super().__init__()
        self.dtype, self.device, self.is_initialized = keys.dtype, keys.device, True
        self.room = (keys, values)
        self.keys, self.values = keys[:, :, :start], values[:, :, :start]

    def update(self, key_states: Tensor, value_states: Tensor, *args, **kwargs) -> tuple[Tensor, Tensor]:
        """Write new keys and values (row head position d_head) behind those there; all of them come back."""
        start = self.keys.shape[2]
        stop = start + key_states.shape[2]
        for room, new in zip(self.room, (key_states, value_states), strict=True):
            room[:, :, start:stop] = new
        self.keys, self.values = (room[:, :, :stop] for room in self.room)
        return self.keys, self.values
