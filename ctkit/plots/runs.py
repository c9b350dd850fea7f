"""A run and two runs side by side: attention, next tokens, the playground as a still picture."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..engine.trace import Trace
from ..measures.compare import Comparison
from .style import (
    DIFFERENCE,
    GREY,
    READS,
    WEIGHTS,
    Picture,
    axes_of,
    contrast,
    label_tokens,
    quiet,
    shown_token,
    square,
)


def attention(trace: Trace, layer: int, head: int, ax: Axes | None = None) -> Figure:
    """The attention weights of one head: rows read columns. Masked cells are hatched."""
    ax = axes_of(ax)
    weights = trace.attention(layer, head).numpy()
    allowed = trace.allowed(layer)
    masked = ~allowed[min(head, len(allowed) - 1)].numpy()
    square(ax, contrast(weights), masked, cmap=WEIGHTS, vmin=0, vmax=1)
    label_tokens(ax, trace.tokens, f"layer {layer}, head {head}")
    return ax.figure


def attention_difference(comparison: Comparison, layer: int, head: int, ax: Axes | None = None) -> Figure:
    """After minus before on the first run's tokens: blue reads more, orange less."""
    ax = axes_of(ax)
    values = np.nan_to_num(comparison.attention_difference(layer, head).numpy())
    square(ax, np.sign(values) * contrast(np.abs(values)), cmap=DIFFERENCE, vmin=-1, vmax=1)
    label_tokens(ax, comparison.before.tokens, f"layer {layer}, head {head}: after − before")
    return ax.figure


def next_tokens(comparison: Comparison, ax: Axes | None = None) -> Figure:
    """The next token: filled bars after, outlines before."""
    ax = axes_of(ax, (4, 2.4))
    rows = comparison.next_tokens[:6][::-1]
    places = range(len(rows))
    ax.barh(places, [after for _, _, after in rows], color=READS)
    ax.barh(places, [before for _, before, _ in rows], fill=False, edgecolor=GREY, linewidth=1.4)
    for place, (_, before, after) in zip(places, rows, strict=True):
        ax.text(1.02, place, f"{before:.2f} → {after:.2f}", va="center", fontsize=8)
    ax.set_yticks(list(places), [shown_token(token) for token, _, _ in rows], fontsize=8, family="monospace")
    ax.set_xlim(0, 1)
    quiet(ax, "next token (outline = before)")
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
