"""Where a block's parts are, found by watching one pass instead of by their names, which every family chooses anew."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from .attention import Pass, as_current
from .hooks import at_exit, first_tensor, leading
from .lm import ATTENTIONS, LM, attention_name, dispatches_attention, is_mixer, is_projection, takes_mask
from .parts import Parts
from .switch import attention_in_place

N_PROBE = 28  # tokens: more than the short windows and chunks that a model may have


@dataclass(frozen=True, eq=False)
class _Call:
    """One module that ran: what went in and what came out."""

    module: nn.Module
    given: Tensor
    output: Any


def with_parts(lm: LM) -> LM:
    """The model with its blocks' parts: attention, output projection, MLP, down projection, each where there is one."""
    callers = _callers(lm)
    lm = replace(lm, attention_layers=dict(callers), at_once=len(callers) == len(dict(callers)))
    calls: list[list[_Call]] = [[] for _ in lm.blocks]
    with ExitStack() as stack:
        for layer, block in enumerate(lm.blocks):
            for module in block.modules():
                stack.callback(at_exit(module, _noting(calls[layer], module)))
        _read(lm)
    parts = [_parts(lm, block, seen) for block, seen in zip(lm.blocks, calls, strict=True)]
    layers = {id(part.attention): layer for layer, part in enumerate(parts) if part.attention is not None}
    return replace(lm, parts=tuple(parts), attention_layers=lm.attention_layers or layers)


def probe(lm: LM) -> tuple[int, ...]:
    """Some unremarkable token ids."""
    length = N_PROBE if lm.context is None else min(N_PROBE, lm.context)
    return tuple((7 + 13 * i) % max(lm.n_tokens - 1, 1) for i in range(length))


def _read(lm: LM) -> None:
    with torch.no_grad():
        lm.model(input_ids=torch.tensor([probe(lm)], device=lm.device), use_cache=False)


def _callers(lm: LM) -> list[tuple[int, int]]:
    """Each call of attention through transformers' interface: the id of the module, and the block that it stands in."""
    base = attention_name(lm.model)
    if not dispatches_attention(lm.model) or base not in ATTENTIONS:
        return []
    now = Pass(base, {})
    with attention_in_place(lm, base), as_current(now):
        _read(lm)
    owners: dict[int, list[int]] = {}
    for layer, block in enumerate(lm.blocks):
        for module in block.modules():
            owners.setdefault(id(module), []).append(layer)
    own = [module for module in now.callers if len(owners.get(id(module), [])) == 1]  # some blocks share one attention
    return [(id(module), owners[id(module)][0]) for module in own]


def _noting(calls: list[_Call], module: nn.Module):
    def note(args: tuple, kwargs: dict, output: Any) -> None:
        if args or any(isinstance(value, Tensor) for value in kwargs.values()):
            calls.append(_Call(module, first_tensor(args, kwargs), output))

    return note


def _parts(lm: LM, block: nn.Module, calls: Sequence[_Call]) -> Parts:
    attention = _attention(lm, block, calls)
    inside = set() if attention is None else {id(m) for m in attention.module.modules()}
    mlp, down, whole = _mlp(lm, block, calls, inside)
    out = None if attention is None else _out(attention, [call for call in calls if id(call.module) in inside])
    return Parts(None if attention is None else attention.module, out, mlp, down, whole)


def _attention(lm: LM, block: nn.Module, calls: Sequence[_Call]) -> _Call | None:
    """The module that calls attention through transformers' interface; where none does, the innermost one that is told
    a mask."""
    if lm.attention_layers:
        return next((call for call in calls if id(call.module) in lm.attention_layers), None)
    told = [c for c in calls if takes_mask(c.module) and c.module is not block and not is_mixer(c.module)]
    innermost = [c for c in told if not any(o is not c and _holds(c.module, o.module) for o in told)]
    return innermost[0] if innermost else None


def _out(attention: _Call, inside: Sequence[_Call]) -> nn.Module | None:
    """The output projection: the last projection, unless that still reads what the attention itself was given."""
    shape = leading(attention.output).shape
    for call in reversed(inside):
        if is_projection(call.module) and isinstance(call.output, Tensor) and call.output.shape == shape:
            return None if call.given is attention.given else call.module
    return None


def _mlp(lm: LM, block: nn.Module, calls: Sequence[_Call], attention: set[int]) -> tuple[nn.Module | None, ...]:
    """The module whose output the MLP adds to the stream, the projection after its hidden layer, and all of the MLP."""
    children = {id(child) for child in block.children() if not is_mixer(child)}
    whole = [
        call
        for call in calls
        if id(call.module) in children
        and not attention & {id(m) for m in call.module.modules()}
        and (_has_matrix(call.module) or any(is_projection(part) for part in call.module.modules()))
    ]
    if not whole:
        return None, None, None
    mlp = whole[-1]
    if not any(parameter.ndim > 2 for parameter in mlp.module.parameters()) and not _chooses(mlp.module):
        inside = {id(m) for m in mlp.module.modules()}
        down = [call for call in calls if id(call.module) in inside and is_projection(call.module)]
        if down and isinstance(down[-1].output, Tensor) and down[-1].output.shape[-1] == lm.d_model:
            return down[-1].module, down[-1].module, mlp.module
    output = leading(mlp.output)
    whole_stream = isinstance(output, Tensor) and output.shape == (1, len(probe(lm)), lm.d_model)
    return (mlp.module if whole_stream else None), None, mlp.module


def _has_matrix(module: nn.Module) -> bool:
    return any(parameter.ndim > 1 for parameter in module.parameters())


def _chooses(container: nn.Module) -> bool:
    """Whether a module is a choice of experts: a list of twins."""
    return any(isinstance(module, nn.ModuleList) and len(module) > 1 for module in container.modules())


def _holds(outer: nn.Module, inner: nn.Module) -> bool:
    return any(module is inner for module in outer.modules())
