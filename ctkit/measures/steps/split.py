"""From a thought to its steps, by token, word, sentence, line or pattern; nothing of the text is lost on the way."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...engine.encode import encode
from ...engine.lm import LM
from ...errors import CtkitError, shown
from ...sentences import sentence_ranges
from ...tasks.base import Problem

GRAINS = ("token", "word", "sentence", "line")


@dataclass(frozen=True)
class Steps:
    """A thought in steps: their texts, what stands before each (spaces, line breaks), and what stands behind the last.

    >>> Steps.of(["a = 3.", "b = 4."]).text
    'a = 3. b = 4.'
    >>> split("a = 3.\\nb = 4.").leads
    ('', '\\n')
    """

    texts: tuple[str, ...]
    leads: tuple[str, ...]
    tail: str = ""

    @staticmethod
    def of(texts: Sequence[str]) -> "Steps":
        """Steps given one by one. Space around one is kept; where there is none between two, one is put there."""
        listed = isinstance(texts, Sequence) and not isinstance(texts, str)
        wrong = [text for text in texts if not isinstance(text, str)] if listed else [texts]
        if wrong:
            raise CtkitError(
                "a thought in steps",
                f"a {type(wrong[0]).__name__}: {shown(wrong[0])}",
                'a list of texts, one a step: ["a = 3.", "b = 4."]',
            )
        leads, tail = [], ""
        for i, text in enumerate(texts):
            core = text.strip()
            before = text[: text.find(core)] if core else text
            leads.append(tail + before or (" " if i else ""))
            tail = text[len(before) + len(core) :]
        return Steps(tuple(text.strip() for text in texts), tuple(leads), tail)

    @property
    def text(self) -> str:
        """The thought as one text."""
        return "".join(lead + text for lead, text in zip(self.leads, self.texts, strict=True)) + self.tail

    @property
    def ranges(self) -> list[tuple[int, int]]:
        """Where in the text each step starts and stops (characters)."""
        found, at = [], 0
        for lead, text in zip(self.leads, self.texts, strict=True):
            found.append((at + len(lead), at + len(lead) + len(text)))
            at = found[-1][1]
        return found

    def first(self, n: int) -> "Steps":
        """The first `n` steps."""
        return self if n >= len(self) else Steps(self.texts[:n], self.leads[:n])

    def with_step(self, index: int, text: str) -> "Steps":
        """The same thought with another text as one of its steps."""
        return replace(self, texts=(*self.texts[:index], text, *self.texts[index + 1 :]))

    def without(self, index: int) -> "Steps":
        """The same thought with a step left out; what stood before the step goes with it."""
        return self.with_step(index, "")

    def __len__(self) -> int:
        return len(self.texts)


def split(text: str, by: str | re.Pattern = "sentence", lm: LM | None = None) -> Steps:
    """A thought in steps.

    `by`: "token" (of `lm`), "word", "sentence" (a stop inside a number or an abbreviation ends nothing), "line", or a
    regular expression: a step begins at each place that it finds.

    >>> split("a = 3. Then b = 3 + 0.5.").texts
    ('a = 3.', 'Then b = 3 + 0.5.')
    >>> split("a = 3; b = 4", "[a-z] =").texts
    ('a = 3;', 'b = 4')
    """
    if not isinstance(text, str):
        raise CtkitError(f"the thought {shown(text)}", f"a {type(text).__name__}", "a text, or a list of steps")
    boundaries: list[int] = []
    for start in _starts(text, by, lm):  # some would leave a step without a word
        before = boundaries[-1] if boundaries else 0
        if text[before:start].strip() and text[start:].strip():
            boundaries.append(start)
    return cut(text, boundaries)


def cut(text: str, boundaries: Sequence[int]) -> Steps:
    """A thought cut where somebody says: `boundaries` are the characters at which the second, third … step begins.

    >>> cut("a = 3. b = 4.", [7]).texts
    ('a = 3.', 'b = 4.')
    """
    asked = f"a thought of {len(text)} characters cut at {shown(list(boundaries))}"
    whole = all(isinstance(at, int) and not isinstance(at, bool) for at in boundaries)
    edges = [0, *boundaries, len(text)] if boundaries or text else [0]
    if not whole or any(after <= before for before, after in zip(edges, edges[1:])):
        raise CtkitError(asked, "no rising row of whole numbers inside the text", "for example [7, 14]")
    parts = [text[start:stop] for start, stop in zip(edges, edges[1:])]
    if not text.strip():
        return Steps((), (), text)
    empty = [at for at, part in zip(edges, parts) if not part.strip()]
    if empty:
        raise CtkitError(asked, f"no step between character {empty[0]} and the next cut", "a word in every step")
    return _as_steps(parts)


def labels_of(texts: Sequence[str], problem: Problem | None) -> list[str | None]:
    """What the task knows of each step ("true", "decoy", "check") that is word for word one of the true thought's."""
    known = {} if problem is None else dict(zip(problem.steps, problem.labels, strict=True))
    return [known.get(text) for text in texts]


def _as_steps(parts: list[str]) -> Steps:
    """Parts that make up a text as steps: the space at their ends goes between them."""
    leads, tail = [], ""
    for part in parts:
        leads.append(tail + part[: len(part) - len(part.lstrip())])
        tail = part[len(part.rstrip()) :]
    return Steps(tuple(part.strip() for part in parts), tuple(leads), tail)


def _starts(text: str, by: str | re.Pattern, lm: LM | None) -> list[int]:
    """The characters at which steps begin; some may lie in white space."""
    if by == "sentence":
        return [start for start, _ in sentence_ranges(text)]
    if by == "word":
        return [match.start() for match in re.finditer(r"\S+", text)]
    if by == "line":
        return [match.start() for match in re.finditer(r"[^\r\n]+", text) if match.group().strip()]
    if by == "token":
        return _token_starts(text, lm)
    return sorted({match.start() for match in _pattern(by).finditer(text)})


def _token_starts(text: str, lm: LM | None) -> list[int]:
    if lm is None:
        raise CtkitError('steps by "token"', "no model, so no tokens", 'split(text, "token", lm)')
    if not text.strip():
        return []
    ends = sorted({end for name, end, _ in encode(lm, text).places if name == "text"})
    starts = [0, *ends]
    return [start for start, stop in zip(starts, ends) if text[start:stop].strip()]


def _pattern(by: str | re.Pattern) -> re.Pattern:
    if isinstance(by, re.Pattern) and isinstance(by.pattern, str):
        return by
    if not isinstance(by, str) or by.isalpha() or not by:
        raise CtkitError(
            f"steps by {shown(by)}",
            "no such grain",
            f"one of {', '.join(GRAINS)}, or a regular expression: a text with more than letters, or re.compile(…)",
        )
    try:
        return re.compile(by)
    except re.error as err:
        raise CtkitError(
            f"steps by the pattern {shown(by)}", f"no regular expression: {err}", "one such as 'Step [0-9]+:'"
        ) from err
