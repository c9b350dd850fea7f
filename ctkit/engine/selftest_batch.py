"""Whether a model may read in batches and go on from a cache: where numbers change, ctkit does without."""

from dataclasses import replace

import torch
from torch import Tensor

from ..interventions import Knockout, Setup
from ..prompt import Encoding
from .batch import new_cache, padded_ids, parameters
from .lm import LM, causal_triangles
from .plan import Row
from .probe import FAILURES, logits_of, said
from .session import Session

ROOM = 4  # places that stay free in a cache of fixed size
SHORTER = 12  # by so many tokens the second text of the padded pair is shorter


def placed(lm: LM, enc: Encoding, plain: Tensor) -> LM:
    """The model with the number that its positions count from (some count on from their padding token's id), or None
    where it takes no positions."""
    if "position_ids" not in parameters(type(lm.model)):
        return replace(lm, first_position=None)
    padding = getattr(lm.model.config, "pad_token_id", None)
    for first in (0, *([padding + 1] if isinstance(padding, int) and padding >= 0 else [])):
        places = torch.arange(first, first + len(enc), device=lm.device)[None]
        ids = torch.tensor([enc.ids], device=lm.device)
        try:
            with torch.no_grad():
                told = lm.model(input_ids=ids, position_ids=places, use_cache=False).logits[0].float().cpu()
        except FAILURES:
            continue
        if torch.equal(told, plain):
            return replace(lm, first_position=first)
    return replace(lm, first_position=None)


def reading_on(lm: LM, enc: Encoding, plain: Tensor) -> tuple[LM, dict[str, str]]:
    """Whether a dynamic and a static cache give what reading everything gives, and with which of them (or "none") texts
    of different length can be read in one batch."""
    support = {kind: _alone(lm, enc, plain, kind) for kind in ("dynamic", "static")}
    padded = {kind for kind in ("none", "dynamic", "static") if support.get(kind, "yes") == "yes"}
    lm = replace(lm, padded=frozenset(kind for kind in padded if _in_batch(lm, enc, plain, kind)))
    name = type(lm.model).__name__
    why = f"{name} counts its places from the padding on: texts are read one length at a time"
    batch = "yes" if "none" in lm.padded else why
    return lm, {"cache": support["dynamic"], "static": support["static"], "batch": batch}


def _alone(lm: LM, enc: Encoding, plain: Tensor, kind: str) -> str:
    """Reading on from a cache, token by token at the end, and at the beginning."""
    name = type(lm.model).__name__
    if kind == "static" and any(causal_triangles(own.attention) for own in lm.parts if own.attention is not None):
        return f"{name} keeps a causal mask of its own, which it lays wrongly over a static cache"
    try:
        read = _read_on(lm, [Row(enc, Setup())], kind)[0]
        # then from the first token on: some go on there from the state of the text before
        begun = _read_on(lm, [Row(_shorter(enc, 3), Setup())], kind)[0]
    except FAILURES as err:
        return f"{name} cannot read on from a {kind} cache ({said(lm, err)})"
    same = _same(lm, read, plain) and _same(lm, begun, plain[:3]) and (kind != "static" or _masked_alike(lm, enc))
    return "yes" if same else f"{name} answers differently when it reads on from a {kind} cache"


def _masked_alike(lm: LM, enc: Encoding) -> bool:
    """Whether a changed mask does to a static cache what it does to a whole reading."""
    cut = Knockout(enc.n_prompt - 1, 1)
    try:
        whole = logits_of(lm, enc, cut)[0]
    except FAILURES:
        return True  # masks are refused anyway
    try:
        return _same(lm, _read_on(lm, [Row(enc, Setup([cut]))], "static")[0], whole)
    except FAILURES:
        return False


def _in_batch(lm: LM, enc: Encoding, plain: Tensor, kind: str) -> bool:
    """Reading a text beside a shorter one."""
    short = _shorter(enc, len(enc) - SHORTER)
    try:
        long, read = _read_on(lm, [Row(enc, Setup()), Row(short, Setup())], kind)
    except FAILURES:
        return False
    return _same(lm, long, plain) and _same(lm, read[SHORTER:], plain[:-SHORTER])


def _shorter(enc: Encoding, length: int) -> Encoding:
    cut = replace(enc, **{name: getattr(enc, name)[:length] for name in ("ids", "tokens", "places")})
    return replace(cut, n_prompt=length)


def _read_on(lm: LM, rows: list[Row], kind: str) -> Tensor:
    """The logits of a batch (row token vocab), read in three parts where there is a cache."""
    ids = padded_ids(rows, lm)
    n = ids.shape[1]
    session = Session(lm, rows, n + ROOM, cache=new_cache(lm, kind, n + ROOM))
    with session.installed():
        parts = [ids] if kind == "none" else ids.split([n - 2, 1, 1], dim=1)
        read = [session.forward(part, last=0).logits.float().cpu() for part in parts]
    return torch.cat(read, dim=1)


def _same(lm: LM, read: Tensor, plain: Tensor) -> bool:
    tolerance = 1e-3 if lm.model.dtype == torch.float32 else 0.1
    fits = read.shape == plain.shape
    return fits and torch.allclose(read, plain, atol=tolerance * float(plain.abs().max()), rtol=0)
