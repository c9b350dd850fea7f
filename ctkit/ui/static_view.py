"""What a widget is where there is no widget: a still picture and a line of text in the cell's output."""

import base64
import io
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from ..measures.compare import compare
from ..plots import comparison, most_changed_head
from .heads import most_changed
from .look import Look


def mimebundle_of(bundle: Any, text: str, seen: tuple | None) -> Any:
    """The widget's own bundle, with a line of text that is the same at every run and a PNG of the last picture."""
    data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
    if data is None:
        return bundle
    extra = {"text/plain": text} | ({} if seen is None else {"image/png": png_of(seen[1], seen[2])})
    return data | extra, metadata


def png_of(before: Look, after: Look | None) -> str:
    """The figure as PNG in base64."""
    return base64.b64encode(file_of(before, after, "png")).decode("ascii")


def file_of(before: Look, after: Look | None, kind: str) -> bytes:
    """The figure as a file: "png", or "svg" (letters as outlines, so that it looks the same everywhere)."""
    buffer = io.BytesIO()
    with matplotlib.rc_context({"svg.fonttype": "path", "svg.hashsalt": "ctkit"}):
        plain = {"Software": None} if kind == "png" else {"Date": None, "Creator": None}
        figure_of(before, after).savefig(buffer, format=kind, metadata=plain)
    return buffer.getvalue()


def figure_of(before: Look, after: Look | None) -> Figure:
    """The head that changed most, before, after and difference, and the next token."""
    pair = compare(before.trace, (before if after is None else after).trace)
    if before.whole and (after is None or after.whole):
        place = most_changed_head(pair)
    else:
        place = most_changed(before, after)
        for look in (before, after):
            if look is not None:  # so that the figure reads this head only
                look.trace.kept_attention[place] = look.weights(*place)
    return comparison(pair, *place)
