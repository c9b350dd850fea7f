"""A direction in the residual stream: a vector, where it was read and how it was found."""

import base64
import json
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import CtkitError, shown


@dataclass(frozen=True, eq=False)
class Direction:
    """A vector in the stream entering block `layer`, to steer with.

    `reliability` is the cosine between the directions fitted on two halves of the data (1 = the same both times);
    None where it was not measured. Directions add, subtract and scale like vectors.

    >>> d = Direction(torch.tensor([1.0, -2.0]), layer=3)
    >>> (2 * d - d).vector, (-d).layer
    (tensor([ 1., -2.]), 3)
    """

    vector: Float[Tensor, "d_model"]
    layer: int
    method: str = "given"
    name: str = "direction"
    reliability: float | None = None

    def __post_init__(self):
        asked = f"the direction {shown(self.name)}"
        if not isinstance(self.vector, Tensor) or self.vector.ndim != 1 or not self.vector.is_floating_point():
            found = (
                f"of shape {tuple(self.vector.shape)}"
                if isinstance(self.vector, Tensor)
                else f"a {type(self.vector).__name__}"
            )
            raise CtkitError(
                asked,
                f"a vector that is {found}",
                "one floating-point number for each place of the stream: torch.tensor([…])",
            )
        if not self.vector.isfinite().all():
            raise CtkitError(asked, "numbers that are not finite", "a direction fitted on finite activations")
        if not isinstance(self.layer, int) or self.layer < 0:
            raise CtkitError(asked, f"layer {shown(self.layer)}", "the layer where it was read, from 0 on")

    def __add__(self, other: "Direction") -> "Direction":
        if self.vector.shape != other.vector.shape:
            raise CtkitError(
                f"{self.name} + {other.name}",
                f"widths {len(self.vector)} and {len(other.vector)}",
                "two directions fitted on the same model",
            )
        return replace(
            self,
            vector=self.vector + other.vector,
            method="combined",
            name=f"{self.name} + {other.name}",
            reliability=None,
        )

    def __neg__(self) -> "Direction":
        return replace(self, vector=-self.vector, name=f"−({self.name})")

    def __sub__(self, other: "Direction") -> "Direction":
        return self + -other

    def __mul__(self, factor: float) -> "Direction":
        return replace(self, vector=self.vector * factor)

    __rmul__ = __mul__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Direction) and self.to_data() == other.to_data()

    def __hash__(self) -> int:
        return hash((self.layer, self.name, tuple(self.vector.tolist())))

    def __repr__(self) -> str:
        reliability = "not measured" if self.reliability is None else f"{self.reliability:.2f}"
        about = f"layer {self.layer}, {len(self.vector)} wide, {self.method}, reliability {reliability}"
        return f"Direction({self.name!r}, {about})"

    def to_data(self) -> dict:
        """The direction as plain data; the vector exactly, as base64 of little-endian float32."""
        raw = self.vector.detach().to("cpu", torch.float32).numpy().astype("<f4").tobytes()
        fields = {"layer": self.layer, "method": self.method, "name": self.name, "reliability": self.reliability}
        return {"vector": base64.b64encode(raw).decode("ascii")} | fields

    @staticmethod
    def from_data(data: dict) -> "Direction":
        """The direction that `to_data` wrote; anything else is refused."""
        try:
            raw = bytearray(base64.b64decode(data["vector"], validate=True))
            vector = torch.frombuffer(raw, dtype=torch.float32).clone()
            reliability = None if data.get("reliability") is None else float(data["reliability"])
            words = {key: str(data[key]) for key in ("method", "name") if key in data}
            return Direction(vector, int(data["layer"]), reliability=reliability, **words)
        except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as err:
            raise CtkitError(
                f"the direction {shown(data)}", f"{type(err).__name__}: {err}", "data written by Direction.to_data()"
            ) from err

    def save(self, path: str | Path) -> None:
        """Write the vector as safetensors, with the rest as its metadata."""
        from safetensors.torch import save_file

        about = {key: value for key, value in self.to_data().items() if key != "vector"}
        save_file(
            {"vector": self.vector.detach().to("cpu", torch.float32).contiguous()},
            str(path),
            {"ctkit": json.dumps(about)},
        )

    @staticmethod
    def load(path: str | Path) -> "Direction":
        """Read a direction that `save` wrote."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(str(path), framework="pt") as file:
                about = json.loads((file.metadata() or {})["ctkit"])
                return Direction(file.get_tensor("vector"), **about)
        except (OSError, KeyError, SafetensorError, ValueError, TypeError) as err:
            raise CtkitError(
                f"the direction in {str(path)!r}", f"{type(err).__name__}: {err}", "a file written by Direction.save()"
            ) from err
