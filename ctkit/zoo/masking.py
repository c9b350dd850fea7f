"""Which mask a training batch is read under: the causal one, or for the twin one drawn at random."""

from random import Random
from typing import NamedTuple

import torch
from torch import Tensor

from ..errors import CtkitError, shown
from .corpus import Batch
from .recipes import Shares

MODES = ("causal", "prefix", "bidirectional", "window")
SIZES = (32, 48, 64, 96)  # windows, in tokens


class Reading(NamedTuple):
    """How a batch is read: the mask (None is causal; else batch, 1, query, key), loss weights, and hints to be told."""

    mask: Tensor | None
    weights: Tensor
    hints: Tensor


def masked(batch: Batch, shares: Shares, random: Random) -> Reading:
    """Draw the mask of one batch.

    "bidirectional" lets the asked tokens see each other, "prefix" those up to the end of one of the prompt's last
    pieces; what is written stays causal. What a token may see it need not foresee: such targets weigh nothing. In a
    first reading nothing can be hinted at, unless the whole of it is open; under a window nothing is.
    """
    mode = random.choices([mode for mode, _ in shares], [share for _, share in shares])[0]
    here = torch.arange(batch.ids.shape[1])
    if mode == "causal":
        return Reading(None, batch.weights, batch.hints.masked_fill(batch.early, 0))
    if mode == "window":
        near = here[:, None] - here < random.choice(SIZES)
        mask = (near & (here <= here[:, None])).expand(len(batch.ids), 1, -1, -1)
        return Reading(mask, batch.weights, torch.zeros_like(batch.hints))
    if mode not in MODES:
        raise CtkitError(
            f"training under the mask {shown(mode)}", f"the masks {', '.join(MODES)}", "one of these names"
        )
    ends = torch.tensor([ending(parts, mode, random) for parts in batch.parts])
    inside = here < ends[:, None]  # document, position
    mask = (here <= here[:, None]) | (inside[:, :, None] & inside[:, None, :])
    seen = batch.leaky & (here + 1 < ends[:, None])
    shut = batch.early & (ends < batch.early.sum(1))[:, None]
    return Reading(mask[:, None], batch.weights.masked_fill(seen, 0.0), batch.hints.masked_fill(shut, 0))


def ending(parts: list[int], mode: str, random: Random) -> int:
    """How many tokens of a document see each other; none where nothing is asked."""
    if not parts:
        return 0
    return parts[-1] if mode == "bidirectional" else random.choice(parts[-3:])
