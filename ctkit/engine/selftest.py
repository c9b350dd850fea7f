"""What works on this model, found out by running it: nothing is believed of an architecture that was not seen."""

from dataclasses import replace
from types import MappingProxyType

import torch
from torch import Tensor

from ..errors import CtkitError
from ..interventions import Direction, Steer
from ..prompt import Encoding
from .lm import LM
from .probe import FAILURES, logits_of, plain_logits, probed, said
from .selftest_attention import through_attention
from .selftest_batch import placed, reading_on
from .selftest_pine import why_no_pine
from .session import Wanted
from .watch import with_parts
from .weights import is_quantised

THROUGH_TEXT = ("reread", "think")
THROUGH_STREAM = ("prepend", "steer", "patch")


def examined(lm: LM) -> LM:
    """The model with its parts found, and what it supports: technique → "yes" or why not.

    Raises `CtkitError` for a model that cannot read a text of tokens alone, or that reads ahead.
    """
    try:
        enc = probed(lm)
        plain = plain_logits(lm, enc)
        lm = with_parts(lm)
    except FAILURES as err:
        raise CtkitError(
            f"the model {type(lm.model).__name__}",
            f"that it cannot read a text of tokens alone ({said(lm, err)})",
            "a model of text only, such as ct.load()",
        ) from err
    _refuse_leak(lm, enc, plain)
    lm, support = through_attention(lm, enc, plain)
    support |= dict.fromkeys(THROUGH_TEXT, "yes") | dict.fromkeys(THROUGH_STREAM, _stream_support(lm, enc, plain))
    for site, part in (("mlp", "mlp"), ("neurons", "down")):
        whole = all(getattr(own, part) is not None for own in lm.parts)
        support[site] = _site_support(lm, enc, plain, site) if whole else _without(lm, part)
    lm, caches = reading_on(placed(lm, enc, plain), enc, plain)
    support |= caches
    support["pine"] = why_no_pine(lm, enc) if support["mask"] == "yes" else support["mask"]
    return replace(lm, support=MappingProxyType(support))


def _refuse_leak(lm: LM, enc: Encoding, plain: Tensor) -> None:
    other = replace(enc, ids=(*enc.ids[:-1], enc.ids[0]))
    changed = plain_logits(lm, other)
    if not torch.allclose(plain[:-1], changed[:-1], atol=1e-3, rtol=1e-3):
        found, remedy = (
            "it reads both ways, so it is no causal language model",
            "a decoder-only model, such as ct.load()",
        )
        if is_quantised(lm.model):
            found = "its quantised parts scale what they read by the whole text"
            remedy = "a kind that rounds the weights alone, or the model with its plain weights"
        raise CtkitError(
            f"the model {type(lm.model).__name__}", f"that its first tokens know the last one: {found}", remedy
        )


def _without(lm: LM, part: str) -> str:
    missing = [layer for layer, own in enumerate(lm.parts) if getattr(own, part) is None]
    return f"block {missing[0]} of {type(lm.model).__name__} has no single MLP (experts, or a state-space layer)"


def _site_support(lm: LM, enc: Encoding, plain: Tensor, site: str) -> str:
    """Whether a site of the first block can be read, without changing a number."""
    try:
        same, session = logits_of(lm, enc, read=Wanted(**{site: (0,)}))
    except CtkitError as err:
        return err.found
    except FAILURES as err:
        return f"{type(lm.model).__name__} hands its MLP on in a way of its own ({said(lm, err)})"
    whole = session.read[site, 0].shape[:2] == (1, len(enc))
    return "yes" if whole and torch.equal(same, plain) else f"{type(lm.model).__name__} changes when its MLP is read"


def _stream_support(lm: LM, enc: Encoding, plain: Tensor) -> str:
    layer = lm.n_layers // 2
    vector, read = torch.linspace(-1, 1, lm.d_model), Wanted(residual=(layer,))
    try:
        _, before = logits_of(lm, enc, read=read)
        steered, after = logits_of(lm, enc, Steer(Direction(vector, layer)), read=read)
        seen = (after.read["residual", layer] - before.read["residual", layer]).float().cpu()
    except CtkitError as err:
        return err.found
    except FAILURES as err:
        return f"{type(lm.model).__name__} hands its stream on in a way of its own ({said(lm, err)})"
    tolerance = 0.05 if lm.model.dtype != torch.float32 else 1e-4
    if not torch.allclose(seen[0], vector.expand_as(seen[0]), atol=tolerance, rtol=tolerance):
        return f"{type(lm.model).__name__} does not show a change to its stream where it was made"
    if torch.equal(steered, plain):
        return f"{type(lm.model).__name__} does not react to a change of its stream"
    return "yes"
