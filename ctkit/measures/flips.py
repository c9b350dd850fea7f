"""Answers that flip under steering and under its controls: what the engagement test found."""

from dataclasses import dataclass, field

from jaxtyping import Bool
from torch import Tensor

from .intervals import wilson

Share = tuple[float, float, float]  # a share and its 95 % interval


@dataclass(frozen=True, eq=False)
class Flips:
    """Which of n answers flip. `steered`: with the direction as meant; `opposite`: with the sign turned round;
    `random`: along random directions as long; `removed`: with the step left out; `weighed`: with attention to the step
    scaled, up for engagement and down for disengagement. The first three have a row for each of `layers`."""

    layers: tuple[int, ...]
    steered: Bool[Tensor, "layer case"] = field(repr=False)
    opposite: Bool[Tensor, "layer case"] = field(repr=False)
    random: Bool[Tensor, "draw layer case"] = field(repr=False)
    removed: Bool[Tensor, "case"] = field(repr=False)
    weighed: Bool[Tensor, "case"] = field(repr=False)

    @property
    def n(self) -> int:
        """How many cases."""
        return self.steered.shape[-1]

    def rate(self, what: str, layer: int | None = None) -> Share:
        """The share of answers that flip, with its 95 % interval (Wilson; that of random directions as if each case
        were asked once). `layer` is one of `layers` for steering, None for the step removed or weighed."""
        rows = getattr(self, what)
        if what in ("steered", "opposite", "random"):
            rows = rows[..., self.layers.index(layer), :]
        return _share(rows)

    @property
    def best(self) -> dict[str, Share]:
        """The highest rate over the layers, for each way to steer. The paper's figure. A maximum over layers is high by
        chance alone, also along random directions: compare it with theirs, or take `held_out`."""
        return {what: self.rate(what, self._peak(what, slice(None))) for what in ("steered", "opposite", "random")}

    @property
    def held_out(self) -> dict[str, Share]:
        """The layer chosen on every second case, and the rate on the others: no maximum over chance."""
        found = {}
        for what in ("steered", "opposite", "random"):
            layer = self._peak(what, slice(0, None, 2))
            found[what] = _share(getattr(self, what)[..., self.layers.index(layer), 1::2])
        return found

    def _peak(self, what: str, cases: slice) -> int:
        rows = getattr(self, what)[..., cases].double()
        rates = rows.mean(-1) if rows.ndim == 2 else rows.mean((0, -1))
        return self.layers[int(rates.nan_to_num().argmax())]


@dataclass(frozen=True, eq=False)
class Engagement:
    """Both tests of some directions. `engagement`: of answers that ignore an error put into a step and stay right,
    those that turn wrong; `disengagement`: of answers that follow the error, those that turn right again. `tried`:
    steps that were broken; the others were in neither case."""

    engagement: Flips
    disengagement: Flips
    tried: int
    strength: float

    def __str__(self) -> str:
        lines = [f"{self.tried} steps broken, strength {self.strength:g}; flips in %, with 95 % intervals"]
        for name in ("engagement", "disengagement"):
            flips = getattr(self, name)
            lines.append(f"{name} ({flips.n} cases)" + ("" if flips.n else ": nothing to measure"))
            if not flips.n:
                continue
            for layer in flips.layers:
                said = (f"{what} {_percent(flips.rate(what, layer))}" for what in ("steered", "opposite", "random"))
                lines.append(f"  layer {layer}: {', '.join(said)}")
            for title, found in (("best of the layers", flips.best), ("layer held out", flips.held_out)):
                lines.append(f"  {title}: {', '.join(f'{what} {_percent(each)}' for what, each in found.items())}")
            lines += [f"  step {what}: {_percent(flips.rate(what))}" for what in ("removed", "weighed")]
        return "\n".join(lines)


def _share(rows: Bool[Tensor, "*draw case"]) -> Share:
    n = rows.shape[-1]
    if not n:
        return (float("nan"),) * 3
    share = float(rows.double().mean())
    return share, *wilson(share * n, n)


def _percent(share: Share) -> str:
    return "{:.0f} ({:.0f}–{:.0f})".format(*(100 * value for value in share))
