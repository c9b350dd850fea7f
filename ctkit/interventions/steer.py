"""Steering: the stream, the output of a head or of an MLP moved along a direction."""

from dataclasses import dataclass
from math import cos, isfinite, pi, sin
from typing import Any

import torch
from torch import Tensor

from .. import masks
from ..errors import CtkitError, shown
from ..prompt import Encoding, ModelShape
from .base import Intervention, as_tuple, check_heads, check_layers
from .direction import Direction

ADDED = ("add", "unit", "relative", "sigma")  # x + s · v, in four units of s
SET = ("ablate", "clamp", "angular")  # x + s · (x' − x), where x' has a given projection
NEUTRAL = "I think that"  # the text on which a target KL is reached


@dataclass(frozen=True)
class Steer(Intervention):
    """Move activations along a direction, in some blocks and at some tokens.

    `op` says how, with v the direction, v̂ the same at length 1, and s = `strength`:

    - "add": x + s v (activation addition; Turner et al., arXiv 2308.10248), "unit": x + s v̂, "relative": x + s |x| v̂,
      "sigma": x + s σ v̂ with the direction's own σ (Li et al., arXiv 2306.03341);
    - "ablate": x without its part along v̂; "clamp": x with x·v̂ = `target`; "angular": x turned in the plane of v̂ and
      the direction's `second` vector to the angle `target` in degrees, its length kept (Vu and Nguyen 2025). Here s = 1
      is the whole way, and s between 0 and 1 a part of it.

    Strength 0 changes nothing, whatever the `op`. `kl` asks for the strength at which KL(plain ‖ steered) after the
    text "I think that" is so many nats (as in SNMF, arXiv 2506.10920); the sign of `strength` then says which way, and
    the model it is run on decides the rest. `layers` defaults to the layer where the direction was read; layer
    `n_layers` is the stream leaving the last block. `where` names the tokens, as for `Knockout`. A direction with a row
    for each of several positions (ActAdd) is added to the first positions of the prompt, wherever `where` has them.
    """

    direction: Direction
    layers: tuple[int, ...] | None = None
    strength: float = 1.0
    op: str = "add"
    where: masks.Where = "all"
    kl: float | None = None
    target: float | None = None

    def __post_init__(self):
        if not isinstance(self.direction, Direction):
            raise CtkitError(
                f"Steer({shown(self.direction)})",
                f"a {type(self.direction).__name__}",
                "a direction, from ct.fit_direction(…) or ct.Direction(vector, layer)",
            )
        layers = self.direction.layer if self.layers is None else self.layers
        object.__setattr__(self, "layers", as_tuple(layers))
        object.__setattr__(self, "where", masks.as_where(self.where))
        _check_numbers(self)
        _check_op(self)

    def check(self, shape: ModelShape) -> None:
        """The layers and the head must exist, and the direction must be as wide as what it moves."""
        own = self.direction
        check_layers("Steer", self.layers, shape.n_layers - (own.site != "residual"))
        if own.site == "heads":
            check_heads("Steer", (own.head,), shape.n_heads)
        elif own.vector.shape[-1] != shape.d_model:
            raise CtkitError(
                f"steering with {own.name!r}, {tuple(own.vector.shape)} wide",
                f"a stream {shape.d_model} wide",
                "a direction fitted on this model with ct.fit_direction",
            )

    def touches(self, layer: int) -> bool:
        """Only the chosen layers, and only at some strength."""
        return self.strength != 0 and layer in self.layers

    def overrides(self, function: str) -> bool:
        """Only what acts at the direction's site."""
        return super().overrides(function) and function == self.direction.site

    def residual(self, x, enc: Encoding, layer: int):
        """The stream, moved."""
        return self._moved(x, enc, layer) if self.direction.site == "residual" else x

    def mlp(self, y, enc: Encoding, layer: int):
        """The MLP's output, moved."""
        return self._moved(y, enc, layer) if self.direction.site == "mlp" else y

    def heads(self, z, enc: Encoding, layer: int):
        """The heads' outputs, with one of them moved."""
        if self.direction.site != "heads" or not self.touches(layer):
            return z
        one = z[:, self.direction.head]
        if one.shape[-1] != self.direction.vector.shape[-1]:
            raise CtkitError(
                f"steering with {self.direction.name!r}, {self.direction.vector.shape[-1]} wide",
                f"heads {one.shape[-1]} wide",
                "a direction fitted on this model's heads",
            )
        moved = z.clone()
        moved[:, self.direction.head] = self._moved(one, enc, layer)
        return moved

    def _moved(self, x: Tensor, enc: Encoding, layer: int) -> Tensor:
        if not self.touches(layer):
            return x
        if self.kl is not None:
            raise CtkitError(
                f"Steer(kl={self.kl})", "a strength that no model was asked for yet", "ct.run, which finds it"
            )
        vector = self.direction.vector.to(x)
        if self.where == "all" and vector.ndim == 1:
            return self._at(x, vector)
        rows = masks.positions(enc, self.where)
        if vector.ndim == 2:  # one row for each of the first positions
            rows = [row for row in rows if row < min(len(vector), enc.n_prompt)]
            vector = vector[rows]
        if not rows:
            return x
        y = x.clone()
        y[rows] = self._at(x[rows], vector)
        return y

    def _at(self, x: Tensor, vector: Tensor) -> Tensor:
        s = self.strength
        if self.op == "add":
            return x + s * vector
        norm = vector.norm(dim=-1, keepdim=True)
        unit = torch.where(norm > 0, vector / norm.clamp_min(torch.finfo(x.dtype).tiny), vector)
        if self.op in ADDED:
            scale = {"unit": 1.0, "sigma": self.direction.sigma, "relative": None}[self.op]
            return x + s * (x.norm(dim=-1, keepdim=True) if scale is None else scale) * unit
        along = (x * unit).sum(-1, keepdim=True)
        if self.op == "angular":
            return x + s * self._turned(x, unit, along)
        return x + s * ((0.0 if self.op == "ablate" else self.target) - along) * unit

    def _turned(self, x: Tensor, unit: Tensor, along: Tensor) -> Tensor:
        second = self.direction.second.to(x)
        second = second - (second * unit).sum() * unit
        other = second / second.norm()
        across = (x * other).sum(-1, keepdim=True)
        length, angle = (along.square() + across.square()).sqrt(), self.target * pi / 180
        return (length * cos(angle) - along) * unit + (length * sin(angle) - across) * other


