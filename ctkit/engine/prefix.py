"""Texts that were read, and rows that go on from them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from torch import Tensor

from .plan import Row


@dataclass(frozen=True, eq=False)
class Prefix:
    """A text that was read: its token ids, and each block's keys and values (head position d_head).

    `layers` are those of the tokens from `start` on; the ones before are the first of another text's, `base`, which has
    all of its own."""

    ids: tuple[int, ...]
    layers: list[tuple[Tensor, Tensor]]
    base: "Prefix | None" = None
    start: int = 0

    @property
    def root(self) -> "Prefix":
        """The text that has the first keys and values."""
        return self.base or self

    @property
    def bytes_a_token(self) -> int:
        """What a token's keys and values take in all blocks."""
        return sum(part.shape[0] * part.shape[2] * part.element_size() for pair in self.layers for part in pair)

    def from_root(self, n: int) -> int:
        """How many of the first `n` tokens have their keys and values in the root."""
        return n if self.base is None else min(n, self.start)

    def lay(self, room: Tensor, block: int, part: int, n: int) -> None:
        """Copy one block's keys (part 0) or values (1) of the first `n` tokens into a room (row head n d_head)."""
        there = self.from_root(n)
        room[:, :, :there] = self.root.layers[block][part][:, :there]
        if there < n:
            room[:, :, there:] = self.layers[block][part][:, : n - there]

    def apart(self) -> "Prefix":
        """The same, with what is not the root's in memory of its own."""
        return replace(self, layers=[(keys.clone(), values.clone()) for keys, values in self.layers])

    def own(self) -> "Prefix":
        """The same in memory of its own, all of it, so that the batch it was read in can go."""
        layers, length = [], len(self.ids)
        for block, parts in enumerate(self.layers):
            rooms = [like.new_empty(1, like.shape[0], length, like.shape[2]) for like in parts]
            for part, room in enumerate(rooms):
                self.lay(room, block, part, length)
            layers.append((rooms[0][0], rooms[1][0]))
        return Prefix(self.ids, layers)


@dataclass(frozen=True, eq=False)
class Going:
    """A row that goes on from a prefix, of which it shares the first `shared` tokens (None: from nothing). The logits
    of its `last` positions are wanted. `taken`: nobody else goes on from the prefix, so what it has beside its root is
    let go once it is taken over, block by block."""

    row: Row
    prefix: Prefix | None
    shared: int
    last: int
    taken: bool = False

    @cached_property
    def to_read(self) -> int:
        """How many tokens have to be read, at least."""
        return len(self.row.enc) - min(self.shared, len(self.row.enc) - self.last)

    @cached_property
    def root(self) -> int:
        """A number for the text it begins like: rows of one number stand side by side."""
        return 0 if self.prefix is None else id(self.prefix.root)

    @cached_property
    def own(self) -> int:
        """How many of its tokens have no keys and values in the root, or are to be read."""
        length = len(self.row.enc)
        return length - (0 if self.prefix is None else self.prefix.from_root(length - self.to_read))

    @cached_property
    def place(self) -> tuple[int, int, int, int]:
        """Rows of one place take the same keys and values over; sorted by it, they stand side by side."""
        return self.to_read, self.root, id(self.prefix), len(self.row.enc)


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
