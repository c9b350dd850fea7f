"""Many patches of one prompt in few passes: the batch grows on its way through the blocks, and no block runs in vain.

A patch at block l leaves all before l, and under the causal mask all before its first token, as it was. So a row for it
joins the batch when block l is entered, and starts at that token, with the keys and values before it taken over. In the
last block, behind its keys and values, only the last token goes on.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from transformers import DynamicCache

from ..errors import CtkitError
from ..interventions import Patch, Setup
from ..prompt import Encoding
from .attention import PREFIX, Pass, as_current, current
from .batch import parameters
from .fallback import around
from .hooks import at_entry, at_exit, first_tensor, leading, with_first, with_leading
from .interrupts import Interrupts
from .lm import LM, attention_name, has_windows
from .plan import Row
from .probe import FAILURES
from .rows import rows_of
from .run import trace_of, traces, wanted
from .session import Session, Wanted
from .switch import attention_in_place
from .trace import Trace

CLOSE = 1e-3  # logits, by which a grown row may differ from the same patch run alone; relative to the largest


def patched(lm: LM, prompt: Any, patches: Sequence[Patch], setup: Setup) -> tuple[Trace, Float[Tensor, "patch vocab"]]:
    """The run of a prompt under a setup, and the logits at its end under each of the patches as well.

    The first time a model meets a kind of patch, some rows are compared with the same patches run alone; a model for
    which they differ, or whose setup changes more than the text, gets a padded batch of whole runs.
    """
    row = rows_of(lm, [prompt], setup)[0]
    for patch in patches:
        patch.check(lm.shape)
    touched = any(setup.overrides(function) for function in ("allow", "bias", "heads", "mlp", "residual", "segments"))
    sites = tuple(sorted({patch.activation.site for patch in patches}))
    found = None
    if patches and not touched and lm.support["cache"] == "yes":
        how = lm.memory.recall(("grows", sites), lambda: _how(lm, row, patches))
        found = _tried(lm, row, patches, how) if how != "whole" else None
    return found or (traces(lm, [row], Wanted(), last_only=False)[0], _whole(lm, row, patches))


def _tried(lm: LM, row: Row, patches: Sequence[Patch], how: str) -> tuple[Trace, Tensor] | None:
    """The plain run and the grown rows; None where a model's parts do not take a batch that grows."""
    try:
        return _grown(lm, row, patches, short=how == "short")
    except (CtkitError, torch.OutOfMemoryError):
        raise  # the patch does not fit the prompt, or the batch the device: nothing to do with growing
    except FAILURES:
        return None


def _whole(lm: LM, row: Row, patches: Sequence[Patch], at_once: int = 64) -> Tensor:
    """Each patch as a run of its own, in batches."""
    found = []
    for first in range(0, len(patches), at_once):
        rows = [Row(row.enc, Setup([*row.setup, patch])) for patch in patches[first : first + at_once]]
        found += [trace.logits[-1] for trace in traces(lm, rows, Wanted(), last_only=True)]
    return torch.stack(found) if found else torch.zeros(0, lm.n_tokens)


def _how(lm: LM, row: Row, patches: Sequence[Patch]) -> str:
    """How a model takes a batch that grows: with a "short" last block, with a "full" one, or only the "whole" runs."""
    starts = {min(patch.where_in(row.enc), default=0) for patch in patches}
    some = [patch for patch in patches if min(patch.where_in(row.enc), default=0) == max(starts)]
    some = [some[0], some[-1], patches[0], patches[-1]]  # two that grow together, and two of other places
    whole = _whole(lm, row, some)
    for how in ("short", "full"):
        grown = _tried(lm, row, some, how)
        if grown is not None and torch.allclose(grown[1], whole, atol=CLOSE * float(whole.abs().max()), rtol=0):
            return how
    return "whole"


def _grown(lm: LM, row: Row, patches: Sequence[Patch], short: bool) -> tuple[Trace, Tensor]:
    cache = DynamicCache()
    session = Session(lm, [Row(row.enc, Setup())], len(row.enc), cache=cache, wanted=wanted(lm, residual="all"))
    with session.installed():
        output = session.forward(torch.tensor([row.enc.ids]), last=0)
    plain = trace_of(lm, row, 0, output.logits, session)
    streams = [session.read["residual", layer] for layer in range(lm.n_layers + 1)]
    found = plain.logits[-1].repeat(len(patches), 1)
    groups: dict[int, list[int]] = {}
    for index, patch in enumerate(patches):
        places = patch.where_in(row.enc)
        if places and not _changes_nothing(patch, places, streams):
            groups.setdefault(0 if has_windows(lm.model) else min(places), []).append(index)
    for start, members in groups.items():
        members.sort(key=lambda index: patches[index].activation.layer)
        growing = _Growing(lm, row.enc, [patches[i] for i in members], start, streams, cache, short)
        found[members] = growing.run()
    return plain, found


def _changes_nothing(patch: Patch, places: list[int], streams: list[Tensor]) -> bool:
    """Whether a patch puts in what is there already, bit for bit: before the first word that differs, and at layer 0
    wherever the words are the same. It needs no row then."""
    own = patch.activation
    return own.site == "residual" and torch.equal(own.values, streams[own.layer][0, places].float().cpu())


