"""From a stream to the logits it stands for, by the model's own last steps: knows no part of any model by name."""

from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import CtkitError
from ..interventions.base import Intervention
from .encode import encode
from .lm import LM
from .run import run_many

CARRIER = "a b c d e f g h i j k l m n o p q r s t u v w x y z"  # its tokens carry the vectors; what it says is lost


def unembed(lm: LM, x: Float[Tensor, "vector d_model"]) -> Float[Tensor, "vector vocab"]:
    """The next-token logits that `lm` reads off each vector, as if it were the stream leaving the last block.

    The vectors stand in for that stream in a run of the model, so that its own final norm, unembedding, scale and
    softcap are applied, whatever they are. Raises `CtkitError` for vectors of another width, for numbers that are not
    finite, and for a model whose stream cannot be changed.

    >>> import ctkit as ct
    >>> lm = ct.load()
    >>> trace = ct.run(lm, "The key is in the box.")
    >>> bool((unembed(lm, trace.residual(lm.n_layers)) - trace.logits).abs().max() < 1e-4)
    True
    """
    _refuse_unfit(lm, x)
    if not len(x):
        return torch.zeros(0, lm.n_tokens)
    chunks = x.split(len(encode(lm, CARRIER)))
    traces = run_many(lm, [(CARRIER, _Carried(chunk)) for chunk in chunks])
    return torch.cat([trace.logits[: len(chunk)] for trace, chunk in zip(traces, chunks, strict=True)])


@dataclass(frozen=True, eq=False)
class _Carried(Intervention):
    """The stream leaving the last block begins with these vectors, whatever it was."""

    vectors: Tensor = field(repr=False)

    def residual(self, x, enc, layer):
        if layer != enc.shape.n_layers:
            return x
        return torch.cat([self.vectors.to(x), x[len(self.vectors) :]])


del Intervention.known[_Carried.__name__]  # a setup that comes as text shall not name it: it is no technique


def _refuse_unfit(lm: LM, x: Tensor) -> None:
    why = lm.support.get("steer", "yes")
    if why != "yes":
        raise CtkitError(f"the logits of a stream in {lm.name}", why, "a model whose stream can be changed: ct.load()")
    if x.ndim != 2 or x.shape[1] != lm.d_model:
        asked, fitting = f"the logits of vectors of shape {tuple(x.shape)}", f"vectors of shape (any, {lm.d_model})"
        raise CtkitError(asked, f"a stream {lm.d_model} wide", fitting)
    if not x.isfinite().all():
        raise CtkitError("the logits of a stream", "numbers in it that are not finite", "a stream from trace.residual")
