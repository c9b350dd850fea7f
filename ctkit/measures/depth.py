"""Concept depth: from which layer on can a concept be read off the stream?"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from ..engine.lm import LM
from ..engine.run import run_many
from ..errors import CtkitError, shown
from ..interventions.setup import as_setup
from ..masks import Where, as_where, positions
from ..prompt import Prompt, as_prompt
from .intervals import wilson
from .probe import probe_hits

TOGETHER = 256  # texts whose streams are held at a time
LEAST = 6  # texts of a class, so that it is in every part of every split
JUMP, STILL = 1.1, 0.03  # a jump: a tenth better than the layer before; still: less than 3 % of change


@dataclass(frozen=True)
class ConceptDepth:
    """How often a linear probe on the stream of each layer says the right class of a text it has not seen.

    Layer l is the stream entering block l; the last, `n_layers`, the stream leaving the last block. `control` is the
    same with labels dealt out to the texts by chance (control task): what a probe gets without a concept.
    """

    right: tuple[int, ...]
    control_right: tuple[int, ...]
    n: int
    chance: float
    classes: tuple[Hashable, ...] = field(repr=False)
    folds: int = 5

    @property
    def accuracy(self) -> list[float]:
        """The share of texts whose class is said right, by layer."""
        return [k / self.n for k in self.right]

    @property
    def intervals(self) -> list[tuple[float, float]]:
        """The 95 % interval of each (Wilson; it leaves out that folds share their texts)."""
        return [wilson(k, self.n) for k in self.right]

    @property
    def control(self) -> list[float]:
        """The same share with labels dealt out by chance, by layer."""
        return [k / self.n for k in self.control_right]

    @property
    def control_intervals(self) -> list[tuple[float, float]]:
        """The 95 % interval of each."""
        return [wilson(k, self.n) for k in self.control_right]

    @property
    def selectivity(self) -> list[float]:
        """Accuracy minus that of the control, by layer (Hewitt and Liang 2019, arXiv 1909.03368)."""
        return [a - c for a, c in zip(self.accuracy, self.control, strict=True)]

    @cached_property
    def variation(self) -> list[float]:
        """Accuracy by that of the layer before, from layer 1 on."""
        a = self.accuracy
        return [after / before if before else float("inf") for before, after in zip(a, a[1:])]

    @property
    def told(self) -> list[bool]:
        """Whether a layer's interval lies above the control and above the commonest class: else all change is noise."""
        pairs = zip(self.intervals, self.control, strict=True)
        return [low > max(control, self.chance) for (low, _), control in pairs]

    @property
    def jump(self) -> float | None:
        """The depth (layer by number of layers) where accuracy first grows by a tenth or more, to a layer that tells
        something; None where it never does."""
        found = [i for i, rate in enumerate(self.variation, start=1) if rate >= JUMP and self.told[i]]
        return found[0] / len(self.variation) if found else None

    @property
    def converging(self) -> float | None:
        """The depth from which on accuracy stays still, less than 3 % of change a layer up to the last; None where it
        moves until the end, or ends in noise. (The paper takes the last still layer, nearly always the last of all.)"""
        moving = [i for i, rate in enumerate(self.variation, start=1) if abs(rate - 1) >= STILL]
        first = max(moving, default=0) + 1
        return first / len(self.variation) if first <= len(self.variation) and self.told[-1] else None

    def __str__(self) -> str:
        lines = [f"{len(self.classes)} classes over {self.n} texts, {self.folds} folds; commonest {self.chance:.0%}"]
        for layer, (low, high) in enumerate(self.intervals):
            found = f"{layer:3d}  {self.accuracy[layer]:.0%} ({low:.0%} to {high:.0%})"
            lines.append(f"{found}   control {self.control[layer]:.0%}   {100 * self.selectivity[layer]:+.0f} points")
        points = {"jump": self.jump, "converging": self.converging}
        lines.append(", ".join(f"{name} point {'none' if at is None else f'{at:.2f}'}" for name, at in points.items()))
        return "\n".join(lines)


