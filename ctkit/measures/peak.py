"""Does the answer look hard at one document? The peak of attention, and the order of documents that it would choose."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import permutations
from math import factorial
from random import Random
from typing import Any

from jaxtyping import Float
from torch import Tensor

from ..engine.generate import generate_many
from ..engine.lm import LM
from ..engine.run import run_many
from ..engine.trace import Trace
from ..errors import CtkitError, shown
from ..interventions import Permute
from ..interventions.setup import Setup, as_setup
from ..masks import Where, as_where
from ..prompt import Prompt, as_prompt
from .grouped import grouped_attention
from .score import first_words

AT_ONCE = 32  # prompts whose attention is in memory at one time
WRITTEN = "answer"  # the piece that the model wrote
LOOKING = ("answer", "writing")  # whose attention counts: the answer's tokens', or that of the places that write them


@dataclass(frozen=True, eq=False)
class PeakAttention:
    """How much the answer's tokens attend to each document.

    `contributions[layer, head, document]`: the mean over the answer's tokens of what they give to the document.
    """

    documents: tuple[Where, ...]
    contributions: Float[Tensor, "layer head document"] = field(repr=False)

    @property
    def accumulated(self) -> Float[Tensor, "layer document"]:
        """The contributions added up over the layers from the first on, then averaged over the heads."""
        return self.contributions.cumsum(0).mean(1)

    @property
    def peak(self) -> float:
        """The largest contribution over all layers: between 0 and the number of layers."""
        return float(self.accumulated[-1].max())

    @property
    def document(self) -> Where:
        """The document that has it."""
        return self.documents[int(self.accumulated[-1].argmax())]


@dataclass(frozen=True)
class BestOrder:
    """Some orders of the same documents, what the model answers to each, and the peak of its attention."""

    orders: tuple[tuple[str, ...], ...] = field(repr=False)
    answers: tuple[str, ...]
    peaks: tuple[float, ...] = field(repr=False)

    @property
    def best(self) -> int:
        """Which order has the largest peak (of equals the first drawn)."""
        return max(range(len(self.peaks)), key=lambda i: self.peaks[i])

    @property
    def order(self) -> tuple[str, ...]:
        """That order."""
        return self.orders[self.best]

    @property
    def answer(self) -> str:
        """The answer to that order."""
        return self.answers[self.best]


def peak_attention(trace: Trace, documents: Sequence[Where], answer: Where = WRITTEN) -> PeakAttention:
    """How much the answer attends to each document, and to which one most (Huang et al., arXiv 2505.11754).

    `documents` and `answer` are places as masks know them. The answer's tokens stand behind the prompt
    (`prompt.then(answer="box")`), and are the queries, as in the paper's code.

    >>> import ctkit as ct
    >>> prompt = ct.tasks.get("hunt").generate(0, 1).prompt.split("context")
    >>> trace = ct.run(ct.load(), prompt.then(answer="shed"), attention="all")
    >>> ct.peak_attention(trace, ["context 1", "context 2", "context 3"]).accumulated.shape
    torch.Size([4, 3])
    """
    grouped = grouped_attention(trace, [as_where(answer)], documents)
    if not grouped.keys:
        raise CtkitError(
            "the peak of attention", "no documents", "a list of pieces, such as ['context 1', 'context 2']"
        )
    return PeakAttention(grouped.keys, grouped.weights[:, :, 0])


def best_order(
    lm: LM,
    prompt: Prompt | str,
    documents: str | Sequence[str],
    *setup: Any,
    k: int = 20,
    seed: int = 0,
    looking: str = "answer",
    max_new_tokens: int = 8,
) -> BestOrder:
    """Answer `k` random orders of the documents, and prefer the one with the largest peak of attention (same paper).

    `documents` are pieces of the prompt, or one piece whose sentences they are, as for `ct.Permute`; all else stays in
    its place. The orders differ; all of them are tried where there are no more than `k`. An answer is what is written
    greedily up to the first stop. `looking`: whose attention counts, that of the "answer"'s tokens (the paper's code),
    or of the places where they are "writing", one before each. A token that is written already may look elsewhere than
    the place that wrote it.
    Whether the choice is any better than a random one is for `ct.order_selection` to say.

    >>> import ctkit as ct
    >>> found = ct.best_order(ct.load(), ct.tasks.get("hunt").generate(0, 1).prompt, "context")
    >>> len(found.orders), found.answer in found.answers
    (6, True)
    """
    asked = [(as_prompt(prompt), documents)]
    return best_orders(lm, asked, as_setup(*setup), k, seed, looking, max_new_tokens)[0]


def best_orders(
    lm: LM,
    asked: Sequence[tuple[Prompt, str | Sequence[str]]],
    setup: Setup,
    k: int = 20,
    seed: int = 0,
    looking: str = "answer",
    max_new_tokens: int = 8,
) -> list[BestOrder]:
    """`best_order` for many prompts with their documents, written and read in few passes."""
    if not isinstance(k, int) or k < 1:
        raise CtkitError(f"the best of k={shown(k)} orders", "nothing to choose from", "k=20")
    if looking not in LOOKING:
        raise CtkitError(f"the attention of {shown(looking)}", "no such choice", f"one of {', '.join(LOOKING)}")
    told = [_documents(*one) for one in asked]
    orders = [_orders(names, k, Random(f"{seed}/{i}")) for i, (_, names) in enumerate(told)]
    owners = [i for i, own in enumerate(orders) for _ in own]
    drawn = [order for own in orders for order in own]
    prompts = [Permute(told[i][1], order).edit(told[i][0]) for i, order in zip(owners, drawn, strict=True)]
    answers = [first_words(g.text) for g in generate_many(lm, prompts, setup, max_new_tokens=max_new_tokens)]
    peaks = _peaks(lm, prompts, drawn, answers, setup, looking)
    found = []
    for i, own in enumerate(orders):
        part = slice(owners.index(i), owners.index(i) + len(own))
        found.append(BestOrder(tuple(own), tuple(answers[part]), tuple(peaks[part])))
    return found


def _documents(prompt: Prompt, documents: str | Sequence[str]) -> tuple[Prompt, tuple[str, ...]]:
    """The prompt with its documents as pieces, and their names."""
    if isinstance(documents, str):
        prompt = prompt.split(documents)
        names = tuple(part.name for part in prompt.parts if part.whole == documents)
    else:
        names = tuple(prompt.piece(name).name for name in documents)
    if len(names) < 2 or len(set(names)) < len(names):
        found = f"{len(names)} of them: {shown(names)}"
        raise CtkitError(f"orders of the documents {shown(documents)}", found, "two pieces or more, each once")
    return prompt, names


def _orders(names: tuple[str, ...], k: int, random: Random) -> list[tuple[str, ...]]:
    """`k` different orders, drawn by chance; all of them where there are no more."""
    if factorial(len(names)) <= k:
        return list(permutations(names))
    drawn: dict[tuple[str, ...], None] = {}
    while len(drawn) < k:
        drawn[tuple(random.sample(names, len(names)))] = None
    return list(drawn)


def _peaks(
    lm: LM, prompts: list[Prompt], orders: list[tuple[str, ...]], answers: list[str], setup: Setup, looking: str
) -> list[float]:
    """The peak of each answered prompt; 0 where not a word was written, which looks at nothing."""
    peaks = [0.0] * len(prompts)
    said = [i for i, text in enumerate(answers) if text]
    for first in range(0, len(said), AT_ONCE):
        some = said[first : first + AT_ONCE]
        answered = [prompts[i].then(**{WRITTEN: answers[i]}) for i in some]
        for i, trace in zip(some, run_many(lm, answered, setup, attention="all"), strict=True):
            span, back = trace.spans[WRITTEN], int(looking == "writing")
            peaks[i] = peak_attention(trace, orders[i], range(span.start - back, span.stop - back)).peak
    return peaks
