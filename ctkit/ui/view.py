"""What every widget of ctkit is: panels on one prompt and one setup, and a worker that keeps them up to date."""

import pathlib
import time
import uuid
from collections.abc import Callable
from typing import Any, ClassVar

import traitlets

from ..engine.interrupts import Stopped, stopped_when
from ..engine.lm import LM
from ..engine.load import load
from ..errors import CtkitError
from ..interventions.setup import as_setup
from ..prompt import Prompt
from .catalog import catalog_of
from .code import code_of
from .commands import COMMANDS, problem_of, use
from .concepts import concept_directions
from .examples import examples
from .export import written
from .failure import failure_of
from .frame import frame_of
from .look import Look, Looks, look
from .parts import PARTS, SLOW, Job, Part
from .state import first_state, prompt_of, setups_of
from .stated import Stated
from .static_view import file_of, mimebundle_of
from .worker import Worker

STATIC = pathlib.Path(__file__).parents[1] / "static"
QUIET = 0.12  # seconds after a picture is sent: kernel, server and browser share the machine, and it goes first


class View(Stated):
    """A prompt, a setup, and what they do, in some panels. `.setup` and `.prompt` are what is on; set them and the
    picture follows. `.code` is Python that does the same.

    A subclass names its panels: those of `widgets/src/playground/panels`, in the order in which they stand.
    """

    PANELS: ClassVar[tuple[str, ...]] = ()
    SWITCHES: ClassVar[tuple[str, ...]] = ()  # the only ones, where some are named

    _esm = STATIC / "playground.js"
    _css = STATIC / "playground.css"

    panels = traitlets.List(traitlets.Unicode()).tag(sync=True)
    frame = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
    before = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)  # the frame's other run
    detail = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)  # one head of a long text
    dose = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
    lens = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
    generated = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
    steps = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
    population = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
    loading = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)  # another model, on its way
    status = traitlets.Dict({"busy": [], "message": ""}).tag(sync=True)
    error = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
    code = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        lm: LM | None = None,
        prompt: Prompt | str | None = None,
        setup: Any = (),
        *,
        against: Any = (),
        state: dict[str, Any] | None = None,
        **traits: Any,
    ):
        self.lm = load() if lm is None else lm
        if not isinstance(self.lm, LM):
            name, behind = type(self).__name__, ", prompt" if isinstance(lm, Prompt) else ""
            raise CtkitError(f"{name}({type(lm).__name__})", "no loaded model", f'ct.{name}(ct.load("tiny"){behind})')
        self._worker = Worker("ctkit view")
        self._reader = Worker("ctkit heads")  # answers for a head of a long text, between the parts of other work
        self._parts = self._made_parts()
        self._seen: tuple | None = None  # prompt, and what was looked at before and after
        self._runs = Looks()
        self._shown: tuple | None = None  # the number of the frame on show, and its runs before and after
        self._done: dict[str, tuple] = {}  # part → for what it was last measured
        self._asked: tuple | None = None  # what was last handed to the worker
        self._errands: dict[str, Callable[[Callable[[], bool]], None]] = {}  # what to do once, by name
        self._watched = False  # whether a browser ever said something
        self._tickets = 0  # how many models were asked for or cancelled
        self._problem_seed = examples()[0].seed
        first = first_state(prompt, as_setup(setup), as_setup(against)) | (state or {})
        known = {"key": uuid.uuid4().hex, "panels": list(self.PANELS), "catalog": self._made_catalog()}
        super().__init__(**known, state=first, **traits)
        self._paint(self.state, self.seq)  # at once, so that a saved notebook and a still picture have one
        self.observe(self._changed, names=["state", "seq", "options"])
        self.on_msg(self._told)
        self._changed(None)

    def use(self, lm: LM) -> None:
        """Show another model. The prompt stays, and of the setup what fits; `wait` until it reads."""
        self._errand("model", lambda stale: use(self, lm))

    def to_png(self, path: str | pathlib.Path) -> pathlib.Path:
        """Write a picture of what is on: the head that changed most, before, after and difference, the next token."""
        return written(path, "a picture", file_of(*self._looks(), "png"))

    def to_svg(self, path: str | pathlib.Path) -> pathlib.Path:
        """The same as vectors, in one file that needs no fonts."""
        return written(path, "a picture", file_of(*self._looks(), "svg"))

    def _looks(self) -> tuple[Look, Look | None]:
        """The two runs of the present state, run anew: the worker may still be at an older one."""
        prompt, (setup, against) = prompt_of(self.state), setups_of(self.state)
        before = look(self.lm, prompt, against)
        return before, None if setup.to_json() == against.to_json() else look(self.lm, prompt, setup, before)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until everything on show is up to date; False where `timeout` seconds were not enough."""
        return self._worker.wait(timeout) and self._reader.wait(timeout)

    def __repr__(self) -> str:
        name, letters = type(self).__name__, len(self.prompt.text)
        return f"{name}({self.lm.name!r}, {letters} characters, setup {self.setup.to_code()})"

    def _repr_mimebundle_(self, **kwargs: Any):
        return mimebundle_of(super()._repr_mimebundle_(**kwargs), repr(self), self._seen)

    def _handle_msg(self, msg: dict[str, Any]) -> None:
        self._watched = True
        super()._handle_msg(msg)

    def _changed(self, change: Any, again: bool = False) -> None:
        """A flip: remember what is wanted and let the worker do it. Runs on whatever thread Jupyter chose."""
        state, seq, options = self.state, self.seq, self.options
        if again or self._asked != (state, seq, options):
            self._asked = (state, seq, options)
            self._worker.submit(lambda stale: self._follow(state, seq, options, stale))

    def _errand(self, name: str, errand: Callable[[Callable[[], bool]], None]) -> None:
        """Something to do once on the worker; it keeps waiting where a flip comes first."""
        self._errands[name] = errand
        self._changed(None, again=True)

    def _follow(self, state: dict[str, Any], seq: int, options: dict[str, Any], stale) -> None:
        """The picture first, then the parts; each only where it is out of date and nothing newer waits."""
        self._run_errand("model", stale)
        if stale():
            return
        if self._done.get("frame") != (state, seq):
            if not self._paint(state, seq):
                if not stale():
                    self._run_errand("page", stale)  # which says why there is none
                return
            if self._watched:
                self._worker.rest(QUIET)
        with stopped_when(stale):
            for name, part in self._parts.items():
                if stale():
                    break
                self._measure(name, part, state, seq, options.get(name, {}), stale)
            if not stale():
                self._run_errand("page", stale)
        self.status = {"busy": [], "message": ""}

    def _measure(self, name: str, part: Part, state: dict[str, Any], seq: int, own: dict[str, Any], stale) -> None:
        """Let a part measure, unless it has; what it finds goes into the trait of its name."""
        if self._done.get(name) == (state, seq, own):
            return
        if name in SLOW:
            self.status = {"busy": [name], "message": ""}
        job = self._job(state, own, stale)

        def publish(found: dict[str, Any] | None) -> None:
            setattr(self, name, None if found is None else found | {"seq": seq})

        if self._guarded(lambda: part(job, publish)) and not stale():
            self._done[name] = (state, seq, own)

    def _run_errand(self, name: str, stale) -> None:
        errand = self._errands.pop(name, None)
        if errand is not None:
            self._guarded(lambda: errand(stale))

    def _job(self, state: dict[str, Any], own: dict[str, Any], stale) -> Job:
        prompt, before, after = self._seen
        setup, against = setups_of(state)
        runs = before.trace, None if after is None else after.trace
        return Job(self.lm, prompt, setup, *runs, state, problem_of(self, state), stale, own, against)

    def _paint(self, state: dict[str, Any], seq: int) -> bool:
        started = time.perf_counter()

        def job() -> None:
            prompt, (setup, against) = prompt_of(state), setups_of(state)
            known = self._runs.took
            before, after = self._runs.both(self.lm, prompt, setup, against)
            self._seen, self._shown = (prompt, before, after), (seq, before, after)
            frame = frame_of(self.lm, before, after, setup, against)
            with self.hold_sync():
                self.before = frame.pop("before")
                took = {"ms": time.perf_counter() - started, "model": self._runs.took - known}
                # the number first: whoever compares two frames sees at once that they differ
                self.frame = {"seq": seq} | {name: round(1000 * t, 1) for name, t in took.items()} | frame
                self.code = code_of(self.lm, prompt, setup, against)
                self.error = None
            self._done["frame"] = (state, seq)

        return self._guarded(job)

    def _made_catalog(self) -> dict[str, Any]:
        directions = concept_directions(self.lm) if "switches" in self.PANELS else []
        return catalog_of(self.lm, directions, self.SWITCHES)

    def _made_parts(self) -> dict[str, Any]:
        return {name: make(self.lm) for name, make in PARTS.items() if name in self.PANELS}

    def _take(self, lm: LM) -> None:
        """Let another model do the work; what the old one measured is forgotten."""
        self.lm, self._seen, self._runs, self._done = lm, None, Looks(), {}
        self._parts = self._made_parts()
        self.catalog = self._made_catalog()

    def _say_of_model(self, ticket: int, words: dict[str, Any]) -> None:
        if ticket == self._tickets:
            self.loading = words

    def _guarded(self, job) -> bool:
        """Do a job; what goes wrong is shown in words, and the last good picture stays."""
        try:
            job()
            return True
        except Stopped:  # something newer waits
            return False
        except CtkitError as err:
            self.error = failure_of(err, self.state, self.catalog["switches"])
        except Exception as err:
            self.error = {
                "asked": "this picture",
                "found": f"{type(err).__name__}: {err}",
                "remedy": "undo the last change; this is a defect of ctkit",
            }
        return False

    def _told(self, widget: Any, content: Any, buffers: Any) -> None:
        """A message of the view: something to do once, that is no state."""
        kind = content.get("type") if isinstance(content, dict) else None
        if isinstance(kind, str) and kind in COMMANDS:
            COMMANDS[kind](self, content)
