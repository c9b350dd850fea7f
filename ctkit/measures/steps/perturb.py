"""Breaking one step of a thought: a number moved by a little, or a word swapped for another of the same kind."""

import random
import re

NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?")
OFFSETS = (-3, -2, -1, 1, 2, 3)


def break_result(step: str, context: str, rng: random.Random) -> str | None:
    """The step with a wrong result: its last number moved, or, where it has none, its last word swapped for a word that
    ends another sentence of the context. None where there is nothing to break."""
    found = list(NUMBER.finditer(step))
    if found:
        last = found[-1]
        return step[: last.start()] + moved(last.group(), rng) + step[last.end() :]
    return _swapped(step, context, rng)


def break_numbers(text: str, context: str, rng: random.Random) -> str | None:
    """The text with every number moved, each by an offset of its own (true-thinking score, arXiv 2510.24941; offsets
    −3 … 3 without 0); words are swapped as in `break_result` where there is no number."""
    if NUMBER.search(text):
        return NUMBER.sub(lambda match: moved(match.group(), rng), text)
    return _swapped(text, context, rng)


def moved(number: str, rng: random.Random) -> str:
    """A number moved by 1 to 3 either way. It keeps its length, so that nothing but the value changes: a digit
    counts on from 9 to 0."""
    offset = rng.choice(OFFSETS)
    if "." in number:
        decimals = len(number.partition(".")[2])
        return f"{abs(float(number) + offset):.{decimals}f}"
    low, size = (0, 10) if len(number) == 1 else (10 ** (len(number) - 1), 9 * 10 ** (len(number) - 1))
    return str(low + (int(number) - low + offset) % size)


def _swapped(step: str, context: str, rng: random.Random) -> str | None:
    own = re.search(r"(\w+)(\W*)$", step)
    if own is None:
        return None
    ends = {match.group(1) for match in re.finditer(r"(\w+)[.!?]", context)}
    others = sorted(ends - {own.group(1)} - set(re.findall(r"\w+", step)))
    return step[: own.start()] + rng.choice(others) + own.group(2) if others else None
