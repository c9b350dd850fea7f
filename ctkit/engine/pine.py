"""PINE in the attention function: keys are moved so that no segment stands nearer than another for being earlier.

Wang et al., ICLR 2025, arXiv 2407.01100. A key that moves back by n places gives the score that a query turned on by n
places gives, so all that is needed is what that adds to the scores of the plain attention.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ..errors import CtkitError
from .lm import LM
from .plan import Row
from .rope import turned

TIE = 1e5  # importances whose ratio is nearer to 1 than 1 in so many are equal: turning keys back costs some digits


def pine_bias(lm: LM, rows: list[Row]) -> Callable[..., Tensor] | None:
    """What a batch adds to the scores of each block because of its rows' segments; None where there are none.

    Raises `CtkitError` for models whose positions are no rotations of queries and keys.
    """
    if not any(row.segments for row in rows):
        return None
    if lm.support.get("pine", "yes") != "yes":
        raise CtkitError(
            f"segments without an order in {lm.name}",
            lm.support["pine"],
            "a model with rotary positions, such as ct.load(); or ct.Mask(ct.masks.parallel(…)), which moves no key",
        )
    return _Pine(lm, rows)


@dataclass(frozen=True, eq=False)
class _Pine:
    lm: LM
    rows: list[Row]

    def __call__(self, module: nn.Module, query: Tensor, key: Tensor, start: int, told: dict[str, Any]) -> Tensor:
        """The change of scores (batch head query key)."""
        scaling = told.get("scaling") or query.shape[-1] ** -0.5
        bias = query.new_zeros(*query.shape[:3], key.shape[2])
        for b, row in enumerate(self.rows):
            if row.segments:
                layout = _Layout(row, key.shape[2], start, query.shape[2])
                keys = key[b].repeat_interleave(query.shape[1] // key.shape[1], dim=0)
                bias[b] = _change(self.lm, module, query[b].float(), keys.float(), scaling, layout).to(bias)
        return bias


@dataclass(frozen=True, eq=False)
class _Layout:
    """Where a row's segments are among the keys at hand, and where its queries stand."""

    row: Row
    n_keys: int
    start: int
    n_queries: int

    def __post_init__(self):
        pad = self.row.pad
        slices = [slice(pad + s.start, pad + s.stop) for s in self.row.segments]
        owner = torch.full((self.n_keys,), -1)
        for number, own in enumerate(slices):
            owner[own] = number
        values = {
            "owner": owner,  # key → its segment, −1 outside
            "lengths": torch.tensor([s.stop - s.start for s in slices]),
            "positions": self.row.positions(self.n_keys),
            "asking": owner[self.start : self.start + self.n_queries],
            "behind": torch.arange(self.start, self.start + self.n_queries) >= slices[-1].stop,
            "by_content": sorted(range(len(slices)), key=lambda n: self.row.enc.ids[self.row.segments[n]]),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)


def _change(lm: LM, module: nn.Module, q: Tensor, k: Tensor, scaling: float, at: _Layout) -> Tensor:
    """New scores minus old ones (head query key), of the keys in segments; 0 elsewhere."""
    own = at.positions[at.start : at.start + at.n_queries]
    n_heads, n_segments = len(q), len(at.lengths)
    unturned = [turned(lm, module, x, -p.expand(n_heads, -1)) for x, p in ((q, own), (k, at.positions))]
    moved = shifts(_importance(unturned[0] @ unturned[1].mT * scaling, at), at)  # (head query segment)
    flat = q[:, :, None].expand(-1, -1, n_segments, -1).flatten(1, 2)
    onward = turned(lm, module, flat, moved.flatten(1, 2)).unflatten(1, (-1, n_segments))
    inside = at.owner >= 0
    change = torch.zeros(n_heads, at.n_queries, at.n_keys)
    for segment in range(n_segments):
        keys = at.owner == segment
        change[:, :, keys] = ((onward[:, :, segment] - q) @ k[:, keys].mT).cpu() * scaling
    return change * inside


def _importance(scores: Float[Tensor, "head query key"], at: _Layout) -> Float[Tensor, "head query segment"]:
    """How much each query cares for each segment, were they all at one place: its weight on it by the segment's length.
    The tokens of a segment speak with one voice, and not of their own."""
    scores = scores.detach().cpu().double()
    outside = (at.owner < 0)[None, None]
    own = (at.asking[:, None] == at.owner[None])[None]
    weights = scores.masked_fill(outside | own, -torch.inf).softmax(-1).nan_to_num(0.0)
    segments = range(len(at.lengths))
    each = torch.stack([weights[:, :, at.owner == n].sum(-1) / at.lengths[n] for n in segments], dim=-1)
    for n in segments:
        if (at.asking == n).any():
            each[:, at.asking == n] = each[:, at.asking == n].sum(1, keepdim=True)
            each[:, at.asking == n, n] = torch.inf  # one's own segment is the nearest
    return each


def shifts(importance: Float[Tensor, "head query segment"], at: _Layout) -> Int[Tensor, "head query segment"]:
    """By how many places the keys of each segment move back: the lengths of all segments that matter more. Of equals
    the order is by what they say, never by where they stood."""
    named = importance[..., at.by_content].log().mul(TIE).round()
    order = torch.tensor(at.by_content)[named.sort(dim=-1, descending=True, stable=True).indices]
    lengths = at.lengths[order]
    moved = torch.zeros_like(order).scatter(-1, order, lengths.cumsum(-1) - lengths)
    before = (at.asking < 0) & ~at.behind  # what stands in front of all segments sees none of them
    moved[:, before] = 0
    return moved
