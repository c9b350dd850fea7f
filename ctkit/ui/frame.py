"""A comparison as the view wants it: plain values, and bytes for whatever is many numbers. Knows no widget."""

from functools import cache
from typing import Any

import torch
from torch import Tensor

from ..engine.encode import encode
from ..engine.generate import generate
from ..engine.lm import LM
from ..engine.run import run
from ..engine.trace import Trace
from ..errors import CtkitError
from ..interventions.setup import Setup
from ..measures.compare import Comparison, alignment
from ..measures.score import THOUGHT_TOKENS, answer_cue, thinks
from ..prompt import CUE, PLACEHOLDER, Piece, Prompt
from ..zoo.tokenizer import known_ids

IN_WORDS = {
    "Reread": "Reading again",
    "PrependToken": "A token in front",
    "Mask": "Another mask",
    "Steer": "Steering",
    "Think": "Thinking",
}
MOST_WEIGHTS = 8_000_000  # bytes of attention in one frame; more would make the browser wait


def look(lm: LM, prompt: Prompt, setup: Setup) -> Trace:
    """One run with everything that a view draws. With thinking on, the model first writes its thought and the cue; what
    comes next is then the answer."""
    if thinks(setup, prompt):
        cue = answer_cue(prompt)
        written = generate(lm, prompt, setup, max_new_tokens=THOUGHT_TOKENS)
        thought = written.text.partition(cue)[0].strip()
        thought_too = prompt.then(thought=thought) if thought else prompt
        prompt = Prompt.of(
            [*thought_too.parts, Piece("answer cue", cue, origin=CUE, written=True)]
        )  # the same cue, later
    _refuse_large(lm, len(encode(lm, setup.edit(prompt))))
    return run(lm, prompt, setup, attention="all" if lm.support.get("attention", "yes") == "yes" else ())


def _refuse_large(lm: LM, tokens: int) -> None:
    weights = lm.n_layers * lm.n_heads * tokens**2
    if weights > MOST_WEIGHTS:
        raise CtkitError(
            f"the attention of {lm.n_layers * lm.n_heads} heads over {tokens} tokens",
            f"{weights / 1e6:.0f} million weights for one picture",
            "a shorter prompt, or trace.attention(layer, head) for one head",
        )


def frame_of(lm: LM, before: Trace, after: Trace | None, setup: Setup) -> dict[str, Any]:
    """What the view paints: both sides, how their tokens match, the next token, and one sentence."""
    other = before if after is None else after
    align, fold = alignment(before.encoding, other.encoding)
    comparison = Comparison(before, other, align, fold)
    tokens = [
        {"token": token, "before": round(p, 5), "after": None if after is None else round(q, 5)}
        for token, p, q in comparison.next_tokens
    ]
    return {
        "before": side_of(lm, before),
        "after": None if after is None else side_of(lm, after),
        "align": list(align),
        "fold": list(fold),
        "next": tokens,
        "sentence": sentence_of(comparison, setup) if after is not None else "Flip a switch to see what changes.",
    }


def side_of(lm: LM, trace: Trace) -> dict[str, Any]:
    """One run: tokens, pieces, all attention weights and what the mask allowed, a byte each."""
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
    weights = [trace.attention(layer) for layer in range(lm.n_layers)] if trace.kept_attention else []
    stacked = torch.stack(weights) if weights else torch.zeros(0, 0, len(trace.ids), len(trace.ids))
    return {
        "tokens": trace.tokens,
        "pieces": pieces,
        "attention": packed((stacked * 255).round().to(torch.uint8)),
        "allowed": packed(allowed_of(trace)),
        "unknown": unknown_tokens(lm, trace),
    }


def allowed_of(trace: Trace) -> Tensor:
    """Who may attend to whom, (layer or 1, head or 1, query, key): one layer where all are alike."""
    masks = [trace.allowed(layer) for layer in range(trace.shape.n_layers)]
    if all(torch.equal(mask, masks[0]) for mask in masks):
        masks = masks[:1]
    heads = max(mask.shape[0] for mask in masks)
    return torch.stack([mask.expand(heads, -1, -1) for mask in masks]).to(torch.uint8)


def packed(values: Tensor) -> dict[str, Any]:
    """A tensor of bytes as shape and buffer."""
    return {"shape": list(values.shape), "data": memoryview(values.contiguous().numpy().tobytes())}


def unknown_tokens(lm: LM, trace: Trace) -> list[bool]:
    """Per token: whether the model's training never had it as a word. Only the shipped models' tokenizers say so."""
    known = _known_ids(lm)
    places = trace.encoding.places
    return [id_ not in known and place[0] != PLACEHOLDER for id_, place in zip(trace.ids, places, strict=True)]


@cache
def _known_ids(lm: LM) -> frozenset[int]:
    return known_ids(lm.tokenizer)


def sentence_of(comparison: Comparison, setup: Setup) -> str:
    """What changed, in words: how many more tokens, and what the top token was and is."""
    before, after = comparison.before.next_tokens(1)[0], comparison.after.next_tokens(1)[0]
    longer = len(comparison.after.tokens) - len(comparison.before.tokens)
    names = " + ".join(IN_WORDS.get(type(i).__name__, type(i).__name__) for i in setup)
    read = f"{longer} more {'token' if longer == 1 else 'tokens'} to read. " if longer > 0 else ""
    if before[0] == after[0]:
        return f"{names}: {read}The top token stays {shown_token(before[0])}, {before[1]:.2f} → {after[1]:.2f}."
    was, is_now = f"{shown_token(before[0])} ({before[1]:.2f})", f"{shown_token(after[0])} ({after[1]:.2f})"
    return f"{names}: {read}The top token goes from {was} to {is_now}."


def shown_token(token: str) -> str:
    """A token in words: spaces and line breaks by name."""
    if token.strip():
        return f"“{token.strip()}”"
    return {"\n": "a line break", "": "nothing"}.get(token, "a space")
