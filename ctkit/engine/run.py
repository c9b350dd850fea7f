"""Running a model under a setup: one prompt, or many packed into few passes."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from torch import Tensor

from ..errors import CtkitError, shown
from ..interventions.base import as_tuple, check_heads
from ..interventions.setup import as_setup
from ..prompt import Prompt
from .batch import groups, padded_ids
from .encode import token_text
from .lm import LM
from .plan import Row
from .rows import rows_of
from .session import Session, Wanted
from .trace import Trace

Layers = Iterable[int] | int | str  # block indices, or "all"
Heads = Iterable[int | tuple[int, int]] | int | str  # blocks, pairs of block and head, or "all"


def run(
    lm: LM,
    prompt: Prompt | str,
    *interventions: Any,
    attention: Heads = (),
    residual: Layers = (),
    heads: Layers = (),
    mlp: Layers = (),
    neurons: Layers = (),
) -> Trace:
    """One forward pass of `lm` over `prompt` under a setup.

    The last five name what to keep right away, by blocks (or "all"): attention weights (also of single heads, as pairs
    [(layer, head)]), the stream, the heads' outputs, the MLPs' outputs and hidden layers. Others are read when they are
    asked for.
    Raises `CtkitError` for prompts and interventions that this model cannot read or carry out.

    >>> import ctkit as ct
    >>> trace = ct.run(ct.load(), "The key is in the box.", ct.Mask("bidirectional"))
    >>> trace.attention(layer=0, head=1).shape == (len(trace.tokens), len(trace.tokens))
    True
    """
    rows = rows_of(lm, [prompt], as_setup(*interventions))
    return traces(lm, rows, wanted(lm, attention, residual, heads, mlp, neurons), last_only=False)[0]


def run_many(
    lm: LM,
    prompts: Sequence[Any],
    *interventions: Any,
    attention: Heads = (),
    residual: Layers = (),
    heads: Layers = (),
    mlp: Layers = (),
    neurons: Layers = (),
    last_only: bool = False,
    on_progress: Callable[[int, int], Any] | None = None,
) -> list[Trace]:
    """`run` over many prompts, packed into few padded passes; the same numbers to float rounding.

    An entry of `prompts` is a prompt, or a pair (prompt, setup) for a setup of its own before the common one: a sweep
    of strengths is one pass. What to keep is said as in `run`. `last_only` keeps the logits of the last position only.
    `on_progress(done, all)` is called after each pass.
    """
    rows = rows_of(lm, prompts, as_setup(*interventions))
    keep = wanted(lm, attention, residual, heads, mlp, neurons)
    found: list[Trace | None] = [None] * len(rows)
    done = 0
    for group in groups([len(row.enc) for row in rows], "none" in lm.padded):
        for index, trace in zip(group, traces(lm, [rows[i] for i in group], keep, last_only), strict=True):
            found[index] = trace
        done += len(group)
        if on_progress is not None:
            on_progress(done, len(rows))
    return found


def traces(lm: LM, rows: list[Row], keep: Wanted, last_only: bool) -> list[Trace]:
    """One pass over a batch of rows, as a trace for each."""
    ids = padded_ids(rows, lm)
    session = Session(lm, rows, ids.shape[1], wanted=keep)
    with session.installed():
        output = session.forward(ids, last=int(last_only))
    return [trace_of(lm, row, b, output.logits, session) for b, row in enumerate(rows)]


def wanted(
    lm: LM,
    attention: Heads = (),
    residual: Layers = (),
    heads: Layers = (),
    mlp: Layers = (),
    neurons: Layers = (),
    pool: Callable[[Tensor], Tensor] | None = None,
) -> Wanted:
    """What is to be read, checked against the model. "all" leaves out blocks that do not have such a part."""
    plain = [layer for layer, part in enumerate(lm.parts) if part.down is not None]
    return Wanted(
        _heads(lm, attention),
        _layers(lm, residual, range(lm.n_layers + 1)),
        _layers(lm, heads, lm.attending),
        _layers(lm, mlp, [layer for layer, part in enumerate(lm.parts) if part.mlp is not None]),
        _layers(lm, neurons, plain),
        pool,
    )


def trace_of(lm: LM, row: Row, b: int, logits: Tensor, session: Session) -> Trace:
    """What came out of a session's last pass for row `b` of its batch."""
    kept = logits[b, row.pad :] if logits.shape[1] > 1 else logits[b]
    weights = {
        (layer, head): (read[b, i, row.pad :, row.pad :] if session.wanted.pool is None else read[b, i]).float().cpu()
        for layer, read in session.now.weights.items()
        for i, head in enumerate(session.now.wanted[layer])
    }
    streams = {place: x[b, row.pad :].float().cpu() for place, x in session.read.items()}

    def again(**keep: Any) -> Trace:
        alone = Row(row.enc, row.setup)
        return traces(lm, [alone], wanted(lm, **keep), last_only=False)[0]

    return Trace(row.enc, kept.float().cpu(), row.setup, partial(token_text, lm), again, weights, streams)


def _heads(lm: LM, asked: Heads) -> dict[int, tuple[int, ...]]:
    """Block → the heads wanted there: all of a block that is named alone, else those of its pairs."""
    entries = list(asked) if isinstance(asked, Iterable) and not isinstance(asked, str) else asked
    pairs = [e for e in entries if isinstance(e, tuple) and len(e) == 2] if isinstance(entries, list) else []
    whole = _layers(lm, [e for e in entries if e not in pairs] if pairs else entries, lm.attending)
    named: dict[int, tuple[int, ...]] = {}
    for layer, head in pairs:
        _layers(lm, layer, lm.attending)
        check_heads("attention", as_tuple(head), lm.n_heads)
        named[layer] = (*named.get(layer, ()), head)
    return named | {layer: tuple(range(lm.n_heads)) for layer in whole}


def _layers(lm: LM, asked: Layers, there: Sequence[int]) -> tuple[int, ...]:
    """The layers asked for, of those that are there."""
    if isinstance(asked, str):
        if asked != "all":
            raise CtkitError(f"the layers {shown(asked)}", "a word", '"all" or numbers such as [0, 2]')
        return tuple(there)
    layers = as_tuple(asked) or ()
    if not layers:
        return ()
    last = max(there, default=lm.n_layers - 1)
    for layer in layers:
        if not 0 <= layer <= last:
            raise CtkitError(f"layer {layer}", f"layers 0 to {last} in {lm.name}", f"layers from 0 to {last}")
        if layer not in there:
            raise CtkitError(
                f"layer {layer} of {lm.name}", "a block without such a part", f"one of the layers {list(there)}"
            )
    return layers
