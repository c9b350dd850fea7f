"""The steps panel: what each step of the model's own thought does to its answer."""

from math import isnan
from typing import Any

from ..engine.lm import LM
from ..errors import CtkitError
from ..interventions import Think
from ..interventions.setup import Setup
from ..measures.score import thinks
from ..measures.steps import StepEffects, labels_of, step_effects
from ..prompt import Prompt
from ..tasks import Problem

HOW = "A step broken, the rest written on by the model"


def steps_of(lm: LM, prompt: Prompt, setup: Setup, problem: Problem | None) -> dict[str, Any] | None:
    """The step effects under a setup, or None where nobody thinks; with other switches on, the bare thought's too."""
    if not thinks(setup, prompt):
        return None
    try:
        effects = step_effects(lm, prompt, setup=setup)
    except CtkitError as err:
        return {
            "method": HOW,
            "thought": "",
            "answer": "",
            "steps": [],
            "before_scores": None,
            "note": f"{err.found}. {err.remedy}.",
        }
    others = [i for i in setup if not isinstance(i, Think)]
    bare = step_effects(lm, prompt, effects.steps) if others else None
    return {
        "method": HOW,
        "thought": " ".join(effects.steps),
        "answer": effects.answer,
        "steps": [_row(effects, i, label) for i, label in enumerate(labels_of(effects.steps, problem))],
        "before_scores": None if bare is None else [_number(score) for score in bare.scores],
        "note": f"answer {effects.answer}, probability {effects.probability:.2f} after the whole thought; "
        "4 ways to break each step",
    }


def _row(effects: StepEffects, i: int, label: str | None) -> dict[str, Any]:
    score, (low, high) = effects.scores[i], effects.intervals[i]
    left = max(0.0, effects.probability - score)
    before, after = f"{effects.probability:.2f}", f"{left:.2f}"
    said = f"stays at {after}" if before == after else f"goes from {before} to {after}"
    return {
        "text": effects.steps[i],
        "label": label,
        "score": _number(score),
        "low": _number(low),
        "high": _number(high),
        "sentence": "nothing in it could be broken"
        if isnan(score)
        else f"as “{effects.broken[i]}”: {effects.answer} {said}",
    }


def _number(value: float) -> float | None:
    return None if isnan(value) else round(value, 4) + 0.0  # no minus before a zero
