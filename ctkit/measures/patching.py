"""Activation patching: where does a run that went wrong need the right one's activations to come right again?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from .. import masks
from ..engine.encode import encode
from ..engine.lm import LM
from ..engine.run import run
from ..engine.sweep import patched
from ..engine.trace import Trace
from ..errors import CtkitError, shown
from ..interventions import Activation, Patch, as_setup
from ..interventions.base import as_tuple, check_layers
from ..interventions.direction import SITES
from ..prompt import Prompt, as_prompt

METRICS = ("logit difference", "probability", "kl")
SMALL = 1e-3  # between the two runs, in logits, nats or probability: less cannot be divided by


@dataclass(frozen=True, eq=False)
class PatchSweep:
    """A corrupted run, patched at one place after another with what the clean run computed there.

    `scores` (layer, column): 0 = the patch changes nothing, 1 = it brings the clean run's answer all the way back.
    Columns are positions, or heads where `site` is "heads". `answer` and `other` are the tokens whose logits are
    compared: the clean run's and the corrupted run's, unless others were asked for.
    """

    clean: Trace = field(repr=False)
    corrupted: Trace = field(repr=False)
    logits: Float[Tensor, "layer column vocab"] = field(repr=False)
    layers: tuple[int, ...]
    columns: tuple[int, ...]
    site: str
    answer: int
    other: int

    @property
    def scores(self) -> Float[Tensor, "layer column"]:
        """By the difference of the two answers' logits."""
        return self.by("logit difference")

    def by(self, metric: str) -> Float[Tensor, "layer column"]:
        """Scores by a metric: "logit difference" (recommended: sees harm as well as help, Zhang and Nanda 2024),
        "probability" of the answer, or "kl" to the clean run's whole distribution.

        Raises `CtkitError` where the two runs hardly differ by it, as nothing can be brought back then.
        """
        if metric not in METRICS:
            raise CtkitError(f"scores by {shown(metric)}", "no such metric", f"one of {', '.join(METRICS)}")
        ends = torch.stack([self.corrupted.logits[-1], self.clean.logits[-1]])
        (low, high), found = self._values(ends, metric), self._values(self.logits, metric)
        if abs(high - low) < SMALL:
            raise CtkitError(
                f"a patch's share of the {metric}",
                f"a clean and a corrupted run that differ by {abs(float(high - low)):.2g}",
                "two prompts that the model answers differently",
            )
        return (found - low) / (high - low)

    def _values(self, logits: Float[Tensor, "*run vocab"], metric: str) -> Float[Tensor, "*run"]:
        if metric == "logit difference":
            return logits[..., self.answer] - logits[..., self.other]
        if metric == "probability":
            return logits.softmax(-1)[..., self.answer]
        clean = self.clean.logits[-1].log_softmax(-1)
        return -(clean.exp() * (clean - logits.log_softmax(-1))).sum(-1)

    def top(self, k: int = 5) -> list[tuple[int, int, float]]:
        """The places that bring back most: (layer, column, score)."""
        scores = self.scores
        best = scores.flatten().topk(min(k, scores.numel()))
        width = len(self.columns)
        places = [(self.layers[i // width], self.columns[i % width]) for i in best.indices.tolist()]
        return [(*place, score) for place, score in zip(places, best.values.tolist())]

    def __str__(self) -> str:
        named = "head" if self.site == "heads" else "token"
        tokens = self.corrupted.tokens
        said = ", ".join(
            f"layer {layer} {named} {column}{'' if self.site == 'heads' else f' {tokens[column]!r}'}: {score:.2f}"
            for layer, column, score in self.top(3)
        )
        answer, other = self.clean.name_token(self.answer), self.clean.name_token(self.other)
        return f"patching {self.site} to turn {other!r} into {answer!r}: {said}"


def patch_sweep(
    lm: LM,
    clean: Prompt | str,
    corrupted: Prompt | str,
    *setup: Any,
    site: str = "residual",
    layers: Iterable[int] | int | None = None,
    where: masks.Where = "prompt",
    answer: str | None = None,
    other: str | None = None,
) -> PatchSweep:
    """Patch a corrupted run at every layer and token (or head) in turn with the clean run's activations.

    The prompts must have as many tokens: swap words for others of the same length (`ct.Swap`). `setup` holds in both
    runs; for noise instead of other words put `ct.Noise` on the corrupted run only, as (prompt, setup). `where` names
    the tokens to patch: one at a time for the sites "residual" and "mlp", all together for each head of "heads".
    `answer` and `other`: the words whose logits are compared.

    All patches are made in a few passes whose batch grows from block to block; each equals the patch made alone, to
    float rounding.

    >>> import ctkit as ct
    >>> facts, ask = "The key is in the box. The cup is in the bag.", "Where is the key? Answer:"
    >>> sweep = ct.patch_sweep(ct.load(), f"{facts} {ask}", f"{facts.replace('box', 'car')} {ask}", layers=[0, 1])
    >>> sweep.scores.shape == (2, len(sweep.clean.tokens))
    True
    """
    if site not in SITES:
        raise CtkitError(f"patches at {shown(site)}", "no such place", f"one of {', '.join(SITES)}")
    chosen = tuple(range(lm.n_layers)) if layers is None else as_tuple(layers)
    check_layers("a patch", chosen, lm.n_layers - (site != "residual"))
    before = run(lm, clean, *setup, **{site: chosen})
    prompt, own = corrupted if isinstance(corrupted, tuple) else (corrupted, ())
    together = as_setup(own, *setup)
    enc = encode(lm, together.edit(as_prompt(prompt)))
    if len(before.ids) != len(enc):
        raise CtkitError(
            "a patch from one prompt into another",
            f"{len(before.ids)} tokens and {len(enc)}",
            'two prompts of as many tokens: swap words for others, as with ct.Swap("box", "car")',
        )
    places = masks.positions(enc, where)
    if site == "heads":
        columns = tuple(range(lm.n_heads))
        patches = [_patch(before, layer, places, site, head) for layer in chosen for head in columns]
    else:
        columns = tuple(places)
        patches = [_patch(before, layer, [place], site, None) for layer in chosen for place in columns]
    after, logits = patched(lm, prompt, patches, together)
    logits = logits.unflatten(0, (len(chosen), len(columns)))
    ids = [_token(lm, word, trace) for word, trace in ((answer, before), (other, after))]
    return PatchSweep(before, after, logits, chosen, columns, site, *ids)


def _patch(trace: Trace, layer: int, places: Sequence[int], site: str, head: int | None) -> Patch:
    return Patch(Activation.of(trace, layer, tuple(places), site, head), tuple(places))


def _token(lm: LM, word: str | None, trace: Trace) -> int:
    """The first token of a word as it would be written next; without a word, the likeliest next token."""
    if word is None:
        return int(trace.logits[-1].argmax())
    ids = lm.tokenizer(word if word.startswith(" ") else f" {word}", add_special_tokens=False)["input_ids"]
    if not ids or not word.strip():
        raise CtkitError(f"the answer {shown(word)}", "a text of which no token is made", "a word that can be written")
    return ids[0]
