"""A direction to steer with: a vector, where in the model it was read and how it was found."""

import base64
import json
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import CtkitError, shown

SITES = ("residual", "heads", "mlp")  # the stream entering a block, a head's output, the MLP's output
WRITTEN = {"site": "residual", "head": None, "sigma": None, "accuracy": None}  # left out of data where they are so


@dataclass(frozen=True, eq=False)
class Direction:
    """A vector at a site of block `layer`, to steer with.

    `site`: "residual", the stream entering the block; "heads", the output of one `head` of it before the output
    projection (the vector is then as wide as a head); "mlp", the output of its MLP. A vector of several rows has one
    for each of the first positions of a prompt (activation addition).

    What was measured when it was fitted, None where it was not: `reliability`, the cosine between the directions of two
    halves of the data (1 = the same both times); `accuracy`, the share of texts that a probe tells apart at this place
    when it has not seen them; `sigma`, the standard deviation of activations along the direction. `second` spans a
    plane with the vector, to turn in. Directions add, subtract and scale like vectors.

    >>> d = Direction(torch.tensor([1.0, -2.0]), layer=3)
    >>> (2 * d - d).vector, (-d).layer
    (tensor([ 1., -2.]), 3)
    """

    vector: Float[Tensor, "*position width"]
    layer: int
    method: str = "given"
    name: str = "direction"
    reliability: float | None = None
    site: str = "residual"
    head: int | None = None
    sigma: float | None = None
    accuracy: float | None = None
    second: Float[Tensor, "other"] | None = None

    def __post_init__(self):
        asked = f"the direction {shown(self.name)}"
        _check_vector(asked, self.vector, (1, 2))
        if not isinstance(self.layer, int) or self.layer < 0:
            raise CtkitError(asked, f"layer {shown(self.layer)}", "the layer where it was read, from 0 on")
        _check_place(asked, self.site, self.head, self.vector)
        if self.second is not None:
            _check_vector(f"{asked} and its second vector", self.second, (1,))
            if self.second.shape != self.vector.shape:
                widths = f"shapes {tuple(self.vector.shape)} and {tuple(self.second.shape)}"
                raise CtkitError(f"{asked} and its second vector", widths, "two vectors of one width")
        for what, value, most in (("sigma", self.sigma, float("inf")), ("accuracy", self.accuracy, 1.0)):
            number = value is None or (isinstance(value, (int, float)) and isfinite(value) and 0 <= value <= most)
            if not number:
                least = "a share from 0 to 1, or None" if what == "accuracy" else "a number from 0 on, or None"
                raise CtkitError(asked, f"{what} {shown(value)}", least)

    def __add__(self, other: "Direction") -> "Direction":
        asked = f"{self.name} + {other.name}"
        if self.place != other.place:
            places = f"one at {self.place}, one at {other.place}"
            raise CtkitError(asked, places, "two directions of one site, or two Steer in one setup")
        if self.vector.shape != other.vector.shape:
            widths = f"widths {self.width} and {other.width}"
            if self.width == other.width:
                widths = f"shapes {tuple(self.vector.shape)} and {tuple(other.vector.shape)}"
            raise CtkitError(asked, widths, "two directions fitted on the same model, over as many positions")
        vector = self.vector + other.vector
        return Direction(vector, self.layer, "combined", asked, site=self.site, head=self.head)

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
        return hash((self.layer, self.place, self.name, tuple(self.vector.flatten().tolist())))

    def __repr__(self) -> str:
        reliability = "not measured" if self.reliability is None else f"{self.reliability:.2f}"
        wide = f"{len(self.vector)} positions × {self.width}" if self.vector.ndim == 2 else f"{self.width}"
        about = [f"layer {self.layer}", f"{wide} wide", self.method, f"reliability {reliability}"]
        about += [self.place] if self.site != "residual" else []
        about += [] if self.accuracy is None else [f"accuracy {self.accuracy:.2f}"]
        return f"Direction({self.name!r}, {', '.join(about)})"

    @property
    def width(self) -> int:
        """How many numbers it has for a token: as many as the stream, or as a head."""
        return self.vector.shape[-1]

    @property
    def place(self) -> str:
        """The site in words: "residual", "mlp" or "head 3"."""
        return f"head {self.head}" if self.site == "heads" else self.site

    def to_data(self) -> dict:
        """The direction as plain data; vectors exactly, as base64 of little-endian float32."""
        data = {"vector": _packed(self.vector)} | self._about()
        if self.vector.ndim == 2:
            data["shape"] = list(self.vector.shape)
        return data if self.second is None else data | {"second": _packed(self.second)}

    @staticmethod
    def from_data(data: dict) -> "Direction":
        """The direction that `to_data` wrote; anything else is refused."""
        try:
            vector = _unpacked(data["vector"])
            vector = vector.reshape(tuple(data["shape"])) if "shape" in data else vector
            second = _unpacked(data["second"]) if data.get("second") is not None else None
            words = {key: str(data[key]) for key in ("method", "name", "site") if key in data}
            given = {key: data[key] for key in ("reliability", "sigma", "accuracy") if data.get(key) is not None}
            head = None if data.get("head") is None else int(data["head"])
            numbers = {key: float(value) for key, value in given.items()}
            return Direction(vector, int(data["layer"]), head=head, second=second, **words, **numbers)
        except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as err:
            raise CtkitError(
                f"the direction {shown(data)}", f"{type(err).__name__}: {err}", "data written by Direction.to_data()"
            ) from err

    def save(self, path: str | Path) -> None:
        """Write the vectors as safetensors with the rest as JSON in the file's metadata; all of it as JSON where the
        name ends in .json."""
        if Path(path).suffix == ".json":
            Path(path).write_text(json.dumps(self.to_data()), "utf-8")
            return
        from safetensors.torch import save_file

        vectors = {"vector": self.vector} | ({} if self.second is None else {"second": self.second})
        rows = {key: v.detach().to("cpu", torch.float32).contiguous() for key, v in vectors.items()}
        save_file(rows, str(path), {"ctkit": json.dumps(self._about())})

    @staticmethod
    def load(path: str | Path) -> "Direction":
        """Read a direction that `save` wrote."""
        from safetensors import SafetensorError, safe_open

        try:
            if Path(path).suffix == ".json":
                return Direction.from_data(json.loads(Path(path).read_text("utf-8")))
            with safe_open(str(path), framework="pt") as file:
                about = json.loads((file.metadata() or {})["ctkit"])
                vectors = {key: file.get_tensor(key) for key in {"vector", *file.keys()}}
                return Direction(**vectors, **about)
        except (OSError, KeyError, SafetensorError, ValueError, TypeError) as err:
            raise CtkitError(
                f"the direction in {str(path)!r}", f"{type(err).__name__}: {err}", "a file written by Direction.save()"
            ) from err

    def _about(self) -> dict:
        """All but the vectors; what is newer than the first files only where it says something."""
        fields = {"layer": self.layer, "method": self.method, "name": self.name, "reliability": self.reliability}
        return fields | {key: getattr(self, key) for key, idle in WRITTEN.items() if getattr(self, key) != idle}


