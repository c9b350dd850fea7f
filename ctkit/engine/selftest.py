"""What works on this model, found out by running it: nothing is believed of an architecture that was not seen."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import torch
from torch import Tensor

from ..errors import CtkitError
from ..interventions import Direction, Intervention, Knockout, Setup, Steer
from ..prompt import START, Encoding, Prompt
from .batch import new_cache
from .lm import LM, dispatches_attention
from .plan import Row
from .run import Session

THROUGH_TEXT = ("reread", "think")
THROUGH_STREAM = ("prepend", "steer")
THROUGH_ATTENTION = ("mask", "knockout", "emphasize", "attention")


@dataclass(frozen=True)
class _Untouched(Intervention):
    """Goes through the engine's attention and hooks, and changes nothing: the idle case."""

    def heads(self, z, enc, layer):
        return z

    def residual(self, x, enc, layer):
        return x


def support_of(lm: LM) -> Mapping[str, str]:
    """Technique → "yes" or why not. Raises `CtkitError` for a model that reads ahead, which is no causal one."""
    enc = _probe(lm)
    with torch.no_grad():
        plain = lm.model(input_ids=torch.tensor([enc.ids], device=lm.device), use_cache=False).logits[0].float().cpu()
    _refuse_leak(lm, enc, plain)
    through_attention = _attention_support(lm, enc, plain)
    through_stream = _stream_support(lm, enc, plain)
    support = dict.fromkeys(THROUGH_TEXT, "yes")
    support |= dict.fromkeys(THROUGH_STREAM, through_stream) | dict.fromkeys(THROUGH_ATTENTION, through_attention)
    support["cache"] = _cache_support(lm, enc, plain)
    return MappingProxyType(support)


def _probe(lm: LM) -> Encoding:
    """Six unremarkable tokens."""
    size = lm.model.get_input_embeddings().weight.shape[0]
    ids = tuple((7 + 13 * i) % max(size - 1, 1) for i in range(6))
    return Encoding(
        ids,
        tuple("·" for _ in ids),
        tuple((START, i + 1, 1) for i in range(6)),
        MappingProxyType({}),
        6,
        lm.shape,
        Prompt("self-test"),
    )


def _logits(lm: LM, enc: Encoding, *interventions: Intervention, read: tuple[int, ...] = ()) -> tuple[Tensor, Session]:
    session = Session(lm, [Row(enc, Setup(interventions))], len(enc), residual=read)
    with session.installed():
        logits = session.forward(torch.tensor([enc.ids]), last_only=False).logits[0].float().cpu()
    return logits, session


def _refuse_leak(lm: LM, enc: Encoding, plain: Tensor) -> None:
    other = replace(enc, ids=(*enc.ids[:-1], enc.ids[0]))
    changed, _ = _logits(lm, other)
    if not torch.allclose(plain[:-1], changed[:-1], atol=1e-3, rtol=1e-3):
        raise CtkitError(
            f"the model {type(lm.model).__name__}",
            "that its first tokens know the last one: it reads both ways, so it is no causal language model",
            "a decoder-only model, such as ct.load()",
        )


def _cache_support(lm: LM, enc: Encoding, plain: Tensor) -> str:
    """Whether reading on with a cache, twice, gives what reading everything gives."""
    session = Session(lm, [Row(enc, Setup())], len(enc), cache=new_cache(lm, "dynamic", len(enc)))
    parts = torch.tensor([enc.ids]).split([len(enc) - 2, 1, 1], dim=1)
    try:
        with session.installed():
            read = torch.cat([session.forward(ids, last_only=False).logits[0].float().cpu() for ids in parts])
    except (TypeError, ValueError, AttributeError, NotImplementedError, RuntimeError) as err:
        return f"{type(lm.model).__name__} cannot read on from a cache ({type(err).__name__}: {err})"
    tolerance = 1e-3 if lm.model.dtype == torch.float32 else 0.1
    if read.shape == plain.shape and torch.allclose(read, plain, atol=tolerance * float(plain.abs().max()), rtol=0):
        return "yes"
    return f"{type(lm.model).__name__} answers differently when it reads on from a cache"


def _attention_support(lm: LM, enc: Encoding, plain: Tensor) -> str:
    if not lm.attention_layers or not dispatches_attention(lm.model):
        return f"{type(lm.model).__name__} computes its attention by itself, where no mask can be changed from outside"
    try:
        idle, _ = _logits(lm, enc, _Untouched())
        cut, _ = _logits(lm, enc, Knockout(queries=3, keys=1))
    except CtkitError as err:
        return err.found
    if not torch.equal(idle, plain):
        return f"{type(lm.model).__name__} gives other numbers through an attention function that changes nothing"
    change = (
        (cut - plain).abs().amax(-1)
    )  # before row 3 only rounding: experts are fed other batches when a token changes
    rounding = 1e-3 if lm.model.dtype == torch.float32 else 0.2
    if not change[3:].max() > 0 or change[:3].max() > rounding * change[3:].max():
        return f"{type(lm.model).__name__} does not follow a changed mask"
    return "yes"


def _stream_support(lm: LM, enc: Encoding, plain: Tensor) -> str:
    layer = lm.n_layers // 2
    vector = torch.linspace(-1, 1, lm.d_model)
    try:
        _, before = _logits(lm, enc, read=(layer,))
        steered, after = _logits(lm, enc, Steer(Direction(vector, layer)), read=(layer,))
    except CtkitError as err:
        return err.found
    seen = (after.read[layer] - before.read[layer]).float().cpu()
    tolerance = 0.05 if after.read[layer].dtype != torch.float32 else 1e-4
    if not torch.allclose(seen[0], vector.expand_as(seen[0]), atol=tolerance, rtol=tolerance):
        return f"{type(lm.model).__name__} does not show a change to its stream where it was made"
    if torch.equal(steered, plain):
        return f"{type(lm.model).__name__} does not react to a change of its stream"
    return "yes"
