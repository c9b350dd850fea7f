"""What a view is told that is no state: things to do once. One function a message; its answer is a trait or a file."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from ..errors import CtkitError
from ..interventions.setup import Setup
from ..tasks import Problem, get
from .ahead import ahead
from .examples import examples
from .export import STATIC, Page, page_of, single_switches, unique
from .heads import head_of
from .models import fitting, loaded, words_of
from .state import pieces_of, setups_of
from .steering import fit

Message = dict[str, Any]
SCRIPTS = ("more",)  # what a view may ask for: names, never paths


def stop(view: Any, message: Message) -> None:
    """End what is being computed; what was measured so far stays."""

    def stopped(stale: Callable[[], bool]) -> None:
        if view.population and view.population["running"]:
            view.population = view.population | {"running": False}
        view.status = {"busy": [], "message": "stopped"}

    view._errands.clear()
    view._worker.submit(stopped)


def go_on(view: Any, message: Message) -> None:
    """Measure what was stopped."""
    view._changed(None, again=True)


def ping(view: Any, message: Message) -> None:
    """Say that the kernel lives: the view asks after every change, and says so in words where no answer comes."""
    view.send({"type": "pong", "asked": message.get("asked")})


def head(view: Any, message: Message) -> None:
    """The weights of one head of one run in the cells that the view asks for; `key` is the view's name for them. Asked
    of a frame that is no longer the newest (`seq`), it says nothing: the view asks anew of the one that is."""

    def show() -> None:
        seq, before, after = view._shown
        if message.get("seq", seq) != seq:
            return
        run = (after or before) if message.get("side") == "after" else before
        asked = {name: message.get(name) for name in ("layer", "head", "side", "key")}
        found = head_of(run, asked["layer"], asked["head"], message.get("edges"))
        view.detail = asked | found | {"seq": seq}

    view._reader.submit(lambda stale: view._guarded(show))


def load_problem(view: Any, message: Message) -> None:
    """Put the task's problem with this seed into the prompt."""
    _show_problem(view, view.state.get("task"), view.state.get("difficulty"), message.get("seed"))


def new_problem(view: Any, message: Message) -> None:
    """Put another problem of a task into the prompt."""
    _show_problem(view, message.get("task"), message.get("difficulty"), view._problem_seed + 1)


def load_model(view: Any, message: Message) -> None:
    """Load another model, by name, on the worker; where it cannot be had, that is said and the old one stays."""
    name, device, dtype = (message.get(part) for part in ("name", "device", "dtype"))

    def load(stale: Callable[[], bool]) -> None:
        lm = loaded(name, device, dtype, lambda words: view._say_of_model(ticket, words))
        if lm is not None and view._tickets == ticket:
            use(view, lm)

    view._tickets += 1
    ticket = view._tickets
    view.loading = words_of(name, True, f"loading {name} …")
    view._errand("model", load)


def cancel_model(view: Any, message: Message) -> None:
    """Keep the old model, whatever comes of the loading."""
    view._tickets += 1
    name = (view.loading or {}).get("name", "")
    view._errands.pop("model", None)
    view.loading = words_of(name, False, f"cancelled; {view.lm.name} stays")


def page(view: Any, message: Message) -> None:
    """Record the playground as one HTML page, and send it to the browser that asked, with words of what is not in it:
    setups that it visited and that do not run on this text."""
    asked = message.get("asked")

    def record(stale: Callable[[], bool]) -> None:
        try:
            made = record_page(view, _readable(message.get("setups", [])), stale)
            found = "stopped before the page was whole"
        except CtkitError as err:
            made, found = None, f"{err.asked}: {err.found}"
        if made is None:
            view.send({"type": "failed", "asked": asked, "found": found})
        else:
            view.send({"type": "file", "asked": asked, "missing": made.missing}, buffers=[made.text.encode("utf-8")])

    view._errand("page", record)


def script(view: Any, message: Message) -> None:
    """Send a script that no first picture needs: a notebook stores the first with every view, and this never."""
    name = message.get("name")
    if name not in SCRIPTS:
        found = f"there is no script {name!r}; there is {', '.join(map(repr, SCRIPTS))}"
        view.send({"type": "failed", "asked": name, "found": found})
        return
    try:
        text = (STATIC / f"{name}.js").read_text(encoding="utf-8")
    except OSError as err:
        found = f"{name}.js of ctkit cannot be read ({err.strerror}); ctkit doctor says more"
        view.send({"type": "failed", "asked": name, "found": found})
        return
    view.send({"type": "script", "name": name, "text": text})


def record_page(view: Any, setups: Sequence[Any] | None, stale: Callable[[], bool] = lambda: False) -> Page | None:
    """The page of a view: nothing on, some setups (None: each switch on its own), what is compared with, what is on."""
    own = single_switches(view.catalog, list(view.prompt.pieces)) if setups is None else setups
    traits = {name: getattr(view, name) for name in ("panels", "catalog", "state", "options")}
    problem = problem_of(view, view.state)

    def say(done: int, of: int) -> None:
        view.status = {"busy": ["page"], "message": f"recording the page: {done} of {of} settings"}

    try:
        setups = unique([(), view.against, *own, view.setup])
        return page_of(view.lm, traits, setups, problem, stale, say, view._parts)
    finally:
        view.status = {"busy": [], "message": ""}


def problem_of(view: Any, state: dict[str, Any]) -> Problem | None:
    """The problem on show, where the prompt is one of the task's and was not edited."""
    if not state.get("task"):
        return None
    seeds = {view._problem_seed, *(e.seed for e in examples() if e.task == state["task"])}
    problems = [get(state["task"]).generate(seed, state["difficulty"]) for seed in seeds]
    return next((problem for problem in problems if pieces_of(problem.prompt) == state["prompt"]), None)


def use(view: Any, lm: Any) -> None:
    """Show another model: its switches, directions, presets. The prompt stays, and what fits of the setup."""
    found = {n: fitting(s, lm) for n, s in zip(("setup", "against"), setups_of(view.state), strict=True)}
    dropped = sorted({name for _, names in found.values() for name in names})
    view._take(lm)
    told = f"; switched off, as made for the old model: {', '.join(dropped)}" if dropped else ""
    view.loading = words_of(lm.name, False, f"{lm.name} reads now{told}")
    view._set(**{name: setup.to_data() for name, (setup, _) in found.items()})


def _readable(setups: Any) -> list[Setup]:
    """Setups from data; what is none never had a picture."""
    found = []
    for data in setups:
        with suppress(CtkitError):
            found.append(Setup.from_data(data))
    return found


def _show_problem(view: Any, task: Any, difficulty: Any, seed: Any) -> None:
    try:
        problem = get(task).generate(seed, difficulty)
    except CtkitError as err:
        view.error = {"asked": err.asked, "found": err.found, "remedy": err.remedy}
        return
    view._problem_seed = seed
    view._set(prompt=pieces_of(problem.prompt), task=task, difficulty=problem.difficulty)


COMMANDS: dict[str, Callable[[Any, Message], None]] = {
    "stop": stop,
    "go_on": go_on,
    "ping": ping,
    "fit": fit,
    "head": head,
    "load_problem": load_problem,
    "new_problem": new_problem,
    "load_model": load_model,
    "cancel_model": cancel_model,
    "page": page,
    "script": script,
    "ahead": ahead,
}
