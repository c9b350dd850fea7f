"""The tokens of a text in larger units: where words and sentences begin. Knows the text, and no model."""

import re
from bisect import bisect_left

from ..prompt import Encoding
from ..sentences import sentence_ranges

_WORD = re.compile(r"\w+(?:['’]\w+|\.\d+)*|[^\w\s]+")  # punctuation is a word of its own


def word_starts(enc: Encoding) -> list[int]:
    """The tokens with which a word begins. A token belongs to the word in which it ends."""
    return _starts(enc, lambda text: [match.end() for match in _WORD.finditer(text)])


def sentence_starts(enc: Encoding) -> list[int]:
    """The tokens with which a sentence begins; what is no sentence (a cue, a phrase) is one."""
    return _starts(enc, lambda text: [stop for _, stop in sentence_ranges(text)])


def _starts(enc: Encoding, ends_of) -> list[int]:
    """Tokens at which a unit begins: in another piece, another reading, or behind the end of a unit."""
    ends: dict[tuple[str, int], list[int]] = {}
    texts = _texts(enc)
    starts, before = [], None
    for i, (origin, at, reading) in enumerate(enc.places):
        key = (origin, reading)
        if key not in ends:
            ends[key] = ends_of(texts.get(key, ""))
        unit = (key, bisect_left(ends[key], at))
        if unit != before:
            starts.append(i)
        before = unit
    return starts


def _texts(enc: Encoding) -> dict[tuple[str, int], str]:
    """(piece, reading) → its text; the parts of a split piece are put where they stood."""
    texts: dict[tuple[str, int], str] = {}
    for part in enc.prompt.parts:
        key = (part.whole or part.origin, part.reading)
        texts[key] = texts.get(key, "").ljust(part.offset) + part.text
    return texts
