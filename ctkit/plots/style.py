"""What all figures share: the palette, a figure that a notebook shows by itself, and how tokens are labelled."""

import io
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path

READS, READ_BY, GREY = "#2166ac", "#c8680c", "#8a94a0"  # reads, after, more · is read by, less · before
LINE, INK = "#dfe4ea", "#1c2733"  # frames · writing
LONGEST = 24  # letters of a token in a label
MOST = 512  # cells a side of a square: more than a picture has room for
WEIGHTS = LinearSegmentedColormap.from_list("ctkit weights", ["#ffffff", READS])
DIFFERENCE = LinearSegmentedColormap.from_list("ctkit difference", [READ_BY, "#ffffff", READS])


class Picture(Figure):
    """A figure that a notebook shows as the value of a cell, without pyplot and its global state."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", metadata={"Software": None})
        return buffer.getvalue()


def axes_of(ax: Axes | None, size: tuple[float, float] = (4.5, 4.5)) -> Axes:
    """The axes given, or those of a new picture."""
    if ax is not None:
        return ax
    return Picture(figsize=size, dpi=110, layout="constrained").subplots()


def square(ax: Axes, values: np.ndarray, masked: np.ndarray | None = None, **style: Any) -> None:
    """Draw a square of cells, those of `masked` hatched; of a long text in larger cells, each the mean of some."""
    n, size = len(values), -(-len(values) // MOST)
    starts = np.arange(0, n, size)
    if size > 1:
        counts = np.diff([*starts, n])
        values = _joined(np.add, values, starts) / np.outer(counts, counts)
        masked = None if masked is None else _joined(np.logical_and, masked, starts)
    end = len(starts) * size - 0.5
    ax.imshow(values, extent=(-0.5, end, end, -0.5), **style)
    if masked is not None:
        hatch(ax, masked, size)


def hatch(ax: Axes, masked: np.ndarray, size: int = 1) -> None:
    """Hatch what the mask forbids: one shape, of a rectangle for each run of cells in a row. `size`: of a cell."""
    boxes = []
    for row, cells in enumerate(masked):
        edges = np.flatnonzero(np.diff(np.concatenate([[False], cells, [False]]).astype(int))).reshape(-1, 2)
        corners = [[(a, row), (b, row), (b, row + 1), (a, row + 1), (a, row)] for a, b in edges]
        boxes += [Path(size * np.array(each) - 0.5, closed=True) for each in corners]
    if boxes:
        style = {"hatch": "/////", "edgecolor": LINE, "facecolor": "none", "linewidth": 0}
        ax.add_patch(PathPatch(Path.make_compound_path(*boxes), **style))


def contrast(values: Any) -> Any:
    """Small weights made visible: log10(1 + 9 v), which keeps 0 and 1."""
    return np.log10(1 + 9 * values)


def label_tokens(ax: Axes, tokens: list[str], title: str) -> None:
    """The axes of a square of weights: tokens down the side, where they can be read."""
    if len(tokens) <= 48:
        ax.set_yticks(range(len(tokens)), [shown_token(t) for t in tokens], fontsize=6, family="monospace")
    else:
        ax.set_yticks([])
    ax.set_xticks([])
    ax.set_title(title, fontsize=9, loc="left")
    for spine in ax.spines.values():
        spine.set_edgecolor(LINE)


def quiet(ax: Axes, title: str) -> None:
    """A title and no more frame than is needed."""
    ax.set_title(title, fontsize=9, loc="left")
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    ax.tick_params(axis="x", labelsize=7)


def shown_token(token: str) -> str:
    """A token for a label: no markup, spaces and line breaks visible, what no font has as a dot, a long one cut."""
    text = token.strip() or token.replace("\n", "↵").replace(" ", "␣")
    text = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    return "".join(c if c.isprintable() else "·" for c in text).replace("$", r"\$")


def shown_text(text: str) -> str:
    """A text for a label that reads no mathematics in it: in one line, and what no font has as a dot."""
    return "".join("↵" if c == "\n" else c if c.isprintable() else "·" for c in text)


def _joined(how: np.ufunc, values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """The rows and columns from each start to the next, joined into one."""
    return how.reduceat(how.reduceat(values, starts, axis=0), starts, axis=1)
