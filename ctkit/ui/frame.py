"""A comparison as the view wants it: plain values, and bytes for whatever is many numbers. Knows no widget."""

from functools import cache
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..engine.lm import LM
from ..engine.trace import Trace
from ..interventions.setup import Setup
from ..measures.compare import Comparison, alignment
from ..prompt import PLACEHOLDER
from ..zoo.tokenizer import known_ids
from .heads import overview_of
from .look import Look
from .units import sentence_starts, word_starts
from .wire import packed_mask, packed_weights

LONGEST = 40  # letters of a token in a sentence
IN_WORDS = {
    "Reread": "Reading again",
    "PrependToken": "A token in front",
    "Echo": "An echo",
    "Mask": "Another mask",
    "MaskGroups": "The mask lifted in groups",
    "Knockout": "Connections cut",
    "Pine": "Facts without an order",
    "Emphasize": "Emphasis",
    "FixedPrefix": "Words in front",
    "Permute": "Another order",
    "Steer": "Steering",
    "Think": "Thinking",
}


def frame_of(lm: LM, before: Look, after: Look | None, setup: Setup, against: Setup | None = None) -> dict[str, Any]:
    """What the view paints: both sides, how their tokens match, the next token, and one sentence. Of short texts all
    weights; of longer ones every head small, and the view asks for the head that it shows (`heads.head_of`)."""
    first, other = before.trace, (before if after is None else after).trace
    whole = before.whole and (after is None or after.whole)
    align, fold = alignment(first.encoding, other.encoding)
    comparison = Comparison(first, other, align, fold)
    tokens = [
        {"token": token, "before": round(p, 5), "after": None if after is None else round(q, 5)}
        for token, p, q in comparison.next_tokens
    ]
    return {
        "run": f"{before.number}-{'' if after is None else after.number}",  # the same name, the same picture
        "before": before.sent(lambda: side_of(lm, before, whole), whole),
        "after": None if after is None else after.sent(lambda: side_of(lm, after, whole), whole),
        "heads": None if whole else overview_of(before, after),
        "align": list(align),
        "fold": list(fold),
        "next": tokens,
        "sentence": sentence_of(comparison, setup, against) if after is not None else _idle(setup),
    }


def side_of(lm: LM, look: Look, whole: bool) -> dict[str, Any]:
    """One run: tokens, pieces, where words and sentences begin, and of short texts all weights and masks."""
    trace = look.trace
    parts = [part for part in trace.encoding.prompt.parts if part.name in trace.spans]
    pieces = [
        {
            "name": p.name,
            "origin": p.origin,
            "reading": p.reading,
            "start": trace.spans[p.name].start,
            "stop": trace.spans[p.name].stop,
        }
        for p in parts
    ]
    enc = trace.encoding
    words, ends = lm.memory.recall(("units", enc.prompt), lambda: (word_starts(enc), sentence_starts(enc)))
    return {
        "tokens": trace.tokens,
        "pieces": pieces,
        "words": words,
        "sentences": ends,
        "attention": packed_weights(weights_of(trace)) if whole else None,
        "allowed": packed_mask(allowed_of(trace)) if whole else None,
        "unknown": unknown_tokens(lm, trace),
    }


def weights_of(trace: Trace) -> Float[Tensor, "layer head query key"]:
    """All weights of a run; no layer where the model does not give them."""
    if not trace.kept_attention:
        return torch.zeros(0, 0, len(trace.ids), len(trace.ids))
    return torch.stack([trace.attention(layer) for layer in range(trace.shape.n_layers)])


def allowed_of(trace: Trace) -> Bool[Tensor, "layer head query key"]:
    """Who may attend to whom: one layer where all are alike, one head where all are."""
    masks = [trace.allowed(layer) for layer in range(trace.shape.n_layers)]
    if all(torch.equal(mask, masks[0]) for mask in masks):
        masks = masks[:1]
    heads = max(mask.shape[0] for mask in masks)
    return torch.stack([mask.expand(heads, -1, -1) for mask in masks])


def unknown_tokens(lm: LM, trace: Trace) -> list[bool]:
    """Per token: whether the model's training never had it as a word. Only the shipped models' tokenizers say so."""
    known = _known_ids(lm)
    places = trace.encoding.places
    return [id_ not in known and place[0] != PLACEHOLDER for id_, place in zip(trace.ids, places, strict=True)]


@cache
def _known_ids(lm: LM) -> frozenset[int]:
    return known_ids(lm.tokenizer)


def sentence_of(comparison: Comparison, setup: Setup, against: Setup | None = None) -> str:
    """What changed, in words: how many cells of the mask, how many more tokens, what the top token was and is."""
    before, after = comparison.before.next_tokens(1)[0], comparison.after.next_tokens(1)[0]
    longer = len(comparison.after.tokens) - len(comparison.before.tokens)
    names = in_words(setup) + (f", compared with {in_words(against).lower()}" if against else "")
    read = masked_words(comparison.after)
    read += f"{longer} more {'token' if longer == 1 else 'tokens'} to read. " if longer > 0 else ""
    if before[0] == after[0]:
        return f"{names}: {read}The top token stays {shown_token(before[0])}, {before[1]:.2f} → {after[1]:.2f}."
    was, is_now = f"{shown_token(before[0])} ({before[1]:.2f})", f"{shown_token(after[0])} ({after[1]:.2f})"
    return f"{names}: {read}The top token goes from {was} to {is_now}."


def masked_words(trace: Trace) -> str:
    """How many cells the setup closes and opens against the causal mask of the same text, and in how many heads, where
    not in all; nothing where it leaves the mask alone."""
    if not trace.setup.having("allow"):
        return ""
    n, shape = len(trace.ids), trace.shape
    causal, heads = torch.ones(n, n, dtype=torch.bool).tril(), 0
    closed, opened = torch.zeros(2, n, n, dtype=torch.bool)
    for layer in range(shape.n_layers):
        changed = trace.allowed(layer) != causal
        heads += int(changed.flatten(1).any(1).sum()) * (shape.n_heads // len(changed))
        closed |= (changed & causal).any(0)
        opened |= (changed & ~causal).any(0)
    shut, free, every = int(closed.sum()), int(opened.sum()), shape.n_layers * shape.n_heads
    said = [f"{shut} of {n * (n + 1) // 2} cells masked"] if shut else []
    said += [f"{free}{'' if shut else ' cell' if free == 1 else ' cells'} opened"] if free else []
    where = f" in {heads} of {every} heads" if heads < every else ""
    return f"{', '.join(said)}{where}. " if said else ""


def in_words(setup: Setup) -> str:
    """The interventions by what they do."""
    return " + ".join(IN_WORDS.get(type(i).__name__, type(i).__name__) for i in setup) or "Nothing on"


def _idle(setup: Setup) -> str:
    return f"{in_words(setup)}, on both sides." if len(setup) else "Flip a switch to see what changes."


def shown_token(token: str) -> str:
    """A token in words: spaces and line breaks by name, of a long one the beginning."""
    if word := token.strip():
        return f"“{word if len(word) <= LONGEST else word[: LONGEST - 1] + '…'}”"
    return {"\n": "a line break", "": "nothing"}.get(token, "a space")
