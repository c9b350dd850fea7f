"""From setups to what a batch of forward passes must do: interventions speak of one prompt, here it becomes a row."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch
from jaxtyping import Int
from torch import Tensor

from ..errors import CtkitError
from ..interventions.setup import Setup
from ..prompt import Encoding
from .attention import ScoreEdit, as_current

PLAIN = Setup()  # nothing is changed


@dataclass
class Row:
    """One prompt of a batch: its encoding so far, its setup, and how many places of padding stand before it."""

    enc: Encoding
    setup: Setup
    pad: int = 0

    def __post_init__(self):
        self.segments = self.setup.segments(self.enc)

    @cached_property
    def edits(self) -> "list[_RowEdit | None]":
        """What the setup does to the scores of each block, among the row's own tokens."""
        return _row_edits(self, len(self.enc))

    @property
    def plain_until(self) -> int:
        """How many tokens from the start the setup's masks leave alone: up to there the text is read as without
        them."""
        if not self.setup.overrides("allow"):
            return len(self.enc)
        edits = {id(edit): edit for edit in self.edits if edit is not None}  # most blocks have the very same one
        changed = [edit.opened | edit.closed for edit in edits.values()]
        touched = torch.stack([rows.any(-1).any(0) for rows in changed]).any(0) if changed else torch.zeros(0)
        return int(touched.nonzero()[0]) if touched.any() else len(self.enc)

    def positions(self, room: int) -> Int[Tensor, "room"]:
        """The position of each place, padding included: counted from the row's own first token. Segments that are to
        be read as if none came first all end where the last of them ends (PINE)."""
        places = torch.arange(-self.pad, room - self.pad).clamp(min=0)
        for segment in self.segments:
            length = segment.stop - segment.start
            own = slice(self.pad + segment.start, self.pad + segment.stop)
            places[own] = torch.arange(length) + self.segments[-1].stop - length
        return places


def score_edits(rows: list[Row], horizon: int, layers: Sequence[int]) -> dict[int, ScoreEdit]:
    """For each of `layers` that changes: the edges opened and closed, and the bias, up to position `horizon`.

    A rule says who may attend to whom in absolute positions, so it is asked once, for the longest text to come.
    `layers` are the blocks with attention; a setup that names another one is refused.
    """
    if not any(row.setup.overrides("allow") or row.setup.overrides("bias") for row in rows):
        return {}
    for row in rows:
        _refuse_without_attention(row.setup, layers)
    lengths = [horizon - row.pad for row in rows]
    per_row = [row.edits if n == len(row.enc) else _row_edits(row, n) for row, n in zip(rows, lengths, strict=True)]
    edits: dict[int, ScoreEdit] = {}
    for layer in layers:
        parts = [row_edits[layer] for row_edits in per_row]
        if all(part is None for part in parts):
            continue
        before = [row_edits[layer - 1] for row_edits in per_row] if layer - 1 in edits else []
        same = bool(before) and all(a is b for a, b in zip(parts, before, strict=True))
        edits[layer] = edits[layer - 1] if same else _stacked(parts, rows, horizon)
    return edits


def _refuse_without_attention(setup: Setup, layers: Sequence[int]) -> None:
    """Refuse a setup that names a block which has no attention (a state-space layer of a mixed model)."""
    for intervention in setup:
        named = getattr(intervention, "layers", None) or ()
        missing = [layer for layer in named if layer not in layers]
        if missing and (intervention.overrides("allow") or intervention.overrides("bias")):
            raise CtkitError(
                f"{type(intervention).__name__} in block {missing[0]}",
                "a block without attention (a state-space layer)",
                f"the blocks with attention: {list(layers)}",
            )


@dataclass(frozen=True, eq=False)
class _RowEdit:
    opened: Tensor  # (head or 1, query, key)
    closed: Tensor
    bias: Tensor | None


def _row_edits(row: Row, length: int) -> list["_RowEdit | None"]:
    to_come = length - len(row.enc)
    enc = row.enc.extended((0,) * to_come, ("…",) * to_come) if to_come else row.enc
    causal = torch.ones(1, length, length, dtype=torch.bool).tril()
    edits: list[_RowEdit | None] = []
    before: Tensor | None = None  # the mask of the block before, where that has no bias
    for layer in range(enc.shape.n_layers):
        allowed, bias = row.setup.allow(causal, enc, layer), row.setup.bias(enc, layer)
        same = bias is None and before is not None and torch.equal(allowed, before)
        edits.append(edits[-1] if same else _edit(allowed, bias, enc, causal))
        before = allowed if bias is None else None
    return edits


