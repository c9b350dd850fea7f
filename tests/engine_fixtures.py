"""What the engine's tests share: a prompt, interventions of their own, and ways to look at what a run left behind."""

from dataclasses import dataclass

import torch

from ctkit import Direction, Emphasize, Knockout, Mask, PrependToken, Prompt, Reread, Setup, Steer, Think, masks
from ctkit.engine.attention import current
from ctkit.interventions import Intervention

from .families import D_MODEL, N_HEADS, N_LAYERS

PROMPT = Prompt(context="Ann has a.", question="Who?", cue="Answer:")  # longer than any family's sliding window
TOLERANCE = {"atol": 1e-5, "rtol": 1e-5}


@dataclass(frozen=True)
class Slope(Intervention):
    """Far keys lose score, more so in later heads (as ALiBi)."""

    def bias(self, enc, layer):
        places = torch.arange(len(enc))
        return -(places[:, None] - places[None]).abs() * 0.1 * torch.arange(1, N_HEADS + 1)[:, None, None]


@dataclass(frozen=True)
class Dim(Intervention):
    """Heads fade with the position, one more than the other, and look back at the first token's."""

    def heads(self, z, enc, layer):
        fade = 1 / (1 + 0.1 * torch.arange(len(z)).to(z))
        return z * fade[:, None, None] * torch.linspace(0.5, 1.5, z.shape[1]).to(z)[:, None] + 0.1 * z[:1]


@dataclass(frozen=True)
class Blend(Intervention):
    """Each token's stream gets something of all that stood before it: sees the whole past, also with a cache."""

    layer: int = 1

    def residual(self, x, enc, layer):
        if layer != self.layer:
            return x
        assert len(x) == len(enc), "an intervention sees all positions read so far"
        return x + 0.5 * x.cumsum(0) / torch.arange(1, len(x) + 1).to(x)[:, None]


@dataclass(frozen=True)
class Stripes(Intervention):
    """Every second key is hidden, in every second block."""

    def allow(self, allowed, enc, layer):
        if layer % 2:
            return allowed
        hidden = (torch.arange(len(enc)) % 2 == 1)[None, None] & ~torch.eye(len(enc), dtype=torch.bool)
        return allowed & ~hidden


class Halt(Exception):
    """Thrown by an intervention in the middle of a run."""


@dataclass(frozen=True)
class Fails(Intervention):
    """Raises in one of the five functions, at one block."""

    function: str = "residual"
    layer: int = 0
    error: type = Halt

    def _at(self, function, layer):
        if function == self.function and layer in (None, self.layer):
            raise self.error(f"{function} at {layer}")

    def edit(self, prompt):
        self._at("edit", None)
        return prompt

    def allow(self, allowed, enc, layer):
        self._at("allow", layer)
        return allowed.clone()

    def bias(self, enc, layer):
        self._at("bias", layer)

    def heads(self, z, enc, layer):
        self._at("heads", layer)
        return z

    def residual(self, x, enc, layer):
        self._at("residual", layer)
        return x


def direction(seed: int = 0, layer: int = 1) -> Direction:
    """A random direction as wide as the tiny models."""
    return Direction(torch.randn(D_MODEL, generator=torch.Generator().manual_seed(seed)), layer)


IDLE = {
    "nothing": [],
    "mask": [Mask("causal")],
    "mask of one token": [Mask("prefix", until=1)],
    "mask, in some heads": [Mask("causal", layers=[1], heads=[0, 2])],
    "rule": [Mask(masks.causal() | masks.window(1))],
    "knockout of nothing": [Knockout((), "all")],
    "emphasis": [Emphasize("context", alpha=1)],
    "emphasis on all": [Emphasize("prompt")],
    "reread": [Reread(times=1)],
    "steer": [Steer(direction(), layers=[0, 1, N_LAYERS], strength=0)],
    "steer nowhere": [Steer(direction(), where=())],
    "steer by zero": [Steer(0 * direction(), op="unit")],
    "prepend": [PrependToken(start=2, exit=2)],
    "think": [Think(on=False)],
}
THROUGH_STREAM = {
    "reread": [Reread()],
    "think": [Think()],
    "prepend": [PrependToken(1, 3)],
    "steer": [Steer(direction(), layers=[0, N_LAYERS], op="relative")],
    "steer what is written": [Steer(direction(), where="generated", strength=2)],
    "blend": [Blend()],
    "reread, prepend and steer": [Reread(), PrependToken(0, 2, init="mean"), Steer(direction(), where="reading 2")],
}
THROUGH_ATTENTION = {
    "bidirectional": [Mask("bidirectional", layers=[0, 2])],
    "prefix": [Mask("prefix", until="context")],
    "window": [Mask("window", size=4, heads=[1, 3])],
    "knockout": [Knockout("cue", "context"), Knockout("generated", 2, layers=[1])],
    "emphasis": [Emphasize("context", alpha=0.1, heads=[(1, 0), (2, 3)]), Emphasize("question", layers=[0])],
    "slope": [Slope()],
    "dim": [Dim()],
    "stripes": [Stripes()],
    "all at once": [
        Reread(),
        Mask("prefix"),
        Knockout("reading 2", 0, heads=[1]),
        Slope(),
        Dim(),
        Blend(),
        Steer(direction()),
    ],
}
EVERY = THROUGH_STREAM | THROUGH_ATTENTION


def setups_for(lm) -> dict[str, Setup]:
    """Every setup that the model can carry out."""
    able = EVERY if lm.support["mask"] == "yes" else THROUGH_STREAM
    return {name: Setup(interventions) for name, interventions in able.items()}


def left_behind(lm) -> dict:
    """All that a run could leave on a model: its hooks, its attention, ctkit's own state."""
    hooks = {
        name: {kind: len(getattr(module, kind)) for kind in vars(module) if kind.endswith("_hooks")}
        for name, module in lm.model.named_modules()
    }
    return {
        "hooks": hooks,
        "attention": lm.model.config._attn_implementation,
        "state": current.get(),
        "training": lm.model.training,
    }
