"""Steering with a direction that is chosen for each prompt, by a probe on the prompt's last token."""

from dataclasses import dataclass
from math import isfinite

import torch
from jaxtyping import Float
from torch import Tensor

from .. import masks
from ..errors import CtkitError, shown
from ..prompt import Encoding, ModelShape
from .base import Intervention, check_layers
from .direction import Direction


@dataclass(frozen=True)
class SteerClusters(Intervention):
    """Add the direction of the group that a prompt belongs to (G-ACT; Sharma & Raman, arXiv 2506.18887).

    At the directions' block a linear probe, one vector of `probes` and one of `biases` for each group, scores the
    stream at the prompt's last token, before anything is added; the direction of the best score is added `strength`
    times at the tokens `where` ("all", "prompt", "generated", a piece, or positions). `ct.fit_clusters(…).steer(2)`
    makes one. With one group it is `ct.Steer`. Strength 0 changes nothing.

    >>> ways = [Direction(torch.tensor(way), layer=1) for way in ([1.0, 0.0], [0.0, 1.0])]
    >>> SteerClusters(ways, ways, biases=[0.0, 0.0]).chosen(torch.tensor([0.2, 3.0]))
    1
    """

    directions: tuple[Direction, ...]
    probes: tuple[Direction, ...]
    biases: tuple[float, ...]
    strength: float = 1.0
    where: masks.Where = "all"

    def __post_init__(self):
        for name in ("directions", "probes", "biases"):
            value = getattr(self, name)
            kind = (int, float) if name == "biases" else Direction
            if not isinstance(value, (list, tuple)) or not value or not all(isinstance(each, kind) for each in value):
                found, remedy = f"{name} that are {shown(value)}", "what ct.fit_clusters(…).steer() makes"
                raise CtkitError("SteerClusters", found, remedy)
            object.__setattr__(self, name, tuple(value))
        counts = {name: len(getattr(self, name)) for name in ("directions", "probes", "biases")}
        if len(set(counts.values())) > 1:
            raise CtkitError("SteerClusters", ", ".join(f"{n} {name}" for name, n in counts.items()), "as many of each")
        both = self.directions + self.probes
        if len({(d.layer, d.vector.shape) for d in both}) > 1 or {d.place for d in both} != {"residual"}:
            found = ", ".join(sorted({f"{d.place} of block {d.layer}, {d.width} wide" for d in both}))
            raise CtkitError("SteerClusters", f"vectors at {found}", "vectors of the stream entering one block")
        for name, number in (("strength", self.strength), *(("biases", bias) for bias in self.biases)):
            if isinstance(number, bool) or not isinstance(number, (int, float)) or not isfinite(number):
                raise CtkitError(
                    f"SteerClusters({name}={shown(number)})", "no finite number", "0 (no change), 1, −2.5 …"
                )
        object.__setattr__(self, "where", masks.as_where(self.where))

    def check(self, shape: ModelShape) -> None:
        """The block must exist and the directions must be as wide as the stream."""
        check_layers("SteerClusters", (self.directions[0].layer,), shape.n_layers)
        if tuple(self.directions[0].vector.shape) != (shape.d_model,):
            raise CtkitError(
                f"steering with {self.directions[0].name!r}, {tuple(self.directions[0].vector.shape)} wide",
                f"a stream {shape.d_model} wide",
                "directions fitted on this model with ct.fit_clusters",
            )

    def touches(self, layer: int) -> bool:
        """Only the block where the directions were read."""
        return self.strength != 0 and layer == self.directions[0].layer

    def chosen(self, state: Float[Tensor, "d_model"]) -> int:
        """The group that the probe chooses for the stream at one token."""
        weights = torch.stack([each.vector for each in self.probes]).to(state.device, torch.float32)
        return int((weights @ state.float() + torch.tensor(self.biases, device=state.device)).argmax())

    def residual(self, x, enc: Encoding, layer: int):
        """The stream with the chosen direction added, at the directions' block."""
        if not self.touches(layer):
            return x
        direction = self.directions[self.chosen(x[enc.n_prompt - 1])]
        at = masks.positions(enc, self.where)
        y = x.clone()
        y[at] = x[at] + self.strength * direction.vector.to(x)
        return y
