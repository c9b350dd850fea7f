"""What the model answers after a thought: the probability of each next token, and of one answer as a whole."""

from dataclasses import dataclass
from math import prod
from typing import Any

from jaxtyping import Float
from torch import Tensor

from ...engine.encode import token_text
from ...engine.lm import LM
from ...measures.steps import Steps, Thought

MOST = 5  # bars


@dataclass(frozen=True, eq=False)
class Behind:
    """What comes behind a thought and its cue: each token's probability, and that of a whole answer."""

    tokens: Float[Tensor, "vocab"]
    answer: float


def behind(thought: Thought, steps: Steps) -> Behind:
    """What comes behind other steps in the place of a thought's own; the answer is still the thought's. One pass."""
    (scores,) = thought.reader.logits([thought.with_answer(steps)], last=len(thought.answer_ids) + 1)
    rows = scores[:-1].softmax(-1)
    chances = rows[range(len(rows)), list(thought.answer_ids)]
    return Behind(rows[0].clone(), prod(chances.tolist()))


def bars_of(lm: LM, before: Behind | None, after: Behind) -> list[dict[str, Any]]:
    """The likeliest next tokens of either, with their probabilities."""
    sides = [after] if before is None else [before, after]
    ids = {i for side in sides for i in side.tokens.topk(min(MOST, len(side.tokens))).indices.tolist()}
    order = sorted(ids, key=lambda i: -max(float(side.tokens[i]) for side in sides))[:MOST]
    return [
        {
            "token": token_text(lm, i),
            "before": None if before is None else round(float(before.tokens[i]), 5),
            "after": round(float(after.tokens[i]), 5),
        }
        for i in order
    ]


def top_of(lm: LM, side: Behind) -> tuple[str, float]:
    """The likeliest next token and its probability."""
    i = int(side.tokens.argmax())
    return token_text(lm, i), float(side.tokens[i])
