"""Which heads look up the words that are written: those whose eyes rest on the very token that comes next."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from ..engine.lm import LM
from ..engine.run import run_many
from ..engine.trace import Trace
from ..errors import CtkitError
from ..interventions.emphasize import places_of
from ..interventions.setup import Setup, as_setup
from ..tasks import Problem
from .score import answers, is_right, thinks

AT_ONCE = 32  # problems whose attention is in memory at one time
WRITTEN = "answer"  # the piece that the model wrote


@dataclass(frozen=True, eq=False)
class RetrievalScores:
    """How much each head copies: 0 = never looks at the token that is written next, 1 = does so for every one.

    `scores[layer, head]` is a mean over `n` problems, those of the `asked` ones that the model answers right.
    """

    scores: Float[Tensor, "layer head"] = field(repr=False)
    n: int
    asked: int

    def top(self, k: int = 3) -> list[tuple[int, int]]:
        """The `k` heads with the highest scores, as (layer, head), highest first."""
        return self.ranked[:k]

    @property
    def ranked(self) -> list[tuple[int, int]]:
        """All heads as (layer, head), highest score first; of equals the earlier one."""
        heads = [(layer, head) for layer in range(self.scores.shape[0]) for head in range(self.scores.shape[1])]
        return sorted(heads, key=lambda pair: -float(self.scores[pair]))

    def __str__(self) -> str:
        best = ", ".join(f"({layer}, {head}) {self.scores[layer, head]:.2f}" for layer, head in self.top())
        return f"retrieval heads over {self.n} of {self.asked} problems: {best}"


def retrieval_heads(lm: LM, problems: Sequence[Problem], *setup: object) -> RetrievalScores:
    """The retrieval score of every head (Wu et al. 2024, arXiv 2404.15574).

    The needle is what a problem's steps say, where they stand in the prompt. While the answer is written, a head
    scores a hit when its largest attention weight lies on a token of the needle and that very token is written next.
    Score: the hits, at most one for each token of the needle, by the length of the answer. Only problems that the model
    answers right (greedily, under the setup) count, and those are read in one pass with the answer behind them.

    Raises `CtkitError` where a problem has no needle, or the model answers none of them right.

    >>> import ctkit as ct
    >>> hunt = ct.tasks.get("hunt")
    >>> found = ct.retrieval_heads(ct.load(), [hunt.generate(seed, 1) for seed in range(20)])
    >>> found.scores.shape, found.asked
    (torch.Size([4, 4]), 20)
    """
    together, problems = as_setup(*setup), list(problems)
    _refuse_unfit(problems, together)
    right = _answered_right(lm, problems, together)
    if not right:
        raise CtkitError(
            "retrieval heads",
            f"none of {len(problems)} problems answered right",
            "problems that the model can do, such as those of an easier difficulty",
        )
    scores = []
    for first in range(0, len(right), AT_ONCE):
        some = right[first : first + AT_ONCE]
        prompts = [problem.prompt.then(**{WRITTEN: problem.answer}) for problem in some]
        traces = run_many(lm, prompts, together, attention="all")
        scores += [hits(trace, problem) for trace, problem in zip(traces, some)]
    return RetrievalScores(torch.stack(scores).mean(0), len(right), len(problems))


def hits(trace: Trace, problem: Problem) -> Float[Tensor, "layer head"]:
    """Each head's share of the answer's tokens that it looked at in the needle just before they were written."""
    written = range(len(trace.ids))[trace.spans[WRITTEN]]
    needle = set(places_of(trace.encoding, _needles(problem)))
    weights = torch.stack([trace.attention(layer) for layer in range(trace.shape.n_layers)])
    looked_at = weights[:, :, [at - 1 for at in written]].argmax(-1)  # (layer, head, token of the answer)
    scores = torch.zeros(looked_at.shape[:2])
    for layer, head in torch.cartesian_prod(*map(torch.arange, scores.shape)).tolist():
        eyes = looked_at[layer, head].tolist()
        copied = {place for place, at in zip(eyes, written) if place in needle and trace.ids[place] == trace.ids[at]}
        scores[layer, head] = len(copied) / len(written)
    return scores


def _refuse_unfit(problems: list[Problem], setup: Setup) -> None:
    """Refuse problems without a needle, and a thought between the prompt and the answer."""
    if not problems or not all(_needles(problem) for problem in problems):
        raise CtkitError(
            "retrieval heads",
            "no problems" if not problems else "a problem of which no step stands in the prompt: nothing to look up",
            'problems whose steps are told in the prompt, such as those of ct.tasks.get("hunt")',
        )
    if thinks(setup, problems[0].prompt):
        raise CtkitError(
            "retrieval heads under ct.Think()",
            "a thought in which the needle can be written out before the answer",
            "the same setup without thinking",
        )


def _needles(problem: Problem) -> tuple[str, ...]:
    """The steps that stand in the prompt as they are."""
    return tuple(step for step in problem.steps if step in problem.prompt.text)


def _answered_right(lm: LM, problems: Sequence[Problem], setup: Setup) -> list[Problem]:
    given = answers(lm, [problem.prompt for problem in problems], [problem.answer for problem in problems], setup)
    return [problem for problem, answer in zip(problems, given) if is_right(answer, problem.answer)]
