"""What every widget of ctkit is: panels on one prompt and one setup, and a worker that keeps them up to date."""

import pathlib
import time
from typing import Any, ClassVar

import anywidget
import traitlets

from ..engine.lm import LM
from ..engine.load import load
from ..errors import CtkitError
from ..interventions.setup import Setup, as_setup
from ..prompt import Prompt, as_prompt
from ..tasks import Problem, get
from .catalog import catalog_of
from .code import code_of
from .concepts import concept_directions
from .examples import examples
from .frame import frame_of
from .heads import head_of
from .look import look
from .parts import PARTS, Job
from .static_view import mimebundle_of
from .steering import fit
from .worker import Worker

STATIC = pathlib.Path(__file__).parents[1] / "static"


class View(anywidget.AnyWidget):
    """A prompt, a setup, and what they do, in some panels. `.setup` and `.prompt` are what is on; set them and the
    picture follows. `.code` is Python that does the same.

    A subclass names its panels: those of `widgets/src/playground/panels`, in the order in which they stand.
    """

    PANELS: ClassVar[tuple[str, ...]] = ()
    SWITCHES: ClassVar[tuple[str, ...]] = ()  # the only ones, where some are named

    _esm = STATIC / "playground.js"
    _css = STATIC / "playground.css"

    panels = traitlets.List(traitlets.Unicode()).tag(sync=True)
    catalog = traitlets.Dict().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)
    options = traitlets.Dict().tag(sync=True)  # panel → its own settings, which are no part of the setup
    seq = traitlets.Int(0).tag(sync=True)
    frame = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
    detail = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)  # one head of a long text
    dose = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
    lens = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
    generated = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
    steps = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
    population = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
    status = traitlets.Dict({"busy": [], "message": ""}).tag(sync=True)
    error = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
    code = traitlets.Unicode("").tag(sync=True)

    def __init__(self, lm: LM | None = None, prompt: Prompt | str | None = None, setup: Any = (), **options: Any):
        self.lm = load() if lm is None else lm
        if not isinstance(self.lm, LM):
            name = type(self).__name__
            raise CtkitError(f"{name}({type(lm).__name__})", "no loaded model", f'ct.{name}(ct.load("tiny"))')
        self._worker = Worker("ctkit view")
        self._reader = Worker("ctkit heads")  # answers for a head of a long text, between the parts of other work
        self._parts = {name: make(self.lm) for name, make in PARTS.items() if name in self.PANELS}
        self._seen: tuple | None = None  # prompt, and what was looked at before and after
        self._shown: tuple | None = None  # the number of the frame on show, and its runs before and after
        self._done: dict[str, tuple] = {}  # part → for what it was last measured
        self._asked: tuple | None = None  # what was last handed to the worker
        self._problem_seed = examples()[0].seed
        super().__init__(
            panels=list(self.PANELS),
            catalog=catalog_of(
                self.lm, concept_directions(self.lm) if "switches" in self.PANELS else [], self.SWITCHES
            ),
            state=_first_state(prompt, as_setup(setup)),
            **options,
        )
        self._paint(
            self.state, self.seq
        )  # at once, so that a saved notebook and a still picture have something to show
        self.observe(self._changed, names=["state", "seq", "options"])
        self.on_msg(self._told)
        self._changed(None)

    @property
    def setup(self) -> Setup:
        """The interventions that are on."""
        return Setup.from_data(self.state["setup"])

    @setup.setter
    def setup(self, value: Any) -> None:
        self._set(setup=as_setup(value).to_data())

    @property
    def prompt(self) -> Prompt:
        """The prompt as typed, before any intervention."""
        return Prompt(**{piece["name"]: piece["text"] for piece in self.state["prompt"]})

    @prompt.setter
    def prompt(self, value: Prompt | str) -> None:
        self._set(prompt=_pieces(as_prompt(value)), task=None, difficulty=None)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until everything on show is up to date; False where `timeout` seconds were not enough."""
        return self._worker.wait(timeout) and self._reader.wait(timeout)

    def __repr__(self) -> str:
        name, letters = type(self).__name__, len(self.prompt.text)
        return f"{name}({self.lm.name!r}, {letters} characters, setup {self.setup.to_code()})"

    def _repr_mimebundle_(self, **kwargs: Any):
        return mimebundle_of(super()._repr_mimebundle_(**kwargs), repr(self), self._seen)

    def _set(self, **changes: Any) -> None:
        with self.hold_sync(), self.hold_trait_notifications():
            self.state = self.state | changes
            self.seq += 1

    def _changed(self, change: Any) -> None:
        """A flip: remember what is wanted and let the worker do it. Runs on whatever thread Jupyter chose."""
        state, seq, options = self.state, self.seq, self.options
        if self._asked != (state, seq, options):
            self._asked = (state, seq, options)
            self._worker.submit(lambda stale: self._follow(state, seq, options, stale))

    def _follow(self, state: dict[str, Any], seq: int, options: dict[str, Any], stale) -> None:
        """The picture first, then the parts; each only where it is out of date and nothing newer waits."""
        if self._done.get("frame") != (state, seq) and not self._paint(state, seq):
            return
        for name, part in self._parts.items():
            own = options.get(name, {})
            if stale():
                break
            if self._done.get(name) == (state, seq, own):
                continue
            self.status = {"busy": [name], "message": ""}
            prompt, before, after = self._seen
            setup, problem = Setup.from_data(state["setup"]), self._problem(state)
            runs = before.trace, None if after is None else after.trace
            job = Job(self.lm, prompt, setup, *runs, state, problem, stale, own)

            def publish(found: dict[str, Any] | None, name: str = name) -> None:
                setattr(self, name, None if found is None else found | {"seq": seq})

            if self._guarded(lambda part=part, job=job, publish=publish: part(job, publish)) and not stale():
                self._done[name] = (state, seq, own)
        self.status = {"busy": [], "message": ""}

    def _paint(self, state: dict[str, Any], seq: int) -> bool:
        started = time.perf_counter()

        def job() -> None:
            prompt, setup = _prompt_of(state), Setup.from_data(state["setup"])
            if self._seen is None or self._seen[0] != prompt:
                self._seen = (prompt, look(self.lm, prompt, Setup()), None)
            before = self._seen[1]
            after = look(self.lm, prompt, setup, before) if len(setup) else None
            self._seen = (prompt, before, after)
            frame = frame_of(self.lm, before, after, setup)
            self._shown = (seq, before, after)
            with self.hold_sync():
                self.frame = frame | {"seq": seq, "ms": round(1000 * (time.perf_counter() - started), 1)}
                self.code = code_of(self.lm, prompt, setup)
                self.error = None
            self._done["frame"] = (state, seq)

        return self._guarded(job)

    def _problem(self, state: dict[str, Any]) -> Problem | None:
        """The problem on show, where the prompt is one of the task's and was not edited."""
        if not state.get("task"):
            return None
        seeds = {self._problem_seed, *(e.seed for e in examples() if e.task == state["task"])}
        problems = [get(state["task"]).generate(seed, state["difficulty"]) for seed in seeds]
        return next((problem for problem in problems if _pieces(problem.prompt) == state["prompt"]), None)

    def _guarded(self, job) -> bool:
        """Do a job; what goes wrong is shown in words, and the last good picture stays."""
        try:
            job()
            return True
        except CtkitError as err:
            self.error = {"asked": err.asked, "found": err.found, "remedy": err.remedy}
        except Exception as err:
            self.error = {
                "asked": "this picture",
                "found": f"{type(err).__name__}: {err}",
                "remedy": "undo the last change; this is a defect of ctkit",
            }
        return False

    def _told(self, widget: Any, content: dict[str, Any], buffers: Any) -> None:
        """A message of the view: something to do once, that is no state."""
        kind = content.get("type")
        if kind == "head":
            self._reader.submit(lambda stale: self._guarded(lambda: self._show_head(content)))
        elif kind == "stop":
            self._worker.submit(lambda stale: setattr(self, "status", {"busy": [], "message": "stopped"}))
        elif kind == "load_problem":
            self._show_problem(self.state["task"], self.state["difficulty"], content.get("seed"))
        elif kind == "new_problem":
            self._show_problem(content.get("task"), content.get("difficulty"), self._problem_seed + 1)
        elif kind == "fit":
            fit(self, content)

    def _show_head(self, asked: dict[str, Any]) -> None:
        """The weights of one head of one run in the cells that the view asks for; `key` is the view's name for them."""
        seq, before, after = self._shown
        run, name = (after or before) if asked.get("side") == "after" else before, ("layer", "head", "side", "key")
        found = head_of(run, asked.get("layer"), asked.get("head"), asked.get("edges"))
        self.detail = {key: asked.get(key) for key in name} | found | {"seq": seq}

    def _show_problem(self, task: str | None, difficulty: int | None, seed: int) -> None:
        """Put a task's problem into the prompt, with the task and its difficulty."""

        def job() -> None:
            problem = get(task).generate(seed, difficulty)
            self._problem_seed = seed
            self._set(prompt=_pieces(problem.prompt), task=task, difficulty=problem.difficulty)

        self._guarded(job)


def _first_state(prompt: Prompt | str | None, setup: Setup) -> dict[str, Any]:
    example = examples()[0]
    chosen = example.prompt if prompt is None else as_prompt(prompt)
    task = (example.task, example.difficulty) if prompt is None else (None, None)
    return {
        "prompt": _pieces(chosen),
        "setup": setup.to_data(),
        "task": task[0],
        "difficulty": task[1],
        "n": 200,
        "seed": 10_000,
    }


def _pieces(prompt: Prompt) -> list[dict[str, str]]:
    return [{"name": name, "text": text} for name, text in prompt.pieces.items()]


def _prompt_of(state: dict[str, Any]) -> Prompt:
    return Prompt(**{piece["name"]: piece["text"] for piece in state["prompt"] if piece["text"]})
