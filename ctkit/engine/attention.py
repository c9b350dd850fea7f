"""The one attention function that ctkit registers with transformers. It delegates to the stock one, and in between
edits the mask, the scores and the heads' outputs, or reads the weights. Idle, it passes everything through untouched.
"""

import sys
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from ..errors import CtkitError

PREFIX = "ctkit_"  # our names are ctkit_sdpa and ctkit_eager: the stock one's name with this in front


@dataclass(frozen=True, eq=False)
class ScoreEdit:
    """What a block's attention changes, for every row of a batch, in the batch's (left-padded) positions.

    `opened` are edges that the causal mask forbids and a setup allows, `closed` the reverse, `bias` is added to the
    scores. Whatever a model forbids of its own (a sliding window, padding) stays forbidden, in both directions.
    """

    opened: Bool[Tensor, "batch #head position position"]
    closed: Bool[Tensor, "batch #head position position"]
    bias: Float[Tensor, "batch #head position position"] | None = None


@dataclass
class Pass:
    """What the attention function has to do during one forward pass, and what it has read."""

    base: str
    layers: dict[int, int]  # id of an attention module → block
    start: int = 0  # position of the first query
    scores: dict[int, ScoreEdit] = field(default_factory=dict)
    heads: dict[int, Callable[[Tensor], Tensor]] = field(default_factory=dict)  # block → (batch token head d_head)
    extra: Callable[..., Tensor] | None = None  # (module, query, key, start, scaling) → what more is added to scores
    wanted: dict[int, tuple[int, ...]] = field(default_factory=dict)  # block → heads whose weights are read
    pool: Callable[[Tensor], Tensor] | None = None  # what is kept of them (batch head query key); None: all
    cascade: Any = None  # reads what the rows of a batch share where it lies
    weights: dict[int, Tensor] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)  # blocks that came by: proof that the model calls us
    callers: list[nn.Module] = field(default_factory=list)  # modules that are no block's attention as far as is known
    alone: bool = False  # whether a head's weights can be had without the other heads'
    masks: dict[tuple[int, int], tuple[Tensor | None, Tensor]] = field(default_factory=dict)  # made in this pass

    @property
    def touched(self) -> set[int]:
        """The blocks whose attention is changed or read."""
        own = set(self.scores) | set(self.heads) | set(self.wanted)
        return own if self.extra is None and self.cascade is None else own | set(self.layers.values())

    def kept(self, weights: Tensor) -> Tensor:
        """What is kept of some heads' weights (batch head query key)."""
        return weights if self.pool is None else self.pool(weights)

    def begin(self, start: int) -> None:
        """Forget the last forward pass; the next one starts at this position."""
        self.start = start
        self.weights.clear()
        self.seen.clear()
        self.masks.clear()


current: ContextVar[Pass | None] = ContextVar("ctkit_pass", default=None)


class as_current:
    """While this lasts, the model runs for `now`; None: it runs as if ctkit were not there.

    No generator: one that an interrupt leaves half-way would be finished when it is collected, long after.
    """

    def __init__(self, now: Pass | None):
        self.now = now

    def __enter__(self) -> None:
        self.before = current.get()
        current.set(self.now)

    def __exit__(self, *failure: object) -> None:
        current.set(self.before)


def register() -> None:
    """Put our functions into transformers' tables (once; they do nothing outside a `Pass`)."""
    for base in ("sdpa", "eager"):
        AttentionInterface.register(PREFIX + base, _attention_over(base))
        AttentionMaskInterface.register(PREFIX + base, ALL_MASK_ATTENTION_FUNCTIONS[base])


def _attention_over(base: str):
    def ctkit_attention(module: nn.Module, query, key, value, attention_mask, **kwargs):
        stock = ALL_ATTENTION_FUNCTIONS.get_interface(base, _own_eager(module))
        now = current.get()
        layer = None if now is None else now.layers.get(id(module))
        if layer is None:
            if now is not None:
                now.callers.append(module)
            return stock(module, query, key, value, attention_mask, **kwargs)
        now.seen.add(layer)
        if now.cascade is not None:
            return now.cascade.attend(layer, query, key, value, kwargs), None
        mask, causal = attention_mask, _is_causal(module, kwargs)
        if layer in now.scores:
            mask = _once(now, now.scores[layer], mask, query, key.shape[2], causal)
        if now.extra is not None:
            mask = _additive(mask, query, key, now.start, causal) + now.extra(module, query, key, now.start, kwargs)
        output, weights = stock(module, query, key, value, mask, **kwargs)
        if layer in now.wanted:
            heads = list(now.wanted[layer])
            if weights is None:
                given = (module, query, key, value, _additive(mask, query, key, now.start, causal), kwargs)
                # pooled at once, a few heads at a time: of a long text not even one block's weights are ever held whole
                parts = _groups(heads, query, key) if now.alone and now.pool is not None else [heads]
                now.weights[layer] = torch.cat([now.kept(_weights(now, part, *given)) for part in parts], dim=1)
            else:
                now.weights[layer] = now.kept(weights[:, heads])
        if layer in now.heads:
            output = now.heads[layer](output)
        return output, weights

    return ctkit_attention