def _edit(allowed: Tensor, bias: Tensor | None, enc: Encoding, causal: Tensor) -> "_RowEdit | None":
    if allowed is causal and bias is None:
        return None
    _refuse_empty_row(allowed, enc)
    opened, closed = allowed & ~causal, causal & ~allowed
    opened[..., enc.n_prompt :] = False  # what is not written yet can be seen by nobody, with a cache or without
    if bias is None and not opened.any() and not closed.any():
        return None
    return _RowEdit(opened, closed, bias)


def _refuse_empty_row(allowed: Tensor, enc: Encoding) -> None:
    empty = ~allowed.any(-1)
    if empty.any():
        row = int(empty.nonzero()[0][-1])
        raise CtkitError(
            f"a mask that leaves token {row} ({enc.tokens[row]!r}) nothing to attend to",
            "a row without a single True",
            "a mask that keeps at least the token itself: rule | ct.masks.window(1)",
        )


def _stacked(parts: list["_RowEdit | None"], rows: list[Row], horizon: int) -> ScoreEdit:
    n_heads = max(max(p.opened.shape[0], 1 if p.bias is None else p.bias.shape[0]) for p in parts if p is not None)
    opened = torch.zeros(len(rows), n_heads, horizon, horizon, dtype=torch.bool)
    closed = torch.zeros_like(opened)
    has_bias = any(p is not None and p.bias is not None for p in parts)
    bias = torch.zeros(opened.shape) if has_bias else None
    for b, (part, row) in enumerate(zip(parts, rows, strict=True)):
        if part is None:
            continue
        opened[b, :, row.pad :, row.pad :] = part.opened
        closed[b, :, row.pad :, row.pad :] = part.closed
        if part.bias is not None:
            bias[b, :, row.pad :, row.pad :] = part.bias
    return ScoreEdit(opened, closed, bias)


@dataclass
class Streams:
    """One of the functions `residual`, `heads` or `mlp` over the rows of a batch, with what it has seen so far.

    An intervention sees the whole stream from position 0 on. With a cache only the new positions pass through the
    model, so the earlier ones are remembered here, as they were before the edit.
    """

    function: str
    rows: list[Row]
    horizon: int
    past: dict[int, Tensor] = field(default_factory=dict)

    def at(self, layer: int) -> bool:
        """Whether any row has something to do there."""
        return any(row.setup.touching(self.function, layer) for row in self.rows)

    def __call__(self, layer: int, x: Tensor, start: int, remember: bool) -> Tensor:
        """The new positions of a stream (batch, token, …), edited. Returns `x` itself where no row changes."""
        whole = self._remembered(layer, x, start) if remember else x
        edited = x
        for b, row in enumerate(self.rows):
            before = whole[b, row.pad :]
            with as_current(None):  # an intervention may run the model too
                after = getattr(row.setup, self.function)(before, row.enc, layer)
            if after is before:
                continue
            first = max(row.pad, start)  # the first position of this pass that is no padding
            self._check(after, before)
            if edited is x:
                edited = x.clone()
            edited[b, first - start :] = after[first - row.pad :].to(x)
        return edited

    def _remembered(self, layer: int, x: Tensor, start: int) -> Tensor:
        """The stream from position 0 on. Room for all to come is taken once, so that no step copies the past."""
        if layer not in self.past:
            self.past[layer] = x.new_empty(x.shape[0], self.horizon, *x.shape[2:])
        self.past[layer][:, start : start + x.shape[1]] = x
        return self.past[layer][:, : start + x.shape[1]]

    def _check(self, after: Tensor, before: Tensor) -> None:
        if after.shape != before.shape:
            raise CtkitError(
                f"{self.function}() returning {tuple(after.shape)}",
                f"a stream of {tuple(before.shape)}",
                "a tensor of the same shape",
            )
        if not after.isfinite().all() and before.isfinite().all():
            raise CtkitError(
                f"{self.function}() returning NaN or infinity",
                "a stream of finite numbers",
                "a smaller change, or no division by 0",
            )
