"""Effects over a population."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..measures.effect import Effect
from .style import GREY, READS, axes_of, quiet


def effect(effect: Effect, ax: Axes | None = None) -> Figure:
    """The paired difference over a population, with its 95 % interval."""
    ax = axes_of(ax, (5, 1.3))
    low, high = (100 * value for value in effect.interval)
    ax.plot([low, high], [0, 0], color=READS, linewidth=5, alpha=0.4, solid_capstyle="round")
    ax.plot([100 * effect.difference], [0], "o", color=READS, markersize=9)
    ax.axvline(0, color=GREY, linewidth=1)
    ax.set_yticks([])
    quiet(ax, str(effect))
    ax.set_xlabel("points", fontsize=8)
    return ax.figure
