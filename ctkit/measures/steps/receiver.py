"""How much later steps look back at each step, in the heads that make all look at the same few (arXiv 2506.19143)."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch

from ...errors import CtkitError, shown
from .effects import NAN, StepEffects, collected
from .receivers import SKIP, few_of, kurtosis, refuse_short, step_attention, vertical_scores
from .thought import Thought


def receiver(
    thought: Thought,
    draws: int,
    seed: int,
    *,
    only: Sequence[int],
    skip: int = SKIP,
    heads: Sequence[tuple[int, int]] | None = None,
) -> Iterator[StepEffects]:
    """The attention that a step gets from the steps `skip` or more behind it, the mean over the receiver heads.

    `heads` are pairs (layer, head), best those of `ct.receiver_heads` over many thoughts; left out, those with the
    highest kurtosis in this very thought (a fifth of all, at most 20), which then are chosen for what they show. The
    last `skip` steps have no score (NaN). Nothing is broken and nothing drawn: the numbers say where attention rests,
    not what it does. The control is what the steps behind give to steps still to come, which must be 0.
    """
    n = len(thought.steps)
    refuse_short(n, skip)
    names = [f"step {i + 1}" for i in range(n)]
    attention = step_attention(thought.lm, thought.up_to(thought.steps), names, thought.setup)
    enc = thought.encoded(thought.up_to(thought.steps))
    thought.reader.count(1, len(enc))
    scores = vertical_scores(attention, skip)
    chosen = _peaked(scores) if heads is None else _checked(heads, attention.shape[:2])
    values = torch.stack([scores[pair] for pair in chosen]).mean(0).tolist()
    ahead = attention.nan_to_num().triu(1).amax(dim=(0, 1, 2)).tolist()
    found = [value if i in only else NAN for i, value in enumerate(values)]
    effects = collected("receiver", thought, [[]] * n, [c if i in only else NAN for i, c in enumerate(ahead)], {})
    yield replace(effects, scores=found, intervals=[(value, value) for value in found])


def _peaked(scores: Any) -> list[tuple[int, int]]:
    """The heads with the highest kurtosis in one thought."""
    found = kurtosis(scores)
    order = found.nan_to_num(-torch.inf).flatten().argsort(descending=True, stable=True).tolist()
    ranked = [divmod(place, found.shape[1]) for place in order]
    ranked = [pair for pair in ranked if not found[pair].isnan()]
    if not ranked:
        raise CtkitError("receiver heads of this thought", "heads that look at all steps alike", "another thought")
    return ranked[: few_of(found.numel())]


def _checked(heads: Sequence[tuple[int, int]], sizes: Sequence[int]) -> list[tuple[int, int]]:
    pairs = [tuple(pair) for pair in heads] if isinstance(heads, Sequence) else []
    inside = [len(p) == 2 and all(isinstance(x, int) and 0 <= x < size for x, size in zip(p, sizes)) for p in pairs]
    if not pairs or not all(inside):
        found = f"layers 0 to {sizes[0] - 1} with heads 0 to {sizes[1] - 1}"
        raise CtkitError(f"the receiver heads {shown(heads)}", found, "pairs such as [(2, 1), (2, 2)]")
    return pairs
