"""What the steps view measures, in the order in which it is shown: the answer first, then the effect of each step."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from ...engine.lm import LM
from ...errors import CtkitError, shown
from ...interventions import Think
from ...interventions.setup import Setup
from ...measures.steps import METHODS, StepEffects, Steps, Thought
from ...prompt import Prompt
from ...tasks import Problem
from ..frame import IN_WORDS
from ..memory import Memory
from .answers import Behind, bars_of, behind, top_of
from .rows import FOUR, described, matrix_of, measured, reads_of
from .told import Asked, Told, rest_of, told_of
from .words import what_edit_does, what_switches_do

DRAWS, SEED = 4, 0
THOUGHTS = 6  # of which what was read is kept: a cache each
PAUSE = 0.1  # seconds between two partial results
Data = dict[str, Any]


@dataclass(frozen=True)
class Outline:
    """What a result is compared with: a setup and a thought, and for each step of the new thought its step there."""

    words: str
    setup: Setup
    steps: Steps
    matches: list[int | None]


class Measuring:
    """The part of a view behind its steps panel. It remembers what it measured.

    The panel's options: `method`, `by` (the grain; with "pattern" also `pattern`), `thought` (one that is not the
    model's own, see `told.py`; "on" in it: the model writes the rest), `draft` (only the answer is wanted, quickly),
    `detail` (also the measures that a chosen step is asked), `matrix` (also step → later step).
    """

    def __init__(self, lm: LM):
        self.lm = lm
        self.effects: StepEffects | None = None  # what the panel shows, for a still picture
        self.before: StepEffects | None = None  # and its outlines, where they are of the same steps
        self._memory = Memory()
        self._thoughts = Memory(THOUGHTS)
        self._data: Data = {}

    def __call__(self, job: Any, publish: Callable[[Data | None], None]) -> None:
        """Measure what a view's job asks for, and publish each result as soon as it is there."""
        after = job.after
        written = None if after is None else after.encoding.prompt.pieces.get("thought")
        pieces = job.state["prompt"]
        asked = Asked(job.lm, job.prompt, job.setup, job.problem, job.options, pieces, written, job.against)
        published = 0.0
        for data in self.stages(asked):
            partial = data is not None and data["running"] and data["running"]["done"]
            stale = job.stale()
            if stale or not partial or time.monotonic() - published > PAUSE:
                publish(data)
                published = time.monotonic()
            if stale:
                return

    def stages(self, asked: Asked) -> Iterator[Data | None]:
        """All that is to be shown, again and again, with more in it each time; what cannot be is said in words."""
        if not asked.option("draft"):
            self._data = {}
        try:
            yield from self._stages(asked)
        except CtkitError as err:
            if not self._data:
                self._data = described(asked, Told("model", Steps((), ()), Steps((), ())))
            error = {"asked": err.asked, "found": err.found, "remedy": err.remedy}
            yield self._data | {"error": error, "running": None}

    def _stages(self, asked: Asked) -> Iterator[Data | None]:
        told = told_of(asked, self._rest)
        if told is None:
            self.effects = None
            yield None
            return
        if not asked.option("draft") or not self._data:
            self._data = described(asked, told)
        outline = _outline_of(asked, told)
        self._data |= {"outline": "" if outline is None else outline.words}
        self._data |= self._answers(asked, told, outline)
        yield self._data | {"error": None}
        if asked.option("draft"):
            return
        method = _known(asked.option("method", "mistake"))
        self._thought(asked, asked.setup, told.steps, told.base)
        yield from self._measure(asked, told, outline, method)
        if asked.option("detail"):
            yield from self._details(asked, told, method)
        if asked.option("matrix") and "suppress" in METHODS:
            yield from self._matrix(asked, told)
        self._data["running"] = None
        yield dict(self._data)

    def _rest(self, asked: Asked, start: str) -> str:
        key = ("rest", asked.prompt, asked.setup.to_json(), start)
        return self._memory.once(key, lambda: rest_of(asked, start))

    def _answers(self, asked: Asked, told: Told, outline: Outline | None) -> Data:
        """What comes behind the thought, and behind the one that it is compared with, whose answer is watched."""
        if outline is None:
            now = self._thought(asked, asked.setup, told.steps)
            return {"answers": _answers(self.lm, now.answer, None, self._behind(now, told.steps))}
        other = self._thought(asked, outline.setup, outline.steps)
        reader = other
        if not told.edited:
            now = self._thought(asked, asked.setup, told.steps)
            reader = replace(now, answer=other.answer, answer_lead=other.answer_lead, answer_ids=other.answer_ids)
        before, after = self._behind(other, outline.steps), self._behind(reader, told.steps)
        found: Data = {"answers": _answers(self.lm, other.answer, before, after)}
        if told.edited:
            found["sentence"] = what_edit_does(other.answer, before.answer, after.answer, top_of(self.lm, after))
        return found

    def _measure(self, asked: Asked, told: Told, outline: Outline | None, method: str) -> Iterator[Data]:
        """The chosen method: bars that fill up, then the outlines."""
        for effects in self._effects(asked, asked.setup, told.steps, method):
            self.effects = effects
            yield self._with(method, effects, None)
        self.before = None
        if outline is None:
            return
        for other in self._effects(asked, outline.setup, outline.steps, method):
            self._data["running"] = {"method": method, "done": other.done, "n": len(other.steps)}
            yield dict(self._data)
        before = measured(other, None)["scores"]
        if not told.edited:
            self.before = other
            self._data["sentence"] = what_switches_do(effects, other, _names(asked.setup) or "Thinking alone")
        yield self._with(method, effects, [None if at is None else before[at] for at in outline.matches])

    def _details(self, asked: Asked, told: Told, method: str) -> Iterator[Data]:
        """The measures that a chosen step is asked besides, and what each step reads."""
        whole = self._thought(asked, asked.setup, told.steps)
        reads = self._memory.once(("reads", *_key(asked, whole.setup, told.steps)), lambda: reads_of(whole))
        rows = zip(self._data["steps"], reads, strict=True)
        self._data["steps"] = [row | {"reads": most} for row, most in rows]
        yield dict(self._data)
        for name in FOUR:
            if name in METHODS and name != method:
                for effects in self._effects(asked, asked.setup, told.steps, name):
                    yield self._with(name, effects, None)

    def _matrix(self, asked: Asked, told: Told) -> Iterator[Data]:
        for effects in self._effects(asked, asked.setup, told.steps, "suppress"):
            yield self._with("suppress", effects, (self._data["measures"].get("suppress") or {}).get("before"))
        self._data["matrix"] = matrix_of(effects)

    def _with(self, method: str, effects: StepEffects, before: Any) -> Data:
        """The data with what a method has found so far."""
        running = {"method": method, "done": effects.done, "n": len(effects.steps)}
        measures = self._data["measures"] | {method: measured(effects, before)}
        self._data |= {"measures": measures, "running": running}
        return dict(self._data)

    def _effects(self, asked: Asked, setup: Setup, steps: Steps, method: str) -> Iterator[StepEffects]:
        """What a method finds, as it finds it; at once where it is known."""
        key = ("effects", method, *_key(asked, setup, steps))
        known = self._memory.get(key)
        if known is not None:
            yield known
            return
        thought = self._thought(asked, setup, steps).measured_anew()
        for effects in METHODS[method](thought, DRAWS, SEED, only=list(range(len(steps)))):
            yield effects
        self._memory.put(key, effects)

    def _thought(self, asked: Asked, setup: Setup, steps: Steps, base: Steps | None = None) -> Thought:
        """A thought with the answer behind it; an edited one shares what was read of its `base`."""
        key = _key(asked, setup, steps)
        old = None if base is None else self._thoughts.get(_key(asked, setup, base))
        if old is not None:
            return self._thoughts.once(key, lambda: old.edited(steps))
        return self._thoughts.once(key, lambda: Thought.of(self.lm, asked.prompt, steps, setup=setup))

    def _behind(self, thought: Thought, steps: Steps) -> Behind:
        key = ("behind", thought.prompt, thought.setup.to_json(), steps, thought.answer_ids)
        return self._memory.once(key, lambda: behind(thought, steps))


