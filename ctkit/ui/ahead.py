"""What a flip would show, worked out while the pointer, or the focus, rests on its switch: flipped then, its picture is
there before the model could have run. Nothing that is being measured is ever put off for it."""

from collections.abc import Callable
from typing import Any

from ..engine.interrupts import Stopped, stopped_when
from .frame import frame_of
from .state import State, prompt_of, setups_of

QUICK = 0.15  # seconds: a model whose last run took longer is only run when a switch is flipped


def ahead(view: Any, message: dict[str, Any]) -> None:
    """Run a state that is likely to be next, where the model is quick and idle, and tell the view its picture."""
    if view._runs.latest <= QUICK:
        view._worker.offer(lambda stale: _tell(view, message, stale))


def _tell(view: Any, message: dict[str, Any], stale: Callable[[], bool]) -> None:
    try:
        found = _frame(view, message.get("state"), message.get("seq"), stale)
    except (Exception, Stopped):  # nobody asked for it yet: the flip itself will say what is wrong
        return
    if found is not None and not stale():
        buffers = [found["after"][name].pop("data") for name in ("attention", "allowed")]
        view.send({"type": "ahead", "state": message["state"], "frame": found}, buffers=buffers)


def _frame(view: Any, state: State, seq: int, stale: Callable[[], bool]) -> dict[str, Any] | None:
    """The frame of a state without its run before; None where the browser lacks that one, or not all is sent."""
    setup, against = setups_of(state)
    with stopped_when(lambda: stale() and view._asked[0] != state):  # a flip to this state takes it over
        before, after = view._runs.both(view.lm, prompt_of(state), setup, against)
    if after is None or not after.whole or view._shown[:2] != (seq, before):
        return None
    frame = frame_of(view.lm, before, after, setup, against)
    sent = {name: dict(frame["after"][name]) for name in ("attention", "allowed")}  # the run keeps its own whole
    return {"seq": seq, "ms": 0, "model": 0} | frame | {"before": None, "after": frame["after"] | sent}
