"""Steering single heads: each one's output is shifted along its own direction, in standard deviations."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite

from .. import masks
from ..errors import CtkitError, shown
from ..prompt import Encoding, ModelShape
from .base import Intervention, check_heads, check_layers
from .direction import Direction


@dataclass(frozen=True)
class SteerHeads(Intervention):
    """Shift the outputs of some heads (inference-time intervention; Li et al., NeurIPS 2023, arXiv 2306.03341).

    To each direction's head α σ θ is added before the output projection: `strength` α (15 in the paper), σ the
    direction's `sigma`, θ its unit vector. `directions`: of `ct.fit_heads(…)`, or any in heads that have a sigma.
    `where`: by default the prompt's last token and all that is written after it, each token on which a next one hangs;
    "all", a piece, or positions are other choices. Strength 0 changes nothing.

    >>> import torch
    >>> knows = Direction(torch.tensor([3.0, 4.0]), layer=1, site="heads", head=2, sigma=0.5)
    >>> SteerHeads(knows, strength=10).where
    (-1, 'generated')
    """

    directions: tuple[Direction, ...]
    strength: float = 15.0
    where: masks.Where = (-1, "generated")

    def __post_init__(self):
        given = (self.directions,) if isinstance(self.directions, Direction) else self.directions
        found = tuple(given) if isinstance(given, Iterable) and not isinstance(given, (str, dict)) else ()
        if not found or not all(isinstance(each, Direction) for each in found):
            raise CtkitError(
                f"SteerHeads({shown(self.directions)})",
                "no directions" if not found else "something else among the directions",
                "directions in heads, from ct.fit_heads(…)",
            )
        object.__setattr__(self, "directions", found)
        for each in found:
            if each.site != "heads" or each.sigma is None:
                about = f"{each.name!r} at {each.place}" + ("" if each.sigma is not None else " without a sigma")
                raise CtkitError("SteerHeads", f"the direction {about}", "directions in heads, from ct.fit_heads(…)")
        object.__setattr__(self, "where", masks.as_where(self.where))
        number = isinstance(self.strength, (int, float)) and not isinstance(self.strength, bool)
        if not number or not isfinite(self.strength):
            raise CtkitError(
                f"SteerHeads(strength={shown(self.strength)})", "no finite number", "0 (no change), 15, −5 …"
            )

    def check(self, shape: ModelShape) -> None:
        """The blocks and heads must exist."""
        check_layers("SteerHeads", tuple(each.layer for each in self.directions), shape.n_layers - 1)
        check_heads("SteerHeads", tuple(each.head for each in self.directions), shape.n_heads)

    def touches(self, layer: int) -> bool:
        """The blocks in which it has a direction."""
        return self.strength != 0 and any(each.layer == layer for each in self.directions)

    def heads(self, z, enc: Encoding, layer: int):
        """The heads' outputs with the shifts added."""
        if not self.touches(layer):
            return z
        at = masks.positions(enc, self.where)
        shifted = z.clone()
        for each in self.directions:
            if each.layer != layer:
                continue
            if each.width != z.shape[-1]:
                raise CtkitError(
                    f"steering {each.place} of block {layer} with {each.name!r}, {each.width} wide",
                    f"heads {z.shape[-1]} wide",
                    "directions fitted on this model with ct.fit_heads",
                )
            length = each.vector.norm()
            if length > 0:
                shifted[at, each.head] += (self.strength * each.sigma * each.vector / length).to(z)
        return shifted
