"""Keys and values of what rows go on from, laid side by side: a copy for each row, in a cache as the model knows it."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby

from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from .prefix import Going


def side_by_side(goings: Sequence[Going], start: int, length: int, keep: bool) -> DynamicCache:
    """A cache of `start` positions with room for `length`: each row's share of its prefix, behind its padding."""
    runs, first = [], 0
    for _, run in groupby(goings, lambda going: going.place):
        size = len(list(run))
        runs.append((slice(first, first + size), goings[first].row.pad, goings[first].prefix))
        first += size
    blocks = next(going.prefix for going in goings if going.prefix is not None).layers
    cache = DynamicCache()
    cache.layers = [
        (Kept if keep else Lent)(partial(_rooms, runs, block, len(goings), start, length), start)
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
                prefix.lay(room[rows, :, pad:start], block, part, start - pad)
        rooms.append(room)
    return rooms


class Lent(DynamicLayer):
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


class Kept(Lent):
    """The same, and they stay."""

    def update(self, key_states: Tensor, value_states: Tensor, *args, **kwargs) -> tuple[Tensor, Tensor]:
        """As before, and keep what comes back."""
        self.keys, self.values = super().update(key_states, value_states)
        return self.keys, self.values
