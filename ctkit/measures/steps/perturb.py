"""Breaking one step of a thought: a number moved by a little, a word swapped for one of the same kind, or no words."""

import random
import re
from collections.abc import Callable

from ...errors import CtkitError, shown

NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?")
SIGNED = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?")
OFFSETS = (-3, -2, -1, 1, 2, 3)
PAPER_OFFSETS = (-3, -2, -1, 1, 2)  # as the code of arXiv 2510.24941 has it: +3 never occurs

Perturbation = Callable[[str, str, random.Random], str | None]  # step, context, chance → broken step; None: cannot be


def break_result(step: str, context: str, rng: random.Random) -> str | None:
    """The step with a wrong result: its last number moved, or, where it has none, its last word swapped for a word that
    ends another sentence of the context. None where there is nothing to break."""
    found = list(NUMBER.finditer(step))
    if found:
        last = found[-1]
        return step[: last.start()] + moved(last.group(), rng) + step[last.end() :]
    return swapped(step, context, rng)


def break_numbers(text: str, context: str, rng: random.Random) -> str | None:
    """The text with every number moved, each by an offset of its own (−3 … 3 without 0); words are swapped as in
    `break_result` where there is no number."""
    if NUMBER.search(text):
        return NUMBER.sub(lambda match: moved(match.group(), rng), text)
    return swapped(text, context, rng)


def break_as_the_paper(text: str, context: str, rng: random.Random) -> str | None:
    """Every number moved by −3, −2, −1, 1 or 2, past ten or below zero if need be; decimals keep one place. Where there
    is no number nothing is broken."""

    def other(match: re.Match) -> str:
        offset = rng.choice(PAPER_OFFSETS)
        number = match.group()
        return f"{float(number) + offset:.1f}" if "." in number else str(int(number) + offset)

    return SIGNED.sub(other, text) if SIGNED.search(text) else None


def swapped(step: str, context: str, rng: random.Random) -> str | None:
    """The step with its last word swapped for another of the same kind: a number for a number of the context, a letter
    for a letter, a name for a name, any other word for one that ends a sentence of the context."""
    own = re.search(r"(\w+)(\W*)$", step)
    if own is None:
        return None
    others = sorted(_alike(own.group(1), context) - {own.group(1)} - set(re.findall(r"\w+", step)))
    return step[: own.start()] + rng.choice(others) + own.group(2) if others else None


def fillers(step: str, context: str, rng: random.Random) -> str:
    """The step with "..." in place of each word: as many words, and none of them says anything."""
    return re.sub(r"\S+", "...", step)


def removed(step: str, context: str, rng: random.Random) -> str:
    """No step at all."""
    return ""


def left(step: str, context: str, rng: random.Random) -> str:
    """The step as it is: the control, under which every effect must vanish."""
    return step


PERTURBATIONS: dict[str, Perturbation] = {
    "offset": break_numbers,
    "result": break_result,
    "paper-offset": break_as_the_paper,
    "swap": swapped,
    "filler": fillers,
    "removal": removed,
    "identity": left,
}


def perturbation(name: str) -> Perturbation:
    """The way to break a step that is called `name`."""
    if name not in PERTURBATIONS:
        raise CtkitError(f"the perturbation {shown(name)}", "no such way to break a step", ", ".join(PERTURBATIONS))
    return PERTURBATIONS[name]


def moved(number: str, rng: random.Random) -> str:
    """A number moved by 1 to 3 either way. It keeps its length, so that nothing but the value changes: a digit
    counts on from 9 to 0."""
    offset = rng.choice(OFFSETS)
    if "." in number:
        decimals = len(number.partition(".")[2])
        return f"{abs(float(number) + offset):.{decimals}f}"
    low, size = (0, 10) if len(number) == 1 else (10 ** (len(number) - 1), 9 * 10 ** (len(number) - 1))
    return str(low + (int(number) - low + offset) % size)


def _alike(word: str, context: str) -> set[str]:
    """The words of the context that are of a word's kind."""
    words = set(re.findall(r"\w+", context))
    if word.isdigit():
        return {other for other in words if other.isdigit()}
    if len(word) == 1:
        return {other for other in words if len(other) == 1 and other.isalpha()}
    if word[:1].isupper():
        return {match.group(1) for match in re.finditer(r"(?<=\w )([A-Z]\w+)", context)}
    ends = {match.group(1) for match in re.finditer(r"(\w+)[.!?]", context)}
    return {other for other in ends if len(other) > 1 and other[:1].islower()}
