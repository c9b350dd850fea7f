"""Markdown tables, and figures as the cards write them."""

from collections.abc import Iterable, Sequence
from math import isnan

from ...measures.steps.truth import mean_of as mean_with_interval


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, ["---"] * len(head), *rows])


def percent(share: float, low: float, high: float) -> str:
    """A share with its interval, as 79 (76–81)."""
    return f"{100 * share:.0f} ({100 * low:.0f}–{100 * high:.0f})"


def points(difference: float, low: float, high: float) -> str:
    """A difference of shares with its interval, as +8.8 (+6.8 to +10.8)."""
    return f"{100 * difference:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"


def mean_of(values: Sequence[float]) -> dict[str, float | None]:
    """A mean with its 95 % interval."""
    return named(mean_with_interval(values), "mean")


def named(found: tuple[float, float, float], name: str) -> dict[str, float | None]:
    """A figure and the ends of its interval, as JSON can hold them."""
    return {key: None if isnan(value) else value for key, value in zip((name, "low", "high"), found, strict=True)}


def shown(figure: dict[str, float | None], name: str) -> str:
    """A figure with its interval, as 0.93 (0.91–0.95); a dash where there is none."""
    if figure[name] is None:
        return "–"
    mean, low, high = (round(figure[key], 2) + 0.0 for key in (name, "low", "high"))  # + 0.0: no "-0.00"
    return f"{mean:.2f} ({low:.2f}–{high:.2f})"
