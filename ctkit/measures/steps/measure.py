"""The one door to all measures of steps. To add a measure: write a file with a `Measure`, and add it to `METHODS`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from inspect import signature
from typing import Any

from ...engine.lm import LM
from ...errors import CtkitError, shown
from ...prompt import Prompt
from ...tasks.base import Problem
from .early import early
from .effects import StepEffects
from .mistake import mistake
from .receiver import receiver
from .resample import resample
from .split import Steps
from .suppress import suppress
from .thought import Thought
from .true_thinking import true_thinking

# Called as measure(thought, draws, seed, only=…), with the places of the steps to measure, a measure yields effects:
# partial ones as often as it likes (NaN where not measured yet), the whole ones last. Progress, and what is left after
# an interrupt, are then not its business. Settings of its own are keywords with defaults; they come from `options`.
Measure = Callable[..., Iterator[StepEffects]]

METHODS: dict[str, Measure] = {
    "mistake": mistake,
    "true-thinking": true_thinking,
    "early": early,
    "suppress": suppress,
    "resample": resample,
    "receiver": receiver,
}


def step_effects(
    lm: LM,
    prompt: Prompt | Problem | str,
    steps: Sequence[str] | Steps | str | None = None,
    method: str | Sequence[str] = "mistake",
    *,
    by: Any = "sentence",
    setup: Any = (),
    cue: str | None = None,
    draws: int = 4,
    seed: int = 0,
    only: Sequence[int] | None = None,
    options: Mapping[str, Any] | None = None,
    on_progress: Callable[[int, int], Any] | None = None,
    on_step: Callable[[StepEffects], Any] | None = None,
) -> StepEffects | dict[str, StepEffects]:
    """How much the model's answer rests on each step of a thought.

    `prompt` may be a task's problem: then its steps have labels. `steps`: the thought as a list of steps, as a text
    that is split `by` "token", "word", "sentence", "line" or a pattern (`ctkit.measures.steps.split`), or as ready
    `Steps`; by default the model writes one itself. `cue`: the words that ask for the answer (None: the prompt's own,
    or "Answer:"). Any `setup` can be on meanwhile. `method`, or several of them (which gives a dict):

    - "mistake": the step gets a wrong result and the model writes the rest on. Score: how far the probability of its
      own answer falls (Lanham et al., arXiv 2307.13702, "adding mistakes", with probabilities in place of
      same-or-not).
    - "true-thinking": early exit after the step, all four combinations of an intact or broken step in an intact or
      broken context: ½ (necessity + sufficiency) (Zhao et al., arXiv 2510.24941). We call it the causal effect of the
      step on the early answer; that a step was "thought" is more than it shows.
    - "early": the answer asked for after 0 … n steps. Score: how far its probability rises by the step (Lanham et al.).
    - "suppress": nothing behind the step can attend to it. Score: how far the answer's probability falls; and a matrix
      of what that does to each later step (thought anchors; Bogdan et al., arXiv 2506.19143).
    - "resample": the step and all behind it drawn anew, some times over. Score: how far the share of thoughts that come
      to the own answer falls where another step came in its place (same paper). NaN where none did.
    - "receiver": no answer is changed; how much the steps further on look at it, in the heads that make all look at the
      same few (same paper). The score is a share of attention.

    The first two are the mean over `draws` ways to break the step. `only`: the places of the steps to measure, from 0;
    None is all. `options`: settings of the measures, such as {"perturbation": "swap"} or {"paper": True}; each goes to
    the methods that have it. While it works, `on_progress(done, all)` is called with the number of steps measured, and
    `on_step(effects)` with what is there so far. An interrupt (Ctrl-C) raises `StepsInterrupted`, which has it too.

    >>> import ctkit as ct
    >>> lm, problem = ct.load(), ct.tasks.get("sums").generate(0, difficulty=3)
    >>> effects = ct.step_effects(lm, problem, problem.steps)
    >>> len(effects.scores) == len(problem.steps), max(map(abs, effects.control))
    (True, 0.0)
    """
    _chosen(method, draws, options or {})
    thought = Thought.of(lm, prompt, steps, setup=setup, by=by, cue=cue)
    return effects_of(
        thought,
        method,
        draws=draws,
        seed=seed,
        only=only,
        options=options,
        on_progress=on_progress,
        on_step=on_step,
    )


def effects_of(
    thought: Thought,
    method: str | Sequence[str] = "mistake",
    *,
    draws: int = 4,
    seed: int = 0,
    only: Sequence[int] | None = None,
    options: Mapping[str, Any] | None = None,
    on_progress: Callable[[int, int], Any] | None = None,
    on_step: Callable[[StepEffects], Any] | None = None,
) -> StepEffects | dict[str, StepEffects]:
    """`step_effects` of a `Thought` that is there already: what was read of it is not read again."""
    measures = _chosen(method, draws, options or {})
    places = _checked_places(only, len(thought.steps))
    all_of_them, found = len(places) * len(measures), {}
    try:
        for nth, (name, measure) in enumerate(measures.items()):
            for effects in measure(thought.measured_anew(), draws, seed, only=places):
                found[name] = effects
                if on_progress is not None:
                    on_progress(nth * len(places) + effects.done, all_of_them)
                if on_step is not None:
                    on_step(effects)
    except KeyboardInterrupt as interrupt:
        raise StepsInterrupted(found, method) from interrupt
    return found[method] if isinstance(method, str) else found


class StepsInterrupted(KeyboardInterrupt):
    """An interrupt (Ctrl-C, a notebook's stop button) while steps were measured. `effects` keeps what is there: of one
    method its effects (None if not one step was done), of several a dict of those that were begun."""

    def __init__(self, found: dict[str, StepEffects], method: str | Sequence[str]):
        self.effects = found.get(method) if isinstance(method, str) else found
        done = [f"{effects.done} of {len(effects.steps)} steps by {name}" for name, effects in found.items()]
        super().__init__(f"stopped after {', '.join(done) or 'no step'}")


def _chosen(method: str | Sequence[str], draws: int, options: Mapping[str, Any]) -> dict[str, Measure]:
    """The measures asked for, with the options that each of them has."""
    names = [method] if isinstance(method, str) else list(method)
    for name in names or [method]:
        if name not in METHODS:
            raise CtkitError(f"the method {shown(name)}", "no such measure of steps", f"one of {', '.join(METHODS)}")
    if not isinstance(draws, int) or isinstance(draws, bool) or draws < 1:
        raise CtkitError(f"draws={shown(draws)}", "no way to break a step", "1 or more; 2 or more for an interval")
    known = {name: [p.name for p in _settings(METHODS[name])] for name in names}
    for option in options:
        if not any(option in own for own in known.values()):
            there = sorted({each for own in known.values() for each in own})
            raise CtkitError(
                f"the option {shown(option)}",
                f"no setting of {', '.join(names)}",
                f"one of {', '.join(there)}" if there else "no options",
            )
    return {
        name: partial(METHODS[name], **{o: value for o, value in options.items() if o in known[name]}) for name in names
    }


def _settings(measure: Measure) -> list:
    return [p for p in signature(measure).parameters.values() if p.kind is p.KEYWORD_ONLY and p.name != "only"]


def _checked_places(only: Sequence[int] | None, n: int) -> list[int]:
    places = list(range(n)) if only is None else list(only)
    wrong = [i for i in places if not isinstance(i, int) or isinstance(i, bool) or not 0 <= i < n]
    if wrong or not places:
        raise CtkitError(f"the steps {shown(places)}", f"steps 0 to {n - 1} in this thought", "some of these")
    return sorted(set(places))
