"""The one way in: texts to streams, streams to a direction, and how far that direction can be relied on."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ..engine.lm import LM
from ..engine.run import run_many
from ..errors import CtkitError, shown
from ..interventions import Direction
from ..prompt import START, Prompt
from .diffmean import difference_in_means

METHODS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"diffmean": difference_in_means}


def fit_direction(
    lm: LM,
    positive: Sequence[Prompt | str],
    negative: Sequence[Prompt | str],
    method: str = "diffmean",
    layer: int | None = None,
    name: str = "positive − negative",
    tokens: str = "all",
) -> Direction:
    """A direction in the stream entering block `layer` (default: the middle) that tells two sets of texts apart.

    `method`: "diffmean", the difference of the mean streams. `tokens`: "all", over all tokens but those that the
    tokenizer puts in front, or "last", over each text's last token, where what comes next is decided. With two texts or
    more on each side, `reliability` is the cosine between the directions of the odd and of the even texts. Raises
    `CtkitError` for an unknown method or choice of tokens, a missing side, or a layer the model does not have.

    >>> import ctkit as ct
    >>> ct.fit_direction(ct.load(), ["The day was happy."], ["The day was sad."], layer=2).layer
    2
    """
    if method not in METHODS:
        raise CtkitError(
            f"the method {shown(method)}", "no such way to fit a direction", f"one of {', '.join(METHODS)}"
        )
    if tokens not in ("all", "last"):
        raise CtkitError(f"a direction over the tokens {shown(tokens)}", "no such choice", '"all" or "last"')
    for side, texts in (("positive", positive), ("negative", negative)):
        if isinstance(texts, str) or not len(texts):
            raise CtkitError(
                f"a direction from the {side} texts {shown(texts)}", "no list of texts", "a list with one text or more"
            )
    layer = lm.n_layers // 2 if layer is None else layer
    fit = METHODS[method]
    plus, minus = (_streams(lm, texts, layer, tokens) for texts in (positive, negative))
    vector = fit(torch.cat(plus), torch.cat(minus))
    return Direction(vector, layer, method, name, _reliability(fit, plus, minus))


def _streams(lm: LM, texts: Sequence[Prompt | str], layer: int, tokens: str) -> list[Tensor]:
    """The stream entering a block over each text's own tokens, or over the last of them."""
    streams = []
    for trace in run_many(lm, texts, residual=[layer]):
        own = [i for i, place in enumerate(trace.encoding.places) if place[0] != START]
        streams.append(trace.residual(layer)[own if tokens == "all" else own[-1:]])
    return streams


def _reliability(fit: Callable[[Tensor, Tensor], Tensor], plus: list[Tensor], minus: list[Tensor]) -> float | None:
    if min(len(plus), len(minus)) < 2:
        return None
    halves = [fit(torch.cat(plus[i::2]), torch.cat(minus[i::2])) for i in (0, 1)]
    return float(torch.cosine_similarity(*halves, dim=0))
