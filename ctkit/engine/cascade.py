"""Attention of many rows to a beginning that they share: its keys and values are read where they lie, none is copied.

Each row's own keys, those behind the beginning, come second; one softmax goes over both (as the two levels of cascade
attention, flashinfer.ai/2024/02/02/cascade-inference.html; here the scores stand side by side, so nothing is merged).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from ..errors import CtkitError
from .prefix import Going, Prefix

SCORES = 2**21  # numbers: of so many rows at a time that these stay near the processor


@dataclass(frozen=True, eq=False)
class _Run:
    """Rows, side by side in a batch, that begin like one text."""

    rows: slice
    root: Prefix
    n: int  # of its tokens the most that a row shares
    mask: Float[Tensor, "row 1 1 query key"]  # added to scores; its keys are those of the root, then the row's own


class Cascade:
    """A batch of rows that all read the same number of tokens, each behind its own beginning. `goings` of one root
    stand side by side."""

    def __init__(self, goings: Sequence[Going], n_read: int, n_heads: int, device: torch.device):
        self.goings, self.n_read, self.n_heads, self.device = goings, n_read, n_heads, device
        self.starts = [len(going.row.enc) - n_read for going in goings]  # what each row has behind it
        self.there = [going.prefix.from_root(n) for going, n in zip(goings, self.starts, strict=True)]
        self.behind = [n - there for n, there in zip(self.starts, self.there, strict=True)]
        self.widest = max(self.behind)
        self.runs = list(self._runs())

    @property
    def places(self) -> Tensor:
        """The position of each new token (row, token)."""
        return torch.tensor(self.starts)[:, None] + torch.arange(self.n_read)

    def cache(self, keep: bool) -> DynamicCache:
        """What the model writes its new keys and values into; they come back behind the row's own."""
        cache = DynamicCache()
        cache.layers = [_Own(self, block, keep) for block in range(len(self.goings[0].prefix.layers))]
        return cache

    def attend(self, block: int, query: Tensor, key: Tensor, value: Tensor, told: Mapping[str, Any]) -> Tensor:
        """What comes out of a block's heads (row query head d_head): its queries (row head query d_head) over the
        root's keys and the rows' own (row key-head own d_head). As stock sdpa, which knows a scaling and no more."""
        if told.get("softcap") is not None or told.get("position_bias") is not None:
            raise CtkitError("a beginning shared by rows", "scores that the model changes", "each text read whole")
        scaling = told.get("scaling")
        query = query * (query.shape[-1] ** -0.5 if scaling is None else scaling)
        parts = [_over_both(run, block, query[run.rows], key[run.rows], value[run.rows]) for run in self.runs]
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def _runs(self) -> Iterator[_Run]:
        first = 0
        for _, run in groupby(self.goings, lambda going: going.root):
            stop = first + len(list(run))
            n = max(self.there[first:stop])
            keys = n + self.widest + self.n_read
            at_once = max(1, SCORES // (self.n_heads * self.n_read * keys))
            for start in range(first, stop, at_once):
                rows = slice(start, min(start + at_once, stop))
                yield _Run(rows, self.goings[first].prefix.root, n, self._mask(rows, n))
            first = stop

    def _mask(self, rows: slice, n: int) -> Float[Tensor, "row 1 1 query key"]:
        there, behind = torch.tensor([self.there[rows], self.behind[rows]])[..., None]
        key = torch.arange(n + self.widest)
        unseen = (key >= there) & (key < n + self.widest - behind)
        like = self.goings[rows.start].prefix.layers[0][0]
        least = torch.finfo(like.dtype).min
        mask = like.new_zeros(len(there), 1, 1, self.n_read, len(key) + self.n_read, device="cpu")
        mask[..., : len(key)].masked_fill_(unseen[:, None, None, None], least)
        mask[..., len(key) :] = torch.full((self.n_read, self.n_read), least).triu(1)
        return mask.to(self.device)


def _over_both(run: _Run, block: int, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """The heads' outputs (row query head d_head) of one run: its queries are scaled."""
    n_rows, n_read, n_keys, n = query.shape[0], query.shape[2], key.shape[1], run.n
    query = query.unflatten(1, (n_keys, -1)).flatten(2, 3)  # row key-head query d_head: heads of a key as more queries
    keys, values = (part[:, :n] for part in run.root.layers[block])
    shared = (_by_key(query) @ keys.transpose(1, 2)).unflatten(1, (n_rows, -1)).transpose(0, 1)
    scores = torch.cat([shared, query @ key.transpose(2, 3)], dim=-1).unflatten(2, (-1, n_read))
    weights = scores.add_(run.mask.to(scores.device)).softmax(-1, dtype=torch.float32).to(query.dtype).flatten(2, 3)
    found = (_by_key(weights[..., :n]) @ values).unflatten(1, (n_rows, -1)).transpose(0, 1)
    found = found + weights[..., n:] @ value
    return found.unflatten(2, (-1, n_read)).permute(0, 3, 1, 2, 4).flatten(2, 3)


def _by_key(x: Tensor) -> Tensor:
    """What belongs to a key-head (row key-head query …) for all rows, one behind the other (key-head row·query …)."""
    return x.transpose(0, 1).flatten(1, 2)


class _Own(DynamicLayer):
    """The keys and values that rows have for themselves: those behind the root, then the new ones."""

    def __init__(self, cascade: Cascade, block: int, keep: bool):
        super().__init__()
        self.cascade, self.block, self.keep, self.is_initialized = cascade, block, keep, True

    def update(self, key_states: Tensor, value_states: Tensor, *args, **kwargs) -> tuple[Tensor, Tensor]:
        """Set new keys and values (row head position d_head) behind the rows' own; all of them come back."""
        own = self._behind((key_states, value_states)) if self.cascade.widest else (key_states, value_states)
        if self.keep:
            self.keys, self.values = own
        return own

    def _behind(self, new: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        widest, rooms = self.cascade.widest, []
        for part in new:  # zeros: what no row has is masked, but a number it must be
            room = part.new_zeros(*part.shape[:2], widest + part.shape[2], part.shape[3])
            room[:, :, widest:] = part
            rooms.append(room)
        for b, (going, n) in enumerate(zip(self.cascade.goings, self.cascade.behind, strict=True)):
            for part, room in enumerate(rooms if n else ()):
                room[b, :, widest - n : widest] = going.prefix.layers[self.block][part][:, :n]
            if going.taken and going.prefix.base is not None:
                going.prefix.layers[self.block] = ()
        return rooms[0], rooms[1]

    def get_seq_length(self) -> int:
        """Nothing that a model need know: it is told the positions, and who may attend to whom."""
        return 0
