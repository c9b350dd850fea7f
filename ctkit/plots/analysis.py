"""Layer by layer: the logit lens, residual cross-entropy, concept depth, rollout, what reads which document."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from ..engine.trace import Trace
from ..measures.depth import ConceptDepth
from ..measures.lens import Lens
from ..measures.peak import PeakAttention
from ..measures.rollout import rollout as rolled
from ..measures.uncertainty import ResidualCrossEntropy
from .style import GREY, INK, LINE, READ_BY, READS, WEIGHTS, axes_of, contrast, label_tokens, quiet, shown_token

LATE = 0.6  # a cell darker than this has white writing


def lens(found: Lens, last: int = 10, ax: Axes | None = None) -> Figure:
    """The likeliest next token of every layer, after the last few positions that were read; the last layer on top."""
    places = found.positions[-last:]
    best = [[found.next_tokens(1, place)[layer][0] for place in places] for layer in range(len(found.logits))]
    ax = axes_of(ax, (0.75 * len(places) + 0.8, 0.36 * len(best) + 0.9))
    chances = np.array([[p for _, p in row] for row in best])
    ax.imshow(chances, cmap=WEIGHTS, vmin=0, vmax=1, aspect="auto", origin="lower")
    for layer, row in enumerate(best):
        for x, (token, p) in enumerate(row):
            color = "white" if p > LATE else INK
            ax.text(x, layer, _cut(token), ha="center", va="center", fontsize=7, family="monospace", color=color)
    tokens = [_cut(found.trace.tokens[place]) for place in places]
    ax.set_xticks(range(len(places)), tokens, fontsize=7, family="monospace")
    _layers(ax, len(best), along="y")
    _frame(ax, "likeliest next token, read off each layer")
    ax.set_xlabel("after this token", fontsize=8)
    return ax.figure


def decided(found: Lens, tokens: Sequence[str | int] = (), at: int = -1, ax: Axes | None = None) -> Figure:
    """When it is decided: the probability of some tokens by layer, after one position.

    Left out, the tokens are those that some layer finds likeliest.
    """
    ax = axes_of(ax, (4.2, 2.6))
    column = found.index(at)
    top = found.logits[:, column].argmax(-1).tolist()
    wanted = list(tokens) or list(dict.fromkeys(top[::-1]))[:5]
    names = [token if isinstance(token, str) else found.trace.name_token(token) for token in wanted]
    styles = [(READS, "-"), (READ_BY, "-"), (GREY, "-"), (READS, ":"), (READ_BY, ":"), (GREY, ":")]
    ends = []
    for i, token in enumerate(wanted):
        curve = found.probability(token)[:, column].numpy()
        color, dash = styles[i % len(styles)]
        ax.plot(curve, dash, marker="o", markersize=3.5, color=color, linewidth=1.6)
        peak = int(curve.argmax())
        ends.append((peak, float(curve[peak]), shown_token(names[i]), color))
    for layer, value, name, color in ends:
        ax.annotate(name, (layer, value), (0, 5), textcoords="offset points", ha="center", fontsize=8, color=color)
    ax.set_ylim(-0.03, 1.15)
    ax.set_yticks([0, 0.5, 1])
    _layers(ax, len(found.logits), along="x")
    quiet(ax, f"probability after “{shown_token(found.trace.tokens[found.positions[column]])}”, read off each layer")
    return ax.figure


def residual_cross_entropy(found: ResidualCrossEntropy, ax: Axes | None = None) -> Figure:
    """The mean curve of problems answered right and of the others, with 95 % intervals, and the AUC of each layer."""
    ax = axes_of(ax, (4.6, 3.0))
    layers = np.arange(found.curves.shape[1])
    for right, color, name in ((True, READS, "answered right"), (False, READ_BY, "answered wrong")):
        curves = found.curves[found.right == right]
        if len(curves) < 2:
            continue
        mean, half = curves.mean(0).numpy(), 1.96 * (curves.std(0) / len(curves) ** 0.5).numpy()
        ax.fill_between(layers, mean - half, mean + half, color=color, alpha=0.2, linewidth=0)
        ax.plot(layers, mean, "o-", color=color, markersize=3.5, label=f"{name} ({len(curves)})")
    ax.set_ylim(0, None)
    if 0 < found.accuracy < 1:
        for layer, (value, low, high) in enumerate(found.auc):
            strong = low > 0.5 or high < 0.5
            ax.text(layer, 1.0, f"{value:.2f}", transform=ax.get_xaxis_transform(), ha="center", va="bottom",
                    fontsize=7.5, color=INK if strong else GREY, weight="bold" if strong else "normal")  # fmt: skip
        ax.text(-0.02, 1.0, "AUC", transform=ax.transAxes, ha="right", va="bottom", fontsize=7.5, color=GREY)
    ax.legend(frameon=False, fontsize=8)
    _layers(ax, len(layers), along="x")
    quiet(ax, f"cross-entropy of the {found.target} token, {found.n} problems\n")
    ax.set_ylabel("nats", fontsize=8)
    return ax.figure


def concept_depth(depth: ConceptDepth, ax: Axes | None = None) -> Figure:
    """What a probe says right at each layer, and its control, with 95 % intervals; where it jumps and comes to rest."""
    ax = axes_of(ax, (4.6, 2.9))
    series = [
        (depth.control, depth.control_intervals, GREY, "control: labels by chance"),
        (depth.accuracy, depth.intervals, READS, "probe"),
    ]
    layers = range(len(depth.accuracy))
    for shares, intervals, color, name in series:
        low, high = zip(*intervals, strict=True)
        ax.fill_between(layers, low, high, color=color, alpha=0.2, linewidth=0)
        ax.plot(layers, shares, "o-", color=color, markersize=3.5, label=name)
    ax.axhline(depth.chance, color=LINE, linewidth=1, zorder=0)
    for point, name in ((depth.jump, "jump"), (depth.converging, "converges")):
        if point is not None:
            layer = point * (len(depth.accuracy) - 1)
            ax.axvline(layer, color=INK, linewidth=0.8, linestyle=":", zorder=0)
            where = {"transform": ax.get_xaxis_transform(), "ha": "center", "va": "bottom"}
            ax.text(layer, 1.0, name, fontsize=7.5, color=INK, **where)
    ax.set_ylim(0, 1.04)
    ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.legend(frameon=False, fontsize=8, loc="lower left")
    _layers(ax, len(depth.accuracy), along="x")
    quiet(ax, f"{len(depth.classes)} classes read off the stream, {depth.n} texts\n")
    return ax.figure


def rollout(trace: Trace, layer: int = -1, share: float = 0.5, ax: Axes | None = None) -> Figure:
    """Attention rolled out up to a block (the last): what each place, a row, is mixed from."""
    ax = axes_of(ax)
    layers = rolled(trace, share)
    ax.imshow(contrast(layers[layer].numpy()), cmap=WEIGHTS, vmin=0, vmax=1)
    label_tokens(ax, trace.tokens, f"rollout up to layer {range(len(layers))[layer]}")
    return ax.figure


def peak_attention(found: PeakAttention, ax: Axes | None = None) -> Figure:
    """What the answer gives to each document, added up over the layers; the peak is the darkest cell on top."""
    sums = found.accumulated
    ax = axes_of(ax, (0.55 * sums.shape[1] + 1.6, 0.32 * len(sums) + 1.2))
    ax.imshow(sums.numpy(), cmap=WEIGHTS, vmin=0, vmax=max(found.peak, 1e-9), aspect="auto", origin="lower")
    for (layer, document), value in np.ndenumerate(sums.numpy()):
        color = "white" if value > LATE * found.peak else INK
        ax.text(document, layer, f"{value:.2f}", ha="center", va="center", fontsize=7, color=color)
    ax.set_xticks(range(sums.shape[1]), [str(name) for name in found.documents], fontsize=7, rotation=30, ha="right")
    _layers(ax, len(sums), along="y")
    _frame(ax, f"attention of the answer, summed over layers: peak {found.peak:.2f}")
    return ax.figure


def _layers(ax: Axes, count: int, along: str) -> None:
    """An axis of layers."""
    axis = ax.xaxis if along == "x" else ax.yaxis
    if count <= 16:
        axis.set_ticks(range(count), [str(layer) for layer in range(count)])
    else:
        axis.set_major_locator(MaxNLocator(integer=True))
    ax.tick_params(labelsize=7)
    axis.set_label_text("layer", fontsize=8)


def _frame(ax: Axes, title: str) -> None:
    ax.set_title(title, fontsize=9, loc="left")
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_edgecolor(LINE)


def _cut(token: str, most: int = 8) -> str:
    text = shown_token(token)
    return text if len(text) <= most else text[: most - 1] + "…"
