"""What the engine's tests share: a prompt, interventions of their own, and ways to look at what a run left behind."""

from dataclasses import dataclass

import torch
import transformers
from packaging.version import Version

from ctkit import (
    Activation,
    Direction,
    Echo,
    Emphasize,
    FixedPrefix,
    Knockout,
    Mask,
    MaskGroups,
    Noise,
    Patch,
    Permute,
    Pine,
    PrependToken,
    Prompt,
    Reread,
    Setup,
    Split,
    Steer,
    SteerClusters,
    SteerHeads,
    Swap,
    Think,
    masks,
)
from ctkit.engine.attention import current
from ctkit.engine.generate import CACHES
from ctkit.interventions import Intervention

from .families import D_MODEL, DEVICE, N_HEADS, N_LAYERS

PROMPT = Prompt(context="Ann has a.", question="Who?", cue="Answer:")  # longer than any family's sliding window
TOLERANCE = {"atol": 1e-5, "rtol": 1e-5} if DEVICE == "cpu" else {"atol": 1e-4, "rtol": 1e-4}


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
    """Raises in one of the six functions, at one block."""

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

    def mlp(self, y, enc, layer):
        self._at("mlp", layer)
        return y

    def residual(self, x, enc, layer):
        self._at("residual", layer)
        return x


def direction(seed: int = 0, layer: int = 1) -> Direction:
    """A random direction as wide as the tiny models."""
    return Direction(_numbers(seed, D_MODEL), layer)


def direction_at(site: str, head: int | None = None, seed: int = 0) -> Direction:
    """A random direction at a site of block 1, with all that any operation needs."""
    width = D_MODEL if head is None else D_MODEL // N_HEADS
    both = {"vector": _numbers(seed, width), "second": _numbers(seed + 1, width)}
    return Direction(layer=1, site=site, head=head, sigma=0.5, **both)


def _numbers(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


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
LENGTH = len(PROMPT.text)  # a byte is a token
PAINTED = masks.painted((_numbers(0, LENGTH, LENGTH) > 0) | torch.eye(LENGTH, dtype=torch.bool))
TECHNIQUES = {
    "fixed prefix": [FixedPrefix("Now.")],
    "echo": [Echo("Say:", "Said:")],
    "permute": [Permute(("context", "question"), "backward")],
    "swap": [Swap("Ann", "Bob")],
    "noise": [Noise("context", sigma=1)],
    "think in words": [Think(waits=1, wait="Hm", budget=1)],
    "steer by unit": [Steer(direction_at("residual"), layers=[0, 2], op="unit", where="after context")],
    "steer by sigma": [Steer(direction_at("residual"), op="sigma", strength=-2)],
    "ablate": [Steer(direction_at("residual"), layers=range(N_LAYERS + 1), op="ablate")],
    "clamp": [Steer(direction_at("mlp"), op="clamp", target=2.0, where=("question", "generated"))],
    "turn": [Steer(direction_at("residual"), op="angular", target=60.0)],
    "rows": [Steer(Direction(_numbers(3, 4, D_MODEL), 1), strength=2)],
    "steer a head": [Steer(direction_at("heads", head=2), layers=[0, 2], op="relative")],
    "steer heads": [SteerHeads([direction_at("heads", head=h) for h in (0, 3)], strength=4)],
    "steer the MLP": [Steer(direction_at("mlp"), layers=[0, 1])],
    "clusters": [SteerClusters([direction(1), direction(2)], [direction(3), direction(4)], (0.1, -0.1))],
    "patch": [Patch(Activation(_numbers(5, 3, D_MODEL), 1), (2, 3, -1))],
    "patch a head": [Patch(Activation(_numbers(6, 2, D_MODEL // N_HEADS), 1, "heads", 2), (0, 9))],
    "patch the MLP": [Patch(Activation(_numbers(7, 2, D_MODEL), 2, "mlp"), (4, 12))],
    "groups": [MaskGroups("101")],
    "sinks": [Mask("sinks", size=4, sinks=2)],
    "parallel": [Mask("parallel", pieces=("context", "question"))],
    "mutual": [Mask("mutual", pieces=("context", "question"), layers=[0])],
    "suppress": [Mask("suppress", pieces="context", heads=[(1, 0), (2, 3)])],
    "painted": [Mask(PAINTED)],
    "pine": [FixedPrefix("Say:"), Pine(["context", "question"])],
    "in parts": [Split("context"), Reread(), Mask("parallel", pieces=("context", "question"), layers=[1])],
    "a bit of each": [
        Swap("Ann", "Eve"),
        Noise("context", sigma=0.5),
        Mask(PAINTED, layers=[0]),
        Emphasize("question", alpha=0.5),
        Steer(direction_at("heads", head=1)),
        Steer(direction_at("mlp"), op="ablate"),
        Patch(Activation(_numbers(8, 1, D_MODEL), 2), (-2,)),
    ],
}  # every other technique, for fewer models


def techniques_for(lm) -> dict[str, Setup]:
    """Every one of them that the model can carry out; it must have masks."""
    return {name: Setup(found) for name, found in TECHNIQUES.items() if name != "pine" or lm.support["pine"] == "yes"}


def setups_for(lm) -> dict[str, Setup]:
    """Every setup that the model can carry out."""
    able = EVERY if lm.support["mask"] == "yes" else THROUGH_STREAM
    return {name: Setup(interventions) for name, interventions in able.items()}


def same(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Bit for bit; on a GPU, whose kernels are chosen by the shape of a mask, to float rounding."""
    return torch.equal(one, other) if DEVICE == "cpu" else torch.allclose(one, other, **TOLERANCE)


def caches_of(lm) -> tuple[str, ...]:
    """The caches that a family has; in transformers itself a static one is wrong with one of them, and was with another
    (it is in 5.17, and is not in 5.23)."""
    with_static, old = lm.support["static"] == "yes", Version(transformers.__version__) < Version("5.23")
    assert with_static or type(lm.model).__name__ in ("GPTNeoForCausalLM", *(["BloomForCausalLM"] * old))
    return CACHES if with_static else ("dynamic", "none")


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
