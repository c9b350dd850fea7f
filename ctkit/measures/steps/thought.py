"""A prompt with a thought behind it, and the model that reads it: what every measure of steps is given."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

from ...engine.generate import generate, generate_many
from ...engine.lm import LM
from ...engine.run import run_many
from ...errors import CtkitError, shown
from ...interventions import Think
from ...interventions.setup import Setup, as_setup
from ...prompt import Piece, Prompt, as_prompt
from ...tasks.base import Problem
from ..score import THOUGHT_TOKENS, answer_cue, first_words, thinks
from .split import Steps, labels_of, split

ANSWER_TOKENS = 8


@dataclass
class Spent:
    """What measuring has cost so far: texts read and tokens written (`passes`), and tokens read (`tokens`)."""

    passes: int = 0
    tokens: int = 0


@dataclass(frozen=True, eq=False)
class Thought:
    """A thought that a model reads, or has written, and the answer that it gives after it.

    `probability` is that of its own `answer` behind the whole thought. The helpers below are for measures: they read
    many variants of the thought at once, and count in `spent` what that costs.
    """

    lm: LM
    prompt: Prompt
    setup: Setup
    steps: Steps
    cue: str
    labels: list[str | None]
    answer: str = ""
    probability: float = float("nan")
    spent: Spent = field(default_factory=Spent, repr=False)

    @staticmethod
    def of(
        lm: LM,
        prompt: Prompt | Problem | str,
        steps: Sequence[str] | Steps | str | None = None,
        *,
        setup: Any = (),
        by: Any = "sentence",
    ) -> "Thought":
        """A thought given as text, in steps, or (None) as the model itself writes it; `by` is the grain of its steps.

        Raises `CtkitError` for a thought without steps, and where the model writes no answer.
        """
        problem = prompt if isinstance(prompt, Problem) else None
        prompt, setup, spent = as_prompt(prompt if problem is None else problem.prompt), as_setup(setup), Spent()
        setup = setup if thinks(setup, prompt) else Setup([*setup, Think()])
        cue = answer_cue(prompt)
        text = _own_thought(lm, prompt, setup, cue, spent) if steps is None else steps
        steps = text if isinstance(text, Steps) else split(text, by, lm) if isinstance(text, str) else Steps.of(text)
        if not steps.texts or not all(steps.texts):
            raise CtkitError(
                "the effects of steps",
                "a thought without steps, or with an empty one",
                "a list of sentences, one a step",
            )
        bare = Thought(lm, prompt, setup, steps, cue, labels_of(steps.texts, problem), spent=spent)
        written = generate(lm, bare.before_answer(steps), setup, max_new_tokens=ANSWER_TOKENS)
        spent.passes += written.n_written
        answer = first_words(written.text)
        if not answer:
            raise CtkitError(
                "the effects of steps", "a model that writes no answer after the thought", "another prompt or model"
            )
        whole = Thought(lm, prompt, setup, steps, cue, bare.labels, answer, spent=spent)
        (probability,) = whole.chances([steps])
        return Thought(lm, prompt, setup, steps, cue, bare.labels, answer, probability, spent)

    def up_to(self, steps: Steps, rest: str = "") -> Prompt:
        """The prompt with steps behind it as the pieces "step 1", "step 2" …, and what the model wrote on ("rest")."""
        told = [
            _written(f"step {i + 1}", text, lead if i or lead else " ")
            for i, (lead, text) in enumerate(zip(steps.leads, steps.texts, strict=True))
        ]
        return Prompt.of([*self.prompt.parts, *told, *([_written("rest", rest.strip())] if rest.strip() else [])])

    def before_answer(self, steps: Steps, rest: str = "") -> Prompt:
        """The same with the answer cue at the end (the piece "answer cue")."""
        return Prompt.of([*self.up_to(steps, rest).parts, _written("answer cue", self.cue, steps.tail or " ")])

    def chances(self, thoughts: Sequence[Steps], rests: Sequence[str] | None = None) -> list[float]:
        """The probability of the answer after each thought: the product over its tokens, each given those before it.

        `rests`: what the model wrote on behind each.
        """
        rests = [""] * len(thoughts) if rests is None else rests
        asked = [self.before_answer(steps, rest) for steps, rest in zip(thoughts, rests, strict=True)]
        traces = run_many(self.lm, [prompt.then(answer=self.answer) for prompt in asked], self.setup)
        self.spent.passes += len(traces)
        self.spent.tokens += sum(len(trace.ids) for trace in traces)
        found = []
        for trace in traces:
            span = trace.spans["answer"]
            rows = trace.logits[span.start - 1 : span.stop - 1].softmax(-1)
            found.append(prod(float(row[id_]) for row, id_ in zip(rows, trace.ids[span], strict=True)))
        return found

    def written_on(self, thoughts: Sequence[Steps]) -> list[str]:
        """What the model itself writes behind each unfinished thought, up to its answer cue."""
        starts = [self.up_to(steps) for steps in thoughts]
        written = generate_many(self.lm, starts, self.setup, max_new_tokens=THOUGHT_TOKENS)
        self.spent.passes += sum(generation.n_written for generation in written)
        return [generation.text.partition(self.cue)[0] for generation in written]


def _written(name: str, text: str, lead: str = " ") -> Piece:
    return Piece(name, text, lead=lead, written=True)


def _own_thought(lm: LM, prompt: Prompt, setup: Setup, cue: str, spent: Spent) -> str:
    generation = generate(lm, prompt, setup, max_new_tokens=THOUGHT_TOKENS)
    spent.passes += generation.n_written
    text = generation.text.partition(cue)[0]
    if not text.strip():
        raise CtkitError(
            "the steps of the model's thought",
            f"no steps in what it wrote: {shown(generation.text)}",
            "steps of your own: steps=[…]",
        )
    return text.strip()
