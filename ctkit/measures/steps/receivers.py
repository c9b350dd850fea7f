"""Receiver heads: through them all later steps of a thought look back at the same few steps (arXiv 2506.19143)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from ...engine.lm import LM
from ...engine.rows import rows_of
from ...engine.run import traces, wanted
from ...errors import CtkitError, shown
from ...interventions.setup import Setup, as_setup
from ...prompt import Piece, Prompt, as_prompt
from ...tasks.base import Problem
from .split import Steps, split

SKIP = 4  # the nearest steps, which everything looks at
SCORED = 4  # steps with a score that a kurtosis needs: of three it is the same whatever they are
FLAT = 1e-6  # scores that differ by less than this part of their mean are equal up to rounding
HALVINGS = 100


@dataclass(frozen=True, eq=False)
class ReceiverHeads:
    """How much each head makes all later steps look back at the same few.

    `kurtosis[layer, head]`: Fisher kurtosis of the head's vertical scores over the steps of a thought (0 for a normal
    distribution; high: few steps stand out), the mean over `n` thoughts. NaN where the scores were flat in every one of
    them, or the block has no attention. `thoughts` has it thought by thought. `reliability`: the rank correlation
    (Spearman) of the heads between two halves of the thoughts, the mean over 100 halvings; NaN for fewer than two
    thoughts.
    """

    kurtosis: Float[Tensor, "layer head"] = field(repr=False)
    thoughts: Float[Tensor, "thought layer head"] = field(repr=False)
    skip: int
    reliability: float

    @property
    def n(self) -> int:
        """How many thoughts."""
        return len(self.thoughts)

    @property
    def ranked(self) -> list[tuple[int, int]]:
        """The heads as (layer, head), highest kurtosis first; those without one are left out."""
        heads = [tuple(pair) for pair in self.kurtosis.isnan().logical_not().nonzero().tolist()]
        return sorted(heads, key=lambda pair: -float(self.kurtosis[pair]))

    def top(self, k: int | None = None) -> list[tuple[int, int]]:
        """The receiver heads: the first `k`. Left out, 20 as in the paper, but at most a fifth of all heads."""
        return self.ranked[: few_of(self.kurtosis.numel()) if k is None else k]

    def __str__(self) -> str:
        best = ", ".join(f"({layer}, {head}) {self.kurtosis[layer, head]:.2f}" for layer, head in self.top())
        return f"receiver heads over {self.n} thoughts (reliability {self.reliability:.2f}): {best}"


def receiver_heads(
    lm: LM,
    thoughts: Sequence[Problem | tuple[Prompt | str, Any]],
    *setup: Any,
    skip: int = SKIP,
    seed: int = 0,
    on_progress: Callable[[int, int], Any] | None = None,
) -> ReceiverHeads:
    """Which heads are receiver heads (thought anchors; Bogdan et al., arXiv 2506.19143).

    Attention is averaged to a step × step matrix (the mean over pairs of tokens); a head's vertical score of a step is
    the mean over all steps that come `skip` or more behind it. A head whose vertical scores are peaked (kurtosis) makes
    many later steps look at the same few. `thoughts`: problems of a task, read with their true steps, or pairs of a
    prompt and its steps (a list, or a text that is split by sentence). Each thought is read in one pass, and pooled as
    soon as a block has computed its attention. `seed` draws the halves for the reliability.
    Raises `CtkitError` for no thoughts, one that is too short (it needs `skip` + 4 steps), or attention that cannot be
    read.

    >>> import ctkit as ct
    >>> sums = ct.tasks.get("sums")
    >>> found = ct.receiver_heads(ct.load(), [sums.generate(seed, 5) for seed in range(4)], skip=2)
    >>> found.kurtosis.shape, found.n, len(found.top())
    (torch.Size([4, 4]), 4, 3)
    """
    _check_skip(skip)
    if isinstance(thoughts, (str, Prompt, Problem)) or not len(thoughts):
        raise CtkitError("receiver heads", "no list of thoughts", "problems, or pairs of a prompt and its steps")
    together, told = as_setup(*setup), [_told(thought) for thought in thoughts]
    for _, steps in told:
        refuse_short(len(steps), skip)
    found = []
    for prompt, steps in told:
        found.append(kurtosis(vertical_scores(step_attention(lm, *_in_pieces(prompt, steps), together), skip)))
        if on_progress is not None:
            on_progress(len(found), len(told))
    rows = torch.stack(found)
    return ReceiverHeads(rows.nanmean(0), rows, skip, split_half(rows, seed))


def few_of(n_heads: int) -> int:
    """How many heads are called receivers, if nobody says: 20, but at most a fifth of all, and one at least."""
    return max(1, min(20, n_heads // 5))


def step_attention(
    lm: LM, prompt: Prompt, names: Sequence[str], setup: Setup
) -> Float[Tensor, "layer head later step"]:
    """How much the tokens of a step attend to those of another, the mean over pairs of tokens, in every head. `names`
    are the pieces that are the steps. NaN for blocks without attention. One block's weights are held at a time."""
    rows = rows_of(lm, [prompt], setup)
    pool = _pooling([rows[0].enc.span(name) for name in names], len(rows[0].enc))
    trace = traces(lm, rows, wanted(lm, attention="all", pool=pool), last_only=True)[0]
    found = torch.full((lm.n_layers, lm.n_heads, len(names), len(names)), float("nan"))
    for (layer, head), weights in trace.kept_attention.items():
        found[layer, head] = weights
    return found


