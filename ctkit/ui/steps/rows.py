"""What the steps panel draws, as plain values: the steps, what each measure found, what each step reads."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import isnan
from typing import Any

import torch
from torch import Tensor

from ...engine.run import run
from ...errors import CtkitError
from ...measures.grouped import grouped_attention
from ...measures.steps import METHODS, StepEffects, Thought, labels_of
from .told import Asked, Told, parts_of
from .words import method_of, sentence_of

FOUR = ("true-thinking", "early", "suppress", "mistake")  # what is asked of a chosen step
MOST_READ = 3


def described(asked: Asked, told: Told) -> dict[str, Any]:
    """A thought before anything of it is measured."""
    labels = labels_of(told.steps.texts, asked.problem)
    steps = zip(told.steps.texts, told.steps.leads, labels, strict=True)
    rows = [
        {
            "text": text,
            "lead": lead,
            "label": label,
            "edited": told.is_new(i),
            "written": told.is_written_on(i),
            "reads": [],
        }
        for i, (text, lead, label) in enumerate(steps)
    ]
    by = asked.option("by", "sentence")
    return {
        "source": told.source,
        "edited": told.edited,
        "base": parts_of(told.base) if by == "given" else told.base.text,
        "by": by,
        "method": asked.option("method", "mistake"),
        "methods": [method_of(name) for name in METHODS],
        "thought": told.steps.text.strip(),
        "tail": told.steps.tail,
        "steps": rows,
        "answers": None,
        "outline": "",
        "measures": {},
        "matrix": None,
        "running": None,
        "sentence": "",
        "error": None,
    }


def measured(effects: StepEffects, before: Sequence[float | None] | None) -> dict[str, Any]:
    """What one measure found; `before`: the scores that are drawn as an outline."""
    steps = range(len(effects.steps))
    return {
        "answer": effects.answer,
        "probability": number(effects.probability),
        "done": effects.done,
        "passes": effects.passes,
        "scores": [number(score) for score in effects.scores],
        "low": [number(low) for low, _ in effects.intervals],
        "high": [number(high) for _, high in effects.intervals],
        "before": None if before is None else list(before),
        "sentences": [sentence_of(effects, i) for i in steps],
        "evaluations": {name: [number(v) for v in values] for name, values in effects.evaluations.items()},
    }


def reads_of(thought: Thought) -> list[list[dict[str, Any]]]:
    """For each step the sentences and earlier steps that its words read most, besides itself: shares of their
    attention, the mean over all blocks and heads. Empty where the model's attention cannot be read."""
    prompt = thought.prompt
    for piece in prompt.asked:
        prompt = prompt.split(piece.name)
    told = replace(thought, prompt=prompt)
    try:
        trace = run(told.lm, told.up_to(told.steps), told.setup)
        own = [name for name in (f"step {i + 1}" for i in range(len(told.steps))) if name in trace.spans]
        weights = grouped_attention(trace, own, list(trace.spans)).weights.mean((0, 1))
    except CtkitError:
        return [[] for _ in told.steps.texts]
    texts = trace.encoding.prompt.pieces
    found = {name: _most(row, trace.spans, name, texts) for name, row in zip(own, weights, strict=True)}
    return [found.get(f"step {i + 1}", []) for i in range(len(told.steps))]


def matrix_of(effects: StepEffects) -> dict[str, Any] | None:
    """The matrix of a measure with a row for each later step and a column for each that is read."""
    if effects.matrix is None:
        return None
    later = effects.matrix.T.to(torch.float32).nan_to_num(0.0).contiguous()
    return {"shape": list(later.shape), "data": memoryview(later.numpy().tobytes())}


def number(value: float) -> float | None:
    """A number for the view: four decimals, no minus before a zero, None for what is not there."""
    return None if isnan(value) else round(float(value), 4) + 0.0


def _most(row: Tensor, places: Iterable[str], own: str, texts: Mapping[str, str]) -> list[dict[str, Any]]:
    shares = sorted(zip(row.tolist(), places, strict=True), reverse=True)
    most = [(share, name) for share, name in shares if name != own][:MOST_READ]
    return [{"name": name, "text": texts.get(name, ""), "share": number(share)} for share, name in most]