def _groups(heads: list[int], query, key) -> list[list[int]]:
    """Heads by the key that they share, in order."""
    shared = query.shape[1] // key.shape[1]
    return [list(group) for _, group in groupby(heads, key=lambda head: head // shared)]


def _weights(now: Pass, heads: list[int], module: nn.Module, query, key, value, mask, kwargs: dict) -> Tensor:
    """The weights of some heads (batch head query key), by the model's own plain attention: of these heads alone where
    that can be, in whole groups that share a key."""
    shared = query.shape[1] // key.shape[1]
    if now.alone and len(heads) * shared < query.shape[1]:
        keys = sorted({head // shared for head in heads})
        among = [head for k in keys for head in range(k * shared, (k + 1) * shared)]
        query, key, value = query[:, among], key[:, keys], value[:, keys]
        mask = mask[:, among] if mask.shape[1] > 1 else mask
        heads = [among.index(head) for head in heads]
    return _own_eager(module)(module, query, key, value, mask, **kwargs)[1][:, heads]


def _once(now: Pass, edit: ScoreEdit, mask: Tensor | None, query, n_keys: int, causal: bool) -> Tensor:
    """The edited mask, made once for all blocks that share an edit and a mask."""
    key = (id(edit), id(mask))
    if key not in now.masks:  # the mask is kept with its result, so that no other one gets its number
        now.masks[key] = mask, edited_mask(edit, mask, query, n_keys, now.start, causal)
    return now.masks[key][1]


def _own_eager(module: nn.Module):
    """The model's own plain attention: it knows the model's soft caps, sinks and grouped heads."""
    return sys.modules[type(module).__module__].eager_attention_forward


def _is_causal(module: nn.Module, kwargs: dict) -> bool:
    flag = kwargs.get("is_causal")
    return bool(getattr(module, "is_causal", True) if flag is None else flag)


def native(mask: Tensor | None, query, n_keys: int, start: int, causal: bool) -> Bool[Tensor, "#batch #head query key"]:
    """What the model itself allows, as booleans; `query` is (batch head query …), or has that shape."""
    if mask is not None:
        cut = mask[..., :n_keys]
        return cut if mask.dtype == torch.bool else cut > torch.finfo(mask.dtype).min / 2
    n_queries = query.shape[2]
    allowed = torch.ones(n_queries, n_keys, dtype=torch.bool, device=query.device)
    if causal:
        allowed = allowed.tril(start - _first_key(start, n_queries, n_keys))
    return allowed[None, None]


def _first_key(start: int, n_queries: int, n_keys: int) -> int:
    """The position of the first key at hand: sliding caches have dropped the ones before it."""
    return max(0, start + n_queries - n_keys)


def edited_mask(edit: ScoreEdit, mask: Tensor | None, query, n_keys: int, start: int, causal: bool) -> Tensor:
    """A model's mask with the edit's edges opened and closed, and its bias added where there is one."""
    own, n_queries = native(mask, query, n_keys, start, causal), query.shape[2]
    first = _first_key(start, n_queries, n_keys)
    window = (slice(None), slice(None), slice(start, start + n_queries), slice(first, first + n_keys))
    opened = edit.opened[window].to(query.device) & _mirrored(own, start - first)
    allowed = (own & ~edit.closed[window].to(query.device)) | opened
    _refuse_empty(allowed, own, start)
    if edit.bias is None and (mask is None or mask.dtype == torch.bool):
        return allowed if current.get().base == "sdpa" else as_additive(allowed, query.dtype)
    scores = torch.zeros((), dtype=query.dtype, device=query.device)
    if mask is not None and mask.dtype != torch.bool:  # a float mask may carry more than "allowed": keep it where open
        scores = mask[..., :n_keys].masked_fill(~own, 0)
    if edit.bias is not None:
        scores = scores + edit.bias[window].to(query)
    return torch.where(allowed, scores, torch.finfo(query.dtype).min)


def _mirrored(own: Tensor, offset: int) -> Bool[Tensor, "#batch #head query key"]:
    """Among the tokens now read, the pairs of which the model lets the later see the earlier, both ways round: a
    sliding window stays one when it opens forwards. All else (a static cache has room for keys to come) is False."""
    n_queries = own.shape[-2]
    mirrored = torch.zeros_like(own)
    mirrored[..., offset : offset + n_queries] = own[..., offset : offset + n_queries].transpose(-1, -2)
    return mirrored


def _additive(mask: Tensor | None, query, key, start: int, causal: bool) -> Tensor:
    if mask is not None and mask.dtype != torch.bool:
        return mask
    return as_additive(native(mask, query, key.shape[2], start, causal), query.dtype)


def as_additive(allowed: Tensor, dtype: torch.dtype) -> Tensor:
    """0 where a key may be seen, the smallest number where not."""
    return torch.zeros(allowed.shape, dtype=dtype, device=allowed.device).masked_fill(~allowed, torch.finfo(dtype).min)


def _refuse_empty(allowed: Tensor, own: Tensor, start: int) -> None:
    empty = own.any(-1) & ~allowed.any(-1)
    if empty.any():
        row = start + int(empty.nonzero()[0][-1])
        raise CtkitError(
            "a mask under which every token sees something",
            f"position {row}, which the model's own mask and the setup together leave nothing to attend to",
            "a setup that leaves each token at least itself",
        )


register()
