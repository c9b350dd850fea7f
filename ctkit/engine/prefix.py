"""Rows that go on from texts read before: their keys and values laid side by side, the new tokens read in one pass.

All rows of a pass read the same number of new tokens: the one with most to read decides, the others read the end of
what they share once more. Padding stands on the left, so that everything else is as in a batch read from the start.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
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

    @cached_property
    def best(self) -> list[list[int]]:
        """The likeliest token behind each of these positions."""
        return self.logits.argmax(-1).tolist()

    def prefix(self, b: int) -> Prefix:
        """Row `b` as a text that was read: a view of the batch's keys and values, where they were kept."""
        row = self.goings[b].row
        kept = [(layer.keys[b, :, row.pad :], layer.values[b, :, row.pad :]) for layer in self.cache.layers]
        return Prefix(row.enc.ids, kept)


def read_on(lm: LM, goings: Sequence[Going], keep: bool) -> Reading:
    """One pass over rows that go on from what was read before. Their setups must change nothing but text.

    `keep`: each row's keys and values are still there afterwards. Else only one block's are, while it runs, so that
    many more rows have room. Raises `CtkitError` for a model whose cache is not keys and values of every token in every
    block.
    """
    rows = [going.row for going in goings]
    ids = padded_ids(rows, lm)
    length = ids.shape[1]
    start = length - max(going.to_read for going in goings)
    cache = _side_by_side(goings, start, length, keep) if start else new_cache(lm, "dynamic", length)
    last = max(going.last for going in goings)
    session = Session(lm, rows, length, cache=cache, length=start)
    with session.installed():
        logits = session.forward(ids[:, start:], last).logits[:, -last:]
    if not all(type(layer) in (DynamicLayer, _Kept, _Lent) and layer.is_initialized for layer in cache.layers):
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


def _side_by_side(goings: Sequence[Going], start: int, length: int, keep: bool) -> DynamicCache:
    """A cache of `start` positions with room for `length`: each row's share of its prefix, behind its padding."""
    runs, first = [], 0
    for _, run in groupby(goings, lambda going: going.place):
        size = len(list(run))
        runs.append((slice(first, first + size), goings[first].row.pad, goings[first].prefix))
        first += size
    blocks = next(going.prefix for going in goings if going.prefix is not None).layers
    cache = DynamicCache()
    cache.layers = [
        (_Kept if keep else _Lent)(partial(_rooms, runs, block, len(goings), start, length), start)
        for block in range(len(blocks))
    ]
    return cache


def _rooms(runs: list, block: int, n_rows: int, start: int, length: int) -> list[Tensor]:
    """One block's keys and values (row head position d_head), those of the prefixes in their places."""
    rooms = []
    for part, like in enumerate(next(prefix.layers[block] for _, _, prefix in runs if prefix is not None)):
        room = like.new_empty(n_rows, like.shape[0], length, like.shape[2])
        for rows, pad, prefix in runs:
            room[rows, :, : min(pad, start)] = 0  # masked, but a number it must be
            if pad < start:
                room[rows, :, pad:start] = prefix.layers[block][part][:, : start - pad]
        rooms.append(room)
    return rooms


class _Lent(DynamicLayer):
    """Keys and values that are laid side by side when their block asks for them, and gone when it is done."""

    def __init__(self, rooms: Callable[[], list[Tensor]], start: int):
        super().__init__()
        self.rooms, self.stop, self.is_initialized = rooms, start, True

    def update(self, key_states: Tensor, value_states: Tensor, *args, **kwargs) -> tuple[Tensor, Tensor]:
        """Write new keys and values (row head position d_head) behind those of the prefixes; all of them come back."""
        start, self.stop = self.stop, self.stop + key_states.shape[2]
        keys, values = self.rooms()
        keys[:, :, start : self.stop] = key_states
        values[:, :, start : self.stop] = value_states
        return keys, values

    def get_seq_length(self) -> int:
        """How many positions there are so far."""
        return self.stop


class _Kept(_Lent):
    """The same, and they stay."""

    def update(self, key_states: Tensor, value_states: Tensor, *args, **kwargs) -> tuple[Tensor, Tensor]:
        """As before, and keep what comes back."""
        self.keys, self.values = super().update(key_states, value_states)
        return self.keys, self.values
