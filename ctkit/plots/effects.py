"""Effects over a population, and of the steps of a thought."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..measures.effect import Effect
from ..measures.steps import StepEffects
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


def steps(effects: StepEffects, ax: Axes | None = None) -> Figure:
    """How much the answer rests on each step, with 95 % intervals."""
    ax = axes_of(ax, (6, 0.4 * len(effects.steps) + 0.8))
    places = list(range(len(effects.steps)))[::-1]
    ax.barh(places, np.nan_to_num(effects.scores), color=READS, height=0.6)
    for place, (low, high) in zip(places, effects.intervals, strict=True):
        ax.plot([low, high], [place, place], color="black", linewidth=1, alpha=0.6)
    ax.set_yticks(places, effects.steps, fontsize=8, family="monospace")
    ax.set_xlim(min(0, *np.nan_to_num(effects.scores)) - 0.02, 1.02)
    quiet(ax, f"{effects.method}: probability of “{effects.answer}” that rests on the step")
    return ax.figure
