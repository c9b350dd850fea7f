"""Interventions that are of use to nobody but a test: each changes one thing that a law can look for."""

from dataclasses import dataclass

import torch

from ..interventions import Intervention

OPENED, CUT = 8, 12  # positions in the prompt: the first of four that see each other; the query that loses keys


@dataclass(frozen=True)
class Ramp(Intervention):
    """Far keys lose score, more so in later heads (as ALiBi)."""

    def bias(self, enc, layer):
        """The farther, the less."""
        places = torch.arange(len(enc))
        return -(places[:, None] - places[None]).abs() * 0.1 * torch.arange(1, enc.shape.n_heads + 1)[:, None, None]


@dataclass(frozen=True)
class Fade(Intervention):
    """Heads fade with the position, one more than the other, and look back at the first token's."""

    def heads(self, z, enc, layer):
        """Each head by its own factor, and something of the first token's."""
        dim = 1 / (1 + 0.1 * torch.arange(len(z)).to(z))
        return z * dim[:, None, None] * torch.linspace(0.5, 1.5, z.shape[1]).to(z)[:, None] + 0.1 * z[:1]


@dataclass(frozen=True)
class Blend(Intervention):
    """Each token's stream gets something of all that stood before it: sees the whole past, also with a cache."""

    def residual(self, x, enc, layer):
        """The mean of what was read so far, in the second block."""
        if layer != 1:
            return x
        return x + 0.5 * x.cumsum(0) / torch.arange(1, len(x) + 1).to(x)[:, None]


@dataclass(frozen=True)
class Damp(Intervention):
    """The MLPs' outputs fade with the position."""

    def mlp(self, y, enc, layer):
        """The later, the less."""
        return y / (1 + 0.1 * torch.arange(len(y)).to(y))[:, None]


@dataclass(frozen=True)
class Open(Intervention):
    """Four tokens see each other, in both directions."""

    start: int = OPENED

    def allow(self, allowed, enc, layer):
        """Everything as before, and those edges."""
        places = torch.arange(len(enc))
        inside = (places >= self.start) & (places < self.start + 4)
        return allowed | (inside[:, None] & inside[None])


@dataclass(frozen=True)
class Bury(Intervention):
    """Some keys lose so much score for one query that nothing is left of them."""

    query: int = CUT
    keys: tuple[int, ...] = ()

    def bias(self, enc, layer):
        """−10,000 at those edges."""
        bias = torch.zeros(1, len(enc), len(enc))
        bias[0, self.query, list(self.keys)] = -1e4
        return bias


@dataclass(frozen=True)
class Halts(Intervention):
    """Fails in the middle of a run."""

    def residual(self, x, enc, layer):
        """Raises in the second block."""
        if layer == 1:
            raise ArithmeticError("half-way")
        return x
