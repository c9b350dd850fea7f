"""Whether a model reads on from what was read before as if it read everything: tried out, once a model."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from ..interventions.setup import Setup
from ..prompt import Encoding
from .attention import PREFIX
from .batch import parameters
from .lm import LM, attention_name, has_windows, keys_chosen
from .plan import Row
from .prefix import Going, Prefix, shared
from .probe import FAILURES, probed
from .read_on import read_on
from .run import traces
from .session import NOTHING

CLOSE = 1e-3  # logits, by which a text read on may differ from the same text read whole; relative to the largest


def reads_on(lm: LM) -> bool:
    """Whether texts read on from a shared beginning give the numbers of texts read whole."""
    able = lm.support.get("cache") == "yes" and "dynamic" in lm.padded
    return able and keys_chosen(lm.model) is None and _tried(lm, "reads on")


def cascades(lm: LM) -> bool:
    """Whether they do where the beginning is read where it lies (`cascade.py`): only where attention is the stock one
    of torch, goes through transformers' interface, and takes the positions that it is told."""
    stock = attention_name(lm.model).removeprefix(PREFIX) == "sdpa" and lm.route == "interface"
    told = lm.first_position is not None and "position_ids" in parameters(type(lm.model))
    return stock and told and not has_windows(lm.model) and reads_on(lm) and _tried(lm, "cascades")


def _tried(lm: LM, how: str) -> bool:
    return lm.memory.recall((how,), lambda: "yes" if _alike(lm, how == "cascades") else "no") == "yes"


def _alike(lm: LM, cascade: bool) -> bool:
    """Whether some texts read on in two passes give what they give read whole: one that only goes on, one that turns
    off early, and, unless in a cascade, one shorter and one that shares nothing."""
    enc = probed(lm)
    ids, n = enc.ids, len(enc)
    texts = [ids, (*ids[: n // 2], *ids[1 : n // 4])] + ([] if cascade else [ids[: n // 3], ids[1 : n // 2]])
    try:
        root = read_on(lm, [Going(_row(enc, ids[: 2 * n // 3]), None, 0, 1)], keep=True).prefix(0)
        half = [_going(enc, text[: len(text) - 2], root) for text in texts]
        first = read_on(lm, half, True, cascade)
        read = read_on(lm, [_going(enc, text, first.prefix(b)) for b, text in enumerate(texts)], False, cascade)
    except torch.OutOfMemoryError:
        raise
    except FAILURES:
        return False
    whole = torch.stack([traces(lm, [_row(enc, text)], NOTHING, True)[0].logits[-1] for text in texts])
    return torch.allclose(read.logits[:, -1].float().cpu(), whole, atol=CLOSE * float(whole.abs().max()), rtol=0)


def _going(enc: Encoding, ids: Sequence[int], prefix: Prefix) -> Going:
    return Going(_row(enc, ids), prefix, shared(prefix.ids, ids), 1)


def _row(enc: Encoding, ids: Sequence[int]) -> Row:
    return Row(replace(enc, ids=tuple(ids), tokens=enc.tokens[: len(ids)], places=enc.places[: len(ids)]), Setup())
