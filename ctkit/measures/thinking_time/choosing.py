"""One answer out of several thoughts: by vote, or by the model's own probability. Pure; knows no model."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Thought:
    """What one thought came to: its answer ("" where it came to none), the tokens written, and the mean log-probability
    of a token (nats; -inf where none was written)."""

    answer: str
    tokens: int
    score: float


def majority(answers: Sequence[str]) -> tuple[str, bool]:
    """The answer given most often, and whether another was given as often; of those the one said first.

    Thoughts without an answer ("") have no vote. As thoughts are drawn alike, "said first" is a choice by lot.

    >>> majority(["7", "3", "3", ""]), majority(["7", "3"]), majority(["", ""])
    (('3', False), ('7', True), ('', False))
    """
    votes = Counter(answer for answer in answers if answer)
    if not votes:
        return "", False
    most = max(votes.values())
    tied = [answer for answer, count in votes.items() if count == most]  # in the order in which they were said
    return tied[0], len(tied) > 1


def likeliest(thoughts: Sequence[Thought]) -> tuple[str, bool]:
    """The answer of the thought with the highest score among those that have one, and whether another answer's thought
    has the same score.

    >>> likeliest([Thought("7", 9, -0.5), Thought("3", 9, -0.1), Thought("", 9, 0.0)])
    ('3', False)
    """
    answered = [thought for thought in thoughts if thought.answer]
    if not answered:
        return "", False
    best = max(thought.score for thought in answered)
    tied = list(dict.fromkeys(thought.answer for thought in answered if thought.score == best))
    return tied[0], len(tied) > 1


def shares(answers: Sequence[str]) -> dict[str, float]:
    """Answer → its share of the thoughts that have one, in the order in which they were said; empty where none has.

    >>> shares(["7", "3", "3", "", "3"])
    {'7': 0.25, '3': 0.75}
    """
    votes = Counter(answer for answer in answers if answer)
    return {answer: count / votes.total() for answer, count in votes.items()}
