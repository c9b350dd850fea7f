"""Accuracy over the tokens spent on thinking."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, PercentFormatter, ScalarFormatter

from ..measures.thinking_time import Spending, Spent
from .style import GREY, INK, READS, axes_of, quiet


def thinking_time(found: Spending, ax: Axes | None = None) -> Figure:
    """Accuracy by tokens spent, with 95 % intervals, the setting beside each point. Beside it the oracle (any thought
    right), and one greedy thought as an outline."""
    ax = axes_of(ax, (5.2, 3.1))
    points = sorted(found.points, key=lambda point: point.mean_tokens)
    if any(point.oracle is not None for point in points):
        _line(ax, points, "oracle", {"color": GREY, "linestyle": ":", "marker": "^", "label": "any right (oracle)"})
    _line(ax, points, "accuracy", {"color": READS, "linestyle": "-", "marker": "o", "label": found.method})
    style = {"color": GREY, "marker": "s", "markerfacecolor": "white", "linestyle": "none", "label": "one, greedy"}
    _line(ax, [found.greedy], "accuracy", style)
    for point in points:
        place = (point.mean_tokens, point.accuracy)
        ax.annotate(str(point.setting), place, (5, -11), textcoords="offset points", fontsize=8, color=INK)
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(ScalarFormatter())
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_ylim(-0.04, 1.04)
    ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.tick_params(labelsize=8)
    ax.legend(frameon=False, fontsize=8)
    difficulty = "" if found.difficulty is None else f" {found.difficulty}"
    quiet(ax, f"{found.n} problems of {found.task}{difficulty}, temperature {found.temperature:g}")
    ax.set_xlabel("tokens written for a problem", fontsize=8)
    return ax.figure


def _line(ax: Axes, points: list[Spent], what: str, style: dict) -> None:
    """A share by tokens, with both intervals."""
    tokens, shares = [point.mean_tokens for point in points], [getattr(point, what) for point in points]
    ends = [point.interval if what == "accuracy" else point.oracle_interval for point in points]
    up = [
        [max(0.0, share - low) for share, (low, _) in zip(shares, ends, strict=True)],
        [max(0.0, high - share) for share, (_, high) in zip(shares, ends, strict=True)],  # of 200 in 200: −1e-16
    ]
    wide = [point.mean_tokens - point.tokens_interval[0] for point in points]
    ax.errorbar(tokens, shares, yerr=up, xerr=wide, capsize=2, markersize=5, linewidth=1.4, elinewidth=1, **style)
