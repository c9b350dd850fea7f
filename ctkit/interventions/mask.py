"""Changing the causal mask: by a rule for everything, by groups of blocks, or by cutting single edges."""

from dataclasses import dataclass

import torch

from .. import masks
from ..errors import CtkitError, shown
from ..prompt import Encoding, ModelShape
from .base import Intervention, as_tuple
from .chosen import Heads, Layers, as_heads, check_chosen, heads_in, masked_in

KINDS = ("causal", "bidirectional", "prefix", "window", "sinks", "parallel", "mutual", "suppress")
SIZED, PLACED = ("window", "sinks"), ("parallel", "mutual", "suppress")  # kinds that need a size, or pieces


@dataclass(frozen=True)
class Mask(Intervention):
    """Who may attend to whom, by a rule, in all blocks and heads or in some.

    `kind` is one of these, or a rule built with `ctkit.masks`:

    - "causal";
    - "bidirectional": the mask lifted (only a model trained so can use it);
    - "prefix": the prompt sees itself freely; `until` ends the prefix earlier, a number of tokens or a piece;
    - "window": the last `size` tokens; "sinks": these and the first `sinks` tokens (StreamingLLM);
    - "parallel": the `pieces` do not see each other;
    - "mutual": of two `pieces` the first may look ahead at the second (AKI);
    - "suppress": nothing behind `pieces` sees them.

    It replaces what interventions before it said. Sliding-window layers of a model keep their own window under it,
    forwards too. `heads` are numbers, meant in each of `layers`, or pairs (layer, head), which name single heads.

    >>> Mask("window", size=4, layers=[0, 1]).rule, Mask("mutual", pieces=("context", "question")).rule
    (window(4), causal() | mutual('context', 'question'))
    """

    kind: str | masks.Rule = "causal"
    until: int | str | None = None
    size: int | None = None
    layers: Layers = None
    heads: Heads = None
    sinks: int = 4
    pieces: masks.Where | None = None

    def __post_init__(self):
        object.__setattr__(self, "layers", as_tuple(self.layers))
        object.__setattr__(self, "heads", as_heads("Mask", self.heads, self.layers))
        if self.pieces is not None:
            object.__setattr__(self, "pieces", masks.as_where(self.pieces))
        if not isinstance(self.kind, masks.Rule) and (not isinstance(self.kind, str) or self.kind not in KINDS):
            raise CtkitError(
                f"the mask {shown(self.kind)}",
                "no mask of that name",
                f"one of {', '.join(KINDS)}, or a rule from ctkit.masks",
            )
        if self.kind in SIZED and self.size is None:
            example = f'ct.Mask("{self.kind}", size=4)'
            raise CtkitError(f'Mask("{self.kind}")', "no size", f"a number of tokens, for example {example}")
        if self.kind in PLACED and self.pieces is None:
            example = f'ct.Mask("{self.kind}", pieces=("context", "question"))'
            raise CtkitError(f'Mask("{self.kind}")', "no pieces", f"pieces of the prompt, for example {example}")
        _ = self.rule  # an impossible size is refused here, not in the middle of a run

    @property
    def rule(self) -> masks.Rule:
        """The rule that `kind` names."""
        if isinstance(self.kind, masks.Rule):
            return self.kind
        if self.kind == "prefix":
            return masks.prefix(self.until)
        if self.kind == "window":
            return masks.window(self.size)
        if self.kind == "sinks":
            return masks.sinks(self.sinks) | masks.window(self.size)
        if self.kind == "suppress":
            return masks.suppress(self.pieces)
        if self.kind == "parallel":
            return masks.parallel(*_several(self.pieces))
        if self.kind == "mutual":
            return masks.causal() | masks.mutual(*_two(self.pieces))
        return getattr(masks, self.kind)()

    def check(self, shape: ModelShape) -> None:
        """The layers and heads must exist."""
        check_chosen(f"Mask({self.kind!r})", self.layers, self.heads, shape)

    def allow(self, allowed, enc: Encoding, layer: int):
        """The rule, in the chosen layers and heads."""
        heads = heads_in(layer, self.layers, self.heads, enc.shape.n_heads)
        return masked_in(heads, allowed, self.rule.matrix(enc)[None].clone(), enc) if heads else allowed