def concept_depth(
    lm: LM,
    texts: Sequence[Prompt | str],
    labels: Sequence[Hashable],
    *setup: Any,
    at: Where = -1,
    folds: int = 5,
    seed: int = 0,
) -> ConceptDepth:
    """Probe the stream of every layer for a concept (Jin et al., COLING 2025, arXiv 2404.07066).

    `labels` says the class of each text; two classes or more. The probe is a logistic regression on the stream itself
    at the last token (or the mean over another place `at`, as masks know them), cross-validated; equal texts stand in
    one fold. That a probe finds a concept does not say that the model uses it: steer along it to see.
    Raises `CtkitError` where texts and labels do not match, equal texts have different labels, or a class has fewer
    distinct texts than there are folds, or than 6.

    >>> import ctkit as ct
    >>> moods = [ct.tasks.get("mood").generate(seed, 1) for seed in range(60)]
    >>> depth = ct.concept_depth(ct.load(), [p.prompt for p in moods], [p.answer for p in moods])
    >>> depth.n, len(depth.accuracy), depth.accuracy[-1] > 0.9
    (60, 5, True)
    """
    prompts, labels = _checked(texts, labels, folds), list(labels)
    streams = _streams(lm, prompts, as_setup(*setup), as_where(at))
    names = [prompt.text for prompt in prompts]
    drawn = _dealt_out(names, labels, seed)
    right, control = (
        tuple(int(probe_hits(x, given, names, folds, seed).sum()) for x in streams) for given in (labels, drawn)
    )
    commonest = max(labels.count(label) for label in set(labels)) / len(labels)
    return ConceptDepth(right, control, len(labels), commonest, tuple(dict.fromkeys(labels)), folds)


def _streams(lm: LM, prompts: list[Prompt], setup, at: Where) -> Float[Tensor, "layer text d_model"]:
    """The mean stream of each text over a place, entering every layer."""
    found = []
    for first in range(0, len(prompts), TOGETHER):
        for trace in run_many(lm, prompts[first : first + TOGETHER], setup, residual="all", last_only=True):
            places = positions(trace.encoding, at)
            if not places:
                raise CtkitError(f"probes at {shown(at)}", "no token there", f"one of {list(trace.spans)}")
            found.append(torch.stack([trace.residual(layer)[places].mean(0) for layer in range(lm.n_layers + 1)]))
    return torch.stack(found, dim=1)


def _dealt_out(names: list[str], labels: list[Hashable], seed: int) -> list[Hashable]:
    """The labels of the distinct texts, dealt out to them anew by chance."""
    label_of = dict(zip(names, labels, strict=True))
    order = torch.randperm(len(label_of), generator=torch.Generator().manual_seed(seed)).tolist()
    values = list(label_of.values())
    drawn = {name: values[i] for name, i in zip(label_of, order, strict=True)}
    return [drawn[name] for name in names]


def _checked(texts: Sequence[Prompt | str], labels: Sequence[Hashable], folds: int) -> list[Prompt]:
    asked = "the depth of a concept"
    if isinstance(texts, str | Prompt) or len(texts) != len(labels):
        found = "one text" if isinstance(texts, str | Prompt) else f"{len(texts)} texts and {len(labels)} labels"
        raise CtkitError(asked, found, "a list of texts, and the class of each")
    if not isinstance(folds, int) or folds < 2:
        raise CtkitError(f"{asked} in {shown(folds)} folds", "no number of folds", "5, or another number from 2 on")
    prompts, label_of = [as_prompt(text) for text in texts], {}
    for prompt, label in zip(prompts, labels, strict=True):
        if label_of.setdefault(prompt.text, label) != label:
            found = f"the text {shown(prompt.text)} with the labels {label_of[prompt.text]!r} and {label!r}"
            raise CtkitError(asked, found, "one label for a text")
    counts = {label: list(label_of.values()).count(label) for label in labels}
    least = max(folds, LEAST)
    if len(counts) < 2 or min(counts.values()) < least:
        found = ", ".join(f"{count} distinct texts of class {label!r}" for label, count in counts.items()) or "no texts"
        raise CtkitError(asked, found, f"two classes or more, with {least} distinct texts or more of each")
    return prompts
