"""A model under examination: what it says without ctkit, which setups it can be given, how near numbers must come."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from ..engine.lm import LM
from ..engine.run import run
from ..interventions import (
    Direction,
    Emphasize,
    Intervention,
    Knockout,
    Mask,
    PrependToken,
    Reread,
    Setup,
    Steer,
    Think,
)
from ..masks import causal, window
from ..prompt import Prompt
from .probes import Blend, Damp, Fade, Ramp

PROMPT = Prompt(context="Ann has a.", question="Who?", cue="Answer:")  # longer than any tiny model's sliding window
TEXTS = ("Ann has a.", "b", "Who has the key?")
TOLERANCES = {torch.float32: 1e-5, torch.bfloat16: 0.04, torch.float16: 0.005}  # a share of the largest logit, or of 1
ROW = {torch.float32: 1e-4, torch.bfloat16: 1e-2, torch.float16: 2e-3}  # how far a row of weights may be from its sum
ASSUMED = {"per head": "yes"}  # what a model supports where nothing is said


@dataclass(frozen=True, eq=False)
class Subject:
    """A wrapped model and, for comparisons, the same model once more with plain ("eager") attention."""

    lm: LM
    twin: Any = None
    unchecked: list[str] = field(default_factory=list)  # what a law could not compare, because the model does not say

    @cached_property
    def ids(self) -> tuple[int, ...]:
        """The prompt as the model reads it."""
        return tuple(run(self.lm, PROMPT).ids)

    @cached_property
    def plain(self) -> Float[Tensor, "position vocab"]:
        """The logits of the prompt, as transformers computes them without ctkit."""
        return self.logits(self.ids)

    def logits(self, ids: tuple[int, ...]) -> Float[Tensor, "position vocab"]:
        """The logits of any tokens, without ctkit."""
        with torch.no_grad():
            output = self.lm.model(input_ids=torch.tensor([ids], device=self.lm.device), use_cache=False)
        return output.logits[0].float().cpu()

    @property
    def tolerance(self) -> float:
        """How far two ways to the same logits may be apart: five times as far where blocks carry a state, which is
        computed for all tokens at once when a text is read, and one after the other when it is written."""
        mixed = 1 if len(self.attending) == self.lm.n_layers else 5
        return mixed * TOLERANCES[self.lm.model.dtype] * max(1.0, float(self.plain.abs().max()))

    @property
    def row_tolerance(self) -> float:
        """How far the weights of a row may be from summing to what they should."""
        return ROW[self.lm.model.dtype]

    def can(self, *techniques: str) -> bool:
        """Whether the model supports all of these techniques."""
        return all(self.lm.support.get(technique, ASSUMED.get(technique, "no")) == "yes" for technique in techniques)

    @property
    def attending(self) -> tuple[int, ...]:
        """The blocks that have attention."""
        return tuple(self.lm.attending)

    def direction(self, layer: int = 1) -> Direction:
        """A random direction, as wide as the stream."""
        return Direction(torch.randn(self.lm.d_model, generator=torch.Generator().manual_seed(0)), layer)

    def idle(self) -> dict[str, Setup]:
        """Setups that change nothing."""
        last = self.lm.n_layers
        every = {
            "nothing": ((), []),
            "a mask that is causal": (("mask",), [Mask("causal")]),
            "a causal mask in some heads": (
                ("mask", "per head"),
                [Mask("causal", layers=self.attending[:1], heads=[0])],
            ),
            "a rule that is causal": (("mask",), [Mask(causal() | window(1))]),
            "a knockout of nothing": (("knockout",), [Knockout((), "all")]),
            "an emphasis of 1": (("emphasize",), [Emphasize("context", alpha=1)]),
            "one reading": (("reread",), [Reread(times=1)]),
            "no thought": (("think",), [Think(on=False)]),
            "steering by 0": (("steer",), [Steer(self.direction(), layers=[0, 1, last], strength=0)]),
            "prepending to its own place": (("prepend",), [PrependToken(start=2, exit=2)]),
        }
        return self._able(every)

    def setups(self) -> dict[str, Setup]:
        """Setups that change much: each technique, and several at once."""
        last, steer = self.lm.n_layers, Steer(self.direction())
        ramp = [Ramp()] if self.can("per head") else []
        whole = [Reread(), Mask("prefix"), *ramp, Fade(), Blend(), steer]
        every = {
            "reread": (("reread",), [Reread()]),
            "think": (("think",), [Think()]),
            "prepend": (("prepend",), [PrependToken(1, 3)]),
            "steer": (("steer",), [Steer(self.direction(), layers=[0, last], op="relative")]),
            "steer what is written": (("steer",), [Steer(self.direction(), where="generated", strength=2)]),
            "blend": (("steer",), [Blend()]),
            "bidirectional": (("mask",), [Mask("bidirectional", layers=self.attending[:2])]),
            "window": (("mask", "per head"), [Mask("window", size=4, heads=[1])]),
            "knockout": (("knockout",), [Knockout(9, 2), Knockout("generated", 3, layers=self.attending[:1])]),
            "emphasis": (("emphasize",), [Emphasize((0, 1, 2), alpha=0.1)]),
            "ramp": (("emphasize", "per head"), [Ramp()]),
            "fade": (("heads",), [Fade()]),
            "damp": (("mlp",), [Damp()]),
            "all at once": (
                ("mask", "emphasize", "heads", "steer"),
                whole,
            ),
        }
        return self._able(every)

    def _able(self, every: dict[str, tuple[tuple[str, ...], list[Intervention]]]) -> dict[str, Setup]:
        return {name: Setup(setup) for name, (needs, setup) in every.items() if self.can(*needs)}
