"""One run with everything that a view draws: of a short text all attention weights, of a long one each head made small
while the model runs."""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from ..engine.encode import encode
from ..engine.lm import LM
from ..engine.plan import Row
from ..engine.rows import rows_of
from ..engine.run import run, traces, wanted
from ..engine.trace import Trace
from ..interventions.setup import Setup
from ..measures.compare import alignment
from ..measures.thinking import with_thought
from ..prompt import Prompt
from .cells import Edges, Pooling, even_edges, in_cells, joined_edges
from .memory import Memory
from .wire import as_bytes

MOST_WHOLE = 450_000  # weights of a run that are all sent, a byte each: two runs fit into a first picture of 1 MB
MOST_KEPT = 170_000_000  # weights of a run that are kept here (two bytes each) to answer for any head at once
MOST_AGAIN = 2_500_000  # numbers of a run that is kept for the case that its setup is on again
KEPT = 12  # such runs
MOST_STREAM = 45_000_000  # numbers of the stream that are kept for the lens; else the lens runs the model once more
CELLS = 64  # a side: how finely heads of a long text are compared
MOST_CELLS = 512  # a side of one head in one message
CUTS = 2  # ways to cut a text of which all heads are remembered


@dataclass(frozen=True, eq=False)
class Look:
    """A run, and its attention as far as it is at hand.

    `before`: the run that it is compared with. `whole`: every weight is in the trace. Else `pooled[layer, head]` is
    what `pooling` left, and `kept[layer, head]` the weights where they fit into memory.
    """

    trace: Trace
    before: "Look | None" = field(repr=False)
    whole: bool
    pooled: Float[Tensor, "layer head value"] | None = field(default=None, repr=False)
    kept: Tensor | None = field(default=None, repr=False)
    read: dict[tuple[int, int], Tensor] = field(default_factory=dict, repr=False)  # single heads, read when asked for
    recut: Callable[[Edges], Tensor | None] | None = field(default=None, repr=False)
    took: float = field(default=0.0, repr=False)  # seconds of the model alone
    number: int = field(default_factory=itertools.count().__next__, repr=False)  # tells this run from all others
    cut: Memory = field(default_factory=lambda: Memory(CUTS), repr=False)  # edges → all heads in these cells, as bytes

    _sent: dict[bool, dict[str, Any]] = field(default_factory=dict, repr=False)

    def sent(self, make: Callable[[], dict[str, Any]], whole: bool) -> dict[str, Any]:
        """What the view is sent of this run, made once: most changes leave the run before as it is."""
        if whole not in self._sent:
            self._sent[whole] = make()
        return dict(self._sent[whole])

    @cached_property
    def pooling(self) -> Pooling:
        """How this run is made small."""
        return _pooling(self.trace.encoding, self.before)

    @property
    def size(self) -> int:
        """How many numbers the run keeps."""
        kept = (*self.trace.kept_attention.values(), *self.trace.kept_streams.values())
        return sum(tensor.numel() for tensor in kept)

    def weights(self, layer: int, head: int) -> Float[Tensor, "query key"]:
        """One head's weights; where they are not at hand, by one more run that keeps this head only."""
        if self.whole:
            return self.trace.attention(layer, head)
        if self.kept is not None:
            return self.kept[layer, head].float()
        if (layer, head) not in self.read:
            found = self.trace.again(attention=[(layer, head)]).kept_attention[layer, head]
            while len(self.read) > 1:  # of a long text one head is many megabytes
                self.read.pop(next(iter(self.read)))
            self.read[layer, head] = found.half()
        return self.read[layer, head].float()

    def in_cells(self, layer: int, head: int, edges: Edges) -> Float[Tensor, "cell cell"]:
        """One head's weights in cells. Of a text too long to be kept, the run that answers keeps every head so."""
        every = None
        if not self.whole and self.kept is None and self.recut is not None:
            every = self.cut.once(edges, lambda: self.recut(edges))
        return in_cells(self.weights(layer, head), edges) if every is None else every[layer, head] / 255

    def squares(self) -> tuple[Tensor, Tensor | None]:
        """Every head in cells: own ones; those of the run before, with a last column for what is new."""
        pooled = self.pooled
        if pooled is None:
            every = range(self.trace.shape.n_layers)
            pooled = self.pooling(torch.stack([self.trace.attention(layer) for layer in every]))
        return self.pooling.split(pooled)


