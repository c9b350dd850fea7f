"""One model at work under the setups of a batch: hooks and attention function in place, and gone when it ends."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor

from ..errors import CtkitError
from .attention import PREFIX, Pass, ScoreEdit, as_current, current
from .batch import parameters, placing
from .fallback import around
from .hooks import at_entry, at_exit, first_tensor, leading, with_first, with_leading
from .interrupts import Interrupts, may_be_stopped, stop_if_unwanted
from .lm import LM, attention_name, keys_chosen
from .pine import pine_bias
from .plan import Row, Streams, score_edits
from .switch import attention_in_place

SHORT = 1024  # tokens: so long a prompt's masks are remembered
STREAMS = ("residual", "heads", "mlp")  # what interventions may edit, besides text and mask
SITES = (*STREAMS, "neurons")  # what may be read


@dataclass(frozen=True)
class Wanted:
    """What is to be read in a run: of attention the heads, by block; of the streams the blocks."""

    attention: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    residual: tuple[int, ...] = ()
    heads: tuple[int, ...] = ()
    mlp: tuple[int, ...] = ()
    neurons: tuple[int, ...] = ()
    pool: Callable[[Tensor], Tensor] | None = None  # what is kept of a block's weights (batch head query key)

    def layers(self, site: str) -> tuple[int, ...]:
        """The blocks whose `site` is read."""
        return getattr(self, site)


NOTHING = Wanted()


@dataclass
class Session:
    """Forward passes over one batch of rows: alone, or one after the other with a cache."""

    lm: LM
    rows: list[Row]
    horizon: int  # no row gets longer than this, padding included
    cache: Any = None  # None: every pass reads everything
    wanted: Wanted = NOTHING
    read: dict[tuple[str, int], Tensor] = field(default_factory=dict)  # (site, block) → as it was in the last pass
    length: int = 0  # positions read so far
    reading: int = 0  # positions read in this pass
    cascade: Any = None  # what the rows share, where it is not in the cache

    def __post_init__(self):
        self.interrupts = Interrupts()
        self.streams = {site: Streams(site, self.rows, self.horizon) for site in STREAMS}
        self.changed = {site: self._changed(site) for site in STREAMS}
        self.used = {site: set(self.wanted.layers(site)) | self.changed.get(site, set()) for site in SITES}
        base = attention_name(self.lm.model)
        self.now = Pass(
            base=base.removeprefix(PREFIX),  # it is ours already where a run goes on around this one
            layers=dict(self.lm.attention_layers),
            scores=_remembered_edits(self.lm, self.rows, self.horizon),
            wanted=dict(self.wanted.attention),
            pool=self.wanted.pool,
            alone=self.lm.heads_alone,
            extra=pine_bias(self.lm, self.rows),
            cascade=self.cascade,
        )
        for layer in self.used["heads"].intersection(self.lm.attending):
            self.now.heads[layer] = partial(self._edited, "heads", layer)
        self.refuse_unsupported()

    def forward(self, ids: Tensor, last: int) -> Any:
        """Read the next ids (batch, position) of every row; the model's own output comes back, with the logits of the
        `last` positions where it can leave out the others (0: of all)."""
        self.now.begin(self.length if self.cache is not None else 0)
        self.reading = ids.shape[1]
        total = self.now.start + self.reading
        inputs = {"input_ids": ids.to(self.lm.entrance), "use_cache": self.cache is not None}
        if self.cache is not None:
            inputs["past_key_values"] = self.cache
        inputs |= placing(self.lm, self.rows, slice(self.now.start, total), self.cascade)
        if last and "logits_to_keep" in parameters(type(self.lm.model)):
            inputs["logits_to_keep"] = last
        # outside of this, our hooks do nothing: a listener that runs the model between two passes runs it unchanged
        with as_current(self.now), self.interrupts.let_through():
            output = self.lm.model(**inputs)
        missing = self.now.touched - self.now.seen
        if missing:
            raise CtkitError(
                f"attention of layer {min(missing)} in {self.lm.name}",
                "a model that does not call its attention there",
                "re-reading, token prepending or steering, which work through the stream; or its other layers",
            )
        self.length = total
        return output

    @contextmanager
    def installed(self) -> Iterator["Session"]:
        """Our attention function and hooks in place; everything as it was on the way out, also after an error."""
        with ExitStack() as stack:
            if not self.idle:  # else there is nothing to undo that an interrupt could find half done
                stack.enter_context(self.interrupts.kept_back())
            stack.enter_context(self.lm.lock)
            stack.enter_context(torch.no_grad())
            if self.now.touched and self.lm.route == "interface":
                stack.enter_context(attention_in_place(self.lm, self.now.base))
            elif self.now.touched:
                for layer in sorted(self.now.touched):
                    for remove in around(self.lm, layer, self.now):
                        stack.callback(remove)
            for remove in self._hooks():
                stack.callback(remove)
            yield self

    def _refuse_over_a_choice(self) -> None:
        """Refuse attention in a text so long that the model chooses which keys to read."""
        # it chooses where it knows the attention function's name, so ours would undo its choice; hooks leave it, but a
        # mask beside it may leave a token nothing
        touched = self.now.touched if self.lm.route == "interface" else self.now.scores
        chosen = keys_chosen(self.lm.model) if touched else None
        if chosen is not None and self.horizon > chosen:
            raise CtkitError(
                f"attention changed or read on a text of {self.horizon} tokens in {self.lm.name}",
                f"a model that reads {chosen} keys of its own choice, and no others",
                f"a text of at most {chosen} tokens",
            )

    def _changed(self, site: str) -> set[int]:
        """The layers at which some row's setup changes what passes there."""
        if not any(len(row.setup) for row in self.rows):
            return set()
        layers = range(self.lm.n_layers + (site == "residual"))
        return {layer for layer in layers if self.streams[site].at(layer)}

    def _asks_for_attention(self) -> bool:
        functions = ("allow", "bias", "heads")
        return any(row.setup.overrides(function) for row in self.rows for function in functions)

    @property
    def idle(self) -> bool:
        """Whether nothing is changed and nothing read."""
        return not self.now.touched and not any(self.used.values())

    def _hooks(self) -> Iterator[Callable[[], None]]:
        """Edit, then read, what passes through the blocks; and let a pass end early that nobody wants any more."""
        if may_be_stopped():
            for block in self.lm.blocks:
                yield at_entry(block, lambda args, kwargs: stop_if_unwanted())
        for layer in sorted(self.used["residual"]):
            if layer < self.lm.n_layers:
                yield at_entry(self.lm.blocks[layer], partial(self._entering, "residual", layer))
            else:
                yield at_exit(self.lm.blocks[-1], partial(self._leaving, "residual", layer))
        for layer in self.used["mlp"]:
            yield at_exit(self.lm.parts[layer].mlp, partial(self._leaving, "mlp", layer))
        for layer in self.used["neurons"]:  # after the MLP's output, in case that is the same module's
            yield at_entry(self.lm.parts[layer].down, partial(self._entering, "neurons", layer))

    def _entering(self, site: str, layer: int, args: tuple, kwargs: dict):
        if current.get() is not self.now:
            return None
        before = first_tensor(args, kwargs)
        after = self._edited(site, layer, before)
        return None if after is before else with_first(after, args, kwargs)

    def _leaving(self, site: str, layer: int, args: tuple, kwargs: dict, output: Any):
        if current.get() is not self.now:
            return None
        before = leading(output)
        after = self._edited(site, layer, before)
        return None if after is before else with_leading(after, output)

    def _edited(self, site: str, layer: int, x: Tensor) -> Tensor:
        flat = x.ndim == 2 and site in ("mlp", "neurons")  # some blocks give their MLP all tokens of a batch in a row
        y = x.unflatten(0, (len(self.rows), -1)) if flat else x
        if site in ("residual", "mlp") and y.shape != (len(self.rows), self.reading, self.lm.d_model):
            raise CtkitError(
                f"the stream of {self.lm.name}",
                f"a tensor of shape {tuple(x.shape)} entering its blocks: several streams side by side",
                "masks and attention, where it has them; or another model",
            )
        if layer in self.changed.get(site, ()):
            y = self.streams[site](layer, y, self.now.start, self.cache is not None)
        if layer in self.wanted.layers(site):
            self.read[site, layer] = y.clone()  # some models add to it in place, later
        if y is x or (flat and y.data_ptr() == x.data_ptr()):
            return x
        return y.flatten(0, 1) if flat else y

    def refuse_unsupported(self) -> None:
        """Say no, in words, to what this model was found not to do."""
        asked = self.now.touched or (not self.lm.attending and self._asks_for_attention())
        needed = "attention" if self.now.wanted else "mask"
        if asked and self.lm.support.get(needed, "yes") != "yes":
            raise CtkitError(
                f"attention in {self.lm.name}",
                self.lm.support[needed],
                "re-reading, token prepending or steering, or another model",
            )
        biased = any(edit.bias is not None for edit in self.now.scores.values())
        if biased and self.lm.support.get("emphasize", "yes") != "yes":
            raise CtkitError(
                f"scores changed in {self.lm.name}",
                self.lm.support["emphasize"],
                "a mask (ct.Mask, ct.Knockout) instead, or another model",
            )
        self._refuse_over_a_choice()
        apart = any(edit.opened.shape[1] > 1 for edit in self.now.scores.values())
        if apart and self.lm.support.get("per head", "yes") != "yes":
            raise CtkitError(
                f"a mask for single heads in {self.lm.name}",
                self.lm.support["per head"],
                "the same mask for all heads of a block, or another model",
            )
        for site, part in (("mlp", "mlp"), ("neurons", "down")):
            without = [layer for layer in sorted(self.used[site]) if getattr(self.lm.parts[layer], part) is None]
            if without:
                what = "MLP" if site == "mlp" else "hidden layer of the MLP"
                raise CtkitError(
                    f"the {what} of block {without[0]} in {self.lm.name}",
                    "no such part that can be told apart (experts, or a state-space layer)",
                    "the residual stream, or another model such as ct.load()",
                )


def _remembered_edits(lm: LM, rows: list[Row], horizon: int) -> dict[int, ScoreEdit]:
    """What a setup does to the scores; not worked out twice for one short prompt under interventions of ctkit."""
    alone = len(rows) == 1 and horizon <= SHORT
    if not alone or not all(type(i).__module__.startswith("ctkit.") for i in rows[0].setup):
        return score_edits(rows, horizon, lm.attending)
    enc = rows[0].enc
    masking = tuple(i for i in rows[0].setup if i.overrides("allow") or i.overrides("bias"))
    if not masking:
        return {}
    spans = tuple((name, span.start, span.stop) for name, span in enc.spans.items())
    key = ("edits", masking, enc.ids, enc.places, spans, enc.n_prompt, horizon)
    return lm.memory.recall(key, lambda: score_edits(rows, horizon, lm.attending))
