"""Steering along a direction of one's own: two texts typed into the view, fitted and put into the setup."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..directions import fit_direction
from ..engine.lm import LM
from ..errors import CtkitError
from ..interventions import Direction, Setup, Steer

MOST = 200  # texts a side


def fit(view: Any, request: dict[str, Any]) -> None:
    """Steer a view along a direction between two texts of the user's own, found on its worker. What waits there is done
    first, as this takes its place."""

    def job(stale: Callable[[], bool]) -> None:
        state, seq, options = view.state, view.seq, view.options
        if view._done.get("frame") != (state, seq):
            view._paint(state, seq)
        view.status = {"busy": ["fit"], "message": ""}

        def steer() -> None:
            direction = _direction(view.lm, request)  # takes a while, in which switches may have been flipped
            view._set(setup=_along(direction, view.setup).to_data())

        if not view._guarded(steer):
            view._follow(state, seq, options, stale)

    view._worker.submit(job)


def steered_along(lm: LM, setup: Setup, request: dict[str, Any]) -> Setup:
    """The setup whose first `Steer` goes along the direction from the negative texts to the positive ones; with a
    `Steer` behind it where there was none.

    `request`: "positive" and "negative", a text a line each; "layer", where to read it. Raises `CtkitError` for a side
    without a text, or a layer that the model does not have.
    """
    return _along(_direction(lm, request), setup)


def _direction(lm: LM, request: dict[str, Any]) -> Direction:
    positive, negative = (_lines(side, request.get(side)) for side in ("positive", "negative"))
    layer = request.get("layer")
    layer = lm.n_layers // 2 if layer is None else layer
    name = f"{_short(positive)} − {_short(negative)}"
    return fit_direction(lm, positive, negative, layer=layer, name=name)


def _along(direction: Direction, setup: Setup) -> Setup:
    number = next((i for i, one in enumerate(setup) if isinstance(one, Steer)), None)
    if number is None:
        return Setup([*setup, Steer(direction)])
    old = setup.interventions[number]
    moved = replace(old, direction=direction, layers=(direction.layer,))
    return Setup([moved if i == number else one for i, one in enumerate(setup)])


def _lines(side: str, value: object) -> list[str]:
    lines = [line.strip() for line in value.splitlines() if line.strip()] if isinstance(value, str) else []
    if not lines or len(lines) > MOST:
        found = "no text" if not lines else f"{len(lines)} texts"
        raise CtkitError(f"a direction from your {side} texts", found, f"1 to {MOST} texts, each on a line of its own")
    return lines


def _short(texts: list[str]) -> str:
    """A name for some texts: the first of them, cut."""
    return f"“{texts[0] if len(texts[0]) <= 24 else texts[0][:23] + '…'}”"
