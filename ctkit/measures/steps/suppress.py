"""Attention to a step is cut off for all that comes behind it (thought anchors; Bogdan et al., arXiv 2506.19143)."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from ...engine.run import run_many
from ...engine.trace import Trace
from ...interventions import Knockout, Setup
from ...prompt import Prompt
from .effects import NAN, StepEffects, collected
from .lots import length, lots
from .thought import Thought

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
        intact, *cut = _read(thought, text, lot)
        for i, trace in zip(lot, cut, strict=True):
            own, whole = trace.spans[f"step {i + 1}"], _answer_chance(intact)
            left[i] = _answer_chance(trace)
            falls[i] = [whole - left[i]]
            control[i] = float((trace.logits[: own.stop] - intact.logits[: own.stop]).abs().max())
            for j in range(i + 1, n):
                each = _kl(intact, trace, trace.spans[f"step {j + 1}"])
                kl[i, j], logs[i, j] = each.mean(), each.clamp_min(FLOOR).log().mean()
        said = {"the step read": [thought.probability] * n, "the step suppressed": left}
        yield replace(collected("suppress", thought, falls, control, said), matrix=_centred(logs), kl=kl.clone())


def _read(thought: Thought, text: Prompt, lot: Sequence[int]) -> list[Trace]:
    """The text as it is, and with each step of the lot suppressed: rows of one batch, so that they can be compared bit
    for bit."""
    setups = [Setup(), *(Setup([Knockout(f"after step {i + 1}", f"step {i + 1}")]) for i in lot)]
    traces = run_many(thought.lm, [(text, setup) for setup in setups], thought.setup)
    thought.reader.count(len(traces), sum(len(trace.ids) for trace in traces))
    return traces


def _answer_chance(trace: Trace) -> float:
    span = trace.spans["answer"]
    rows = trace.logits[span.start - 1 : span.stop - 1].softmax(-1)
    return float(rows[range(len(rows)), trace.ids[span]].prod())


def _kl(intact: Trace, cut: Trace, span: slice) -> Float[Tensor, "token"]:
    before, after = (trace.logits[span].double().log_softmax(-1) for trace in (intact, cut))
    return (before.exp() * (before - after)).sum(-1).clamp_min(0).float()


def _centred(logs: Float[Tensor, "step later"]) -> Float[Tensor, "step later"]:
    """Less the mean over the suppressed steps, for each later step."""
    return logs - logs.nanmean(0, keepdim=True)
