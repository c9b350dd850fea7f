"""A playground as one HTML file: what was recorded can still be switched and hovered, with no kernel and no network."""

import base64
import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..engine.lm import LM
from ..errors import CtkitError
from ..interventions.setup import Setup, as_setup
from ..tasks import Problem
from .code import code_of
from .entries import entry_of
from .frame import frame_of
from .look import Look, look
from .parts import PARTS, Job, Part
from .state import prompt_of, setups_of

STATIC = Path(__file__).parents[1] / "static"
MOST_WHOLE = 1_500_000  # weights of a run that the page holds: nobody is there to ask for a head
Stale = Callable[[], bool]
WHOLE = {"steps": {"detail": True, "matrix": True}}  # what a page holds beside what is on show


@dataclass(frozen=True)
class Page:
    """A page as text, and the setups that are not in it, each with why: they do not run on this prompt."""

    text: str
    left_out: tuple[tuple[Setup, str], ...] = ()

    @property
    def missing(self) -> str:
        """What is left out, in words; nothing where everything is there."""
        return " ".join(f"Left out: {setup.to_code()} ({why})." for setup, why in self.left_out)


def page_of(
    lm: LM,
    traits: dict[str, Any],
    setups: Sequence[Any],
    problem: Problem | None = None,
    stale: Stale = lambda: False,
    progress: Callable[[int, int], Any] = lambda done, of: None,
    parts: dict[str, Part] | None = None,
) -> Page | None:
    """The page, opened at the last of the setups; each is run once more and recorded. None where it became stale.
    Of the others, one that is refused on this prompt is left out, and the page says so.

    `traits` of the view: "panels", "catalog", "state" and "options". All recordings are compared with the state's
    "against". `parts`: those of the view, which remember what they measured (None: new ones).
    """
    state = traits["state"]
    against = setups_of(state)[1]
    before = look(lm, prompt_of(state), against, most=MOST_WHOLE)
    if parts is None:
        parts = {name: make(lm) for name, make in PARTS.items() if name in traits["panels"]}
    recorder = _Recorder(traits, against, before, parts, problem, stale)
    recordings, left_out = [], []
    for done, setup in enumerate(setups):
        progress(done, len(setups))
        try:
            recordings.append(recorder.recording(lm, setup))
        except CtkitError as err:
            if setup is setups[-1]:
                raise
            left_out.append((setup, f"{err.asked}: {err.found}"))
        if stale():
            return None
    missing = [{"setup": setup.to_data(), "found": why} for setup, why in left_out]
    own = state | {"setup": setups[-1].to_data()}
    recorded = traits | {"state": own, "recordings": recordings, "left_out": missing}
    return Page(filled(packed(recorded)), tuple(left_out))


@dataclass(frozen=True)
class _Recorder:
    """What all recordings of a page share: the view, the run that they are compared with, what measures."""

    traits: dict[str, Any]
    against: Setup
    before: Look
    parts: dict[str, Part]
    problem: Problem | None
    stale: Stale

    def recording(self, lm: LM, setup: Setup) -> dict[str, Any]:
        """One setup: the picture, the code, what each part finds. Raises `CtkitError` where it is refused."""
        prompt, against, before = prompt_of(self.traits["state"]), self.against, self.before
        after = None if setup.to_json() == against.to_json() else look(lm, prompt, setup, before, MOST_WHOLE)
        runs = before.trace, None if after is None else after.trace
        own = self.traits["state"] | {"setup": setup.to_data()}
        results = {}
        for name, part in self.parts.items():
            options = WHOLE.get(name, {}) | self.traits["options"].get(name, {})
            job = Job(lm, prompt, setup, *runs, own, self.problem, self.stale, options, against)
            results[name] = None if self.stale() else _result(part, job)
        return {
            "setup": setup.to_data(),
            "frame": frame_of(lm, before, after, setup, against) | {"ms": 0, "model": 0},
            "code": code_of(lm, prompt, setup, against),
            "results": results,
        }


def single_switches(catalog: dict[str, Any], pieces: Sequence[str] = ()) -> list[Setup]:
    """Every switch of a catalog on its own, as it stands before anybody turns its knobs, for a prompt of these pieces.
    Those behind "more" are left out."""
    shown = [switch for switch in catalog["switches"] if switch["unsupported"] is None and not switch.get("more")]
    return [Setup.from_data([entry_of(switch, pieces=pieces)]) for switch in shown]


def packed(recorded: dict[str, Any]) -> str:
    """Plain values and bytes as one text: JSON with each buffer once behind it, deflated, in base64.

    In the JSON a buffer is {"$bytes": [where it begins, its length]}.
    """
    buffers: dict[bytes, int] = {}
    end = 0

    def place(value: Any) -> dict[str, list[int]]:
        nonlocal end
        if not isinstance(value, memoryview):
            raise TypeError(f"no data: {type(value).__name__}")
        data = bytes(value)
        if data not in buffers:
            buffers[data], end = end, end + len(data)
        return {"$bytes": [buffers[data], len(data)]}

    text = json.dumps(recorded, default=place).encode("utf-8")
    whole = b"".join([len(text).to_bytes(4, "little"), text, *buffers])
    return base64.b64encode(zlib.compress(whole, 9)).decode("ascii")


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


def written(path: str | Path, what: str, content: str | bytes) -> Path:
    """Write a file; where it cannot be written is said."""
    target = Path(path)
    try:
        target.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    except OSError as err:
        raise CtkitError(
            f"{what} at {str(path)!r}",
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


def _result(part: Any, job: Job) -> dict[str, Any] | None:
    """What a part published last."""
    found: list[dict[str, Any] | None] = [None]
    part(job, found.append)
    return found[-1]
