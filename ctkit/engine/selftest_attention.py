"""Whether a model's attention can be reached, and what of it: masks, weights, scores, heads. Found out by trying."""

from dataclasses import dataclass, replace
from math import log

import torch
from torch import Tensor

from ..errors import CtkitError
from ..interventions import Intervention, Knockout
from ..prompt import Encoding
from .lm import LM, dispatches_attention
from .probe import FAILURES, logits_of, said
from .session import Wanted

TECHNIQUES = ("mask", "knockout", "emphasize", "attention", "heads", "per head")
CUT = (3, 1)  # the edge that is cut to see whether the model follows: from query 3 to key 1


@dataclass(frozen=True)
class _Untouched(Intervention):
    """Goes through the engine's attention, and changes nothing: the idle case."""

    def heads(self, z, enc, layer):
        return z


@dataclass(frozen=True)
class _Lean(Intervention):
    """All queries' scores of key 1 grow by log 2."""

    def bias(self, enc, layer):
        bias = torch.zeros(1, len(enc), len(enc))
        bias[..., CUT[1]] = log(2)
        return bias


@dataclass(frozen=True)
class _Silent(Intervention):
    """The first head of one block says nothing."""

    layer: int

    def touches(self, layer):
        return layer == self.layer

    def heads(self, z, enc, layer):
        silent = z.clone()
        silent[:, 0] = 0
        return silent


@dataclass(frozen=True)
class _Open(Intervention):
    """Query 1 may see key 3."""

    def allow(self, allowed, enc, layer):
        opened = allowed.clone()
        opened[:, CUT[1], CUT[0]] = True
        return opened


def through_attention(lm: LM, enc: Encoding, plain: Tensor) -> tuple[LM, dict[str, str]]:
    """The model with the way in which its attention is reached, and what can be done there."""
    name = type(lm.model).__name__
    if not lm.attending:
        why = (
            f"{name} has no attention that could be changed block by block: it carries its past in a state, or its "
            "blocks share one"
        )
        return lm, dict.fromkeys(TECHNIQUES, why)
    routes = ["interface", "hooks"] if dispatches_attention(lm.model) else ["hooks"]
    first = ""
    for route in routes:
        there = replace(lm, route=route)
        why = _mask_support(there, enc, plain)
        if why == "yes":
            return _with_scores(there, enc, plain)
        first = first or why
    return lm, dict.fromkeys(TECHNIQUES, first)


def _mask_support(lm: LM, enc: Encoding, plain: Tensor) -> str:
    name = type(lm.model).__name__
    try:
        idle, _ = logits_of(lm, enc, _Untouched())
        cut, _ = logits_of(lm, enc, Knockout(*CUT))
        opened, _ = logits_of(lm, enc, _Open())
    except CtkitError as err:
        return err.found
    except FAILURES as err:
        return f"{name} takes its mask in a way of its own, and breaks when it is given another ({type(err).__name__})"
    if not torch.equal(idle, plain):
        return f"{name} gives other numbers through an attention function that changes nothing"
    # before the row only rounding: experts are fed other batches when a token changes
    rounding = 1e-3 if lm.model.dtype == torch.float32 else 0.2
    for changed, row in ((cut, CUT[0]), (opened, CUT[1])):
        change = (changed - plain).abs().amax(-1)
        if not change[row:].max() > 0 or change[:row].max() > rounding * change[row:].max():
            return f"{name} does not follow a changed mask"
    return "yes"


def _with_scores(lm: LM, enc: Encoding, plain: Tensor) -> tuple[LM, dict[str, str]]:
    """What else works where masks do: reading weights, adding to scores, editing heads, one head apart from others."""
    support = dict.fromkeys(TECHNIQUES, "yes") | _heads_support(lm, enc, plain)
    weights = _weights(lm, enc)
    if isinstance(weights, str):
        return lm, support | {"attention": weights}
    cut = _weights(lm, enc, Knockout(*CUT, layers=[lm.attending[0]]))
    same = torch.equal(logits_of(lm, enc, read=_first(lm))[0], plain)
    if not same or isinstance(cut, str) or cut[:, CUT[0], CUT[1]].any() or weights.sum(-1).max() > 1.01:
        why = f"{type(lm.model).__name__} gives out attention weights that are not those it uses"
        return lm, support | {"attention": why}
    leaning = _weights(lm, enc, _Lean())
    if isinstance(leaning, str):
        why = leaning.partition("(")[2].rstrip(")") or leaning
        return lm, support | {"emphasize": f"{type(lm.model).__name__} takes no change of its scores: {why}"}
    row = CUT[0]  # early, so that no window hides the keys from it
    gained = (leaning[:, row, 1] / leaning[:, row, 2] / (weights[:, row, 1] / weights[:, row, 2])).log() / log(2)
    scale = 1 / float(gained.nanmedian())
    if not scale > 0 or (lm.route == "interface" and abs(scale - 1) > 0.05):
        return lm, support | {"emphasize": f"{type(lm.model).__name__} changes what is added to its scores"}
    lm = replace(lm, mask_scale=1.0 if abs(scale - 1) < 0.05 else scale)
    return replace(lm, heads_alone=_gives_heads_alone(lm, enc, weights)), support


def _first(lm: LM) -> Wanted:
    return Wanted(attention={lm.attending[0]: tuple(range(lm.n_heads))})


def _weights(lm: LM, enc: Encoding, *interventions: Intervention) -> Tensor | str:
    """The weights of the first block with attention (head query key), or why there are none."""
    name, layer = type(lm.model).__name__, lm.attending[0]
    try:
        weights = logits_of(lm, enc, *interventions, read=_first(lm))[1].now.weights[layer][0].float().cpu()
    except FAILURES as err:
        return f"{name} does not give out its attention weights ({said(lm, err)})"
    if weights.shape != (lm.n_heads, len(enc), len(enc)):
        return f"{name} gives out attention weights of shape {tuple(weights.shape)}"
    return weights


def _heads_support(lm: LM, enc: Encoding, plain: Tensor) -> dict[str, str]:
    name, layer = type(lm.model).__name__, lm.attending[0]
    support = {}
    for technique, change in (("heads", _Silent(layer)), ("per head", Knockout(*CUT, layers=[layer], heads=[0]))):
        try:
            if torch.equal(logits_of(lm, enc, change)[0], plain):
                support[technique] = f"{name} does not react to a change of a single head"
        except FAILURES as err:
            support[technique] = f"{name} cannot have one head changed apart from the others ({said(lm, err)})"
    if not lm.at_once:
        support["heads"] = f"{name} puts its heads together from several parts"
    return support


def _gives_heads_alone(lm: LM, enc: Encoding, weights: Tensor) -> bool:
    """Whether the last head's weights come out the same when they are computed without those of the others."""
    layer, last = lm.attending[0], lm.n_heads - 1
    try:
        read = Wanted(attention={layer: (last,)})
        alone = logits_of(replace(lm, heads_alone=True), enc, read=read)[1].now.weights[layer][0, 0].float().cpu()
    except FAILURES:
        return False  # something in the plain attention is told apart by head: sinks, biases
    return torch.allclose(alone, weights[last], atol=1e-6, rtol=1e-5)
