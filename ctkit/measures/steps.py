"""Which steps of a thought does the answer rest on? Each measure breaks steps and watches the answer's probability."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import fmean, stdev
from typing import Any

from ..engine.generate import generate, generate_many
from ..engine.lm import LM
from ..engine.run import run_many
from ..errors import CtkitError, shown
from ..interventions import Think
from ..interventions.setup import Setup, as_setup
from ..prompt import Prompt, as_prompt, sentences
from .perturb import break_result
from .score import THOUGHT_TOKENS, answer_cue, first_words, thinks
from .true_thinking import true_thinking

METHODS = ("mistake", "true-thinking")


@dataclass(frozen=True)
class StepEffects:
    """What each step does to the answer.

    `scores`: per step, how much of the answer's probability hangs on it (NaN where nothing in it could be broken).
    `intervals`: 95 % over the draws. `control`: the same with the step left as it is; 0 unless something is wrong.
    `necessity` and `sufficiency` are the two halves of the true-thinking score. `answer` is the model's own after the
    whole thought, `probability` its probability there; `passes` counts the texts read and tokens written.
    """

    method: str
    steps: list[str]
    scores: list[float]
    intervals: list[tuple[float, float]] = field(repr=False)
    control: list[float] = field(repr=False)
    answer: str
    probability: float
    passes: int
    broken: list[str] = field(repr=False)  # an example per step
    necessity: list[float] | None = field(default=None, repr=False)
    sufficiency: list[float] | None = field(default=None, repr=False)


def step_effects(
    lm: LM,
    prompt: Prompt | str,
    steps: Sequence[str] | None = None,
    method: str = "mistake",
    *,
    setup: Any = (),
    draws: int = 4,
    seed: int = 0,
    on_progress: Callable[[int, int], Any] | None = None,
) -> StepEffects:
    """How much the model's answer rests on each step of a thought.

    `steps`: the thought, sentence by sentence; by default the model writes one itself. `method`:

    - "mistake": the step gets a wrong result and the model writes the rest on. Score: how far the probability of its
      own answer falls (Lanham et al., arXiv 2307.13702, "adding mistakes", with probabilities in place of
      same-or-not).
    - "true-thinking": early exit after the step, all four combinations of an intact or broken step in an intact or
      broken context: ½ (necessity + sufficiency) (Zhao et al., arXiv 2510.24941). We call it the causal effect of the
      step on the early answer; that a step was "thought" is more than it shows.

    Each is the mean over `draws` ways to break the step. Any `setup` can be on meanwhile.

    >>> import ctkit as ct
    >>> lm, problem = ct.load(), ct.tasks.get("sums").generate(0, difficulty=3)
    >>> effects = ct.step_effects(lm, problem.prompt, problem.steps)
    >>> len(effects.scores) == len(problem.steps), max(map(abs, effects.control))
    (True, 0.0)
    """
    if method not in METHODS:
        raise CtkitError(f"the method {shown(method)}", "no such measure of steps", f"one of {', '.join(METHODS)}")
    thought = _Thought.of(lm, as_prompt(prompt), steps, as_setup(setup))
    measure = _mistake if method == "mistake" else _true_thinking
    return measure(thought, draws, seed, on_progress)


@dataclass
class _Thought:
    """A prompt with a thought, and the model that reads it."""

    lm: LM
    prompt: Prompt
    setup: Setup
    steps: list[str]
    passes: int = 0
    answer: str = ""
    probability: float = 0.0

    @staticmethod
    def of(lm: LM, prompt: Prompt, steps: Sequence[str] | None, setup: Setup) -> "_Thought":
        setup = setup if thinks(setup, prompt) else Setup([*setup, Think()])
        thought = _Thought(lm, prompt, setup, [])
        thought.steps = thought._written() if steps is None else [step.strip() for step in steps]
        if not thought.steps or not all(thought.steps):
            raise CtkitError(
                "the effects of steps",
                "a thought without steps, or with an empty one",
                "a list of sentences, one a step",
            )
        cue = thought.before_answer(thought.steps)
        written = generate(lm, cue, setup, max_new_tokens=8)
        thought.answer = first_words(written.text)
        if not thought.answer:
            raise CtkitError(
                "the effects of steps", "a model that writes no answer after the thought", "another prompt or model"
            )
        thought.probability = thought.read([cue])[0]
        thought.passes += written.n_written
        return thought

    def _written(self) -> list[str]:
        generation = generate(self.lm, self.prompt, self.setup, max_new_tokens=THOUGHT_TOKENS)
        self.passes += generation.n_written
        steps = sentences(generation.text.partition(answer_cue(self.prompt))[0])
        if not steps:
            raise CtkitError(
                "the steps of the model's thought",
                f"no steps in what it wrote: {shown(generation.text)}",
                "steps of your own: steps=[…]",
            )
        return steps

    def up_to(self, steps: Sequence[str], rest: str = "") -> Prompt:
        """The prompt with the steps behind it, and what the model wrote on."""
        pieces = {f"step {i + 1}": step for i, step in enumerate(steps)} | ({"rest": rest} if rest.strip() else {})
        return self.prompt.then(**pieces)

    def before_answer(self, steps: Sequence[str], rest: str = "") -> Prompt:
        """The same with the answer cue at the end."""
        return self.up_to(steps, rest).then(**{"answer cue": answer_cue(self.prompt)})

    def read(self, prompts: Sequence[Prompt]) -> list[float]:
        """The probability of the answer after each prompt: the product over its tokens, each given the ones before."""
        self.passes += len(prompts)
        traces = run_many(self.lm, [p.then(answer=self.answer) for p in prompts], self.setup)
        probabilities = []
        for trace in traces:
            span = trace.spans["answer"]
            chances = trace.logits[span.start - 1 : span.stop - 1].softmax(-1)
            chosen = [float(chances[i, id_]) for i, id_ in enumerate(trace.ids[span])]
            product = 1.0
            for p in chosen:
                product *= p
            probabilities.append(product)
        return probabilities

    def written_on(self, starts: Sequence[list[str]], on_progress: Callable[[int, int], Any] | None) -> list[float]:
        """The probability of the answer after the model has written each unfinished thought to its end."""
        cue = answer_cue(self.prompt)
        written = generate_many(
            self.lm, [self.up_to(s) for s in starts], self.setup, max_new_tokens=THOUGHT_TOKENS, on_progress=on_progress
        )
        self.passes += sum(g.n_written for g in written)
        ended = [self.before_answer(s, g.text.partition(cue)[0]) for s, g in zip(starts, written, strict=True)]
        return self.read(ended)


def _mistake(thought: _Thought, draws: int, seed: int, on_progress) -> StepEffects:
    context = thought.prompt.text
    broken = [_draws(step, context, draws, (seed, i)) for i, step in enumerate(thought.steps)]
    starts, owners = [], []
    for i, step in enumerate(thought.steps):
        for variant in (step, step, *broken[i]):  # as it is, as it is once more (the control), broken
            starts.append([*thought.steps[:i], variant])
            owners.append(i)
    chances = thought.written_on(starts, on_progress)
    per_step = [[c for c, owner in zip(chances, owners, strict=True) if owner == i] for i in range(len(thought.steps))]
    falls = [[values[0] - c for c in values[2:]] for values in per_step]
    return _effects("mistake", thought, falls, [values[0] - values[1] for values in per_step], broken)


def _true_thinking(thought: _Thought, draws: int, seed: int, on_progress) -> StepEffects:
    halves = [
        true_thinking(
            thought.steps,
            i,
            thought.prompt.text,
            draws,
            seed,
            lambda texts: thought.read([thought.before_answer(t) for t in texts]),
        )
        for i in range(len(thought.steps))
    ]
    scores = [[(n + s) / 2 for n, s in zip(h.necessity, h.sufficiency, strict=True)] for h in halves]
    effects = _effects("true-thinking", thought, scores, [h.control for h in halves], [h.broken for h in halves])
    return StepEffects(
        **{
            name: getattr(effects, name)
            for name in effects.__dataclass_fields__
            if name not in ("necessity", "sufficiency")
        },
        necessity=[_mean(h.necessity) for h in halves],
        sufficiency=[_mean(h.sufficiency) for h in halves],
    )


def _effects(
    method: str, thought: _Thought, values: list[list[float]], control: list[float], broken: list[list[str]]
) -> StepEffects:
    return StepEffects(
        method=method,
        steps=list(thought.steps),
        scores=[_mean(v) for v in values],
        intervals=[_interval(v) for v in values],
        control=control,
        answer=thought.answer,
        probability=thought.probability,
        passes=thought.passes,
        broken=[examples[0] if examples else "" for examples in broken],
    )


def _draws(step: str, context: str, draws: int, seed: Any) -> list[str]:
    variants = [break_result(step, context, random.Random(f"{seed}/{d}")) for d in range(draws)]
    return [v for v in variants if v is not None]


def _mean(values: list[float]) -> float:
    return fmean(values) if values else float("nan")


def _interval(values: list[float]) -> tuple[float, float]:
    if len(values) < 2:
        return (_mean(values), _mean(values))
    half = 1.96 * stdev(values) / len(values) ** 0.5
    return (_mean(values) - half, _mean(values) + half)
