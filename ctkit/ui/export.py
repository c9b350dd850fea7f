"""A playground as one HTML file: what was recorded can still be switched and hovered, with no kernel and no network."""

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..engine.lm import LM
from ..engine.trace import Trace
from ..errors import CtkitError
from ..interventions.setup import Setup, as_setup
from .dose import dose_of
from .entries import entry_of
from .frame import frame_of
from .generated import Generated
from .lens import LensLines
from .look import look
from .population import Population
from .thought import steps_of

STATIC = Path(__file__).parents[1] / "static"


def page_of(
    lm: LM, catalog: dict[str, Any], state: dict[str, Any], setups: Sequence[Any], prompt: Any, code_of: Any
) -> str:
    """The page, opened at the last of the setups; each is run once more and recorded."""
    before, population = look(lm, prompt, Setup()), Population(lm)
    lines, texts = LensLines(lm), Generated(lm)
    recordings = []
    for setup in setups:
        after = look(lm, prompt, setup, before) if len(setup) else None
        recordings.append(
            {
                "setup": setup.to_data(),
                "frame": frame_of(lm, before, after, setup) | {"ms": 0},
                "dose": _whole_curve(lm, prompt, setup, before.trace, (after or before).trace),
                "lens": lines.of(before.trace, None if after is None else after.trace),
                "generated": _whole_text(texts, prompt, setup),
                "steps": steps_of(lm, prompt, setup, None),
                "population": _whole_population(population, state, setup),
                "code": code_of(lm, prompt, setup),
            }
        )
    recorded = {"catalog": catalog, "state": state | {"setup": setups[-1].to_data()}, "recordings": recordings}
    return filled(json.dumps(recorded, default=_as_base64))


def single_switches(catalog: dict[str, Any], pieces: Sequence[str] = ()) -> list[Setup]:
    """Every switch of a catalog on its own, as it stands before anybody turns its knobs, for a prompt of these pieces.
    Those behind "more" are left out."""
    shown = [switch for switch in catalog["switches"] if switch["unsupported"] is None and not switch.get("more")]
    return [Setup.from_data([entry_of(switch, pieces=pieces)]) for switch in shown]


def filled(recorded: str) -> str:
    """The page with everything in it. What could end a script early is spelled so that it cannot."""
    page = (STATIC / "standalone.html").read_text(encoding="utf-8")
    parts = {
        "/*ctkit:css*/": (STATIC / "playground.css").read_text(encoding="utf-8"),
        "/*ctkit:script*/": (STATIC / "standalone.js").read_text(encoding="utf-8"),
        "/*ctkit:recorded*/": recorded.replace("<", "\\u003c"),
    }
    for mark, text in parts.items():
        if mark.endswith("script*/") and "</script" in text.lower():
            raise CtkitError(
                "a page from this playground", "a script that would end itself", "npm run build in widgets/"
            )
        before, _, after = page.partition(mark)
        page = before + text + after
    return page


def write_page(path: str | Path, page: str) -> Path:
    """Write the page; where it cannot be written is said."""
    target = Path(path)
    try:
        target.write_text(page, encoding="utf-8")
    except OSError as err:
        raise CtkitError(
            f"a page at {str(path)!r}",
            f"{type(err).__name__}: {err.strerror}",
            "a folder that exists and can be written to",
        ) from err
    return target


def unique(setups: Sequence[Any]) -> list[Setup]:
    """Setups without repeats, in order."""
    kept: dict[str, Setup] = {}
    for setup in map(as_setup, setups):
        kept[setup.to_json()] = kept.pop(setup.to_json(), setup)
    return list(kept.values())


def _whole_curve(lm: LM, prompt: Any, setup: Setup, before: Trace, after: Trace) -> dict[str, Any] | None:
    lines: list[dict[str, Any] | None] = [None]
    dose_of(lm, prompt, setup, (before, after), None, lambda: False, lines.append)
    return lines[-1]


def _whole_population(population: Population, state: dict[str, Any], setup: Setup) -> dict[str, Any] | None:
    if not state.get("task"):
        return None
    lines: list[dict[str, Any]] = []
    population.measure(state, setup, lambda: False, lines.append)
    return lines[-1]


def _whole_text(texts: Generated, prompt: Any, setup: Setup) -> dict[str, Any]:
    told: list[dict[str, Any]] = []
    texts.write(prompt, setup, {}, lambda: False, told.append)
    return told[-1]


def _as_base64(value: Any) -> dict[str, str]:
    if isinstance(value, memoryview):
        return {"$bytes": base64.b64encode(value).decode("ascii")}
    raise TypeError(f"no data: {type(value).__name__}")
