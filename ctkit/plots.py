"""The same pictures as the views, as matplotlib figures: for papers, for still notebooks, and where no browser is."""

import io
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from .engine.trace import Trace
from .measures.compare import Comparison
from .measures.effect import Effect
from .measures.steps import StepEffects

READS, READ_BY, GREY = "#2166ac", "#c8680c", "#8a94a0"  # reads, after, more · is read by, less · before
LINE = "#dfe4ea"
WEIGHTS = LinearSegmentedColormap.from_list("ctkit weights", ["#ffffff", READS])
DIFFERENCE = LinearSegmentedColormap.from_list("ctkit difference", [READ_BY, "#ffffff", READS])


class Picture(Figure):
    """A figure that a notebook shows as the value of a cell, without pyplot and its global state."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", metadata={"Software": None})
        return buffer.getvalue()


def attention(trace: Trace, layer: int, head: int, ax: Axes | None = None) -> Figure:
    """The attention weights of one head: rows read columns. Masked cells are hatched."""
    ax = _axes(ax)
    weights = trace.attention(layer, head).numpy()
    ax.imshow(_contrast(weights), cmap=WEIGHTS, vmin=0, vmax=1)
    allowed = trace.allowed(layer)
    _hatch(ax, ~allowed[min(head, len(allowed) - 1)].numpy())
    _labels(ax, trace.tokens, f"layer {layer}, head {head}")
    return ax.figure


def attention_difference(comparison: Comparison, layer: int, head: int, ax: Axes | None = None) -> Figure:
    """After minus before on the first run's tokens: blue reads more, orange less."""
    ax = _axes(ax)
    values = np.nan_to_num(comparison.attention_difference(layer, head).numpy())
    ax.imshow(np.sign(values) * _contrast(np.abs(values)), cmap=DIFFERENCE, vmin=-1, vmax=1)
    _labels(ax, comparison.before.tokens, f"layer {layer}, head {head}: after − before")
    return ax.figure


def next_tokens(comparison: Comparison, ax: Axes | None = None) -> Figure:
    """The next token: filled bars after, outlines before."""
    ax = _axes(ax, (4, 2.4))
    rows = comparison.next_tokens[:6][::-1]
    places = range(len(rows))
    ax.barh(places, [after for _, _, after in rows], color=READS)
    ax.barh(places, [before for _, before, _ in rows], fill=False, edgecolor=GREY, linewidth=1.4)
    for place, (_, before, after) in zip(places, rows, strict=True):
        ax.text(1.02, place, f"{before:.2f} → {after:.2f}", va="center", fontsize=8)
    ax.set_yticks(list(places), [_shown(token) for token, _, _ in rows], fontsize=8, family="monospace")
    ax.set_xlim(0, 1)
    _quiet(ax, "next token (outline = before)")
    return ax.figure


def effect(effect: Effect, ax: Axes | None = None) -> Figure:
    """The paired difference over a population, with its 95 % interval."""
    ax = _axes(ax, (5, 1.3))
    low, high = (100 * value for value in effect.interval)
    ax.plot([low, high], [0, 0], color=READS, linewidth=5, alpha=0.4, solid_capstyle="round")
    ax.plot([100 * effect.difference], [0], "o", color=READS, markersize=9)
    ax.axvline(0, color=GREY, linewidth=1)
    ax.set_yticks([])
    _quiet(ax, str(effect))
    ax.set_xlabel("points", fontsize=8)
    return ax.figure


def steps(effects: StepEffects, ax: Axes | None = None) -> Figure:
    """How much the answer rests on each step, with 95 % intervals."""
    ax = _axes(ax, (6, 0.4 * len(effects.steps) + 0.8))
    places = list(range(len(effects.steps)))[::-1]
    ax.barh(places, np.nan_to_num(effects.scores), color=READS, height=0.6)
    for place, (low, high) in zip(places, effects.intervals, strict=True):
        ax.plot([low, high], [place, place], color="black", linewidth=1, alpha=0.6)
    ax.set_yticks(places, effects.steps, fontsize=8, family="monospace")
    ax.set_xlim(min(0, *np.nan_to_num(effects.scores)) - 0.02, 1.02)
    _quiet(ax, f"{effects.method}: probability of “{effects.answer}” that rests on the step")
    return ax.figure


def comparison(pair: Comparison, layer: int, head: int) -> Figure:
    """Before, after and difference of one head, and the next token: the playground as a still picture."""
    figure = Picture(figsize=(11, 3.0), dpi=110, layout="constrained")
    axes = figure.subplots(1, 4, width_ratios=[1, 1, 1, 1])
    attention(pair.before, layer, head, axes[0])
    attention(pair.after, layer, head, axes[1])
    attention_difference(pair, layer, head, axes[2])
    next_tokens(pair, axes[3])
    axes[3].set_box_aspect(1)
    for ax, word in zip(axes[:3], ("before", "after", "difference"), strict=True):
        ax.set_title(f"{word} · layer {layer}, head {head}", fontsize=9, loc="left")
    return figure


def most_changed_head(pair: Comparison) -> tuple[int, int]:
    """The (layer, head) whose attention differs most, by mean absolute difference."""
    shape = pair.before.shape
    heads = [(layer, head) for layer in range(shape.n_layers) for head in range(shape.n_heads)]
    return max(heads, key=lambda where: float(pair.attention_difference(*where).nan_to_num().abs().mean()))


def _axes(ax: Axes | None, size: tuple[float, float] = (4.5, 4.5)) -> Axes:
    if ax is not None:
        return ax
    return Picture(figsize=size, dpi=110, layout="constrained").subplots()


def _hatch(ax: Axes, masked: np.ndarray) -> None:
    """Hatch what the mask forbids, a rectangle for each run of cells in a row."""
    for row, cells in enumerate(masked):
        edges = np.flatnonzero(np.diff(np.concatenate([[False], cells, [False]]).astype(int)))
        for start, stop in zip(edges[::2], edges[1::2], strict=True):
            style = {"hatch": "/////", "edgecolor": LINE, "facecolor": "none", "linewidth": 0}
            ax.add_patch(Rectangle((start - 0.5, row - 0.5), stop - start, 1, **style))


def _contrast(values: Any) -> Any:
    """Small weights made visible: log10(1 + 9 v), which keeps 0 and 1."""
    return np.log10(1 + 9 * values)


def _labels(ax: Axes, tokens: list[str], title: str) -> None:
    if len(tokens) <= 48:
        ax.set_yticks(range(len(tokens)), [_shown(t) for t in tokens], fontsize=6, family="monospace")
    else:
        ax.set_yticks([])
    ax.set_xticks([])
    ax.set_title(title, fontsize=9, loc="left")
    for spine in ax.spines.values():
        spine.set_edgecolor(LINE)


def _quiet(ax: Axes, title: str) -> None:
    ax.set_title(title, fontsize=9, loc="left")
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    ax.tick_params(axis="x", labelsize=7)


def _shown(token: str) -> str:
    """A token for a label: no markup, spaces and line breaks visible, what no font has as a dot."""
    text = token.strip() or token.replace("\n", "↵").replace(" ", "␣")
    return "".join(c if c.isprintable() else "·" for c in text).replace("$", r"\$")