class Looks:
    """Runs of a view, remembered: a switch is flipped back, a change undone, and the picture is there at once.

    Long runs fill the memory: of these only the newest with nothing before it is kept, which is on show anyway. Weights
    that were changed in place since then make a run new.
    """

    def __init__(self) -> None:
        self._known, self._newest = Memory(KEPT), Memory(1)
        self.took = 0.0  # seconds of the model in all runs so far
        self.latest = 0.0  # seconds of the model in the newest run

    def both(self, lm: LM, prompt: Prompt, setup: Setup, against: Setup) -> tuple[Look, Look | None]:
        """The run under `against`, and the one under `setup` where that is another one."""
        age = weights_age(lm)
        before = self._of(lm, age, prompt, against)
        same = setup.to_json() == against.to_json()
        return before, None if same else self._of(lm, age, prompt, setup, before)

    def _of(self, lm: LM, age: int, prompt: Prompt, setup: Setup, before: Look | None = None) -> Look:
        """As `look`, or the run that is known."""
        key = (lm, age, prompt, setup.to_json(), before)
        found = self._known.get(key) or self._newest.get(key)
        if found is None:
            found = look(lm, prompt, setup, before)
            self.took, self.latest = self.took + found.took, found.took
            if found.whole and found.size <= MOST_AGAIN:
                self._known.put(key, found)
        if before is None:
            self._newest.put(key, found)
        return found


def weights_age(lm: LM) -> int:
    """How often the model's weights were changed in place; torch counts it, but for tensors of its inference mode."""
    return sum(weight._version for weight in lm.model.parameters() if not weight.is_inference())


def look(lm: LM, prompt: Prompt, setup: Setup, before: Look | None = None, most: int = MOST_WHOLE) -> Look:
    """Run a prompt under a setup. With thinking on, the model first writes its thought and the cue; what comes next is
    then the answer. `before`: the run that this one is compared with. `most`: how many weights are kept whole."""
    clock = _Clock()
    with clock:
        prompt = with_thought(lm, prompt, setup)
    enc = encode(lm, setup.edit(prompt))
    weights = lm.n_layers * lm.n_heads * len(enc) ** 2
    stream = "all" if (lm.n_layers + 1) * lm.d_model * len(enc) <= MOST_STREAM else ()
    reads = lm.support.get("attention", "yes") == "yes"
    if not reads or weights <= most:
        with clock:
            trace = run(lm, prompt, setup, attention="all" if reads else (), residual=stream)
        return Look(trace, before, True, took=clock.seconds)
    edges = joined_edges(len(enc), [span.start for span in enc.spans.values()], MOST_CELLS)
    keep = _Keep(_pooling(enc, before), whole=weights <= MOST_KEPT, edges=None if weights <= MOST_KEPT else edges)
    rows = rows_of(lm, [prompt], setup)
    with clock:
        trace = traces(lm, rows, wanted(lm, attention="all", residual=stream, pool=keep), last_only=False)[0]
    small = {place: values[0] for place, values in trace.kept_attention.items()}
    trace.kept_attention.clear()  # what is small stays here; the trace reads the whole where it is asked
    heads = range(lm.n_heads)
    nothing = torch.zeros_like(next(iter(small.values())))  # a block without attention
    pooled = torch.stack([torch.stack([small.get((n, h), nothing) for h in heads]) for n in range(lm.n_layers)])
    recut, kept = lambda edges: _cut(lm, rows, edges), keep.all(keep.seen, lm)
    found = Look(trace, before, False, pooled, kept, recut=recut, took=clock.seconds)
    found.cut.put(edges, keep.all(keep.cut, lm))
    return found


class _Clock:
    """Adds up the seconds inside it."""

    seconds = 0.0

    def __enter__(self) -> None:
        self._since = time.perf_counter()

    def __exit__(self, *failed: object) -> None:
        self.seconds += time.perf_counter() - self._since


def _cut(lm: LM, rows: list[Row], edges: Edges) -> UInt8[Tensor, "layer head cell cell"] | None:
    """Every head in cells, by one more run; None where not every block has heads."""
    keep = _Keep(Pooling.of((0, edges[-1])), edges=edges)
    traces(lm, rows, wanted(lm, attention="all", pool=keep), last_only=True)
    return keep.all(keep.cut, lm)


def _pooling(enc, before: Look | None) -> Pooling:
    edges = even_edges(len(enc), CELLS)
    if before is None:
        return Pooling.of(edges)
    align, fold = alignment(before.trace.encoding, enc)
    return Pooling.of(edges, before.pooling.own, align, fold)


@dataclass
class _Keep:
    """Pools each block's weights, and keeps them beside that: `whole`, or in cells with these `edges`. They come in the
    model's order."""

    pooling: Pooling
    whole: bool = False
    edges: Edges | None = None
    seen: list[Tensor] = field(default_factory=list)
    cut: list[Tensor] = field(default_factory=list)

    def __call__(self, weights: Float[Tensor, "batch head query key"]) -> Float[Tensor, "batch head 1 value"]:
        if self.whole:
            self.seen.append(weights[0].half().cpu())
        numbers = weights.float().cpu()
        if self.edges is not None:
            self.cut.append(as_bytes(in_cells(numbers[0], self.edges)))
        return self.pooling(numbers).unsqueeze(-2)

    def all(self, parts: list[Tensor], lm: LM) -> Tensor | None:
        """(layer, head, …), where every head of every block came by just once."""
        if sum(len(part) for part in parts) != lm.n_layers * lm.n_heads:
            return None
        return torch.cat(parts).unflatten(0, (lm.n_layers, lm.n_heads))
