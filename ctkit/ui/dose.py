"""The dose-response curve of a steered setup: how likely some tokens are at each strength, beside random directions."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ..engine.encode import token_text
from ..engine.lm import LM
from ..engine.run import run_many
from ..engine.strength import resolved
from ..engine.trace import Trace
from ..interventions import Setup, Steer
from ..interventions.steer import ADDED
from ..measures.controls import randomized
from ..measures.score import thinks
from ..prompt import Prompt

DOSES = 9  # strengths of the curve, besides the present one
RANDOM = 8  # random directions, of the same norm
FAR = {"add": 8.0, "relative": 1.0}  # strength at which the curve ends, unless the present one is further; else 1
OFFERED = 4  # of the likeliest tokens before, and of those after, that can be looked at


def dose_of(
    lm: LM,
    prompt: Prompt,
    setup: Setup,
    traces: tuple[Trace, Trace],
    token: int | None,
    stale: Callable[[], bool],
    publish: Callable[[dict[str, Any] | None], None],
) -> None:
    """Publish the curve of the setup's first `Steer`: first its own, in one batch, then one random direction more at a
    time, until a newer request waits. `traces` are the runs before and after; `token` is one to look at (an id)."""
    number = next((i for i, one in enumerate(setup) if isinstance(one, Steer)), None)
    if number is None:
        return publish(None)
    if thinks(setup, prompt):
        note = "With thinking on, each strength would write a thought of its own. Without it the curve is shown."
        return publish({"note": note})
    known = resolved(lm, setup)
    steer = known.interventions[number]
    doses = doses_of(steer)
    offered = _offered(traces)
    shown = _shown(traces, offered, token)

    def curve(own: Setup) -> Tensor:
        rows = [(prompt, _at(own, number, dose)) for dose in doses]
        last = torch.stack([trace.logits[-1] for trace in run_many(lm, rows, last_only=True)])
        return last.softmax(-1)[:, shown]

    found, drawn = curve(known), []
    for draw in range(RANDOM + 1):
        publish(_told(lm, steer, doses, shown, offered, found, drawn))
        if draw == RANDOM or stale():
            return None
        drawn.append(curve(randomized(known, ("dose", draw))))
    return None


def doses_of(steer: Steer) -> list[float]:
    """The strengths of a curve: evenly spaced, both signs where strength is a sign too, and the present one."""
    far = max(FAR.get(steer.op, 1.0), abs(steer.strength))
    even = torch.linspace(-far if steer.op in ADDED else 0.0, far, DOSES).tolist()
    return sorted({*(round(dose, 6) for dose in even), steer.strength})


def _at(setup: Setup, number: int, dose: float) -> Setup:
    """The setup with another strength."""
    return Setup([replace(one, strength=dose, kl=None) if i == number else one for i, one in enumerate(setup)])


def _offered(traces: tuple[Trace, Trace]) -> list[int]:
    top = [trace.logits[-1].topk(min(OFFERED, trace.logits.shape[-1])).indices.tolist() for trace in traces]
    return list(dict.fromkeys(top[0] + top[1]))


def _shown(traces: tuple[Trace, Trace], offered: list[int], token: int | None) -> list[int]:
    """The likeliest token before, the likeliest one after, and the chosen one; two at least."""
    tops = [int(trace.logits[-1].argmax()) for trace in traces]
    chosen = [token] if isinstance(token, int) and 0 <= token < traces[0].logits.shape[-1] else []
    return list(dict.fromkeys([*tops, *chosen, *offered]))[: max(2, len({*tops, *chosen}))]


def _told(
    lm: LM, steer: Steer, doses: list[float], shown: list[int], offered: list[int], found: Tensor, drawn: list[Tensor]
) -> dict[str, Any]:
    band = torch.stack(drawn) if drawn else None
    low, high = (None, None) if band is None else (band.amin(0), band.amax(0))
    tokens = [
        {
            "id": id_,
            "token": token_text(lm, id_),
            "values": _plain(found[:, i]),
            "low": None if low is None else _plain(low[:, i]),
            "high": None if high is None else _plain(high[:, i]),
        }
        for i, id_ in enumerate(shown)
    ]
    return {
        "note": "",
        "name": steer.direction.name,
        "op": steer.op,
        "doses": doses,
        "at": steer.strength,
        "random": len(drawn),
        "of": RANDOM,
        "tokens": tokens,
        "offered": [{"id": id_, "token": token_text(lm, id_)} for id_ in dict.fromkeys([*offered, *shown])],
    }


def _plain(values: Tensor) -> list[float]:
    return [round(value, 5) for value in values.tolist()]