@dataclass(frozen=True)
class MaskGroups(Intervention):
    """The mask changed in some groups of blocks ("Looking Right is Sometimes Right"; Dukić and Šnajder, ACL 2024,
    arXiv 2401.14556).

    `code` has a digit for each group, the lowest blocks first: the model's blocks are shared out among them, as equally
    as possible, whatever its depth. Where the digit is 1 the mask is `kind` ("bidirectional": lifted, as in the paper;
    "prefix": lifted in the prompt; or a rule); where it is 0 nothing changes. `ct.masks.codes()` lists the 16 codes of
    four groups; "0000" changes nothing at all.

    >>> MaskGroups("1000")
    MaskGroups(code='1000', kind='bidirectional')
    """

    code: str
    kind: str | masks.Rule = "bidirectional"

    def __post_init__(self):
        masks.checked_code(self.code)
        _ = self.mask

    @property
    def mask(self) -> Mask:
        """The mask of the groups with a 1."""
        return Mask(self.kind)

    def check(self, shape: ModelShape) -> None:
        """Every group must have a block."""
        masks.groups(self.code, shape.n_layers)

    def allow(self, allowed, enc: Encoding, layer: int):
        """The mask, in the blocks of the groups with a 1."""
        chosen = layer in masks.groups(self.code, enc.shape.n_layers)
        return self.mask.allow(allowed, enc, layer) if chosen else allowed


@dataclass(frozen=True)
class Knockout(Intervention):
    """Some queries may no longer attend to some keys (attention knock-out; Geva et al. 2023, arXiv 2304.14767).

    `queries` and `keys` name places (`ctkit.masks.places` lists the names): positions, a piece, "all", "generated",
    "reading 2", words of the prompt. A query always keeps itself: a place that is in both loses the edges between its
    words, not those of a word to itself. `layers=ct.masks.around(6, 5)` is the paper's window of blocks. `heads` as for
    `Mask`.

    >>> Knockout("reading 2", "reading 1")          # the second reading cannot see the first
    Knockout(queries='reading 2', keys='reading 1', layers=None, heads=None)
    """

    queries: masks.Where
    keys: masks.Where
    layers: Layers = None
    heads: Heads = None

    def __post_init__(self):
        for name in ("queries", "keys"):
            object.__setattr__(self, name, masks.as_where(getattr(self, name)))
        object.__setattr__(self, "layers", as_tuple(self.layers))
        object.__setattr__(self, "heads", as_heads("Knockout", self.heads, self.layers))

    def check(self, shape: ModelShape) -> None:
        """The layers and heads must exist."""
        check_chosen("Knockout", self.layers, self.heads, shape)

    def allow(self, allowed, enc: Encoding, layer: int):
        """Everything as before but for the edges from `queries` to `keys`."""
        heads = heads_in(layer, self.layers, self.heads, enc.shape.n_heads)
        if not heads:
            return allowed
        cut = masks.between(self.queries, self.keys).matrix(enc) & ~torch.eye(len(enc), dtype=torch.bool)
        return masked_in(heads, allowed, allowed & ~cut, enc)


def _several(pieces: masks.Where) -> tuple[int | str, ...]:
    return pieces if isinstance(pieces, tuple) else (pieces,)


def _two(pieces: masks.Where) -> tuple[int | str, ...]:
    if isinstance(pieces, tuple) and len(pieces) == 2:
        return pieces
    raise CtkitError(
        f'Mask("mutual", pieces={shown(pieces)})',
        "not two pieces",
        'who looks ahead, and at what: pieces=("context", "question")',
    )
