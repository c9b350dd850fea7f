"""Accuracy over the tokens spent on thinking; answers that flip when steps are steered."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, PercentFormatter, ScalarFormatter

from ..measures.flips import Engagement, Flips
from ..measures.thinking_time import Spending, Spent
from .style import GREY, INK, READ_BY, READS, Picture, axes_of, quiet


def thinking_time(found: Spending, ax: Axes | None = None) -> Figure:
    """Accuracy by tokens spent, with 95 % intervals, the setting beside each point. Beside it the oracle (any thought
    right), and one greedy thought as an outline."""
    ax = axes_of(ax, (5.2, 3.1))
    points = sorted(found.points, key=lambda point: point.mean_tokens)
    if any(point.oracle is not None for point in points):
        _line(ax, points, "oracle", {"color": GREY, "linestyle": ":", "marker": "^", "label": "any right (oracle)"})
    _line(ax, points, "accuracy", {"color": READS, "linestyle": "-", "marker": "o", "label": found.method})
    style = {"color": GREY, "marker": "s", "markerfacecolor": "none", "linestyle": "none", "label": "one, greedy"}
    _line(ax, [found.greedy], "accuracy", style | {"markersize": 10, "zorder": 1})
    for point in points:
        place = (point.mean_tokens, point.accuracy)
        ax.annotate(str(point.setting), place, (5, -11), textcoords="offset points", fontsize=8, color=INK)
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
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
    ax.errorbar(tokens, shares, yerr=up, xerr=wide, capsize=2, linewidth=1.4, elinewidth=1, **{"markersize": 5} | style)


def engagement(found: Engagement) -> Figure:
    """The share of answers that flip, by layer: steered, with the sign turned round, along random directions, with
    95 % intervals; and without a layer, the step removed, or attention to it scaled."""
    figure = Picture(figsize=(8.4, 3.0), dpi=110, layout="constrained")
    for ax, name in zip(figure.subplots(1, 2, sharey=True), ("engagement", "disengagement"), strict=True):
        _flips(ax, getattr(found, name), name)
    figure.axes[0].legend(frameon=False, fontsize=7.5)
    return figure


def _flips(ax: Axes, flips: Flips, name: str) -> None:
    for what, color, style in (("random", GREY, "o:"), ("opposite", READ_BY, "s--"), ("steered", READS, "o-")):
        rates = [flips.rate(what, layer) for layer in flips.layers] if flips.n else []
        if rates:
            shares, low, high = (list(column) for column in zip(*rates, strict=True))
            ax.fill_between(flips.layers, low, high, color=color, alpha=0.12, linewidth=0)
            ax.plot(flips.layers, shares, style, color=color, markersize=4, linewidth=1.4, label=what)
    for what, label, style in (("removed", "step removed", "-."), ("weighed", "attention scaled", ":")):
        if flips.n:
            ax.axhline(flips.rate(what)[0], color=INK, linestyle=style, linewidth=1, label=label)
    ax.set_ylim(-0.04, 1.04)
    ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.tick_params(labelsize=8)
    turns = "right → wrong" if name == "engagement" else "wrong → right"
    quiet(ax, f"{name}: {turns}, {flips.n} cases")
    ax.set_xlabel("layer that is steered", fontsize=8)
