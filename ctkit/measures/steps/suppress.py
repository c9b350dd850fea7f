"""Attention to a step is cut off for all that comes behind it (thought anchors; Bogdan et al., arXiv 2506.19143)."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from ...interventions import Knockout, Setup
from ...prompt import Encoding, Prompt
from .effects import NAN, StepEffects, collected
from .lots import length, lots
from .thought import Thought

Logits = Float[Tensor, "token vocab"]
FLOOR = 1e-7  # nats; a smaller KL is float rounding


def suppress(thought: Thought, draws: int, seed: int, *, only: Sequence[int]) -> Iterator[StepEffects]:
    """How far the answer's probability falls when no token behind a step can attend to it, in any block and head.

    The step's own tokens still see each other (the paper's code blocks those too). `kl` has, for each suppressed step
    (row) and later step (column), the mean over the later step's tokens of KL(as it is ‖ suppressed) of the prediction
    that follows them, in nats, at temperature 1. `matrix` has the mean of log KL in its place, less the mean of the
    column: that takes out how easily a step at that place is moved at all (the paper's rows are our columns). A KL
    below 1e-7 nats counts as 1e-7, so that there is a logarithm. NaN where there is nothing later. Nothing is drawn, so
    the intervals are points; the control is the largest change of a score in front of the step, which must be 0.
    """
    n = len(thought.steps)
    text = thought.with_answer(thought.steps)
    falls: list[list[float]] = [[] for _ in range(n)]
    left, control = [NAN] * n, [NAN] * n
    kl, logs = torch.full((n, n), NAN), torch.full((n, n), NAN)
    for lot in lots(thought, only, length(thought)):
        enc, before, (intact, *cut) = _read(thought, text, lot)
        spans = [enc.span(f"step {i + 1}") for i in range(n)]
        whole, said_before = _answer_chance(enc, intact), intact.double().log_softmax(-1)
        for i, logits in zip(lot, cut, strict=True):
            left[i] = _answer_chance(enc, logits)
            falls[i] = [whole - left[i]]
            control[i] = float((logits[: spans[i].stop - before] - intact[: spans[i].stop - before]).abs().max())
            behind = _kl(said_before, logits, spans[i].stop - before)
            for j in range(i + 1, n):
                each = behind[spans[j].start - spans[i].stop : spans[j].stop - spans[i].stop]
                kl[i, j], logs[i, j] = each.mean(), each.clamp_min(FLOOR).log().mean()
        said = {"the step read": [thought.probability] * n, "the step suppressed": left}
        yield replace(collected("suppress", thought, falls, control, said), matrix=_centred(logs), kl=kl.clone())


def _read(thought: Thought, text: Prompt, lot: Sequence[int]) -> tuple[Encoding, int, list[Logits]]:
    """The text as tokens; where the lot's first step begins; and from there on the scores of the text as it is, and
    with each step of the lot suppressed: rows of one batch, so that they can be compared bit for bit."""
    enc = thought.encoded(text)
    before = enc.span(f"step {min(lot) + 1}").start
    setups = [Setup(), *(Setup([Knockout(f"after step {i + 1}", f"step {i + 1}")]) for i in lot)]
    found = thought.reader.trunks.logits([(text, setup) for setup in setups], last=len(enc) - before)
    return enc, before, found


def _answer_chance(enc: Encoding, logits: Logits) -> float:
    """The probability of the answer at the end of a text, from the scores at its last positions."""
    span = enc.span("answer")
    rows = logits[span.start - 1 - len(enc) : span.stop - 1 - len(enc)].softmax(-1)
    return float(rows[range(len(rows)), list(enc.ids[span])].prod())


def _kl(said: Logits, cut: Logits, start: int) -> Float[Tensor, "behind"]:
    """KL(as it is ‖ suppressed) of the prediction at each position from `start` on, in nats: from the log probabilities
    as it is, and the scores suppressed."""
    before, after = said[start:], cut[start:].double().log_softmax(-1)
    return (before.exp() * (before - after)).sum(-1).clamp_min(0).float()


def _centred(logs: Float[Tensor, "step later"]) -> Float[Tensor, "step later"]:
    """Less the mean over the suppressed steps, for each later step."""
    return logs - logs.nanmean(0, keepdim=True)
