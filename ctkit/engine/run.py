"""Running a model under a setup. The only module that registers hooks; all are gone when a pass ends."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor
from transformers import StaticCache

from ..errors import CtkitError, shown
from ..interventions.base import as_tuple, check_heads
from ..interventions.setup import as_setup
from ..prompt import Prompt
from .attention import PREFIX, Pass, as_current, current
from .batch import filler_id, groups, padded_ids, padding, parameters, rows_of
from .encode import token_text
from .interrupts import Interrupts
from .lm import ATTENTIONS, LM
from .plan import Row, Streams, score_edits
from .trace import Trace

Layers = Iterable[int] | int | str  # block indices, or "all"
Heads = Iterable[int | tuple[int, int]] | int | str  # blocks, pairs of block and head, or "all"


def run(lm: LM, prompt: Prompt | str, *interventions: Any, attention: Heads = (), residual: Layers = ()) -> Trace:
    """One forward pass of `lm` over `prompt` under a setup.

    `attention` and `residual` name blocks (or "all") to keep right away; `attention` also takes single heads, as pairs
    [(layer, head)]. Others are read when they are asked for.
    Raises `CtkitError` for prompts and interventions that this model cannot read or carry out.

    >>> import ctkit as ct
    >>> trace = ct.run(ct.load(), "The key is in the box.", ct.Mask("bidirectional"))
    >>> trace.attention(layer=0, head=1).shape == (len(trace.tokens), len(trace.tokens))
    True
    """
    rows = rows_of(lm, [prompt], as_setup(*interventions))
    return _traces(lm, rows, _heads(lm, attention), _layers(lm, residual, 1), last_only=False)[0]


def run_many(
    lm: LM,
    prompts: Sequence[Any],
    *interventions: Any,
    attention: Heads = (),
    residual: Layers = (),
    last_only: bool = False,
    on_progress: Callable[[int, int], Any] | None = None,
) -> list[Trace]:
    """`run` over many prompts, packed into few padded passes; the same numbers to float rounding.

    An entry of `prompts` is a prompt, or a pair (prompt, setup) for a setup of its own before the common one.
    `attention` and `residual` as in `run`. `last_only` keeps the logits of the last position only.
    `on_progress(done, all)` is called after each pass.
    """
    rows = rows_of(lm, prompts, as_setup(*interventions))
    layers = _heads(lm, attention), _layers(lm, residual, 1)
    traces: list[Trace | None] = [None] * len(rows)
    done = 0
    for group in groups([len(row.enc) for row in rows]):
        for index, trace in zip(group, _traces(lm, [rows[i] for i in group], *layers, last_only), strict=True):
            traces[index] = trace
        done += len(group)
        if on_progress is not None:
            on_progress(done, len(rows))
    return traces


@dataclass
class Session:
    """Forward passes over one batch of rows: alone, or one after the other with a cache."""

    lm: LM
    rows: list[Row]
    horizon: int  # no row gets longer than this, padding included
    cache: Any = None  # None: every pass reads everything
    attention: Mapping[int, tuple[int, ...]] = field(default_factory=dict)  # block → heads to read
    residual: tuple[int, ...] = ()
    read: dict[int, Tensor] = field(default_factory=dict)  # the streams wanted, as they left the last pass
    length: int = 0  # positions read so far

    def __post_init__(self):
        self.interrupts = Interrupts()
        self.streams = Streams("residual", self.rows)
        self.outputs = Streams("heads", self.rows)
        base = self.lm.model.config._attn_implementation
        self.now = Pass(
            base=base.removeprefix(PREFIX),  # it is ours already where a run goes on around this one
            layers=dict(self.lm.attention_layers),
            scores=score_edits(self.rows, self.horizon),
            wanted=dict(self.attention),
        )
        if self.outputs.active:
            at = partial(self.outputs.at, start=lambda: self.now.start, remember=self.cache is not None)
            self.now.heads = {layer: at(layer) for layer in range(self.lm.n_layers)}
        _refuse_unsupported(self.lm, self.now)

    def forward(self, ids: Tensor, last_only: bool) -> Any:
        """Read the next ids (batch, position) of every row; the model's own output comes back."""
        self.now.start = self.length if self.cache is not None else 0
        self.now.weights.clear()
        self.now.seen.clear()
        total = self.now.start + ids.shape[1]
        inputs = {"input_ids": ids.to(self.lm.device), "use_cache": self.cache is not None}
        if self.cache is not None:
            inputs["past_key_values"] = self.cache
        if any(row.pad for row in self.rows):
            room = self.horizon if isinstance(self.cache, StaticCache) else total
            inputs |= padding(self.lm, self.rows, slice(self.now.start, total), room)
        if last_only and "logits_to_keep" in parameters(type(self.lm.model)):
            inputs["logits_to_keep"] = 1
        # outside of this, our hooks do nothing: a listener that runs the model between two passes runs it unchanged
        with as_current(self.now), self.interrupts.let_through():
            output = self.lm.model(**inputs)
        missing = (set(self.now.scores) | set(self.now.heads) | set(self.now.wanted)) - self.now.seen
        if missing:
            raise CtkitError(
                f"attention of layer {min(missing)} in {self.lm.name}",
                "a model that does not call its attention there",
                "re-reading, token prepending or steering, which work through the stream",
            )
        self.length = total
        return output

    @contextmanager
    def installed(self) -> Iterator["Session"]:
        """Our attention function and hooks in place; everything as it was on the way out, also after an error."""
        with self.interrupts.kept_back(), ExitStack() as stack:
            stack.enter_context(self.lm.lock)
            stack.enter_context(torch.no_grad())
            if self.now.scores or self.now.heads or self.now.wanted:
                stack.enter_context(_attention_in_place(self.lm, self.now))
            for layer in range(self.lm.n_layers + 1):
                if self.streams.active or layer in self.residual:
                    handle = self._hook(layer)
                    stack.callback(handle.remove)
            yield self

    def _hook(self, layer: int):
        """Edit, then read, the stream entering a block. `prepend`: before any hook that records hidden states."""
        if layer < self.lm.n_layers:
            block = self.lm.blocks[layer]
            return block.register_forward_pre_hook(partial(self._entering, layer), prepend=True, with_kwargs=True)
        return self.lm.blocks[-1].register_forward_hook(self._leaving, prepend=True)

    def _entering(self, layer: int, module, args, kwargs):
        if current.get() is not self.now:
            return None
        if args:
            return (self._edited(layer, args[0]), *args[1:]), kwargs
        return args, kwargs | {"hidden_states": self._edited(layer, kwargs["hidden_states"])}

    def _leaving(self, module, args, output):
        if current.get() is not self.now:
            return None
        if isinstance(output, Tensor):
            return self._edited(self.lm.n_layers, output)
        return (self._edited(self.lm.n_layers, output[0]), *output[1:])

    def _edited(self, layer: int, x: Tensor) -> Tensor:
        if x.ndim != 3 or x.shape[-1] != self.lm.d_model:
            raise CtkitError(
                f"the stream of {self.lm.name}",
                f"a tensor of shape {tuple(x.shape)} entering its blocks",
                "another model: this one has several streams",
            )
        if self.streams.active:
            x = self.streams(layer, x, self.now.start, self.cache is not None)
        if layer in self.residual:
            self.read[layer] = x
        return x


