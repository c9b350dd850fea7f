"""The one door to all measures of steps. To add a measure: write a file with a `Measure`, and add it to `METHODS`."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ...engine.lm import LM
from ...errors import CtkitError, shown
from ...prompt import Prompt
from ...tasks.base import Problem
from .effects import StepEffects
from .mistake import mistake
from .split import Steps
from .thought import Thought
from .true_thinking import true_thinking

# Given a thought, the number of draws and a seed, a measure yields its effects: partial ones as often as it likes (NaN
# where not measured yet, `done` says how many are), the whole ones last. Progress, and what is left after an interrupt,
# are then not its business.
Measure = Callable[[Thought, int, int], Iterator[StepEffects]]

METHODS: dict[str, Measure] = {
    "mistake": mistake,
    "true-thinking": true_thinking,
}


def step_effects(
    lm: LM,
    prompt: Prompt | Problem | str,
    steps: Sequence[str] | Steps | str | None = None,
    method: str = "mistake",
    *,
    by: Any = "sentence",
    setup: Any = (),
    draws: int = 4,
    seed: int = 0,
    on_progress: Callable[[int, int], Any] | None = None,
) -> StepEffects:
    """How much the model's answer rests on each step of a thought.

    `prompt` may be a task's problem: then its steps have labels. `steps`: the thought as a list of steps, as a text
    that is split `by` "token", "word", "sentence", "line" or a pattern (`ctkit.measures.steps.split`), or as ready
    `Steps`; by default the model writes one itself. `method`:

    - "mistake": the step gets a wrong result and the model writes the rest on. Score: how far the probability of its
      own answer falls (Lanham et al., arXiv 2307.13702, "adding mistakes", with probabilities in place of
      same-or-not).
    - "true-thinking": early exit after the step, all four combinations of an intact or broken step in an intact or
      broken context: ½ (necessity + sufficiency) (Zhao et al., arXiv 2510.24941). We call it the causal effect of the
      step on the early answer; that a step was "thought" is more than it shows.

    Each is the mean over `draws` ways to break the step. Any `setup` can be on meanwhile. `on_progress(done, all)` is
    called with the number of steps measured.

    >>> import ctkit as ct
    >>> lm, problem = ct.load(), ct.tasks.get("sums").generate(0, difficulty=3)
    >>> effects = ct.step_effects(lm, problem, problem.steps)
    >>> len(effects.scores) == len(problem.steps), max(map(abs, effects.control))
    (True, 0.0)
    """
    if method not in METHODS:
        raise CtkitError(f"the method {shown(method)}", "no such measure of steps", f"one of {', '.join(METHODS)}")
    thought = Thought.of(lm, prompt, steps, setup=setup, by=by)
    for effects in METHODS[method](thought, draws, seed):
        if on_progress is not None:
            on_progress(effects.done, len(effects.steps))
    return effects
