"""The steps of a thought as running text with a bar at each, and who matters to whom among them."""

from collections.abc import Sequence
from math import isnan
from textwrap import wrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ..errors import CtkitError
from ..measures.steps import StepEffects
from .style import DIFFERENCE, GREY, INK, LINE, READ_BY, READS, axes_of, hatch, quiet, shown_text

WIDTH = 46  # characters of text in a line
ROW = 0.17  # inches, a line of text
LETTER = 4.83  # points, a letter of eight points
MEANING = {
    "mistake": "how far “{}” falls when the step is broken",
    "true-thinking": "causal effect of the step on the early answer “{}”",
    "early": "how far “{}” rises by the step",
    "suppress": "how far “{}” falls when nothing can attend to the step",
    "resample": "how many fewer thoughts come to “{}” with another step in its place",
    "receiver": "share of attention that later steps give it; answer “{}”",
}
TAGS = {"true": "●", "decoy": "○", "check": "✓"}


def steps(effects: StepEffects, before: StepEffects | None = None, ax: Axes | None = None) -> Figure:
    """The thought as running text, with a bar at each step: as long as its effect on the answer's probability.

    Blue is more, orange less than nothing; the hatched part is the 95 % interval. `before`: effects of the same steps
    under another setup, as grey outlines. What the task says of a step stands in front of its text.
    """
    _check_before(effects, before)
    tall = [wrap(_cut(text, 600), WIDTH) or [""] for text in _told(effects)]
    heights = [len(lines) + 0.5 for lines in tall]
    ax = axes_of(ax, (8.2, ROW * sum(heights) + 0.7))
    middles = [sum(heights[:i]) + heights[i] / 2 for i in range(len(heights))]
    for i, (middle, score) in enumerate(zip(middles, effects.scores, strict=True)):
        _bar(ax, middle, score, effects.intervals[i])
        if before is not None and not isnan(before.scores[i]):
            _outline(ax, middle, before.scores[i])
        value = "not measurable" if isnan(score) else f"{round(score, 2) + 0.0:.2f}"  # no minus before a zero
        ends = [0.0, *(x for x in (score, *effects.intervals[i]) if not isnan(x))]
        ends += [before.scores[i]] if before is not None and not isnan(before.scores[i]) else []
        ax.text(min(1.0, max(ends)) + 0.02, middle, value, va="center", fontsize=8, color=GREY if isnan(score) else INK)
    _frame(ax, effects, before, sum(heights))
    _name_rows(ax, middles, ["\n".join(lines) for lines in tall])
    return ax.figure


def step_matrix(effects: StepEffects, ax: Axes | None = None) -> Figure:
    """What each step (row) does to each later one (column): blue is more than other steps do to it, orange less."""
    if effects.matrix is None:
        raise CtkitError(
            f"the matrix of step → later step of {effects.method}",
            "a measure without one",
            'ct.step_effects(…, method="suppress")',
        )
    n = len(effects.steps)
    values = effects.matrix.numpy()
    most = float(np.nanmax(np.abs(values), initial=0.0)) or 1.0
    labels = [f"{i + 1:2d} {_cut(text, 36)}" for i, text in enumerate(effects.steps)]
    side = min(8.0, 1.6 + 0.34 * n)
    ax = axes_of(ax, (side + 0.8 + 0.07 * max(map(len, labels)), side))
    image = ax.imshow(values, cmap=DIFFERENCE, vmin=-most, vmax=most)
    hatch(ax, np.isnan(values))
    _name_rows(ax, range(n), labels)
    ax.set_xticks(range(n), [str(i + 1) for i in range(n)], fontsize=7)
    ax.set_xlabel("later step", fontsize=8)
    ax.set_title(f"{effects.method}: step → later step", fontsize=9, loc="left")
    for spine in ax.spines.values():
        spine.set_edgecolor(LINE)
    bar = ax.figure.colorbar(image, ax=ax, shrink=0.7)
    bar.ax.tick_params(labelsize=7)
    bar.set_label("log KL, against other steps before it", fontsize=7)
    return ax.figure


def _check_before(effects: StepEffects, before: StepEffects | None) -> None:
    if before is not None and before.steps != effects.steps:
        raise CtkitError(
            "steps before and after",
            f"{len(before.steps)} and {len(effects.steps)} steps, or other words",
            "the effects of one thought: ct.step_effects(lm, prompt, effects.steps, setup=…)",
        )


def _cut(text: str, most: int) -> str:
    """A text for a label, no longer than so many characters."""
    return shown_text(text if len(text) <= most else f"{text[: most - 1]}…")


def _name_rows(ax: Axes, places: Sequence[float], labels: list[str]) -> None:
    """Labels down the side, all beginning at one edge, with nothing in them read as mathematics."""
    longest = max(len(line) for label in labels for line in label.split("\n"))
    ax.set_yticks(places, labels, fontsize=8, family="monospace", ha="left")
    ax.tick_params(axis="y", length=0, pad=LETTER * longest + 6)
    for label in ax.get_yticklabels():
        label.set_parse_math(False)


def _told(effects: StepEffects) -> list[str]:
    labels = effects.labels or [None] * len(effects.steps)
    return [
        f"{TAGS[label]} {text}" if label in TAGS else text for text, label in zip(effects.steps, labels, strict=True)
    ]


def _bar(ax: Axes, middle: float, score: float, at: tuple[float, float]) -> None:
    """A bar from 0, and the interval over it, hatched."""
    if isnan(score):
        return
    color = READS if score >= 0 else READ_BY
    ax.barh([middle], [score], color=color, height=0.62)
    low, high = max(-1.0, at[0]), min(1.0, at[1])
    if high > low:
        box = Rectangle(
            (low, middle - 0.31), high - low, 0.62, hatch="//////", facecolor="none", edgecolor=INK, linewidth=0
        )
        box.set_alpha(0.45)
        ax.add_patch(box)
        ax.plot([low, low, high, high], [middle + 0.31, middle - 0.31, middle - 0.31, middle + 0.31], color=INK, lw=0)


def _outline(ax: Axes, middle: float, score: float) -> None:
    box = Rectangle((min(0.0, score), middle - 0.42), abs(score), 0.84, facecolor="none", edgecolor=GREY, linewidth=1.4)
    ax.add_patch(box)


def _frame(ax: Axes, effects: StepEffects, before: StepEffects | None, height: float) -> None:
    """Axes, title, and what the signs mean."""
    numbers = [v for each in (effects, before) if each is not None for v in each.scores if not isnan(v)]
    lows = [low for low, _ in effects.intervals if not isnan(low)]
    ax.axvline(0, color=GREY, linewidth=1)
    ax.set_ylim(height, 0)
    ax.set_xlim(max(-1.0, min(0.0, *numbers, *lows, 0.0)) - 0.03, 1.12)
    meaning = MEANING.get(effects.method, effects.method)
    quiet(ax, f"{effects.method}: {meaning.format(shown_text(effects.answer))} (of {effects.probability:.2f})")
    ax.title.set_parse_math(False)
    used = [label for label in TAGS if label in effects.labels]
    keys = [f"{TAGS[label]} {label}" for label in used] + ["hatched: 95 % interval"]
    keys += ["outline: before"] if before is not None else []
    ax.set_xlabel("    ".join(keys), fontsize=7)
    ax.spines["left"].set_visible(False)
