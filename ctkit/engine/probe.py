"""A few unremarkable tokens by which a model is examined, and what it says to them."""

from types import MappingProxyType

import torch
from torch import Tensor

from ..errors import CtkitError
from ..interventions import Intervention, Setup
from ..prompt import START, Encoding, Prompt
from .lm import LM
from .plan import Row
from .session import NOTHING, Session, Wanted
from .watch import probe

# what a model may raise that is asked for something it was not made for
FAILURES = (
    *(CtkitError, TypeError, ValueError, AttributeError, RuntimeError),
    *(IndexError, KeyError, StopIteration, NotImplementedError, AssertionError),
)


def probed(lm: LM) -> Encoding:
    """The tokens as a prompt without text."""
    ids = probe(lm)
    places = tuple((START, i + 1, 1) for i in range(len(ids)))
    tokens, spans = tuple("·" for _ in ids), MappingProxyType({})
    return Encoding(ids, tokens, places, spans, len(ids), lm.shape, Prompt("self-test"))


def plain_logits(lm: LM, enc: Encoding) -> Tensor:
    """What the model says without ctkit (token vocab)."""
    with torch.no_grad():
        ids = torch.tensor([enc.ids], device=lm.device)
        return lm.model(input_ids=ids, use_cache=False).logits[0].float().cpu()


def logits_of(lm: LM, enc: Encoding, *interventions: Intervention, read: Wanted = NOTHING) -> tuple[Tensor, Session]:
    """What it says under interventions, and the session that has read what was wanted."""
    session = Session(lm, [Row(enc, Setup(interventions))], len(enc), wanted=read)
    with session.installed():
        logits = session.forward(torch.tensor([enc.ids]), last=0).logits[0].float().cpu()
    return logits, session


def said(lm: LM, err: Exception) -> str:
    """An error of a model's, for a sentence."""
    return err.found if isinstance(err, CtkitError) else f"{type(err).__name__}: {str(err).strip()[:160]}"
