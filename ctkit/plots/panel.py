"""Steering and what it costs: the target beside its controls, and the side effect on neutral text."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..measures.side_effects import SideEffects
from .style import GREY, INK, LINE, READ_BY, READS, WEIGHTS, Picture, axes_of, contrast, quiet, shown_token


def side_effects(found: SideEffects) -> Figure:
    """The whole panel: the effect on the target, and the KL on neutral text, each beside random directions."""
    figure = Picture(figsize=(8.2, 2.6), dpi=110, layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[3, 2])
    effect_and_controls(found, left)
    side_effect(found, right)
    return figure


def effect_and_controls(found: SideEffects, ax: Axes | None = None) -> Figure:
    """The effect on the target: of steering, of the opposite sign, and of every random direction of the same norm."""
    ax = axes_of(ax, (5, 2.4))
    low, high = found.random_interval
    ax.plot([low, high], [0, 0], color=GREY, linewidth=9, alpha=0.25, solid_capstyle="round")
    _dots(ax, found.random_effects, 0)
    ax.plot([found.opposite - found.clean], [1], "o", color=READ_BY, markersize=8)
    ax.plot([found.effect], [2], "o", color=READS, markersize=9)
    for row, value in ((1, found.opposite - found.clean), (2, found.effect)):
        ax.annotate(f"{value:+.2f}", (value, row), (0, 8), textcoords="offset points", ha="center", fontsize=8)
    ax.axvline(0, color=GREY, linewidth=1, zorder=0)
    ax.set_yticks([0, 1, 2], [f"{len(found.random)} random", "opposite sign", "steered"], fontsize=8)
    ax.set_ylim(-0.6, 2.7)
    ax.margins(x=0.12)
    quiet(ax, f"change of the {found.metric}" if not found.metric.startswith("change") else found.metric)
    ax.set_xlabel(f"as large by chance: {found.as_large:.0%}", fontsize=8)
    return ax.figure


def side_effect(found: SideEffects, ax: Axes | None = None) -> Figure:
    """KL on neutral text: of steering, of the opposite sign, and of every random direction."""
    ax = axes_of(ax, (4, 2.4))
    _dots(ax, list(found.random_kl), 0)
    for row, value, color in ((1, found.opposite_kl, READ_BY), (2, found.kl, READS)):
        ax.barh([row], [value], color=color, height=0.34)
        ax.annotate(f"{value:.3f}", (value, row), (5, 0), textcoords="offset points", va="center", fontsize=8)
    ax.set_yticks([0, 1, 2], ["random", "opposite", "steered"], fontsize=8)
    ax.set_ylim(-0.6, 2.7)
    ax.set_xlim(0, 1.3 * max(found.kl, found.opposite_kl, *found.random_kl, 1e-9))
    before, after = found.perplexity
    quiet(ax, "side effect on neutral text (KL, nats a token)")
    ax.set_xlabel(f"perplexity there {before:.1f} → {after:.1f}", fontsize=8)
    return ax.figure


def token_kl(found: SideEffects, text: int = 0, ax: Axes | None = None) -> Figure:
    """One neutral text: how far steering moves the prediction after each of its tokens."""
    words = found.token_kl[text]
    ax = axes_of(ax, (8.2, 0.36 * (1 + len(words) // 16) + 0.5))
    most = max(kl for row in found.token_kl for _, kl in row) or 1.0
    for i, (token, kl) in enumerate(words):
        shade = float(contrast(kl / most))
        box = {"facecolor": WEIGHTS(shade), "edgecolor": LINE, "linewidth": 0.5, "boxstyle": "round,pad=0.25"}
        style = {"fontsize": 8, "family": "monospace", "ha": "center", "va": "center", "bbox": box}
        ax.text(i % 16, -(i // 16), shown_token(token), color="white" if shade > 0.6 else INK, **style)
    ax.set_xlim(-0.6, 15.6)
    ax.set_ylim(-(len(words) - 1) // 16 - 0.6, 0.6)
    ax.axis("off")
    ax.set_title(f"KL after each token, darkest {most:.2f} nats", fontsize=9, loc="left")
    return ax.figure


def _dots(ax: Axes, values: list[float], row: float) -> None:
    """Values as dots in a row, spread a little so that all are seen."""
    for i, value in enumerate(values):
        ax.plot([value], [row + 0.12 * ((i % 3) - 1)], "o", color=GREY, markersize=4, alpha=0.7, markeredgewidth=0)
