"""Attention rollout: how much of each early word may have reached each place, through all blocks together."""

import torch
from jaxtyping import Float
from torch import Tensor

from ..engine.trace import Trace
from ..errors import CtkitError, shown


def rollout(trace: Trace, share: float = 0.5) -> Float[Tensor, "layer query key"]:
    """Attention rolled out over the blocks (Abnar and Zuidema 2020, arXiv 2005.00928).

    In each block the heads' weights are averaged and mixed with the residual connection: 0.5 A + 0.5 I, each row
    then divided by its sum; what a place holds after block l is the product of the blocks up to it. Row i of entry l:
    how much of each token is in place i after block l, if words only ever mixed. Rows sum to 1. It is a picture of
    routes, not of causes: it knows neither values nor MLPs. `share` is the part of the residual connection; 1 leaves
    every word in its place.
    Blocks are read one by one unless they were kept: `ct.run(lm, prompt, attention="all")`.

    >>> import ctkit as ct
    >>> rolled = ct.rollout(ct.run(ct.load(), "The key is in the box.", attention="all"))
    >>> rolled.shape, bool((rolled.sum(-1) - 1).abs().max() < 1e-5)
    (torch.Size([4, 8, 8]), True)
    """
    if not isinstance(trace, Trace):
        raise CtkitError(f"the rollout of {shown(trace)}", f"a {type(trace).__name__}", "a trace from ct.run")
    if not isinstance(share, int | float) or not 0 <= share <= 1:
        raise CtkitError(f"a rollout with share={shown(share)}", "no share", "0.5, or another number from 0 to 1")
    rolled, so_far = [], torch.eye(len(trace.ids))
    for layer in range(trace.shape.n_layers):
        mixed = (1 - share) * trace.attention(layer).mean(0) + share * torch.eye(len(trace.ids))
        so_far = mixed / mixed.sum(-1, keepdim=True).clamp_min(1e-12) @ so_far
        rolled.append(so_far)
    return torch.stack(rolled)
