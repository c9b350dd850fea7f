"""What works on this model, found out by running it: nothing is believed of an architecture that was not seen."""

from dataclasses import dataclass, replace
from math import log
from types import MappingProxyType

import torch
from torch import Tensor

from ..errors import CtkitError
from ..interventions import Direction, Intervention, Knockout, Setup, Steer
from ..prompt import START, Encoding, Prompt
from .batch import new_cache
from .lm import LM, dispatches_attention
from .pine import why_no_pine
from .plan import Row
from .session import NOTHING, Session, Wanted
from .watch import PROBE

THROUGH_TEXT = ("reread", "think")
THROUGH_STREAM = ("prepend", "steer", "patch")
THROUGH_MASK = ("mask", "knockout")
CUT = (3, 1)  # the edge that is cut to see whether the model follows: from query 3 to key 1


@dataclass(frozen=True)
class _Untouched(Intervention):
    """Goes through the engine's attention and hooks, and changes nothing: the idle case."""

    def heads(self, z, enc, layer):
        return z

    def residual(self, x, enc, layer):
        return x


@dataclass(frozen=True)
class _Lean(Intervention):
    """All queries' scores of key 1 grow by log 2."""

    def bias(self, enc, layer):
        bias = torch.zeros(1, len(enc), len(enc))
        bias[..., CUT[1]] = log(2)
        return bias


def examined(lm: LM) -> LM:
    """The model with what it supports: technique → "yes" or why not, and the way its attention is reached.

    Raises `CtkitError` for a model that reads ahead, which is no causal one.
    """
    enc = _probe(lm)
    with torch.no_grad():
        plain = lm.model(input_ids=torch.tensor([enc.ids], device=lm.device), use_cache=False).logits[0].float().cpu()
    _refuse_leak(lm, enc, plain)
    lm, through_attention = _through_attention(lm, enc, plain)
    through_stream = _stream_support(lm, enc, plain)
    support = dict.fromkeys(THROUGH_TEXT, "yes") | dict.fromkeys(THROUGH_STREAM, through_stream) | through_attention
    support["cache"] = _cache_support(lm, enc, plain)
    support["pine"] = why_no_pine(lm, enc) if through_attention["mask"] == "yes" else through_attention["mask"]
    return replace(lm, support=MappingProxyType(support))


def _probe(lm: LM) -> Encoding:
    ids = tuple(id_ % max(lm.n_tokens - 1, 1) for id_ in PROBE)
    return Encoding(
        ids,
        tuple("·" for _ in ids),
        tuple((START, i + 1, 1) for i in range(6)),
        MappingProxyType({}),
        6,
        lm.shape,
        Prompt("self-test"),
    )


def _logits(lm: LM, enc: Encoding, *interventions: Intervention, read: Wanted = NOTHING) -> tuple[Tensor, Session]:
    session = Session(lm, [Row(enc, Setup(interventions))], len(enc), wanted=read)
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
    parts = torch.tensor([enc.ids]).split([len(enc) - 2, 1, 1], dim=1)
    try:
        session = Session(lm, [Row(enc, Setup())], len(enc), cache=new_cache(lm, "dynamic", len(enc)))
        with session.installed():
            read = torch.cat([session.forward(ids, last_only=False).logits[0].float().cpu() for ids in parts])
    except (TypeError, ValueError, AttributeError, NotImplementedError, RuntimeError, IndexError) as err:
        return f"{type(lm.model).__name__} cannot read on from a cache ({type(err).__name__}: {err})"
    tolerance = 1e-3 if lm.model.dtype == torch.float32 else 0.1
    if read.shape == plain.shape and torch.allclose(read, plain, atol=tolerance * float(plain.abs().max()), rtol=0):
        return "yes"
    return f"{type(lm.model).__name__} answers differently when it reads on from a cache"


def _through_attention(lm: LM, enc: Encoding, plain: Tensor) -> tuple[LM, dict[str, str]]:
    """The model with the way in which its attention is reached, and what can be done there."""
    routes = (["interface"] if dispatches_attention(lm.model) else []) + ["hooks"]
    why = f"{type(lm.model).__name__} computes its attention by itself, where no mask can be changed from outside"
    if not lm.attending:
        why = f"{type(lm.model).__name__} has no attention: it carries its past in a state"
        routes = []
    first = ""
    for route in routes:
        there = replace(lm, route=route)
        why = _mask_support(there, enc, plain)
        if why == "yes":
            return _with_scores(there, enc, plain)
        first = first or why
    why = first or why
    return lm, dict.fromkeys((*THROUGH_MASK, "emphasize", "attention", "heads"), why)


