"""Prompts as rows of a batch: which go together, how they are padded, what else the model is told of them."""

from collections.abc import Iterator
from functools import cache
from inspect import signature
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache, StaticCache

from .lm import LM, text_config
from .plan import Row

BATCH_TOKENS = 8192  # so many tokens go into one forward pass: enough for speed, small enough for caches


def groups(lengths: list[int], padded: bool = True) -> Iterator[list[int]]:
    """Indices in batches of similar length (of one length, where the model cannot be padded), at most `BATCH_TOKENS`
    places each."""
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    group: list[int] = []
    for index in order:
        full = (len(group) + 1) * lengths[index] > BATCH_TOKENS
        if group and (full or (not padded and lengths[index] != lengths[group[0]])):
            yield group
            group = []
        group.append(index)
    if group:
        yield group


def padded_ids(rows: list[Row], lm: LM) -> Tensor:
    """The rows' ids as one batch, padded on the left; sets each row's `pad`."""
    if len(rows) == 1:
        rows[0].pad = 0
        return torch.tensor([rows[0].enc.ids])
    filler = filler_id(lm)
    longest = max(len(row.enc) for row in rows)
    for row in rows:
        row.pad = longest - len(row.enc)
    return torch.tensor([[filler] * row.pad + list(row.enc.ids) for row in rows])


def filler_id(lm: LM) -> int:
    """The id that stands in padding; it is masked, so any will do."""
    return next(
        id_
        for id_ in (lm.tokenizer.pad_token_id, lm.tokenizer.eos_token_id, 0)
        if id_ is not None and id_ < lm.n_tokens
    )


@cache
def parameters(model_class: type) -> frozenset[str]:
    """What a model's forward can be told."""
    return frozenset(signature(model_class.forward).parameters)


def placing(lm: LM, rows: list[Row], new: slice, cascade: Any = None) -> dict[str, Tensor]:
    """What a model must be told of where its tokens stand; nothing, where one prompt is read plainly.

    Else the mask that hides the padding among all tokens read so far, and the new positions, counted from each row's
    own first token (or as its segments say). Rows of a cascade, which asks no mask of the model, get one that it takes
    for ready-made."""
    if cascade is not None:
        first = lm.first_position or 0
        n = new.stop - new.start
        inputs = {"position_ids": cascade.places + first, "attention_mask": torch.zeros(len(rows), 1, n, n)}
        return {name: value.to(lm.device) for name, value in inputs.items()}
    if not any(row.pad for row in rows) and not any(row.segments for row in rows):
        return {}
    inputs = {
        "position_ids": torch.stack([row.positions(new.stop)[new] for row in rows]) + (lm.first_position or 0),
        # all ones where nothing is padded: with positions and no mask transformers looks for texts packed into one row
        "attention_mask": (torch.arange(new.stop)[None] >= torch.tensor([[row.pad] for row in rows])).long(),
    }
    if lm.first_position is None:
        del inputs["position_ids"]
    return {name: value.to(lm.device) for name, value in inputs.items() if name in parameters(type(lm.model))}


def new_cache(lm: LM, kind: str, horizon: int) -> Any:
    """An empty cache: "dynamic", "static" (with room for `horizon` positions), or None for "none"."""
    if kind == "none":
        return None
    config = text_config(lm.model)
    return DynamicCache(config=config) if kind == "dynamic" else StaticCache(config=config, max_cache_len=horizon)
