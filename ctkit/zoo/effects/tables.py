"""Markdown tables, and figures as the cards write them."""

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, ["---"] * len(head), *rows])


def percent(share: float, low: float, high: float) -> str:
    """A share with its interval, as 79 (76–81)."""
    return f"{100 * share:.0f} ({100 * low:.0f}–{100 * high:.0f})"


def points(difference: float, low: float, high: float) -> str:
    """A difference of shares with its interval, as +8.8 (+6.8 to +10.8)."""
    return f"{100 * difference:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"
