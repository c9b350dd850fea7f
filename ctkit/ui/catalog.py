"""What the playground offers: models, examples, tasks, and the switches with their settings. Data, no behaviour."""

from typing import Any

import torch

from ..directions.diffmean import difference_in_means
from ..engine.lm import LM
from ..engine.run import run_many
from ..engine.trace import Trace
from ..errors import CtkitError
from ..interventions import Direction
from ..prompt import START
from ..tasks import get, names
from .examples import examples

TEXTS_PER_SIDE = 12


def catalog_of(lm: LM, directions: list[Direction]) -> dict[str, Any]:
    """Everything that the view needs to know once."""
    return {
        "model": {
            "name": lm.name,
            "n_layers": lm.n_layers,
            "n_heads": lm.n_heads,
            "d_model": lm.d_model,
            "device": lm.device,
            "context": lm.context or 0,
        },
        "examples": [example.to_data() for example in examples()],
        "tasks": [{"name": n, "title": get(n).title, "difficulties": list(get(n).difficulties)} for n in names()],
        "switches": switches(lm, directions),
    }


def mood_directions(lm: LM) -> list[Direction]:
    """Directions to steer with at once: happy minus sad, entering some blocks. Empty where a model cannot.

    The vectors of `ct.fit_direction`, without its probes: a playground is to open at once.
    """
    mood, layers = get("mood"), steering_layers(lm)
    texts = [text for style in ("happy", "sad") for text in mood.texts(style, TEXTS_PER_SIDE, 0)]
    try:
        traces = run_many(lm, texts, residual=layers, last_only=True)
    except CtkitError:  # a model whose stream cannot be read: its steering switch says so
        return []
    return [_happy_minus_sad(traces, layer) for layer in layers]


def _happy_minus_sad(traces: list[Trace], layer: int) -> Direction:
    own = [t.residual(layer)[[place[0] != START for place in t.encoding.places]] for t in traces]
    vector = difference_in_means(torch.cat(own[:TEXTS_PER_SIDE]), torch.cat(own[TEXTS_PER_SIDE:]))
    return Direction(vector, layer, "diffmean", "happy − sad")


def steering_layers(lm: LM) -> list[int]:
    """The blocks at which a direction is offered: the middle, and one on either side of it."""
    middle = lm.n_layers // 2
    return [layer for layer in (middle, middle - 1, middle + 1) if 0 < layer < lm.n_layers]


def switches(lm: LM, directions: list[Direction]) -> list[dict[str, Any]]:
    """The switches, in the order in which they act."""
    return [
        _switch(lm, "mask", "Mask", "Mask", "who may look at whom", _mask()),
        _switch(
            lm,
            "reread",
            "Read again",
            "Reread",
            "the text once more: late words become visible to early ones",
            _reread(),
        ),
        _switch(
            lm,
            "prepend",
            "Prepend token",
            "PrependToken",
            "a token in front that is told what the last one knows",
            _prepend(lm),
        ),
        _switch(lm, "steer", "Steer", "Steer", "push the stream along a direction", _steer(directions)),
        _switch(lm, "think", "Think", "Think", "write the steps before the answer", []),
    ]


def _switch(lm: LM, id_: str, label: str, intervention: str, hint: str, fields: list[dict]) -> dict[str, Any]:
    support = lm.support.get(id_, "yes")
    unsupported = None if support == "yes" else support
    if id_ == "steer" and not fields[0]["choices"]:
        unsupported = unsupported or "no direction could be fitted on this model"
    return {
        "id": id_,
        "label": label,
        "intervention": intervention,
        "hint": hint,
        "unsupported": unsupported,
        "fields": fields,
    }


def _mask() -> list[dict[str, Any]]:
    kinds = {"lifted: all see all": "bidirectional", "lifted in the prompt": "prefix", "window": "window"}
    return [
        {"name": "kind", "label": "mask", "type": "choice", "value": "bidirectional", "choices": _choices(kinds)},
        {"name": "size", "label": "tokens", "type": "int", "value": 8, "min": 1, "max": 64, "when": {"kind": "window"}},
        {"name": "layers", "label": "layers", "type": "layers", "value": None},
    ]


def _reread() -> list[dict[str, Any]]:
    return [{"name": "times", "label": "times", "type": "int", "value": 2, "min": 2, "max": 3}]


def _prepend(lm: LM) -> list[dict[str, Any]]:
    last = min(lm.n_layers - 1, 3)
    return [
        {"name": "start", "names": ["start", "exit"], "label": "layers", "type": "range", "value": [1, max(2, last)]}
    ]


def _steer(directions: list[Direction]) -> list[dict[str, Any]]:
    choices = [{"label": f"{d.name} · layer {d.layer}", "value": d.to_data()} for d in directions]
    first = choices[0]["value"] if choices else None
    return [
        {"name": "direction", "label": "direction", "type": "direction", "value": first, "choices": choices},
        {"name": "strength", "label": "strength", "type": "number", "value": 4.0, "min": -8.0, "max": 8.0, "step": 0.5},
    ]


def _choices(labels: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"label": label, "value": value} for label, value in labels.items()]
