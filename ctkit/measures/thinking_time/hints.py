"""Hint marginalisation: answers handed back as hints, and what the answers become (Pal et al., arXiv 2412.13292)."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from ...errors import CtkitError, shown
from ...prompt import CUE, Piece, Prompt

HINT = "The answer is near to {answer}."
Shares = dict[str, float]  # answer → probability; empty where nothing was answered


def marginalise(
    p: Float[Tensor, "answer"], transition: Float[Tensor, "answer answer"], rounds: int
) -> Float[Tensor, "round answer"]:
    """The answers' probabilities in rounds 1 to `rounds`: the first is `p`, each further one Σ p(y′) T[y′, y], where
    `transition` T[y′, y] is the chance of y once y′ was given as a hint. A Markov chain.

    Where hints are ignored each row of T is p, and nothing changes:

    >>> import torch
    >>> p = torch.tensor([0.75, 0.25])
    >>> marginalise(p, torch.stack([p, p]), 3)[2]
    tensor([0.7500, 0.2500])
    """
    asked = f"{shown(rounds)} rounds over {tuple(p.shape)} answers and transitions of shape {tuple(transition.shape)}"
    if not isinstance(rounds, int) or isinstance(rounds, bool) or rounds < 1:
        raise CtkitError(asked, "no number of rounds", "1 (the answers as they are), 2, 3 …")
    for what, rows in (("the answers' probabilities", p), ("a row of the transitions", transition)):
        sums = rows.double().sum(-1)
        if not len(p) or (rows < 0).any() or not torch.allclose(sums, torch.ones_like(sums), atol=1e-4):
            raise CtkitError(asked, f"{what} that are no probabilities", "numbers from 0 on that sum to 1")
    found = [p]
    for _ in range(rounds - 1):
        found.append(found[-1] @ transition)
    return torch.stack(found)


def with_hint(prompt: Prompt, text: str) -> Prompt:
    """The prompt with a hint before its answer cue; as it is where the hint says nothing."""
    if not text.strip():
        return prompt
    cue = [part for part in prompt.asked if part.name == CUE]
    body = [part for part in prompt.asked if part.name != CUE]
    return Prompt.of([*body, Piece("hint", text), *cue, *prompt.written])


def worth_a_hint(p: Shares, least: float) -> Shares:
    """The answers that are not rare, made to sum to 1; the likeliest ones where all are rare."""
    most = max(p.values(), default=0.0)
    kept = {answer: share for answer, share in p.items() if share >= min(least, most)}
    return {answer: share / sum(kept.values()) for answer, share in kept.items()}


def next_round(p: Shares, rows: dict[str, Shares]) -> Shares:
    """One round on: `p` over some answers, `rows[y′]` the answers under the hint y′. A hint under which nothing was
    answered leaves its answer where it was."""
    reached = [rows[given] or {given: 1.0} for given in p]
    names = list(dict.fromkeys([*p, *(answer for row in reached for answer in row)]))
    table = torch.eye(len(names), dtype=torch.double)
    for given, row in zip(p, reached, strict=True):
        table[names.index(given)] = torch.tensor([row.get(name, 0.0) for name in names], dtype=torch.double)
    start = torch.tensor([p.get(name, 0.0) for name in names], dtype=torch.double)
    return dict(zip(names, marginalise(start, table, 2)[1].tolist(), strict=True))


def refined(
    first: Sequence[Shares],
    rounds: int,
    least: float,
    ask: Callable[[list[tuple[int, str]]], list[tuple[Shares, int]]],
) -> list[list[tuple[Shares, int]]]:
    """For each round, problem by problem, the answers' probabilities and the tokens spent on them in that round.

    `ask` is given pairs (problem, hint) and says for each what was answered under it, and at what cost. No pair is
    asked about twice.
    """
    known: dict[tuple[int, str], Shares] = {}
    found = [[(p, 0) for p in first]]
    for _ in range(rounds - 1):
        before = [worth_a_hint(p, least) for p, _ in found[-1]]
        new = [(i, given) for i, p in enumerate(before) for given in p if (i, given) not in known]
        told = ask(new) if new else []
        known |= {pair: row for pair, (row, _) in zip(new, told, strict=True)}
        cost = [
            sum(tokens for (i, _), (_, tokens) in zip(new, told, strict=True) if i == own) for own in range(len(before))
        ]
        rows = [{given: known[i, given] for given in p} for i, p in enumerate(before)]
        found.append(
            [(next_round(p, own) if p else {}, spent) for p, own, spent in zip(before, rows, cost, strict=True)]
        )
    return found
