"""The population line: accuracy over fresh problems, filled in part by part, and the baseline remembered."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..engine.lm import LM
from ..errors import CtkitError
from ..interventions.setup import Setup
from ..measures.effect import Effect, outcomes_of
from ..measures.score import answers
from ..tasks import Problem, get
from .look import weights_age
from .memory import Memory
from .paint import note_on_paint

PART = 10  # problems in one go: the line fills up before one's eyes, and a processor is not faster with more
KEPT = 2000  # parts whose answers are kept: some words each
APART = 0.05  # seconds between two lines: parts that are remembered come faster than anybody can see
FLIPPED = 12  # how many problems that changed are listed


@dataclass
class Population:
    """Measures setups on fresh problems. What the model answered under a setup is kept: it is often on again."""

    lm: LM
    known: Memory = field(default_factory=lambda: Memory(KEPT))

    def measure(
        self,
        state: dict[str, Any],
        setup: Setup,
        stale: Callable[[], bool],
        publish: Callable[[dict[str, Any]], None],
        against: Setup | None = None,
    ) -> None:
        """Publish the line part by part, until all problems are done or something newer waits. `against`: what is on
        before (None: nothing). A setup that names words of one prompt cannot be had on others, and that is said."""
        against = Setup() if against is None else against
        try:
            self._measure(state, setup, stale, publish, against)
        except CtkitError as err:
            why = f"asked for {err.asked}, found {err.found}"
            publish(unmeasured(state, f"This setup cannot be had on fresh problems: {why}."))

    def _measure(self, state: dict[str, Any], setup: Setup, stale, publish, against: Setup) -> None:
        task, difficulty, n, seed = state["task"], state["difficulty"], state["n"], state["seed"]
        problems = [get(task).generate(seed + i, difficulty) for i in range(n)]
        same = setup.to_json() == against.to_json()
        asked = (task, difficulty, seed, weights_age(self.lm))
        before: list[str] = []
        after: list[str] = []
        told = -APART
        for start in range(0, n, PART):
            if stale():
                return
            part = problems[start : start + PART]
            before += self._answers((*asked, start, len(part)), part, against)
            if stale():
                return
            after += before[start:] if same else self._answers((*asked, start, len(part)), part, setup)
            now = time.monotonic()
            if len(after) < n and now - told < APART:
                continue
            told = now
            effect = Effect(task, setup, outcomes_of(problems[: len(after)], before, after), seed)
            note = note_on_paint(self.lm, setup, [problem.prompt for problem in problems[: len(after)]])
            line = line_of(effect, n, get(task).title, difficulty, same)
            publish(line | ({"note": note} if note else {}))

    def _answers(self, asked: tuple, part: list[Problem], setup: Setup) -> list[str]:
        prompts, right = [p.prompt for p in part], [p.answer for p in part]
        return self.known.once((*asked, setup.to_json()), lambda: answers(self.lm, prompts, right, setup))


def unmeasured(state: dict[str, Any], note: str) -> dict[str, Any]:
    """A line that says why there is none."""
    numbers = dict.fromkeys(("done", "baseline", "edited", "difference", "low", "high", "mended", "broken", "same"), 0)
    told = {"running": False, "idle": False, "flipped": [], "note": note, "title": get(state["task"]).title}
    return {name: state[name] for name in ("task", "difficulty", "n")} | numbers | told


def line_of(effect: Effect, n: int, title: str, difficulty: int | None, same: bool) -> dict[str, Any]:
    """An effect as the view paints it."""
    low, high = effect.interval
    changed = [o for o in effect.outcomes if o.right_before != o.right_after][:FLIPPED]
    return {
        "running": effect.n < n,
        "done": effect.n,
        "n": n,
        "task": effect.task,
        "title": title,
        "difficulty": difficulty,
        "baseline": effect.baseline,
        "edited": effect.edited,
        "difference": effect.difference,
        "low": low,
        "high": high,
        "mended": effect.mended,
        "broken": effect.broken,
        "same": effect.n - effect.mended - effect.broken,
        "flipped": [
            {
                "seed": o.problem.seed,
                "text": o.problem.prompt.text,
                "answer": o.problem.answer,
                "before": o.before,
                "after": o.after,
            }
            for o in changed
        ],
        "idle": same,
        "note": "Nothing is changed yet." if same else "",
    }
