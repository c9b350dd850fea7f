"""Reading rows on from texts read before, in one pass.

All rows of a pass read the same number of new tokens: the one with most to read decides, the others read the end of
what they share once more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from transformers.cache_utils import DynamicLayer

from ..errors import CtkitError
from .batch import new_cache, padded_ids
from .beside import Kept, Lent, side_by_side
from .cascade import Cascade
from .lm import LM
from .prefix import Going, Prefix
from .session import Session


@dataclass(frozen=True, eq=False)
class Reading:
    """What came out of a pass: `logits` of the last positions of each row, on the model's device, and its cache."""

    goings: Sequence[Going]
    logits: Float[Tensor, "row last vocab"]
    cache: Any
    tokens: int  # computed in this pass, padding included
    cascade: Cascade | None = None

    @cached_property
    def best(self) -> list[list[int]]:
        """The likeliest token behind each of these positions."""
        return self.logits.argmax(-1).tolist()

    def prefix(self, b: int) -> Prefix:
        """Row `b` as a text that was read: a view of the batch's keys and values, where they were kept."""
        row, cascade = self.goings[b].row, self.cascade
        first = row.pad if cascade is None else cascade.widest - cascade.behind[b]
        kept = [(layer.keys[b, :, first:], layer.values[b, :, first:]) for layer in self.cache.layers]
        if cascade is None:
            return Prefix(row.enc.ids, kept)
        return Prefix(row.enc.ids, kept, self.goings[b].prefix.root, cascade.there[b])


def read_on(lm: LM, goings: Sequence[Going], keep: bool, cascades: bool = False) -> Reading:
    """One pass over rows that go on from what was read before. Their setups must change nothing but text.

    `keep`: each row's keys and values are still there afterwards. Else only one block's are, while it runs, so that
    many more rows have room. `cascades`: what they share is read where it lies, if all share something. Raises
    `CtkitError` for a model whose cache is not keys and values of every token in every block.
    """
    rows, n_read = [going.row for going in goings], max(going.to_read for going in goings)
    last = max(going.last for going in goings)
    if cascades and all(g.prefix is not None and len(g.row.enc) > n_read and not len(g.row.setup) for g in goings):
        cascade = Cascade(goings, n_read, lm.n_heads, lm.entrance)
        cache = cascade.cache(keep)
        session = Session(lm, rows, n_read, cache=cache, cascade=cascade)
        ids = torch.tensor([row.enc.ids[-n_read:] for row in rows])
    else:
        cascade, ids = None, padded_ids(rows, lm)
        length = ids.shape[1]
        start = length - n_read
        cache = side_by_side(goings, start, length, keep) if start else new_cache(lm, "dynamic", length)
        session = Session(lm, rows, length, cache=cache, length=start)
        ids = ids[:, start:]
    with session.installed(), torch.inference_mode():  # quicker than without gradients alone
        logits = session.forward(ids, last).logits[:, -last:]
    known = (DynamicLayer, Kept, Lent) if cascade is None else tuple({type(layer) for layer in cache.layers})
    if not all(type(layer) in known and layer.is_initialized for layer in cache.layers):
        raise CtkitError(
            f"texts of {lm.name} that share a beginning",
            "a cache that is more than keys and values of every token",
            "each text read whole",
        )
    return Reading(goings, logits, cache, ids.numel(), cascade)
