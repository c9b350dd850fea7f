"""Two things timed in turn. Knows clocks and medians, nothing of models."""

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

CLOCKS = {"cpu": time.process_time, "wall": time.perf_counter}


@dataclass(frozen=True)
class Ratio:
    """Candidate / base over pairs: the median, the middle half of the pairs, the best of each, and the base in ms."""

    median: float
    low: float
    high: float
    best: float
    base: float
    pairs: int

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f}–{self.high:.2f})"


@dataclass(frozen=True)
class Millis:
    """Milliseconds: the median and the middle half."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f}–{self.high:.2f})"


def paired(candidate: Callable[[], object], base: Callable[[], object], pairs: int, clock: str) -> Ratio:
    """Base and candidate in turn, after two of each to warm up. Which goes first changes from pair to pair."""
    now = CLOCKS[clock]
    for _ in range(2):
        base(), candidate()
    gc.collect()
    times = []
    for i in range(pairs):
        first, second = (base, candidate) if i % 2 == 0 else (candidate, base)
        a, b = _timed(first, now), _timed(second, now)
        times.append((a, b) if i % 2 == 0 else (b, a))
    low, median, high = quartiles([c / b for b, c in times])
    best = min(c for _, c in times) / min(b for b, _ in times)
    return Ratio(median, low, high, best, 1000 * statistics.median(b for b, _ in times), pairs)


def quartiles(values: list[float]) -> tuple[float, float, float]:
    """The middle half and the median: low, median, high."""
    if len(values) == 1:
        return values[0], values[0], values[0]
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, median, high


def outside(first: Callable[[], object], second: Callable[[], object], model, rounds: int, clock: str) -> Millis:
    """Milliseconds of `first` and `second` in turn that are not spent in `model`'s forward pass."""
    now, inner, spent = CLOCKS[clock], model.forward, []

    def forward(*args, **kwargs):
        started = now()
        try:
            return inner(*args, **kwargs)
        finally:
            spent.append(now() - started)

    found = []
    model.forward = forward
    try:
        for i in range(2 * rounds + 4):
            spent.clear()
            whole = _timed(first if i % 2 == 0 else second, now)
            if len(spent) != 1:
                raise RuntimeError(f"{len(spent)} forward passes for one reading")
            if i >= 4:
                found.append(1000 * (whole - spent[0]))
    finally:
        del model.forward
    low, median, high = quartiles(found)
    return Millis(median, low, high)


def _timed(call: Callable[[], object], now: Callable[[], float]) -> float:
    started = now()
    call()
    return now() - started
