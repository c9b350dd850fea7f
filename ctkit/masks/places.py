"""Places in a prompt: the one vocabulary in which masks, knock-outs, steering, emphasis and patching name tokens.

    3, -1               a position; negative ones count from the prompt's end (-1 is its last token)
    range(0, 4)         several positions
    "all"               every token; "prompt" those of the prompt, "generated" those behind it
    "reading 2"         every word of the second reading, with the phrase before it
    "question"          a piece, in its first reading; "question (2)" in its second
    "every question"    a piece in all its readings
    "after question"    everything behind a piece; "before question" everything in front of it
    "has the key"       words of the prompt, wherever they stand in it
    ("question", -1)    all of these together

A piece that was split (`Prompt.split`) is still known by its name: that stands for its parts together. Names go before
words: a text that is a name, or "after" a name, is meant as one.
"""

import re
from collections.abc import Callable, Hashable
from operator import index
from typing import Any

from ..errors import CtkitError, shown
from ..prompt import CUE, START, Encoding, Piece

Where = int | str | tuple[int | str, ...]  # a place as above
OWN = {CUE, "think", "generated", START}  # pieces that no reading repeats
KINDS = 'a position, a piece, "all", "prompt", "generated", "reading 2", "after question", words, or several of them'


def positions(enc: Encoding, where: Where) -> list[int]:
    """The absolute positions that a place in a prompt stands for. The names are listed at the top of this module.

    A token belongs to words if any of its characters does. Raises `CtkitError` where the prompt has no such place.
    """
    if isinstance(where, str):
        return list(once(enc, where, lambda: _in_words(enc, where)))
    if not isinstance(where, int):
        return list(dict.fromkeys(position for part in where for position in positions(enc, part)))
    if not -enc.n_prompt <= where < len(enc):
        last = len(enc) - 1
        raise CtkitError(
            f"position {where}", f"tokens 0 to {last} ({enc.tokens[last]!r})", f"a position from 0 to {last}"
        )
    return [where + enc.n_prompt if where < 0 else where]


def places_of(enc: Encoding, where: Where) -> list[int]:
    """`positions`, in order, but a piece's name stands for all its readings ("context" is "every context").

    That is how `Emphasize` means it: words that count for more count so wherever they are read.
    """
    if isinstance(where, tuple):
        return sorted({position for part in where for position in places_of(enc, part)})
    readings = _readings(enc, where) if isinstance(where, str) else None
    return sorted(positions(enc, where) if readings is None else readings)


def as_where(value: object) -> Where:
    """A place in a prompt, with lists and ranges as tuples. Anything that names no place is refused."""
    try:
        if isinstance(value, (list, tuple, range)):
            return tuple(part if isinstance(part, str) else index(part) for part in value)
        return value if isinstance(value, str) else index(value)
    except TypeError:
        pass
    raise CtkitError(f"the place {shown(value)}", "no place in a prompt", KINDS)


def parts_of(enc: Encoding, name: str) -> list[list[int]]:
    """The positions of a place, part by part where it is a piece that was split."""
    parts = [part for part in _pieces(enc) if part.whole == name and part.reading == 1]
    if name in enc.spans or not parts:
        return [positions(enc, name)]
    return [_span(enc, part.name) for part in parts]


def once(enc: Encoding, key: Hashable, find: Callable[[], Any]) -> Any:
    """What `find()` says of an encoding, worked out once and kept with it, for every block asks. Not to be changed."""
    kept = vars(enc).setdefault("_kept", {})  # an encoding is a value: what is true of it stays true
    if key not in kept:
        kept[key] = find()
    return kept[key]


def _in_words(enc: Encoding, where: str) -> list[int]:
    found = _named(enc, where)
    return _with_words(enc, where) if found is None else found


def _named(enc: Encoding, name: str) -> list[int] | None:
    """The positions of a name; None where it is none (and so must be words)."""
    if name in ("all", "prompt", "generated"):
        first, last = {"all": (0, len(enc)), "prompt": (0, enc.n_prompt), "generated": (enc.n_prompt, len(enc))}[name]
        return list(range(first, last))
    if re.fullmatch(r"reading \d+", name):
        reading = int(name[8:])
        return [i for i in range(enc.n_prompt) if enc.places[i][2] == reading and enc.places[i][0] not in OWN]
    return next((found for look in (_piece, _all_readings, _side) if (found := look(enc, name)) is not None), None)


def _piece(enc: Encoding, name: str) -> list[int] | None:
    """A piece by its name, or the parts of a split one: "context" those of its first reading, "context (2)" …"""
    if name in enc.spans:
        return _span(enc, name)
    if name in enc.prompt.pieces:
        raise CtkitError(f"the piece {name!r}", "a piece without a token", f"one of {list(enc.spans)}")
    again = re.fullmatch(r"(.+) \((\d+)\)", name, re.DOTALL)
    whole, reading = (again[1], int(again[2])) if again else (name, 1)
    parts = [part for part in _pieces(enc) if part.whole == whole and part.reading == reading]
    return [i for part in parts for i in _span(enc, part.name)] if parts else None


def _all_readings(enc: Encoding, name: str) -> list[int] | None:
    return _readings(enc, name[6:]) if name.startswith("every ") else None


def _readings(enc: Encoding, name: str) -> list[int] | None:
    """A piece in all its readings; None where there is no such piece."""
    parts = [part for part in _pieces(enc) if name in (part.name, part.origin, part.whole)]
    return [i for part in parts for i in _span(enc, part.name)] if parts else None


def _side(enc: Encoding, name: str) -> list[int] | None:
    """What stands behind or in front of a named place."""
    side, _, rest = name.partition(" ")
    inside = _named(enc, rest) if side in ("after", "before") and rest else None
    if inside is None:
        return None
    if not inside:
        return []
    return list(range(max(inside) + 1, len(enc)) if side == "after" else range(min(inside)))


def _pieces(enc: Encoding) -> list[Piece]:
    """The pieces that have tokens."""
    return [part for part in enc.prompt.parts if part.name in enc.spans]


def _span(enc: Encoding, name: str) -> list[int]:
    return list(range(len(enc)))[enc.spans[name]]


def _with_words(enc: Encoding, words: str) -> list[int]:
    """The prompt's tokens of which a character stands in an occurrence of the words."""
    text, (whole, ends) = words.strip(), _ends(enc)
    marks = sorted(set(ends.values()))
    starts = dict(zip(marks, [0, *marks]))  # tokens that share a letter end, and so start, together
    found: set[int] = set()
    first = whole.find(text) if text else -1
    while first >= 0:
        found |= {i for i, end in ends.items() if starts[end] < first + len(text) and end > first}
        first = whole.find(text, first + 1)
    if not found:
        raise CtkitError(
            f"the part {shown(words)} of a prompt",
            f"no such words, and no such piece; its pieces are {', '.join(enc.spans)}",
            "a piece, or words exactly as they stand in the prompt",
        )
    return sorted(found)


def _ends(enc: Encoding) -> tuple[str, dict[int, int]]:
    """The prompt's text, and the character of it where each token ends (a placeholder has none)."""
    text, ends = "", {}
    for i, part in enumerate(enc.prompt.parts):
        if part.written:
            break
        text += enc.prompt.lead(i)
        if part.text and part.name in enc.spans:
            ends |= {at: len(text) + part.end_of(enc.places[at]) for at in _span(enc, part.name)}
        text += part.text
    return text, ends
