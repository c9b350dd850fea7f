"""Changing the causal mask: by a rule for everything, or by cutting single edges."""

from dataclasses import dataclass

import torch

from .. import masks
from ..errors import CtkitError, shown
from ..prompt import Encoding, ModelShape
from .base import Intervention, as_tuple, check_heads, check_layers

KINDS = ("causal", "bidirectional", "prefix", "window")


@dataclass(frozen=True)
class Mask(Intervention):
    """Who may attend to whom, by a rule, in all blocks and heads or in some.

    `kind` is "causal", "bidirectional" (the mask lifted: the next token is then visible, so only a model trained so
    can use it), "prefix" (the prompt sees itself freely; `until` ends the prefix earlier: a number of tokens or a
    piece), "window" (the last `size` tokens), or a rule built with `ctkit.masks`. It replaces what interventions
    before it said. Sliding-window layers of a model keep their own window under it, forwards too.

    >>> Mask("window", size=4, layers=[0, 1])
    Mask(kind='window', until=None, size=4, layers=(0, 1), heads=None)
    """

    kind: str | masks.Rule = "causal"
    until: int | str | None = None
    size: int | None = None
    layers: tuple[int, ...] | None = None
    heads: tuple[int, ...] | None = None

    def __post_init__(self):
        object.__setattr__(self, "layers", as_tuple(self.layers))
        object.__setattr__(self, "heads", as_tuple(self.heads))
        if not isinstance(self.kind, masks.Rule) and (not isinstance(self.kind, str) or self.kind not in KINDS):
            raise CtkitError(
                f"the mask {shown(self.kind)}",
                "no mask of that name",
                f"one of {', '.join(KINDS)}, or a rule from ctkit.masks",
            )
        if self.kind == "window" and self.size is None:
            raise CtkitError('Mask("window")', "no size", 'a number of tokens, for example ct.Mask("window", size=4)')
        _ = self.rule  # an impossible size is refused here, not in the middle of a run

    @property
    def rule(self) -> masks.Rule:
        """The rule that `kind` names."""
        if isinstance(self.kind, masks.Rule):
            return self.kind
        if self.kind == "prefix":
            return masks.prefix(self.until)
        return masks.window(self.size) if self.kind == "window" else getattr(masks, self.kind)()

    def check(self, shape: ModelShape) -> None:
        """The layers and heads must exist."""
        check_layers(f"Mask({self.kind!r})", self.layers, shape.n_layers - 1)
        check_heads(f"Mask({self.kind!r})", self.heads, shape.n_heads)

    def allow(self, allowed, enc: Encoding, layer: int):
        """The rule, in the chosen layers and heads."""
        if self.layers is not None and layer not in self.layers:
            return allowed
        return _in_heads(allowed, self.rule.matrix(enc)[None], self.heads, enc)


@dataclass(frozen=True)
class Knockout(Intervention):
    """Some queries may no longer attend to some keys (attention knock-out; Geva et al. 2023, arXiv 2304.14767).

    `queries` and `keys` name places: a position, positions, a piece, "all", "prompt", "generated", "reading 2". A query
    always keeps itself: a place that is in both loses the edges between its words, not those of a word to itself.

    >>> Knockout("reading 2", "reading 1")          # the second reading cannot see the first
    Knockout(queries='reading 2', keys='reading 1', layers=None, heads=None)
    """

    queries: masks.Where
    keys: masks.Where
    layers: tuple[int, ...] | None = None
    heads: tuple[int, ...] | None = None

    def __post_init__(self):
        for name in ("queries", "keys"):
            object.__setattr__(self, name, masks.as_where(getattr(self, name)))
        object.__setattr__(self, "layers", as_tuple(self.layers))
        object.__setattr__(self, "heads", as_tuple(self.heads))

    def check(self, shape: ModelShape) -> None:
        """The layers and heads must exist."""
        check_layers("Knockout", self.layers, shape.n_layers - 1)
        check_heads("Knockout", self.heads, shape.n_heads)

    def allow(self, allowed, enc: Encoding, layer: int):
        """Everything as before but for the edges from `queries` to `keys`."""
        if self.layers is not None and layer not in self.layers:
            return allowed
        cut = masks.between(self.queries, self.keys).matrix(enc) & ~torch.eye(len(enc), dtype=torch.bool)
        return _in_heads(allowed, allowed & ~cut, self.heads, enc)


def _in_heads(old, new, heads: tuple[int, ...] | None, enc: Encoding):
    if heads is None:
        return new
    result = old.expand(enc.shape.n_heads, -1, -1).clone()
    result[list(heads)] = new.expand_as(result)[list(heads)]
    return result
