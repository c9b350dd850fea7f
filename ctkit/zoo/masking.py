"""Which mask a training batch is read under: the causal one, or for the twin one drawn at random."""

from random import Random

import torch
from torch import Tensor

from ..errors import CtkitError, shown
from .corpus import Batch
from .recipes import Shares

MODES = ("causal", "prefix", "bidirectional", "window")
SIZES = (16, 24, 32, 48, 64)  # windows, in tokens


def masked(batch: Batch, shares: Shares, random: Random) -> tuple[Tensor | None, Tensor]:
    """The mask (None is causal; else batch, 1, query, key) and the loss weights of one batch.

    "bidirectional" lets the asked tokens see each other, "prefix" those up to the end of a piece drawn for each
    document; what is written stays causal. What a token may see it need not foresee: such targets weigh nothing.
    """
    mode = random.choices([mode for mode, _ in shares], [share for _, share in shares])[0]
    length = batch.ids.shape[1]
    here = torch.arange(length)
    if mode == "causal":
        return None, batch.weights
    if mode == "window":
        near = here[:, None] - here < random.choice(SIZES)
        return (near & (here <= here[:, None])).expand(len(batch.ids), 1, -1, -1), batch.weights
    if mode not in MODES:
        raise CtkitError(
            f"training under the mask {shown(mode)}", f"the masks {', '.join(MODES)}", "one of these names"
        )
    ends = torch.tensor([ending(parts, mode, random) for parts in batch.parts])
    inside = here < ends[:, None]  # document, position
    mask = (here <= here[:, None]) | (inside[:, :, None] & inside[:, None, :])
    seen = batch.leaky & (here + 1 < ends[:, None])
    return mask[:, None], batch.weights.masked_fill(seen, 0.0)


def ending(parts: list[int], mode: str, random: Random) -> int:
    """How many tokens of a document see each other; none where nothing is asked."""
    if not parts:
        return 0
    return parts[-1] if mode == "bidirectional" else random.choice(parts)
