"""Where the sentences of a text begin and end. Knows nothing of prompts and models."""

import re

_STOP = re.compile(r"([.!?…]+[\"'”’)\]}*$]*)(?=\s)|[。！？]|\n+")
_NEVER = re.compile(r"(?<!\w)(?:[A-Za-z]\.[A-Za-z]|Dr|Mr|Mrs|Ms|Prof|St|vs|cf|approx|resp|ca)\.$", re.IGNORECASE)
_BEFORE_NUMBER = re.compile(r"(?<!\w)(?:No|Nos|Fig|Figs|Eq|Eqs|Sec|Ch|Vol|pp?|Nr)\.$", re.IGNORECASE)
_BEFORE_SMALL = re.compile(r"(?:(?<!\w)(?:etc|al|Jr|Sr|Inc)\.|\.\.|…)$", re.IGNORECASE)
_BOXED = re.compile(r"\\boxed\s*\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}")


def sentences(text: str) -> list[str]:
    """A text in sentences, each with its full stop. A stop inside a number ("3.14"), a box ("\\boxed{3. 4}") or a word
    ("e.g.", "Dr.") ends nothing, nor does an ellipsis within a sentence. A line break ends one.

    >>> sentences("a = 3. So b = 3 + 0.5. Answer: 7")
    ['a = 3.', 'So b = 3 + 0.5.', 'Answer: 7']
    """
    return [text[start:stop] for start, stop in sentence_ranges(text)]


def sentence_ranges(text: str) -> list[tuple[int, int]]:
    """Where each sentence starts and stops (characters), without the space around it."""
    boxes = [match.span() for match in _BOXED.finditer(text)]
    ends = [stop for match in _STOP.finditer(text) if (stop := _end(text, match, boxes)) is not None]
    found = [(text[start:stop], start, stop) for start, stop in zip([0, *ends], [*ends, len(text)])]
    return [(a + len(t) - len(t.lstrip()), b - len(t) + len(t.rstrip())) for t, a, b in found if t.strip()]


def _end(text: str, match: re.Match, boxes: list[tuple[int, int]]) -> int | None:
    """Where the sentence ends that this stop seems to end; None where it ends none."""
    stop = match.end()
    if any(start < stop < end for start, end in boxes):
        return None
    if match.group(1) is None:
        return stop
    before, after = text[max(0, stop - 12) : stop], text[stop:].lstrip(" \t")
    small, number = after[:1].islower(), after[:1].isdigit() or after[:1] == "("
    if _NEVER.search(before) or (_BEFORE_SMALL.search(before) and small) or (_BEFORE_NUMBER.search(before) and number):
        return None
    line = text[text.rfind("\n", 0, stop) + 1 : stop]
    return None if re.fullmatch(r"\s*\d+\.", line) and after[:1].isalpha() else stop
