"""PINE: a list of segments read as if it were a set."""

from dataclasses import dataclass

from ..errors import CtkitError, shown
from ..prompt import Encoding
from .base import Intervention


@dataclass(frozen=True)
class Pine(Intervention):
    """The named pieces are read without an order (position-invariant inference; Wang et al., ICLR 2025,
    arXiv 2407.01100).

    They see each other as well as themselves, and the keys of each are placed, for every query and in every head, by
    how much it cares for them: the most important one nearest. So whichever order they are told in, what follows is the
    same, to float rounding (segments that matter equally are told apart by what they say). One piece alone changes
    nothing. The pieces must follow each other, with something before them (where a text begins, tokens differ).

    Only for models with rotary positions, and the keys move to places that a causally trained model has not met: the
    order's influence is gone for sure, the accuracy may go as well.

    >>> Pine(["fact 1", "fact 2"])
    Pine(pieces=('fact 1', 'fact 2'))
    """

    pieces: tuple[str, ...]

    def __post_init__(self):
        names = (self.pieces,) if isinstance(self.pieces, str) else self.pieces
        if not isinstance(names, (list, tuple)) or not names or not all(isinstance(name, str) for name in names):
            raise CtkitError(f"Pine({shown(self.pieces)})", "no names of pieces", 'ct.Pine(["fact 1", "fact 2"])')
        if len(set(names)) < len(names):
            raise CtkitError(f"Pine({shown(self.pieces)})", "a piece named twice", "each piece once")
        object.__setattr__(self, "pieces", tuple(names))

    def segments(self, enc: Encoding) -> tuple[slice, ...]:
        """The pieces' places, first to last; none where there is one piece only, which has no order."""
        found = sorted((enc.span(name) for name in self.pieces), key=lambda span: span.start)
        for one, other in zip(found, found[1:]):
            if one.stop != other.start:
                raise CtkitError(
                    f"the pieces {list(self.pieces)} without an order",
                    f"tokens between them, at {one.stop} to {other.start - 1}",
                    "pieces that follow each other directly",
                )
        return tuple(found) if len(found) > 1 else ()

    def allow(self, allowed, enc: Encoding, layer: int):
        """Each segment may see all of the others."""
        segments = self.segments(enc)
        if not segments:
            return allowed
        opened = allowed.clone()
        whole = slice(segments[0].start, segments[-1].stop)
        for own in segments:
            kept = opened[:, own, own].clone()
            opened[:, own, whole] = True
            opened[:, own, own] = kept
        return opened
