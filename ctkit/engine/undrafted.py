"""What is wanted of texts that are written on, what comes of it, and how it is had without any guess."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from jaxtyping import Float
from torch import Tensor

from .branches import Trunks, chance
from .generate import generate_many, with_room
from .plan import Row
from .writer import written_text

Ending = Callable[[int, str], Any]


@dataclass(frozen=True)
class Drafted:
    """What was written: `text`, up to the words that were waited for; `n_written` tokens with them. `stopped` says why
    it ends: "until" (they came), "end" (a token of the model's), "length" or "context". Where an ending was asked for,
    `scores` are those from which each token of its last piece would be chosen, `chance` is that piece's probability.
    """

    text: str
    n_written: int
    stopped: str
    chance: float | None = None
    scores: Float[Tensor, "token vocab"] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Order:
    """What is wanted of some texts: `most` tokens of each, or as many as its context has room for beside `spare`."""

    until: str
    most: Sequence[int]
    spare: int
    ending: Ending | None

    def limit(self, trunks: Trunks, index: int, row: Row) -> int:
        """How many tokens may be written behind a start."""
        context = trunks.lm.context
        return self.most[index] if context is None else min(self.most[index], context - len(row.enc) - self.spare)

    def full(self, index: int, limit: int) -> str:
        """What it is called when as many were written."""
        return "length" if limit == self.most[index] else "context"


def plainly(
    trunks: Trunks, starts: Sequence[Any], rows: list[Row], order: Order, at_once: int
) -> Iterator[dict[int, Drafted]]:
    """Texts written token by token, so many at once, their endings read whole; by their index."""
    for first in range(0, len(rows), at_once):
        some = range(first, min(first + at_once, len(rows)))
        found = _plainly(trunks, {i: starts[i] for i in some}, {i: rows[i] for i in some}, order)
        if order.ending is not None:
            ended = trunks.rows([order.ending(i, one.text) for i, one in found.items()])
            scores = trunks.scores(ended)
            chances = [chance(own, row.enc.ids[-len(own) :]) for own, row in zip(scores, ended, strict=True)]
            read = zip(found.items(), chances, scores, strict=True)
            found = {i: replace(one, chance=c, scores=own) for (i, one), c, own in read}
        yield found


def _plainly(trunks: Trunks, starts: dict[int, Any], rows: dict[int, Row], order: Order) -> dict[int, Drafted]:
    lm, numbers = trunks.lm, list(rows)
    said, n_said = dict.fromkeys(rows, ""), dict.fromkeys(rows, 0)
    limits = {i: order.limit(trunks, i, row) for i, row in rows.items()}

    def goes_on(place: int, token: str) -> bool:
        i = numbers[place]
        said[i], n_said[i] = said[i] + token, n_said[i] + 1
        return order.until not in said[i].lstrip() and n_said[i] < limits[i]

    most = max(order.most[i] for i in rows)
    written = generate_many(lm, list(starts.values()), trunks.setup, max_new_tokens=most, on_token=goes_on)
    _count(trunks, list(rows.values()), most, [g.n_written + (g.stopped == "end") for g in written])
    found = {}
    for (i, limit), generation in zip(limits.items(), written, strict=True):
        ids = generation.ids[: max(0, limit)]
        text, came, _ = written_text(lm, ids).partition(order.until)
        cut = order.full(i, limit) if len(ids) == limit or limit < 1 else generation.stopped
        found[i] = Drafted(text, len(ids), "until" if came else cut)
    return found


def _count(trunks: Trunks, rows: list[Row], most: int, steps: list[int]) -> None:
    """Note the passes of writing token by token: each text takes part to the end of its batch."""
    padded = "dynamic" in trunks.lm.padded
    for group, room in with_room(trunks.lm, rows, most, padded):
        longest = max(len(rows[i].enc) for i in group)
        for step in range(min(room, max(steps[i] for i in group))):
            trunks.count(len(group) * (1 if step else longest))
