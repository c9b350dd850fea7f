"""Another model in a view: which there are to choose from, how one is loaded while words say so, what fits it."""

import threading
import time
from collections.abc import Callable
from typing import Any

from ..engine.lm import LM
from ..engine.load import DTYPES, load
from ..engine.shipped import shipped_names
from ..errors import CtkitError
from ..interventions.setup import Setup

BREATH = 1.0  # seconds between two words about a model that is being loaded


def choices() -> dict[str, list[str]]:
    """What a model picker offers: the shipped models, the devices of this machine, the number formats."""
    import torch

    devices = ["cpu", *(["cuda"] if torch.cuda.is_available() else []), *(["mps"] if _has_mps(torch) else [])]
    return {"models": shipped_names(), "devices": devices, "dtypes": list(DTYPES)}


def loaded(name: Any, device: Any, dtype: Any, publish: Callable[[dict[str, Any]], None]) -> LM | None:
    """The model, while `publish` is told every second how long it takes; None where it was refused, and why is told."""
    done = threading.Event()
    ticking = threading.Thread(target=_tick, args=(name, done, publish), daemon=True)
    ticking.start()
    refusal = None
    try:
        return load(name, device=device or None, dtype=dtype or "auto")
    except CtkitError as err:
        refusal = {"asked": err.asked, "found": err.found, "remedy": err.remedy}
    except Exception as err:  # a model's own code, or a disk that is full
        what = f"{type(err).__name__}: {err}"
        refusal = {"asked": f"the model {name!r}", "found": what, "remedy": "another model; the old one stays"}
    finally:
        done.set()
        ticking.join()
        if refusal is not None:
            publish(words_of(name, False, "", refusal))
    return None


def words_of(name: Any, busy: bool, message: str, error: dict[str, str] | None = None) -> dict[str, Any]:
    """What a view shows of a model on its way."""
    return {"name": str(name), "busy": busy, "message": message, "error": error}


def fitting(setup: Setup, lm: LM) -> tuple[Setup, list[str]]:
    """The interventions that make sense on another model, and the names of those that do not: those that hold numbers
    of the old one (directions, activations), and those that name layers or heads it does not have."""
    kept, dropped = [], []
    for intervention in setup:
        data = Setup([intervention]).to_data()
        try:
            intervention.check(lm.shape)
            fits = not any(isinstance(value, dict) and {"vector", "values"} & set(value) for value in data[0].values())
        except CtkitError:
            fits = False
        (kept if fits else dropped).append(intervention)
    return Setup(kept), [type(intervention).__name__ for intervention in dropped]


def _tick(name: Any, done: threading.Event, publish: Callable[[dict[str, Any]], None]) -> None:
    started = time.monotonic()
    publish(words_of(name, True, f"loading {name} …"))
    while not done.wait(BREATH):
        publish(words_of(name, True, f"loading {name} … {time.monotonic() - started:.0f} s"))


def _has_mps(torch: Any) -> bool:
    return bool(getattr(torch.backends, "mps", None)) and torch.backends.mps.is_available()