def _mask_support(lm: LM, enc: Encoding, plain: Tensor) -> str:
    name = type(lm.model).__name__
    try:
        idle, _ = _logits(lm, enc, _Untouched())
        cut, _ = _logits(lm, enc, Knockout(*CUT))
        opened, _ = _logits(lm, enc, _Open())
    except CtkitError as err:
        return err.found
    except (TypeError, ValueError, AttributeError, RuntimeError, IndexError, KeyError) as err:
        return f"{name} cannot be given another mask ({type(err).__name__}: {err})"
    if not torch.equal(idle, plain):
        return f"{name} gives other numbers through an attention function that changes nothing"
    # before the row only rounding: experts are fed other batches when a token changes
    rounding = 1e-3 if lm.model.dtype == torch.float32 else 0.2
    for changed, row in ((cut, CUT[0]), (opened, CUT[1])):
        change = (changed - plain).abs().amax(-1)
        if not change[row:].max() > 0 or change[:row].max() > rounding * change[row:].max():
            return f"{name} does not follow a changed mask"
    return "yes"


@dataclass(frozen=True)
class _Open(Intervention):
    """Query 1 may see key 3."""

    def allow(self, allowed, enc, layer):
        opened = allowed.clone()
        opened[:, CUT[1], CUT[0]] = True
        return opened


def _with_scores(lm: LM, enc: Encoding, plain: Tensor) -> tuple[LM, dict[str, str]]:
    """What else works where masks do: reading weights, adding to scores, editing heads."""
    name, layer = type(lm.model).__name__, lm.attending[0]
    support = dict.fromkeys(THROUGH_MASK, "yes") | {"heads": "yes", "attention": "yes", "emphasize": "yes"}
    read = Wanted(attention={layer: tuple(range(lm.n_heads))})
    try:
        same, session = _logits(lm, enc, read=read)
        before = session.now.weights[layer][0].float().cpu()
        cut = _logits(lm, enc, Knockout(*CUT, layers=[layer]), read=read)[1].now.weights[layer][0].float().cpu()
    except (CtkitError, TypeError, ValueError, AttributeError, RuntimeError, KeyError, IndexError) as err:
        support["attention"] = f"{name} does not give out its attention weights ({_said(err)})"
        return lm, support
    sums = before.sum(-1)
    square = before.shape == (lm.n_heads, len(enc), len(enc))
    if not square or not torch.equal(same, plain) or cut[:, CUT[0], CUT[1]].any() or sums.max() > 1.01:
        support["attention"] = f"{name} gives out attention weights that are not those it uses"
        return lm, support
    try:
        leaning = _logits(lm, enc, _Lean(), read=read)[1].now.weights[layer][0].float().cpu()
    except (CtkitError, RuntimeError, TypeError) as err:
        return lm, support | {"emphasize": f"{name} takes no change of its scores ({_said(err)})"}
    gained = (leaning[:, -1, 1] / leaning[:, -1, 2] / (before[:, -1, 1] / before[:, -1, 2])).log() / log(2)
    scale = 1 / float(gained.nanmedian())
    if lm.route == "interface" and abs(scale - 1) > 0.05:
        return lm, support | {"emphasize": f"{name} changes what is added to its scores"}
    return replace(lm, mask_scale=1.0 if abs(scale - 1) < 0.05 else scale), support


def _said(err: Exception) -> str:
    return err.found if isinstance(err, CtkitError) else f"{type(err).__name__}: {err}"


def _stream_support(lm: LM, enc: Encoding, plain: Tensor) -> str:
    layer = lm.n_layers // 2
    vector, read = torch.linspace(-1, 1, lm.d_model), Wanted(residual=(layer,))
    try:
        _, before = _logits(lm, enc, read=read)
        steered, after = _logits(lm, enc, Steer(Direction(vector, layer)), read=read)
    except CtkitError as err:
        return err.found
    except (KeyError, AttributeError, TypeError, IndexError, StopIteration) as err:
        return f"{type(lm.model).__name__} hands its stream on in a way of its own ({type(err).__name__}: {err})"
    seen = (after.read["residual", layer] - before.read["residual", layer]).float().cpu()
    tolerance = 0.05 if lm.model.dtype != torch.float32 else 1e-4
    if not torch.allclose(seen[0], vector.expand_as(seen[0]), atol=tolerance, rtol=tolerance):
        return f"{type(lm.model).__name__} does not show a change to its stream where it was made"
    if torch.equal(steered, plain):
        return f"{type(lm.model).__name__} does not react to a change of its stream"
    return "yes"