def vertical_scores(attention: Float[Tensor, "*head later step"], skip: int = SKIP) -> Float[Tensor, "*head step"]:
    """What the steps `skip` or more behind each step give to it, on average; NaN for the last `skip` steps.

    >>> vertical_scores(torch.tensor([[1.0, 0.0, 0.0], [0.3, 0.7, 0.0], [0.1, 0.4, 0.5]]), skip=1)
    tensor([0.2000, 0.4000,    nan])
    """
    behind = torch.ones(attention.shape[-2:], dtype=torch.bool).tril(-skip)
    return torch.where(behind, attention, 0.0).sum(-2) / behind.sum(-2).where(behind.any(-2), float("nan"))


def kurtosis(scores: Float[Tensor, "*head step"]) -> Float[Tensor, "*head"]:
    """Fisher kurtosis of each head's scores over the steps that have one: m₄ / m₂² − 3; NaN where they are all equal,
    or fewer than four.

    >>> round(float(kurtosis(torch.tensor([0.0, 0.0, 0.0, 0.0, 1.0]))), 2)
    0.25
    """
    kept = scores[..., ~scores.flatten(0, -2).isnan().all(0)] if scores.ndim > 1 else scores[~scores.isnan()]
    kept = kept.double()
    if kept.shape[-1] < SCORED:
        return torch.full(kept.shape[:-1], float("nan"))
    off = kept - kept.mean(-1, keepdim=True)
    second, fourth = off.square().mean(-1), off.pow(4).mean(-1)
    flat = second.sqrt() <= FLAT * kept.mean(-1).abs()
    return (fourth / second.square() - 3).where(~flat & (second > 0), float("nan")).float()


def split_half(rows: Float[Tensor, "thought layer head"], seed: int = 0) -> float:
    """The rank correlation of the heads between two halves of the thoughts, the mean over 100 halvings."""
    n, source, found = len(rows), torch.Generator().manual_seed(seed), []
    for _ in range(HALVINGS if n > 1 else 0):
        order = torch.randperm(n, generator=source)
        one, other = (rows[half].nanmean(0).flatten() for half in (order[: n // 2], order[n // 2 :]))
        both = ~(one.isnan() | other.isnan())
        found.append(spearman(one[both], other[both]))
    return fmean(found) if found else float("nan")


def spearman(one: Float[Tensor, "item"], other: Float[Tensor, "item"]) -> float:
    """The correlation of ranks (equals share their mean rank); NaN where one side does not vary.

    >>> round(spearman(torch.tensor([1.0, 2.0, 9.0]), torch.tensor([0.1, 0.5, 0.2])), 6)
    0.5
    """
    a, b = (_ranks(values) - (len(values) - 1) / 2 for values in (one, other))
    length = a.norm() * b.norm()
    return float(a @ b / length) if len(one) > 1 and length > 0 else float("nan")


def refuse_short(n_steps: int, skip: int) -> None:
    """Refuse a thought too short for a kurtosis."""
    if n_steps < skip + SCORED:
        raise CtkitError(
            f"receiver heads in a thought of {n_steps} steps, of which the {skip} nearest do not count",
            f"{max(0, n_steps - skip)} steps with a score, and a kurtosis needs {SCORED}",
            f"longer thoughts ({skip + SCORED} steps or more), or a smaller skip",
        )


def _check_skip(skip: object) -> None:
    if not isinstance(skip, int) or isinstance(skip, bool) or skip < 1:
        raise CtkitError(
            f"receiver heads with skip={shown(skip)}", "no number of steps", "4 as in the paper, or 1, 2 …"
        )


def _told(thought: Any) -> tuple[Prompt, Steps]:
    """A prompt, and the thought behind it."""
    if isinstance(thought, Problem):
        return thought.prompt, Steps.of(thought.steps)
    if not isinstance(thought, tuple) or len(thought) != 2:
        found = f"a {type(thought).__name__}: {shown(thought)}"
        raise CtkitError("receiver heads", found, "problems of a task, or pairs (prompt, steps)")
    prompt, steps = thought
    return as_prompt(prompt), split(steps) if isinstance(steps, str) else Steps.of(steps)


def _in_pieces(prompt: Prompt, steps: Steps) -> tuple[Prompt, list[str]]:
    """The prompt with a piece for each step, and their names."""
    names = [f"step {i + 1}" for i in range(len(steps))]
    own = [
        Piece(name, text, lead=lead or " ", written=True)
        for name, text, lead in zip(names, steps.texts, steps.leads, strict=True)
    ]
    return Prompt.of([*prompt.parts, *own]), names


def _pooling(spans: Sequence[slice], length: int) -> Callable[[Tensor], Tensor]:
    """The mean over the queries of one step and the keys of another."""
    member = torch.zeros(len(spans), length)
    for row, span in zip(member, spans, strict=True):
        row[span] = 1 / (span.stop - span.start)

    def pool(weights: Float[Tensor, "batch head query key"]) -> Float[Tensor, "batch head later step"]:
        mean = member.to(weights)
        return mean @ weights @ mean.mT

    return pool


def _ranks(values: Float[Tensor, "item"]) -> Float[Tensor, "item"]:
    below, upto = (values[:, None] > values).sum(1), (values[:, None] >= values).sum(1)
    return (below + upto - 1).double() / 2
