"""Attention of models that compute it by themselves: masks are changed on the way in, through hooks on the module.

Such a model is told its mask in its own way (added, or as booleans of either sense) and may hold a causal triangle of
its own besides. The whole truth goes into the mask it is told; its triangle lets everything through meanwhile.
"""

from collections.abc import Callable, Iterator
from functools import partial
from inspect import signature
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import CtkitError
from .attention import Pass, ScoreEdit, as_additive, current, edited_mask, native
from .hooks import at_entry, at_exit, first_tensor, leading, with_first, with_leading
from .lm import LM, causal_triangles, mask_argument


def around(lm: LM, layer: int, now: Pass) -> Iterator[Callable[[], None]]:
    """Hooks that carry out `now` in one block's attention; yields what takes each of them away."""
    part = lm.parts[layer]
    if part.attention is None:
        return
    triangles = _Opened(part.attention)
    yield triangles.close  # last in, first out: should the module fail half-way, its triangle is its own again
    yield at_entry(part.attention, partial(_told, lm, layer, now, triangles))
    if layer in now.heads and part.out is not None:
        yield at_entry(part.out, partial(_heads_in, lm, layer, now))
    yield at_exit(part.attention, partial(_left, lm, layer, now, triangles))


class _Opened:
    """A module's causal triangles, replaced by all ones for the length of one call."""

    def __init__(self, module: nn.Module):
        self.module, self.own = module, {}

    def open(self) -> dict[str, Tensor]:
        """Let everything through; returns the triangles as they are."""
        self.close()
        for name, triangle in causal_triangles(self.module).items():
            self.own[name] = triangle
            self.module._buffers[name] = torch.ones_like(triangle)
        return dict(self.own)

    def close(self) -> None:
        """Put them back."""
        for name in list(self.own):  # forgotten only when it is back: an interrupt may come between
            self.module._buffers[name] = self.own[name]
            del self.own[name]


def _told(lm: LM, layer: int, now: Pass, triangles: _Opened, args: tuple, kwargs: dict):
    """The arguments with the mask replaced by one that says everything."""
    if current.get() is not now:
        return None
    now.seen.add(layer)
    if layer not in now.scores:
        return None
    module, x = lm.parts[layer].attention, first_tensor(args, kwargs)
    name, place = mask_argument(module, args)
    mask = kwargs.get(name) if place is None else args[place]
    n_queries = x.shape[1]
    n_keys = now.start + n_queries if mask is None else mask.shape[-1]
    shape = torch.empty(len(x), 1, n_queries, 0, dtype=x.dtype, device=x.device)
    allowed, inverted = _allowed(mask, shape, n_keys, now.start)
    for triangle in triangles.open().values():
        allowed = allowed & (triangle[..., now.start : now.start + n_queries, :n_keys] > 0)
    edit = now.scores[layer]
    edited = edited_mask(edit, allowed, shape, n_keys, now.start, causal=True)
    if inverted:
        edited = _forbidden(edited if edited.dtype == torch.bool else edited == 0, edit, lm)
    elif edited.dtype == torch.bool and (mask is None or mask.dtype != torch.bool):
        edited = as_additive(edited, x.dtype)
    elif edit.bias is not None:  # some divide the scores after their mask was added
        edited = torch.where(edited > torch.finfo(x.dtype).min / 2, edited * lm.mask_scale, edited)
    return _with_mask(module, edited, args, kwargs)


def _with_mask(module: nn.Module, mask: Tensor, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    name, place = mask_argument(module, args)
    if place is None:
        return args, kwargs | {name: mask}
    return (*args[:place], mask, *args[place + 1 :]), kwargs


def _allowed(mask: Tensor | None, shape: Tensor, n_keys: int, start: int) -> tuple[Tensor, bool]:
    """What the model allows, and whether it says so the other way round (True = forbidden). The last token may always
    see itself, which tells the two apart."""
    if mask is None or mask.dtype != torch.bool:
        return native(mask, shape, n_keys, start, causal=True), False
    own = min(start + shape.shape[2], mask.shape[-1]) - 1  # where a window has dropped the first keys, the last at hand
    inverted = not bool(mask[..., -1, own].any())
    return (~mask if inverted else mask), inverted


def _heads_in(lm: LM, layer: int, now: Pass, args: tuple, kwargs: dict):
    """What the output projection is given: the heads' outputs, side by side."""
    if current.get() is not now:
        return None
    return with_first(_by_head(lm, now.heads[layer], first_tensor(args, kwargs)), args, kwargs)


def _by_head(lm: LM, function: Callable[[Tensor], Tensor], joined: Tensor) -> Tensor:
    heads = joined.unflatten(-1, (lm.n_heads, -1))
    edited = function(heads)
    return joined if edited is heads else edited.flatten(-2)


def _left(lm: LM, layer: int, now: Pass, triangles: _Opened, args: tuple, kwargs: dict, output: Any):
    """Take the weights, edit the heads where no projection follows, and leave the module as it was."""
    if current.get() is not now:
        return None
    if layer in now.wanted:
        now.weights[layer] = now.kept(_weights(lm, layer, now, args, kwargs, output)[:, list(now.wanted[layer])])
    triangles.close()
    if layer in now.heads and lm.parts[layer].out is None:
        return with_leading(_by_head(lm, now.heads[layer], leading(output)), output)
    return None


def _weights(lm: LM, layer: int, now: Pass, args: tuple, kwargs: dict, output: Any) -> Tensor:
    """The weights that the module gave out, or gives out when it is run once more, by itself and without its cache."""
    module = lm.parts[layer].attention
    found = _square(lm, output)
    if found is None and "output_attentions" in signature(type(module).forward).parameters:
        name, place = mask_argument(module, args)
        mask, x = (kwargs.get(name) if place is None else args[place]), first_tensor(args, kwargs)
        if mask is None or mask.dtype == torch.bool:  # its plain attention adds the mask, where a faster one may not
            shape = torch.empty(len(x), 1, x.shape[1], 0, dtype=x.dtype, device=x.device)
            mask = as_additive(native(mask, shape, x.shape[1], now.start, causal=True), x.dtype)
        args, kwargs = _with_mask(module, mask, args, kwargs)
        kwargs = kwargs | {name: None for name in kwargs if "past" in name} | {"output_attentions": True}
        found = _square(lm, type(module).forward(module, *args, **kwargs))
    if found is None:
        raise CtkitError(
            f"the attention weights of block {layer} in {lm.name}",
            f"a {type(module).__name__} that does not give them out",
            "the streams (residual, heads), or another model",
        )
    return found


def _square(lm: LM, output: Any) -> Tensor | None:
    """Among what an attention gives out, its weights (batch head query key)."""
    parts = output if isinstance(output, (tuple, list)) else ()
    return next((t for t in parts[1:] if isinstance(t, Tensor) and t.ndim == 4 and t.shape[1] == lm.n_heads), None)


def _forbidden(allowed: Tensor, edit: ScoreEdit, lm: LM) -> Tensor:
    """A mask for models that are told what is forbidden, as booleans."""
    if edit.bias is not None:
        raise CtkitError(
            f"scores changed in {lm.name}",
            "a model whose mask says yes or no, and nothing between",
            "a mask (ct.Mask, ct.Knockout) instead of emphasis, or another model",
        )
    return ~allowed