def _check_numbers(steer: Steer) -> None:
    for name in ("strength", "kl", "target"):
        value: Any = getattr(steer, name)
        if value is None and name != "strength":
            continue
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not isfinite(value):
            raise CtkitError(f"Steer({name}={shown(value)})", "no finite number", "0 (no change), 1, −2.5 …")
    if steer.kl is not None and (steer.kl <= 0 or steer.op not in ADDED):
        raise CtkitError(
            f"Steer(kl={shown(steer.kl)}, op={shown(steer.op)})",
            "no amount that a strength could be found for",
            f"a kl above 0, such as 0.25, with op one of {', '.join(ADDED)}",
        )


def _check_op(steer: Steer) -> None:
    own, asked = steer.direction, f"Steer(op={shown(steer.op)})"
    if steer.op not in (*ADDED, *SET):
        raise CtkitError(asked, "no such operation", f"one of {', '.join((*ADDED, *SET))}")
    if own.vector.ndim == 2 and steer.op != "add":
        raise CtkitError(asked, "a direction with a row for each position", 'op="add"')
    if steer.op == "sigma" and own.sigma is None:
        raise CtkitError(asked, "a direction whose σ was not measured", "one from ct.fit_direction, or another op")
    if steer.op in ("clamp", "angular") and steer.target is None:
        raise CtkitError(asked, "no target", "target=0.0: the projection to reach, or the angle in degrees")
    if steer.op == "angular":
        _check_plane(steer, asked)


def _check_plane(steer: Steer, asked: str) -> None:
    v, second = steer.direction.vector.double(), steer.direction.second
    parallel = second is None or torch.linalg.matrix_rank(torch.stack([v, second.double()])) < 2
    if parallel:
        raise CtkitError(asked, "a direction that spans no plane", "a direction with a `second` vector of its own")
