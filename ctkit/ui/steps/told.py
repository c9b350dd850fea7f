"""Which thought the steps view measures: the model's own, the task's, one written by hand; as it was, or edited."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import cached_property
from itertools import accumulate
from typing import Any

from ...engine.generate import generate
from ...engine.lm import LM
from ...errors import CtkitError, shown
from ...interventions import Think
from ...interventions.setup import Setup
from ...measures.score import THOUGHT_TOKENS, answer_cue, thinks
from ...measures.steps import Steps, cut, split
from ...prompt import Prompt
from ...tasks import Problem

SOURCES = ("model", "task", "hand")


@dataclass(frozen=True)
class Asked:
    """What a steps panel is asked to measure: a prompt (`pieces`: as the view writes it), a setup, the panel's own
    options, and what is known already: the problem that the prompt is, the thought that the model has just written.
    `against`: the setup to compare with, where it is not "nothing"."""

    lm: LM
    prompt: Prompt
    setup: Setup
    problem: Problem | None = None
    options: Mapping[str, Any] | None = None
    pieces: Sequence[Mapping[str, str]] = ()
    written: str | None = None
    against: Setup = field(default_factory=Setup)

    def option(self, name: str, default: Any = None) -> Any:
        """One of the panel's own settings."""
        return (self.options or {}).get(name, default)


@dataclass(frozen=True)
class Told:
    """A thought in steps, and the same thought before anybody edited it. `begun`: how many of the steps were there
    before the model wrote on, where it did."""

    source: str
    base: Steps
    steps: Steps
    begun: int | None = None

    @property
    def edited(self) -> bool:
        """Whether the thought is not what it was at first."""
        return self.steps.text.strip() != self.base.text.strip()

    @cached_property
    def matches(self) -> list[int | None]:
        """For each step the one of the first thought in whose place it stands; None for a step that is new."""
        found: list[int | None] = [None] * len(self.steps)
        for _, a, b, c, d in SequenceMatcher(None, self.base.texts, self.steps.texts, autojunk=False).get_opcodes():
            if b - a == d - c:
                found[c:d] = range(a, b)
        return found

    def is_new(self, index: int) -> bool:
        """Whether a step was not in the first thought, or not with these words."""
        match = self.matches[index]
        return match is None or self.base.texts[match] != self.steps.texts[index]

    def is_written_on(self, index: int) -> bool:
        """Whether a step is one that the model wrote behind those that somebody left standing."""
        return self.edited and self.begun is not None and index >= self.begun


def rest_of(asked: Asked, start: str) -> str:
    """What the model writes behind the start of a thought, up to its answer cue: greedily, under the setup."""
    setup = asked.setup if thinks(asked.setup, asked.prompt) else Setup([*asked.setup, Think()])
    cue, text = answer_cue(asked.prompt), ""

    def goes_on(token: str) -> bool:
        nonlocal text
        text += token
        return cue not in text

    begun = asked.prompt.then(thought=start.strip())
    written = generate(asked.lm, begun, setup, max_new_tokens=THOUGHT_TOKENS, on_token=goes_on)
    return written.text.partition(cue)[0].rstrip()


def told_of(asked: Asked, write: Callable[[Asked, str], str] = rest_of) -> Told | None:
    """The thought to measure, or None where there is none: nobody thinks, and nothing was written by hand.
    `write` lets the model write the rest of a thought that is only begun ("on")."""
    told = asked.option("thought")
    if told is None or list(told["prompt"]) != list(asked.pieces):  # a thought belongs to the prompt it was told for
        if not thinks(asked.setup, asked.prompt):
            return None
        own = _in_steps(asked, _own(asked))
        return Told("model", own, own)
    if told["source"] not in SOURCES:
        raise CtkitError(f"a thought from {shown(told['source'])}", "no such source", f"one of {', '.join(SOURCES)}")
    if told["source"] == "task" and told.get("base") is None:
        return _from_task(asked)
    base = _in_steps(asked, told["base"])
    now = told.get("now")
    steps = base if now is None else _in_steps(asked, now)
    if told.get("on") and len(steps):
        return Told(told["source"], base, _written_on(asked, steps, write), len(steps))
    return Told(told["source"], base, steps)


def given(steps: Any, pieces: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """The panel's options for a thought that is given: a text, a list of steps, or `Steps`."""
    if isinstance(steps, str):
        return {"thought": {"source": "hand", "prompt": list(pieces), "base": steps}}
    if not isinstance(steps, Steps | Sequence):
        raise CtkitError(f"the steps {shown(steps)}", f"a {type(steps).__name__}", 'a text, or ["a = 3.", "b = 4."]')
    steps = steps if isinstance(steps, Steps) else Steps.of(steps)
    return {"by": "given", "thought": {"source": "hand", "prompt": list(pieces), "base": parts_of(steps)}}


def parts_of(steps: Steps) -> list[str]:
    """Steps as parts of a text: each with what stands before it, the last with what stands behind."""
    parts = [lead + text for lead, text in zip(steps.leads, steps.texts, strict=True)]
    return [*parts[:-1], parts[-1] + steps.tail] if parts else []


def _written_on(asked: Asked, start: Steps, write: Callable[[Asked, str], str]) -> Steps:
    """The start of a thought with the rest that the model writes behind it: the steps of the start stay as they are."""
    own = parts_of(start)
    own[-1] = own[-1].rstrip()
    rest = write(asked, "".join(own))
    more = parts_of(_in_steps(asked, rest)) if rest.strip() else []
    return _in_steps(asked, [*own, *more])


def _from_task(asked: Asked) -> Told:
    if asked.problem is None:
        raise CtkitError(
            "the true steps of this prompt",
            "a prompt that is no problem of a task, or was edited",
            "a problem from the tasks above, or steps of your own",
        )
    steps = Steps.of(asked.problem.steps)
    steps = steps if asked.option("by", "sentence") == "sentence" else _in_steps(asked, steps.text)
    return Told("task", steps, steps)


def _in_steps(asked: Asked, told: str | Sequence[str]) -> Steps:
    """A text in steps: where it comes in parts, these; otherwise by the grain that the panel is set to."""
    if isinstance(told, str):
        return split(told, _grain(asked), asked.lm)
    if not all(isinstance(part, str) for part in told):
        raise CtkitError(f"the thought {shown(told)}", "a step that is no text", "a text, or a list of texts")
    return cut("".join(told), list(accumulate(map(len, told)))[:-1])


def _grain(asked: Asked) -> str:
    by = asked.option("by", "sentence")
    if by == "given":
        return "sentence"
    if by != "pattern":
        return by
    pattern = asked.option("pattern", "")
    if not pattern:
        raise CtkitError("steps by a pattern", "an empty pattern", r"a regular expression, such as ; or \w+ =")
    return f"(?:{pattern})"  # brackets: a pattern of letters is not the name of a grain


def _own(asked: Asked) -> str:
    """The thought that the model writes under the setup."""
    if asked.written is not None:
        return asked.written.strip()
    written = generate(asked.lm, asked.prompt, asked.setup, max_new_tokens=THOUGHT_TOKENS)
    return written.text.partition(answer_cue(asked.prompt))[0].strip()
