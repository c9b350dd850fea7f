"""The playground: switches on a model, and everything they change, side by side. Its truth is a prompt and a setup."""

import pathlib
import time
from typing import Any

import anywidget
import traitlets

from ..engine.lm import LM
from ..engine.load import load
from ..errors import CtkitError
from ..interventions.setup import Setup, as_setup
from ..prompt import Prompt, as_prompt
from ..tasks import get
from .catalog import catalog_of, mood_directions
from .examples import examples
from .export import page_of, single_switches, unique, write_page
from .frame import frame_of, look
from .population import Population
from .static_view import mimebundle_of
from .thought import steps_of
from .worker import Worker

STATIC = pathlib.Path(__file__).parents[1] / "static"


class Playground(anywidget.AnyWidget):
    """Flip switches on a model and see attention, the next token, the steps and a population's accuracy change.

    `lm`: a model from `ct.load` or `ct.wrap` (the shipped one by default); `prompt`: what to read first (an example by
    default). `.setup` and `.prompt` are what is on; set them and the picture follows. `.code` is Python that does it.

    >>> import ctkit as ct
    >>> playground = ct.Playground()
    >>> playground.setup = ct.Reread()
    >>> playground.setup
    Setup([Reread()])
    """

    _esm = STATIC / "playground.js"
    _css = STATIC / "playground.css"

    catalog = traitlets.Dict().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)
    seq = traitlets.Int(0).tag(sync=True)
    frame = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
    steps = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
    population = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
    status = traitlets.Dict({"busy": [], "message": ""}).tag(sync=True)
    error = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
    code = traitlets.Unicode("").tag(sync=True)

    def __init__(self, lm: LM | None = None, prompt: Prompt | str | None = None, setup: Any = (), **options: Any):
        self.lm = load() if lm is None else lm
        if not isinstance(self.lm, LM):
            raise CtkitError(f"Playground({type(lm).__name__})", "no loaded model", 'ct.Playground(ct.load("tiny"))')
        directions = mood_directions(self.lm)
        self._worker, self._numbers = Worker("ctkit playground"), Population(self.lm)
        self._seen: tuple | None = None  # prompt, and its runs before and after
        self._asked: tuple | None = None  # state and seq last handed to the worker
        self._problem_seed = examples()[0].seed
        super().__init__(
            catalog=catalog_of(self.lm, directions), state=_first_state(prompt, as_setup(setup)), **options
        )
        self._paint(
            self.state, self.seq
        )  # at once, so that a saved notebook and a still picture have something to show
        self.observe(self._changed, names=["state", "seq"])
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
        return self._worker.wait(timeout)

    def to_html(self, path: str | pathlib.Path, setups: Any = None) -> pathlib.Path:
        """Write the playground as one HTML file that works without a kernel and without a network.

        It holds the results of some setups, each run once more for it, and opens at the present one; its switches move
        between them. `setups`: a list of setups; by default nothing, each switch on its own, and the present setup.
        Raises `CtkitError` where the file cannot be written.
        """
        wanted = [(), *(single_switches(self.catalog) if setups is None else setups), self.setup]
        return write_page(path, page_of(self.lm, self.catalog, self.state, unique(wanted), self.prompt, code_of))

    def __repr__(self) -> str:
        return f"Playground({self.lm.name!r}, {len(self.prompt.text)} characters, setup {self.setup.to_code()})"

    def _repr_mimebundle_(self, **kwargs: Any):
        return mimebundle_of(super()._repr_mimebundle_(**kwargs), repr(self), self._seen)

    def _set(self, **changes: Any) -> None:
        with self.hold_sync(), self.hold_trait_notifications():
            self.state = self.state | changes
            self.seq += 1

    def _changed(self, change: Any) -> None:
        """A flip: remember what is wanted and let the worker do it. Runs on whatever thread Jupyter chose."""
        state, seq = self.state, self.seq
        if self._asked != (state, seq):
            self._asked = (state, seq)
            self._worker.submit(lambda stale: self._follow(state, seq, stale))

    def _follow(self, state: dict[str, Any], seq: int, stale) -> None:
        """The picture first, then the steps, then the population; each only while nothing newer waits."""
        if not self._paint(state, seq):
            return
        prompt, setup = _prompt_of(state), Setup.from_data(state["setup"])
        jobs = [("steps", lambda: self._show_steps(state, seq, prompt, setup))]
        if state.get("task"):
            jobs.append(("population", lambda: self._show_population(state, seq, setup, stale)))
        elif self.population is not None:
            self.population = None
        for name, job in jobs:
            if stale():
                break
            self.status = {"busy": [name], "message": ""}
            self._guarded(job)
        self.status = {"busy": [], "message": ""}

    def _paint(self, state: dict[str, Any], seq: int) -> bool:
        started = time.perf_counter()

        def job() -> None:
            prompt, setup = _prompt_of(state), Setup.from_data(state["setup"])
            if self._seen is None or self._seen[0] != prompt:
                self._seen = (prompt, look(self.lm, prompt, Setup()), None)
            before = self._seen[1]
            after = look(self.lm, prompt, setup) if len(setup) else None
            self._seen = (prompt, before, after)
            frame = frame_of(self.lm, before, after, setup)
            with self.hold_sync():
                self.frame = frame | {"seq": seq, "ms": round(1000 * (time.perf_counter() - started), 1)}
                self.code = code_of(self.lm, prompt, setup)
                self.error = None

        return self._guarded(job)

    def _show_steps(self, state: dict[str, Any], seq: int, prompt: Prompt, setup: Setup) -> None:
        found = steps_of(self.lm, prompt, setup, self._problem(state))
        self.steps = None if found is None else found | {"seq": seq}

    def _show_population(self, state: dict[str, Any], seq: int, setup: Setup, stale) -> None:
        def publish(line: dict[str, Any]) -> None:
            self.population = line | {"seq": seq}

        self._numbers.measure(state, setup, stale, publish)

    def _problem(self, state: dict[str, Any]):
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
        kind = content.get("type")
        if kind == "stop":
            self._worker.submit(self._settle)
        elif kind == "load_problem":
            self._show_problem(self.state["task"], self.state["difficulty"], content.get("seed"))
        elif kind == "new_problem":
            self._show_problem(content.get("task"), content.get("difficulty"), self._problem_seed + 1)

    def _show_problem(self, task: str | None, difficulty: int | None, seed: int) -> None:
        """Put a task's problem into the prompt, with the task and its difficulty."""

        def job() -> None:
            problem = get(task).generate(seed, difficulty)
            self._problem_seed = seed
            self._set(prompt=_pieces(problem.prompt), task=task, difficulty=problem.difficulty)

        self._guarded(job)


def code_of(lm: LM, prompt: Prompt, setup: Setup) -> str:
    """Python that does what the playground shows."""
    pieces = ", ".join(f"{name}={text!r}" for name, text in prompt.pieces.items())
    name = "" if lm.name == "tiny" else repr(lm.name)
    return (
        f"import ctkit as ct\n\nlm = ct.load({name})\nprompt = ct.Prompt({pieces})\nsetup = {setup.to_code()}\n"
        "before, after = ct.run(lm, prompt), ct.run(lm, prompt, setup)\nct.compare(before, after).next_tokens"
    )


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
