"""One text written against a guess: how far the guess holds, where in it the writing stands, when to stop."""

from collections import deque
from dataclasses import dataclass, field

from .encode import token_text
from .lm import LM
from .plan import Row
from .writer import end_ids, instead, written_text

WINDOW = 8  # tokens of a guess that are read in one pass at first: those behind the first wrong one are read in vain
LEAST, MOST = 4, 64  # of them later on: twice as many as held in the pass before; beyond WINDOW if all did, twice
RUN = 4  # as many tokens that were written before, in a row, tell what came behind them then


class Echoes:
    """What was written behind each run of tokens, by any of some texts. What a model has said once it says again: in
    the next broken version of a thought, or in a loop.

    >>> echoes, said = Echoes(), []
    >>> for token in (1, 2, 3, 4, 5, 1, 2, 3, 4):
    ...     echoes.note(said, said)
    ...     said.append(token)
    >>> echoes.behind(said, 6)
    [5, 1, 2, 3, 4, 5]
    """

    def __init__(self):
        self.places: dict[tuple[int, ...], tuple[list[int], int]] = {}

    def note(self, tail: list[int], written: list[int]) -> None:
        """Another token of a text is about to be written; `tail`: the last tokens before it."""
        self.places[tuple(tail[-RUN:])] = written, len(written)

    def behind(self, tail: list[int], most: int) -> list[int]:
        """What came behind a text's last tokens when they were written last, and so on from there."""
        found: list[int] = []
        while len(found) < most:
            written, at = self.places.get(tuple([*tail, *found][-RUN:]), ([], 0))
            if at >= len(written):
                break
            found += written[at : at + most - len(found)]
        return found


@dataclass
class Writing:
    """A row's text, token by token as the model says it, until it has said `until`, `limit` tokens or its end.

    `guess` is what may come. A token that is not as guessed takes the guessed one's place; where two in a row are not,
    the guess is taken up again behind the same two tokens, wherever it has them. Once it was wrong, what other texts
    have said (`echoes`) goes before it.
    """

    lm: LM
    row: Row
    guess: list[int]
    until: str
    limit: int
    echoes: Echoes = field(default_factory=Echoes)
    written: list[int] = field(default_factory=list)
    stopped: str = ""  # "until", "end" or "limit", once it has
    offered: list[int] = field(default_factory=list)  # of the guess, in the pass under way
    at: int = 0  # the place in the guess of the token that comes next
    window: int = WINDOW
    wrong: bool = False  # whether the guess ever was
    again: int = 0  # passes, the newest, in which all offered was right
    strange: int = 0  # tokens in a row, the newest, that were not as guessed
    forced: deque[int] = field(default_factory=deque)  # tokens that a setup has put in the model's mouth

    def __post_init__(self):
        self.ends = end_ids(self.lm)
        self.speaks = self.row.setup.overrides("goes_on")
        if self.limit < 1:
            self.stopped = "limit"

    @property
    def text(self) -> str:
        """What is written, without the words that it was to go on to."""
        return written_text(self.lm, self.written).partition(self.until)[0]

    def offer(self, most: int | None = None) -> list[int]:
        """The tokens that may come next, to be read behind those written: at most so many, by default its window."""
        if self.strange > 1:
            self._find_again()
        room = max(0, min(self.window if most is None else most, self.limit - len(self.written) - 1))
        echo = self.echoes.behind(self._tail(), room) if self.wrong else []
        self.offered = echo + (self.guess[self.at + len(echo) : self.at + room] if self.strange < 2 else [])
        return self.offered

    def hear(self, best: list[int]) -> None:
        """Take the model's likeliest tokens: behind the last one written, and behind each of those offered; as far as
        it says what was offered, and one further."""
        held = 0
        for id_, offered in zip(best, [*self.offered, None], strict=True):
            before = len(self.written)
            said = self._said(id_)
            back = len(self.written) < before  # what was read behind those is void
            self._take(said)
            if self.stopped or said != offered or back:
                break
            held += 1
        self.wrong = self.wrong or held < max(1, len(self.offered))
        self.again = self.again + 1 if 0 < held == len(self.offered) else 0
        self.window = min(MOST if self.again > 1 else WINDOW, max(LEAST, 2 * held))

    def _said(self, id_: int) -> int:
        """The model's token, unless the setup puts something in its place."""
        if self.speaks and not self.forced:
            kept, said = instead(self.lm, self.row, [*self.written, id_], id_ in self.ends)
            if said:
                self.at = max(0, self.at - (len(self.written) - kept))
                del self.written[kept:]
            self.forced.extend(said)
        return self.forced.popleft() if self.forced else id_

    def _take(self, id_: int) -> None:
        if id_ in self.ends:
            self.stopped = "end"
            return
        self.echoes.note(self._tail(), self.written)
        self.written.append(id_)
        self.strange = 0 if self.guess[self.at : self.at + 1] == [id_] else self.strange + 1
        self.at += 1
        if self._arrived():
            self.stopped = "until"
        elif len(self.written) == self.limit:
            self.stopped = "limit"

    def _tail(self) -> list[int]:
        """The last tokens of the text so far."""
        return [*self.row.enc.ids[-RUN:], *self.written[-RUN:]]

    def _arrived(self) -> bool:
        """Whether the words waited for are there. Only a token with their last character (or with a part of one) can
        have brought them."""
        newest = token_text(self.lm, self.written[-1])
        may = self.until[-1] in newest or "\ufffd" in newest
        return may and self.until in written_text(self.lm, self.written)

    def _find_again(self) -> None:
        """Go to the place in the guess, the nearest, behind the two tokens written last."""
        pair = self.written[-2:]
        places = [i + 2 for i in range(len(self.guess) - 1) if self.guess[i : i + 2] == pair]
        if places:
            self.at, self.strange = min(places, key=lambda place: abs(place - self.at)), 0