@dataclass
class _Growing:
    """One pass for the patches that start at one token, sorted by layer."""

    lm: LM
    enc: Encoding
    patches: list[Patch]
    start: int
    streams: list[Tensor]  # of the unpatched run, entering each block and leaving the last
    cache: Any  # its keys and values
    short: bool  # whether the last block need not go on with more than the last token

    def run(self) -> Tensor:
        """The logits at the end, patch by patch."""
        lm, interrupts = self.lm, Interrupts()
        base = attention_name(lm.model).removeprefix(PREFIX)
        now = Pass(base, dict(lm.attention_layers), start=self.start)
        now.heads = {layer: partial(self._inside, layer) for layer in self._layers("heads")}
        ids = torch.tensor([self.enc.ids[self.start :]], device=lm.device)
        with interrupts.kept_back(), ExitStack() as stack:
            stack.enter_context(lm.lock)
            stack.enter_context(torch.no_grad())
            if now.heads and lm.route == "interface":
                stack.enter_context(attention_in_place(lm, base))
            for remove in self._hooks(now):
                stack.callback(remove)
            inputs = {"input_ids": ids, "use_cache": self.start > 0}
            if self.start:
                inputs["past_key_values"] = self._prefix()
            if "logits_to_keep" in parameters(type(lm.model)):
                inputs["logits_to_keep"] = 1
            with as_current(now), interrupts.let_through():
                return lm.model(**inputs).logits[:, -1].float().cpu()

    def _hooks(self, now: Pass) -> Iterator[Callable[[], None]]:
        for layer in sorted({patch.activation.layer for patch in self.patches}):
            if layer < self.lm.n_layers:
                yield at_entry(self.lm.blocks[layer], _within(now, partial(self._entering, layer)))
        if self._layers("residual") and max(self._layers("residual")) == self.lm.n_layers:
            yield at_exit(self.lm.blocks[-1], _within(now, self._leaving))
        for layer in self._layers("mlp"):
            yield at_exit(self.lm.parts[layer].mlp, _within(now, partial(self._mlp, layer)))
        if self.lm.route == "hooks":
            for layer in now.heads:
                yield from around(self.lm, layer, now)
        last = self.lm.parts[-1]
        if self.short and self._layers("residual") == sorted({patch.activation.layer for patch in self.patches}):
            for part in (last.out, last.whole):
                if part is not None and self.lm.n_layers not in self._layers("residual"):
                    yield at_entry(part, _within(now, _last_token))

    def _layers(self, site: str) -> list[int]:
        return sorted({patch.activation.layer for patch in self.patches if patch.activation.site == site})

    def _rows(self, layer: int) -> range:
        """The rows that join at a layer."""
        before = sum(patch.activation.layer < layer for patch in self.patches)
        return range(before, before + sum(patch.activation.layer == layer for patch in self.patches))

    def _prefix(self) -> DynamicCache:
        """Keys and values before the start, for as many rows as each block will have."""
        prefix = DynamicCache()
        for layer, kept in enumerate(self.cache.layers):
            rows = max(1, self._rows(layer).stop)
            parts = [part[:, :, : self.start].expand(rows, -1, -1, -1) for part in (kept.keys, kept.values)]
            prefix.update(*parts, layer)
        return prefix

    def _entering(self, layer: int, args: tuple, kwargs: dict):
        return with_first(self._joined(layer, first_tensor(args, kwargs)), args, kwargs)

    def _leaving(self, args: tuple, kwargs: dict, output: Any):
        return with_leading(self._joined(self.lm.n_layers, leading(output)), output)

    def _joined(self, layer: int, x: Tensor) -> Tensor:
        """The rows so far, and those that join here; the one unpatched row that opened the pass makes room for them."""
        rows = self._rows(layer)
        new = self.streams[layer][:, self.start :].to(x).repeat(len(rows), 1, 1)
        new = self._patched(layer, new, "residual", 0)
        return new if rows.start == 0 else torch.cat([x, new])

    def _inside(self, layer: int, heads: Tensor) -> Tensor:
        return self._patched(layer, heads.clone(), "heads", self._rows(layer).start)

    def _mlp(self, layer: int, args: tuple, kwargs: dict, output: Any):
        x = leading(output)
        y = x.unflatten(0, (self._rows(layer).stop, -1)) if x.ndim == 2 else x
        y = self._patched(layer, y.clone(), "mlp", self._rows(layer).start)
        return with_leading(y.flatten(0, 1) if x.ndim == 2 else y, output)

    def _patched(self, layer: int, x: Tensor, site: str, first: int) -> Tensor:
        """The rows from `first` on that joined at a layer, each with its own patch, where that acts at the site."""
        here = [patch for patch in self.patches if patch.activation.layer == layer]
        for row, patch in enumerate(here, first):
            if patch.activation.site == site:
                places = [place - self.start for place in patch.where_in(self.enc)]
                target = x[row, :, patch.activation.head] if site == "heads" else x[row]
                target[places] = patch.activation.values.to(x)
        return x


def _within(now: Pass, function: Callable[..., Any]) -> Callable[..., Any]:
    """A listener to this pass only: another thread may run the model, without ctkit, at the same time."""
    return lambda *given: function(*given) if current.get() is now else None


def _last_token(args: tuple, kwargs: dict) -> tuple[tuple, dict] | None:
    """What the last token gives, for all tokens: the others' are asked for by nobody any more."""
    x = first_tensor(args, kwargs)
    return with_first(x[:, -1:], args, kwargs) if x.ndim == 3 else None
