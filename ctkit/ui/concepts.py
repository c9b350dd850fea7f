"""Directions that the playground has ready: a concept that some texts show and others do not, entering some blocks."""

import torch

from ..directions.diffmean import difference_in_means
from ..engine.lm import LM
from ..engine.run import run_many
from ..engine.trace import Trace
from ..errors import CtkitError
from ..interventions import Direction
from ..prompt import START
from ..tasks import get

TEXTS_PER_SIDE = 12
CONCEPTS = (("mood", "happy", "sad"), ("code", "C++", "Python"))  # task, texts that show it, texts that do not


def concept_directions(lm: LM) -> list[Direction]:
    """Directions to steer with at once: happy minus sad, C++ minus Python. Empty where a model cannot.

    The vectors of `ct.fit_direction`, without its probes: a playground is to open at once.
    """
    return lm.memory.recall("concepts", lambda: _measured(lm))


def steering_layers(lm: LM) -> list[int]:
    """The blocks at which a direction is offered: the middle, and one on either side of it."""
    middle = lm.n_layers // 2
    return [layer for layer in (middle, middle - 1, middle + 1) if 0 < layer < lm.n_layers]


def _measured(lm: LM) -> list[Direction]:
    layers = steering_layers(lm)
    sides = [get(task).texts(side, TEXTS_PER_SIDE, 0) for task, *both in CONCEPTS for side in both]
    try:
        traces = run_many(lm, [text for side in sides for text in side], residual=layers, last_only=True)
    except CtkitError:  # a model whose stream cannot be read: its steering switch says so
        return []
    groups = [traces[start : start + TEXTS_PER_SIDE] for start in range(0, len(traces), TEXTS_PER_SIDE)]
    return [
        Direction(
            difference_in_means(_states(shown, layer), _states(other, layer)),
            layer,
            "diffmean",
            f"{concept[1]} − {concept[2]}",
        )
        for concept, shown, other in zip(CONCEPTS, groups[::2], groups[1::2], strict=True)
        for layer in layers
    ]


def _states(traces: list[Trace], layer: int) -> torch.Tensor:
    return torch.cat([t.residual(layer)[[place[0] != START for place in t.encoding.places]] for t in traces])