def _traces(lm: LM, rows: list[Row], attention, residual, last_only: bool) -> list[Trace]:
    ids = padded_ids(rows, filler_id(lm))
    session = Session(lm, rows, ids.shape[1], attention=attention, residual=residual)
    with session.installed():
        output = session.forward(ids, last_only)
    return [_trace(lm, row, b, output.logits, session) for b, row in enumerate(rows)]


def _trace(lm: LM, row: Row, b: int, logits: Tensor, session: Session) -> Trace:
    kept = logits[b, row.pad :] if logits.shape[1] > 1 else logits[b]
    weights = {
        (layer, head): read[b, i, row.pad :, row.pad :].float().cpu()
        for layer, read in session.now.weights.items()
        for i, head in enumerate(session.now.wanted[layer])
    }
    streams = {layer: x[b, row.pad :].float().cpu() for layer, x in session.read.items()}

    def again(attention=(), residual=()) -> Trace:
        alone = Row(row.enc, row.setup)
        return _traces(lm, [alone], _heads(lm, attention), tuple(residual), last_only=False)[0]

    return Trace(row.enc, kept.float().cpu(), row.setup, partial(token_text, lm), again, weights, streams)


def _heads(lm: LM, wanted: Heads) -> dict[int, tuple[int, ...]]:
    """Block → the heads wanted there: all of a block that is named alone, else those of its pairs."""
    entries = list(wanted) if isinstance(wanted, Iterable) and not isinstance(wanted, str) else wanted
    pairs = [e for e in entries if isinstance(e, tuple) and len(e) == 2] if isinstance(entries, list) else []
    whole = _layers(lm, [e for e in entries if e not in pairs] if pairs else entries, 0)
    named: dict[int, tuple[int, ...]] = {}
    for layer, head in pairs:
        _layers(lm, layer, 0)
        check_heads("attention", as_tuple(head), lm.n_heads)
        named[layer] = (*named.get(layer, ()), head)
    return named | {layer: tuple(range(lm.n_heads)) for layer in whole}


def _layers(lm: LM, wanted: Layers, extra: int) -> tuple[int, ...]:
    """The blocks wanted; `extra` is 1 where the stream leaving the last block counts too."""
    last = lm.n_layers - 1 + extra
    if isinstance(wanted, str):
        if wanted != "all":
            raise CtkitError(f"the layers {shown(wanted)}", "a word", '"all" or numbers such as [0, 2]')
        return tuple(range(last + 1))
    layers = as_tuple(wanted) or ()
    for layer in layers:
        if not 0 <= layer <= last:
            raise CtkitError(f"layer {layer}", f"layers 0 to {last} in {lm.name}", f"layers from 0 to {last}")
    return layers


def _refuse_unsupported(lm: LM, now: Pass) -> None:
    if (now.scores or now.heads or now.wanted) and lm.support.get("attention", "yes") != "yes":
        raise CtkitError(
            f"attention in {lm.name}",
            lm.support["attention"],
            "re-reading, token prepending or steering, or another model",
        )


@contextmanager
def _attention_in_place(lm: LM, now: Pass) -> Iterator[None]:
    if now.base not in ATTENTIONS:
        raise CtkitError(
            f"a mask or attention weights with attention {now.base!r}",
            "an attention that leaves custom masks out",
            'model.set_attn_implementation("sdpa") before ct.wrap',
        )
    with ExitStack() as stack:
        stack.callback(lm.model.set_attn_implementation, lm.model.config._attn_implementation)
        lm.model.set_attn_implementation(PREFIX + now.base)
        yield
