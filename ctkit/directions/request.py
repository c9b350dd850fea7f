"""What a method of fitting is asked for, and reading texts at a place of a model: the states that all methods share."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from jaxtyping import Float
from torch import Tensor

from ..engine.lm import LM
from ..engine.run import run_many
from ..engine.trace import Trace
from ..errors import CtkitError, shown
from ..interventions import Direction
from ..prompt import START, Encoding, Prompt

LOT = 128  # texts in memory at a time
NAME = "positive − negative"

States = list[Float[Tensor, "_ width"]]  # text by text: a row for each of its tokens


@dataclass(frozen=True)
class Request:
    """Two sets of texts and the place where a direction is to tell them apart.

    `tokens`: "all" (but those that the tokenizer puts in front), "last", or how many of the last. `layer` and `head`
    are None where a method is to choose them.
    """

    lm: LM
    positive: Sequence[Prompt | str]
    negative: Sequence[Prompt | str]
    layer: int | None
    site: str = "residual"
    head: int | None = None
    tokens: str | int = "all"
    name: str = NAME
    seed: int = 0

    def states(self) -> tuple[States, States]:
        """What the model holds at the place, text by text, for the positive and for the negative texts."""
        return tuple(read(self.lm, texts, self.site, self.layer, self.head, self.tokens) for texts in self.sides)

    @property
    def sides(self) -> tuple[Sequence[Prompt | str], Sequence[Prompt | str]]:
        """The positive and the negative texts."""
        return self.positive, self.negative

    def direction(self, vector: Float[Tensor, "*position width"], method: str, **measured: float | None) -> Direction:
        """The vector as a direction at the place of this request, with what was measured of it."""
        found = Direction(vector, self.layer, method, self.name, site=self.site, head=self.head)
        return replace(found, **measured)

    def paired(self, method: str) -> None:
        """Refuse sides of different length."""
        if len(self.positive) != len(self.negative):
            raise CtkitError(
                f"a direction by {method}",
                f"{len(self.positive)} positive and {len(self.negative)} negative texts",
                "pairs: as many texts on both sides, each beside the one it differs from",
            )


def read(
    lm: LM,
    texts: Sequence[Prompt | str],
    site: str,
    layer: int,
    head: int | None = None,
    tokens: str | int = "all",
) -> States:
    """What the model holds at a place over each text's chosen tokens."""
    return [
        at(trace, site, layer, head)[rows(trace.encoding, tokens)] for trace in traces(lm, texts, **{site: [layer]})
    ]


def traces(lm: LM, texts: Sequence[Prompt | str], **wanted: Sequence[int]) -> Iterator[Trace]:
    """One trace after the other, with the wanted layers of each site kept and no logits but the last."""
    for first in range(0, len(texts), LOT):
        yield from run_many(lm, texts[first : first + LOT], last_only=True, **wanted)


def at(trace: Trace, site: str, layer: int, head: int | None = None) -> Float[Tensor, "token width"]:
    """The states of all tokens at a place."""
    if site == "heads":
        return trace.heads(layer)[:, head]
    return trace.residual(layer) if site == "residual" else trace.mlp(layer)


def rows(enc: Encoding, tokens: str | int) -> list[int]:
    """The positions of a text's own tokens: all, the last, or so many of the last."""
    own = [i for i, place in enumerate(enc.places) if place[0] != START]
    if tokens == "all":
        return own
    return own[-1:] if tokens == "last" else own[-tokens:]


def check_texts(asked: str, texts: object) -> None:
    """Refuse what is no list of texts, or an empty one."""
    if isinstance(texts, (str, Prompt)) or not isinstance(texts, Sequence) or not len(texts):
        raise CtkitError(f"{asked} {shown(texts)}", "no list of texts", "a list with one text or more")