def _check_vector(asked: str, vector: Tensor, dimensions: tuple[int, ...]) -> None:
    if not isinstance(vector, Tensor) or vector.ndim not in dimensions or not vector.is_floating_point():
        found = f"of shape {tuple(vector.shape)}" if isinstance(vector, Tensor) else f"a {type(vector).__name__}"
        remedy = "one floating-point number for each place of the stream: torch.tensor([…])"
        raise CtkitError(asked, f"a vector that is {found}", remedy)
    if not vector.numel():
        raise CtkitError(asked, f"a vector that is empty, of shape {tuple(vector.shape)}", "one number or more")
    if not vector.isfinite().all():
        raise CtkitError(asked, "numbers that are not finite", "a direction fitted on finite activations")


def _check_place(asked: str, site: str, head: int | None, vector: Tensor) -> None:
    if site not in SITES:
        raise CtkitError(asked, f"the site {shown(site)}", f"one of {', '.join(SITES)}")
    if site == "heads" and (not isinstance(head, int) or isinstance(head, bool) or head < 0):
        raise CtkitError(asked, f'head {shown(head)} at the site "heads"', "the head where it was read, from 0 on")
    if site != "heads" and head is not None:
        raise CtkitError(asked, f"head {shown(head)} at the site {shown(site)}", 'site="heads", or no head')
    if vector.ndim == 2 and site != "residual":
        raise CtkitError(
            asked, f"a row for each of {len(vector)} positions at the site {shown(site)}", 'the site "residual"'
        )


def _packed(vector: Tensor) -> str:
    raw = vector.detach().to("cpu", torch.float32).contiguous().numpy().astype("<f4").tobytes()
    return base64.b64encode(raw).decode("ascii")


def _unpacked(text: str) -> Tensor:
    return torch.frombuffer(bytearray(base64.b64decode(text, validate=True)), dtype=torch.float32).clone()
