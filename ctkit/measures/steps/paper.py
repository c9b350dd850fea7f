"""P(y*) as the true-thinking paper's code reads it (arXiv 2510.24941): along the model's own text."""

from collections.abc import Sequence
from math import prod

from ...engine.generate import generate_many
from .split import Steps
from .thought import Thought

PAPER_CUE = "\n The final answer is \\boxed{"
MOST = 20  # tokens


def greedy_chances(thought: Thought, thoughts: Sequence[Steps]) -> list[float]:
    """The product over the tokens of the answer, each given what the model itself wrote greedily before it.

    For an answer of one token, and as long as the model writes the answer itself, that is the teacher-forced
    probability; behind the first other token it is no probability of a text. Where the model ends its text before the
    answer's last token, the product ends there; if it ends it at once, the first token is read all the same.
    """
    asked = [thought.before_answer(steps) for steps in thoughts]
    wanted = list(thought.answer_ids[:MOST])
    forced = thought.reader.logits([thought.with_answer(steps) for steps in thoughts], last=len(thought.answer_ids) + 1)
    first = [float(scores[0].softmax(-1)[wanted[0]]) for scores in forced]
    if len(wanted) == 1:
        return first
    written = generate_many(thought.lm, asked, thought.setup, max_new_tokens=len(wanted))
    n = sum(generation.n_written for generation in written)
    thought.reader.count(n, n)
    return [
        start * prod(float(row.softmax(-1)[id_]) for row, id_ in zip(generation.logits[1:], wanted[1:]))
        for start, generation in zip(first, written, strict=True)
    ]