def steps_of(
    lm: LM, prompt: Prompt, setup: Setup, problem: Problem | None, options: dict[str, Any] | None = None
) -> Data | None:
    """All that a steps panel can show of a thought, measured at once; None where nobody thinks."""
    asked = Asked(lm, prompt, setup, problem, {"detail": True, "matrix": True, **(options or {})})
    return list(Measuring(lm).stages(asked))[-1]


def _outline_of(asked: Asked, told: Told) -> Outline | None:
    """What is drawn as an outline: the thought before it was edited, or else without the other switches."""
    if told.edited:
        return Outline("before the edit", asked.setup, told.base, told.matches)
    same = list(range(len(told.steps)))
    if len(asked.against):
        return Outline(f"with {_names(asked.against) or 'thinking alone'}", asked.against, told.steps, same)
    bare = Setup([i for i in asked.setup if isinstance(i, Think)])
    return Outline(f"without {_names(asked.setup)}", bare, told.steps, same) if _names(asked.setup) else None


def _names(setup: Setup) -> str:
    """The interventions of a setup in words, but for thinking."""
    return " + ".join(IN_WORDS.get(type(i).__name__, type(i).__name__) for i in setup if not isinstance(i, Think))


def _answers(lm: LM, answer: str, before: Behind | None, after: Behind) -> Data:
    return {
        "answer": answer,
        "before": None if before is None else round(before.answer, 5),
        "after": round(after.answer, 5),
        "tokens": bars_of(lm, before, after),
    }


def _key(asked: Asked, setup: Setup, steps: Steps) -> tuple:
    return (asked.prompt, setup.to_json(), steps)


def _known(method: str) -> str:
    if method not in METHODS:
        raise CtkitError(f"the method {shown(method)}", "no such measure of steps", f"one of {', '.join(METHODS)}")
    return method
