"""Steering: a direction added to the residual stream."""

from dataclasses import dataclass
from math import isfinite

from .. import masks
from ..errors import CtkitError, shown
from ..prompt import Encoding, ModelShape
from .base import Intervention, as_tuple, check_layers
from .direction import Direction

OPS = ("add", "unit", "relative")


@dataclass(frozen=True)
class Steer(Intervention):
    """Add a direction to the stream entering some blocks (activation addition; Turner et al., arXiv 2308.10248).

    `op` says what `strength` α counts: "add" the direction as fitted (x + α v), "unit" residual units (x + α v/|v|),
    "relative" a share of each token's own norm (x + α |x| v/|v|). `layers` defaults to the layer where the
    direction was read; layer `n_layers` is the stream leaving the last block. `where` names the tokens: "all",
    "prompt", "generated", a piece, or positions. Strength 0 changes nothing.
    """

    direction: Direction
    layers: tuple[int, ...] | None = None
    strength: float = 1.0
    op: str = "add"
    where: masks.Where = "all"

    def __post_init__(self):
        if not isinstance(self.direction, Direction):
            raise CtkitError(
                f"Steer({shown(self.direction)})",
                f"a {type(self.direction).__name__}",
                "a direction, from ct.fit_direction(…) or ct.Direction(vector, layer)",
            )
        if self.op not in OPS:
            raise CtkitError(f"Steer(op={shown(self.op)})", "no such operation", f"one of {', '.join(OPS)}")
        layers = self.direction.layer if self.layers is None else self.layers
        object.__setattr__(self, "layers", as_tuple(layers))
        object.__setattr__(self, "where", masks.as_where(self.where))
        if not isinstance(self.strength, (int, float)) or not isfinite(self.strength):
            raise CtkitError(f"Steer(strength={shown(self.strength)})", "no finite number", "0 (no change), 1, −2.5 …")

    def check(self, shape: ModelShape) -> None:
        """The layers must exist and the direction must be as wide as the stream."""
        check_layers("Steer", self.layers, shape.n_layers)
        if tuple(self.direction.vector.shape) != (shape.d_model,):
            raise CtkitError(
                f"steering with {self.direction.name!r}, {tuple(self.direction.vector.shape)} wide",
                f"a stream {shape.d_model} wide",
                "a direction fitted on this model with ct.fit_direction",
            )

    def residual(self, x, enc: Encoding, layer: int):
        """The stream with the direction added, in the chosen layers and at the chosen tokens."""
        if self.strength == 0 or layer not in self.layers:
            return x
        vector = self.direction.vector.to(x)
        if self.op != "add":
            norm = vector.norm()
            vector = vector / norm if norm > 0 else vector
        rows = masks.positions(enc, self.where)
        y = x.clone()
        scale = x[rows].norm(dim=-1, keepdim=True) if self.op == "relative" else 1.0
        y[rows] = x[rows] + self.strength * scale * vector
        return y
