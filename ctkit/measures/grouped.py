"""Attention between groups of tokens: which piece reads which."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from ..engine.trace import Trace
from ..errors import CtkitError, shown
from ..masks import Where, as_where, positions


@dataclass(frozen=True, eq=False)
class GroupedAttention:
    """What the words of one group give to another, all its words together: the mean over queries of the sum over keys.

    A row sums to 1 where the keys name every token once (the tokens that a tokenizer puts in front are in no piece).
    """

    weights: Float[Tensor, "layer head query_group key_group"] = field(repr=False)
    queries: tuple[Where, ...]
    keys: tuple[Where, ...]


def grouped_attention(
    trace: Trace, queries: Sequence[Where] | None = None, keys: Sequence[Where] | None = None
) -> GroupedAttention:
    """Attention between groups of tokens, in every block and head (Huang et al., ACL 2025, arXiv 2505.11754).

    `queries` and `keys` list places as masks know them: pieces, positions, "generated". Left out: the prompt's pieces.
    Blocks are read one by one unless they were kept: `ct.run(lm, prompt, attention="all")`.
    Raises `CtkitError` for a place without a token.

    >>> import ctkit as ct
    >>> trace = ct.run(ct.load(), ct.tasks.get("hunt").generate(0, 1).prompt, attention="all")
    >>> grouped = ct.grouped_attention(trace)
    >>> grouped.keys, grouped.weights.shape
    (('context', 'question', 'cue'), torch.Size([4, 4, 3, 3]))
    """
    if not isinstance(trace, Trace):
        raise CtkitError(f"the grouped attention of {shown(trace)}", f"a {type(trace).__name__}", "a trace from ct.run")
    names = tuple(trace.spans)
    asked, told = (names if places is None else _listed(places) for places in (queries, keys))
    by = _memberships(trace, asked)
    by = by / by.sum(1, keepdim=True)
    to = _memberships(trace, told)
    weights = torch.stack([by @ trace.attention(layer) @ to.T for layer in range(trace.shape.n_layers)])
    return GroupedAttention(weights, asked, told)


def _listed(places: Sequence[Where]) -> tuple[Where, ...]:
    if isinstance(places, str | int):
        raise CtkitError(f"the groups {shown(places)}", "one place", "a list of places, such as [0, 'question']")
    return tuple(as_where(place) for place in places)


def _memberships(trace: Trace, places: Sequence[Where]) -> Float[Tensor, "group token"]:
    """1 where a token belongs to a group."""
    members = torch.zeros(len(places), len(trace.ids))
    for row, place in zip(members, places, strict=True):
        inside = positions(trace.encoding, place)
        if not inside:
            raise CtkitError(f"attention of the group {shown(place)}", "no token there", f"one of {list(trace.spans)}")
        row[inside] = 1
    return members
