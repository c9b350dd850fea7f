"""Patching: what one run computed at some places, put into another run."""

import base64
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from .. import masks
from ..errors import CtkitError, shown
from ..prompt import Encoding, ModelShape
from .base import Intervention, check_heads, check_layers
from .direction import SITES


@dataclass(frozen=True, eq=False)
class Activation:
    """What a run computed at some tokens: the stream entering block `layer`, the output of one `head`, or of the MLP.

    `Activation.of(trace, layer, where)` takes it from a run.
    """

    values: Float[Tensor, "token width"]
    layer: int
    site: str = "residual"
    head: int | None = None

    def __post_init__(self):
        asked = f"an activation at {shown(self.site)}, head {shown(self.head)}"
        whole = isinstance(self.values, Tensor) and self.values.ndim == 2 and self.values.isfinite().all()
        if not whole:
            raise CtkitError(asked, f"values that are {shown(self.values)}", "finite numbers, token by width")
        if self.site not in SITES or (self.site == "heads") != isinstance(self.head, int):
            raise CtkitError(asked, "no such place", f"one of {', '.join(SITES)}; a head for heads, and only for them")

    @staticmethod
    def of(trace: Any, layer: int, where: masks.Where = "all", site: str = "residual", head: int | None = None):
        """What a run computed at `where` (a piece, positions, …)."""
        if site not in SITES:
            raise CtkitError(f"an activation at {shown(site)}", "no such place", f"one of {', '.join(SITES)}")
        values = getattr(trace, site)(layer)[masks.positions(trace.encoding, where)]
        return Activation(values if site != "heads" else values[:, head], layer, site, head)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Activation) and self.to_data() == other.to_data()

    def __hash__(self) -> int:
        return hash((self.layer, self.site, self.head, self.values.shape))

    def __repr__(self) -> str:
        place = self.site if self.head is None else f"head {self.head}"
        return f"Activation({len(self.values)} tokens, {place}, layer {self.layer})"

    def to_data(self) -> dict:
        """The activation as plain data; the values exactly, as base64 of little-endian float32."""
        raw = self.values.detach().to("cpu", torch.float32).contiguous().numpy().astype("<f4").tobytes()
        return {"values": base64.b64encode(raw).decode("ascii"), "tokens": len(self.values)} | {
            "layer": self.layer,
            "site": self.site,
            "head": self.head,
        }

    @staticmethod
    def from_data(data: dict) -> "Activation":
        """The activation that `to_data` wrote; anything else is refused."""
        try:
            raw = bytearray(base64.b64decode(data["values"], validate=True))
            values = torch.frombuffer(raw, dtype=torch.float32).clone() if raw else torch.zeros(0)
            values = values.reshape(int(data["tokens"]), -1 if raw else 0)
            head = None if data["head"] is None else int(data["head"])
            return Activation(values, int(data["layer"]), str(data["site"]), head)
        except (KeyError, TypeError, ValueError, RuntimeError) as err:
            raise CtkitError(
                f"the activation {shown(data)}", f"{type(err).__name__}: {err}", "data written by Activation.to_data()"
            ) from err


@dataclass(frozen=True)
class Patch(Intervention):
    """Put what another run computed in place of what this one does (activation patching; Zhang and Nanda, ICLR 2024,
    arXiv 2309.16042).

    `where` names as many tokens of this prompt as the activation has. Patching a run with its own activations changes
    nothing, nor does patching nothing.

    >>> import ctkit as ct
    >>> lm = ct.load()
    >>> clean = ct.run(lm, "The key is in the box. Where is the key? Answer:")
    >>> swapped = "The key is in the car. Where is the key? Answer:"
    >>> whole = ct.Patch(ct.Activation.of(clean, layer=0))      # all that it read
    >>> ct.run(lm, swapped, whole).next_tokens(1) == clean.next_tokens(1)
    True
    """

    activation: Activation
    where: masks.Where = "all"

    def __post_init__(self):
        if not isinstance(self.activation, Activation):
            found = f"a {type(self.activation).__name__}"
            raise CtkitError(f"Patch({shown(self.activation)})", found, "ct.Activation.of(trace, layer, where)")
        object.__setattr__(self, "where", masks.as_where(self.where))

    def check(self, shape: ModelShape) -> None:
        """The place must exist, and be as wide as the values."""
        own = self.activation
        check_layers("Patch", (own.layer,), shape.n_layers - (own.site != "residual"))
        if own.site == "heads":
            check_heads("Patch", (own.head,), shape.n_heads)
        elif len(own.values) and own.values.shape[1] != shape.d_model:
            raise CtkitError(
                f"a patch {own.values.shape[1]} wide", f"a stream {shape.d_model} wide", "an activation of this model"
            )

    def touches(self, layer: int) -> bool:
        """Only the activation's layer."""
        return layer == self.activation.layer and len(self.activation.values) > 0

    def overrides(self, function: str) -> bool:
        """Only what acts at the activation's site."""
        return super().overrides(function) and function == self.activation.site

    def residual(self, x, enc: Encoding, layer: int):
        """The stream, patched."""
        return self._patched(x, enc) if self.activation.site == "residual" and self.touches(layer) else x

    def mlp(self, y, enc: Encoding, layer: int):
        """The MLP's output, patched."""
        return self._patched(y, enc) if self.activation.site == "mlp" and self.touches(layer) else y

    def heads(self, z, enc: Encoding, layer: int):
        """The heads' outputs, one of them patched."""
        if self.activation.site != "heads" or not self.touches(layer):
            return z
        patched = z.clone()
        patched[:, self.activation.head] = self._patched(z[:, self.activation.head], enc)
        return patched

    def where_in(self, enc: Encoding) -> list[int]:
        """The positions that are patched, one for each token of the activation."""
        rows = masks.positions(enc, self.where)
        if self.where == "all":
            rows = rows[: enc.n_prompt]  # what is written later is nobody's to patch
        if len(rows) != len(self.activation.values):
            raise CtkitError(
                f"a patch of {len(self.activation.values)} tokens",
                f"{len(rows)} tokens at {shown(self.where)}",
                "two prompts of the same length, or a `where` of as many tokens as the activation has",
            )
        return rows

    def _patched(self, x: Tensor, enc: Encoding) -> Tensor:
        values = self.activation.values
        if x.shape[-1] != values.shape[-1]:
            raise CtkitError(
                f"a patch {values.shape[-1]} wide", f"activations {x.shape[-1]} wide", "an activation of this model"
            )
        patched = x.clone()
        patched[self.where_in(enc)] = values.to(x)
        return patched
