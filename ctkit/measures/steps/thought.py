"""A prompt with a thought behind it, and the model that reads it: what every measure of steps is given."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from math import prod
from typing import Any

import torch

from ...engine.lm import LM
from ...engine.rows import rows_of
from ...engine.undrafted import Drafted
from ...errors import CtkitError, shown
from ...interventions import Think
from ...interventions.setup import Setup, as_setup
from ...prompt import CUE, Encoding, Piece, Prompt, as_prompt
from ...tasks.base import Problem
from ..score import answer_cue, thinks
from .reader import Cost, Reader, spent
from .split import Steps, labels_of, split
from .writing import answer_of, endings, speaks, thought_of

AT_ONCE = 64  # texts: the scores of so many are turned into probabilities together


@dataclass(frozen=True)
class Asked:
    """The answer asked for after some steps: its probability, and whether the model would have given it."""

    chance: float
    same: bool


@dataclass(frozen=True, eq=False)
class Thought:
    """A thought that a model reads, or has written, and the answer that it gives after it.

    `probability` is that of its own `answer` behind the whole thought. The helpers below are for measures: they read
    many variants of the thought at once. `reader` does the reading, and counts what it costs; it is shared by all
    measures of a thought, and by a thought and its edited versions.
    """

    lm: LM
    prompt: Prompt
    setup: Setup
    steps: Steps
    cue: str
    labels: list[str | None]
    reader: Reader = field(repr=False)
    answer: str = ""
    answer_lead: str = " "
    answer_ids: tuple[int, ...] = field(default=(), repr=False)
    probability: float = float("nan")
    made: Cost = field(default=(0, 0), repr=False)  # what it took to make the thought and its answer
    since: Cost = field(default=(0, 0), repr=False)  # what the reader had spent when measuring began

    @staticmethod
    def of(
        lm: LM,
        prompt: Prompt | Problem | str,
        steps: Sequence[str] | Steps | str | None = None,
        *,
        setup: Any = (),
        by: Any = "sentence",
        cue: str | None = None,
        reader: Reader | None = None,
    ) -> "Thought":
        """A thought given as text, in steps, or (None) as the model itself writes it; `by` is the grain of its steps.

        `cue`: the words that ask for the answer, with the space before them (None: the prompt's own, or "Answer:").
        Raises `CtkitError` for a thought without steps, one that stands in the prompt already, one that is longer than
        the model's context, and where the model writes no answer.
        """
        problem = prompt if isinstance(prompt, Problem) else None
        prompt, setup = as_prompt(prompt if problem is None else problem.prompt), as_setup(setup)
        setup = setup if thinks(setup, prompt) else Setup([*setup, Think()])
        cue, reader = _checked_cue(answer_cue(prompt) if cue is None else cue), reader or Reader(lm, setup)
        since = reader.cost
        given = thought_of(reader, prompt, cue) if steps is None else steps
        steps = given if isinstance(given, Steps) else split(given, by, lm) if isinstance(given, str) else None
        steps = Steps.of(given) if steps is None else steps
        _refuse(prompt, steps)
        thought = Thought(lm, prompt, setup, steps, cue, labels_of(steps.texts, problem), reader, since=since)
        return thought._answered()

    def edited(self, steps: Steps) -> "Thought":
        """The same with other steps: what the two have in common is not read again."""
        _refuse(self.prompt, steps)
        known = dict(zip(self.steps.texts, self.labels, strict=True))
        labels = [known.get(text) for text in steps.texts]
        return replace(self, steps=steps, labels=labels, since=self.reader.cost)._answered()

    def measured_anew(self) -> "Thought":
        """The same thought, from now on counting what the next measure spends."""
        return replace(self, since=self.reader.cost)

    @property
    def cost(self) -> Cost:
        """What it took to make the thought, and to measure since then."""
        passes, tokens = spent(self.since, self.reader.cost)
        return (self.made[0] + passes, self.made[1] + tokens)

    def up_to(self, steps: Steps, rest: str = "") -> Prompt:
        """The prompt with steps behind it as the pieces "step 1", "step 2" …, and what the model wrote on ("rest").
        An empty step leaves no piece."""
        told = [
            _written(f"step {i + 1}", text, lead if i or lead else " ")
            for i, (lead, text) in enumerate(zip(steps.leads, steps.texts, strict=True))
        ]
        own = _written("rest", rest.strip(), rest[: len(rest) - len(rest.lstrip())] or steps.tail or " ")
        return Prompt.of([*self.prompt.parts, *(piece for piece in (*told, own) if piece.text)])

    def before_answer(self, steps: Steps, rest: str = "") -> Prompt:
        """The same with the answer cue at the end (the piece "answer cue")."""
        own = self.cue[: len(self.cue) - len(self.cue.lstrip())]
        behind = rest[len(rest.rstrip()) :] if rest.strip() else steps.tail
        return Prompt.of(
            [*self.up_to(steps, rest).parts, _written("answer cue", self.cue.strip(), own or behind or " ")]
        )

    def with_answer(self, steps: Steps, rest: str = "") -> Prompt:
        """The same with the model's own answer (the piece "answer"), whatever came before it."""
        return Prompt.of([*self.before_answer(steps, rest).parts, _written("answer", self.answer, self.answer_lead)])

    def asked(self, thoughts: Sequence[Steps], rests: Sequence[str] | None = None) -> list[Asked]:
        """The answer asked for after each thought. Its probability is the product over its tokens, each given those
        before it (teacher-forced). `rests`: what the model wrote on behind each."""
        rests = [""] * len(thoughts) if rests is None else rests
        texts = [self.with_answer(steps, rest) for steps, rest in zip(thoughts, rests, strict=True)]
        found, ids = [], list(self.answer_ids)
        scores = self.reader.logits(texts, last=len(ids) + 1)
        for first in range(0, len(scores), AT_ONCE):
            rows = torch.stack(scores[first : first + AT_ONCE])[:, :-1]
            picked = rows.softmax(-1)[:, range(len(ids)), ids].tolist()
            said = rows.argmax(-1).tolist()
            found += [Asked(prod(chances), best == ids) for chances, best in zip(picked, said, strict=True)]
        return found

    def chances(self, thoughts: Sequence[Steps], rests: Sequence[str] | None = None) -> list[float]:
        """The probability of the answer after each thought."""
        return [asked.chance for asked in self.asked(thoughts, rests)]

    def writing_on(self, starts: Sequence[Steps]) -> Iterator[dict[int, Drafted]]:
        """Each unfinished thought written on by the model itself, up to its answer cue: the `text` that it wrote, and
        the `chance` of the answer behind it. They come as they end, by their index."""
        return endings(self, starts)

    def written_on(self, starts: Sequence[Steps]) -> list[Drafted]:
        """The same in order, once all have ended."""
        found = {index: written for ended in self.writing_on(starts) for index, written in ended.items()}
        return [found[index] for index in range(len(starts))]

    @cached_property
    def writes_itself_from(self) -> int:
        """After how many steps the model's own greedy writing is just the rest of this thought, up to its answer cue;
        one more than there are steps, where even the cue is not its own."""
        if any(map(speaks, self.setup)):  # something else is put in its mouth
            return len(self.steps) + 1
        text = self.before_answer(self.steps)
        enc = self.encoded(text)
        starts = [enc.span(part.name).start for part in text.written]  # of each step, and of the cue
        best = self.reader.logits([text], last=len(enc) - starts[0] + 1)[0].argmax(-1).tolist()
        wrong = [place for place in range(starts[0], len(enc)) if best[place - starts[0]] != enc.ids[place]]
        return sum(start <= wrong[-1] for start in starts) if wrong else 0

    def encoded(self, prompt: Prompt) -> Encoding:
        """A prompt as the model reads it under the setup."""
        return rows_of(self.lm, [prompt], self.setup)[0].enc

    def _answered(self) -> "Thought":
        """The thought with the answer that the model gives after it."""
        answer, lead, ids = answer_of(self, self.before_answer(self.steps))
        found = replace(self, answer=answer, answer_lead=lead, answer_ids=ids)
        self.reader.grow([found.with_answer(self.steps)])
        (probability,) = found.chances([self.steps])
        made = spent(self.since, self.reader.cost)
        return replace(found, probability=probability, made=made, since=self.reader.cost)


@lru_cache(maxsize=4096)
def _written(name: str, text: str, lead: str = " ") -> Piece:  # remembered: variants of a thought have most in common
    return Piece(name, text, lead=lead, written=True)


def _checked_cue(cue: object) -> str:
    if not isinstance(cue, str) or not cue.strip():
        raise CtkitError(f"the answer cue {shown(cue)}", "no words", 'words that ask for the answer, such as "Answer:"')
    return cue


def _refuse(prompt: Prompt, steps: Steps) -> None:
    """Refuse what is no thought, or one that would be read twice."""
    if not steps.texts or not all(steps.texts):
        raise CtkitError(
            "the effects of steps", "a thought without steps, or with an empty one", "a list of sentences, one a step"
        )
    asked = "".join(prompt.lead(i) + part.text for i, part in enumerate(prompt.parts) if part.name != CUE)
    if prompt.written or (len(steps) > 1 and asked.rstrip().endswith(steps.text.strip())):
        raise CtkitError(
            "the effects of steps",
            "a prompt that already ends with a thought",
            "the prompt alone, and the thought apart from it: ct.step_effects(lm, prompt, steps)",
        )
