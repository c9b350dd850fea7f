"""Writing where a guess of the text exists: the guess is read in one pass, and kept as far as the model says the same.

Greedy, and the same tokens as without a guess (speculative decoding, Leviathan et al., arXiv 2211.17192, with a given
text in place of a small model's). After a broken step of a thought a model mostly writes the old thought on with other
digits, so the old thought is the guess.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from jaxtyping import Float
from torch import Tensor

from ..errors import CtkitError, shown
from ..interventions.setup import Setup
from ..prompt import Encoding
from .batch import BATCH_TOKENS
from .branches import Progress, Trunks, chance, piece_size
from .generate import check_wishes, generate_many, with_room
from .guess import Echoes, Writing
from .plan import Row
from .prefix import Going, Prefix, shared
from .read_on import Reading
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
class _Order:
    """What is wanted of all texts."""

    until: str
    most: int
    spare: int
    ending: Ending | None

    def limit(self, trunks: Trunks, row: Row) -> int:
        """How many tokens may be written behind a start."""
        context = trunks.lm.context
        return self.most if context is None else min(self.most, context - len(row.enc) - self.spare)

    def full(self, limit: int) -> str:
        """What it is called when as many were written."""
        return "length" if limit == self.most else "context"


def write_drafted(
    trunks: Trunks,
    starts: Sequence[Any],
    guesses: Sequence[Any],
    until: str,
    *,
    max_new_tokens: int = 40,
    ending: Ending | None = None,
    spare: int = 0,
    on_progress: Progress | None = None,
) -> list[Drafted]:
    """Let the model write each start on, greedily, until it has written the words `until`: what `generate_many` writes.

    A guess (or None) is a whole text: its start, and what may be read behind it, the ending too. A wrong one costs time
    only. `ending(index, text)` is the text to be read once the writing is over, for the probability of its last piece;
    `spare` tokens at the end of the model's context are kept free for it. `on_progress(done, all)` counts texts. Where
    nothing can be shared (`trunks.shares`) all is written plainly.

    >>> import ctkit as ct
    >>> prompt = ct.Prompt(context="The key is in the box.", question="Where is the key?", cue="Answer:")
    >>> trunks = Trunks(ct.load())
    >>> [drafted] = write_drafted(trunks, [prompt], [prompt.then(guess="box.")], until=".", max_new_tokens=4)
    >>> drafted.text.strip(), trunks.passes
    ('box', 1)
    """
    check_wishes(max_new_tokens, 0, [])
    if not until.strip():
        raise CtkitError(f"writing until {shown(until)}", "no words to wait for", 'words such as "Answer:"')
    rows, order = trunks.rows(starts), _Order(until, max_new_tokens, spare, ending)
    if not trunks.share(rows):
        return _plainly(trunks, starts, rows, order, on_progress)
    echoes = Echoes()
    begun = enumerate(zip(rows, guesses, strict=True))
    texts = [_begun(trunks, order, i, row, guess, echoes) for i, (row, guess) in begun]
    while any(text.found is None for text in texts):
        for text, reading, b in _passes(trunks, _some(texts)):
            text.hear(reading, b)
        if on_progress is not None:
            on_progress(sum(text.found is not None for text in texts), len(texts))
    return [text.found for text in texts]


@dataclass
class _Text:
    """A start with its writing, then its ending, from pass to pass."""

    trunks: Trunks
    order: _Order
    index: int
    writing: Writing
    read: Prefix | None = None  # the text as it was in the last pass
    last: Row | None = None  # the text with its ending, once the writing is over
    found: Drafted | None = None

    @property
    def length(self) -> int:
        """So many places it takes."""
        return len(self.writing.row.enc) + max(len(self.writing.guess), len(self.writing.written))

    def going(self) -> Going:
        """What is to be read next: what was said, and what may follow; or the ending."""
        if self.last is not None:
            row, last = self.last, self.size + 1
        else:
            start, offered = self.writing.row.enc, self.writing.offer()
            row = Row(_bare(start, (*start.ids, *self.writing.written, *offered)), Setup())
            last = len(offered) + 1
        if self.read is None:
            return self.trunks.going(row, last)
        return Going(Row(row.enc, Setup()), self.read, shared(self.read.ids, row.enc.ids), last)

    def hear(self, reading: Reading, b: int) -> None:
        """Take over what a pass says of this text, its row `b`."""
        self.read = reading.prefix(b)
        if self.last is None:
            self.writing.hear(reading.best[b][-len(self.writing.offered) - 1 :])
            if self.writing.stopped:
                self.stop()
        if self.last is not None:
            self._close(reading.logits[b])

    def stop(self) -> None:
        """The writing is over; the ending is next, if there is one."""
        if self.order.ending is None:
            self._end()
        else:
            self.last = self.trunks.rows([self.order.ending(self.index, self.writing.text)])[0]
            self.size = piece_size(self.last.enc)

    def _close(self, logits: Float[Tensor, "last vocab"]) -> None:
        """Take the scores of the ending, where the last pass has read it: it may have been guessed."""
        ids = self.last.enc.ids
        first = len(ids) - 1 - self.size - (len(self.read.ids) - len(logits))
        if first >= 0 and shared(ids, self.read.ids) >= len(ids) - 1:
            scores = logits[first : first + self.size].float().cpu()
            self._end(chance(scores, ids[-self.size :]), scores)

    def _end(self, *read: Any) -> None:
        writing = self.writing
        stopped = self.order.full(writing.limit) if writing.stopped == "limit" else writing.stopped
        self.found, self.read = Drafted(writing.text, len(writing.written), stopped, *read), None


def _begun(trunks: Trunks, order: _Order, index: int, row: Row, guess: Any, echoes: Echoes) -> _Text:
    """A text of which nothing is written yet."""
    ids, guessed = row.enc.ids, ()
    if guess is not None:
        with suppress(CtkitError):  # too long for the model, or not to be edited: no guess
            guessed = trunks.rows([guess])[0].enc.ids
    behind = list(guessed[len(ids) :]) if guessed[: len(ids)] == ids else []
    writing = Writing(trunks.lm, row, behind, order.until, order.limit(trunks, row), echoes)
    text = _Text(trunks, order, index, writing)
    if text.writing.stopped:
        text.stop()
    return text


def _some(texts: list[_Text]) -> list[_Text]:
    """The texts to go on with: those begun, and as many of the others as there is room for beside them."""
    some: list[_Text] = []
    room = BATCH_TOKENS
    for text in sorted((text for text in texts if text.found is None), key=lambda text: text.read is None):
        room -= text.length
        if some and room < 0 and text.read is None:
            break
        some.append(text)
    return some


def _passes(trunks: Trunks, texts: list[_Text]) -> Iterator[tuple[_Text, Reading, int]]:
    """The next pass of each text, several in one: (the text, the reading, its row there)."""
    for batch, reading in trunks.passing([text.going() for text in texts], keep=True):
        for b, i in enumerate(batch):
            yield texts[i], reading, b


def _bare(enc: Encoding, ids: tuple[int, ...]) -> Encoding:
    """An encoding of other tokens; what they are called and where they stand is asked by nobody."""
    return replace(enc, ids=ids, tokens=(), places=(), spans=MappingProxyType({}))


def _plainly(
    trunks: Trunks, starts: Sequence[Any], rows: list[Row], order: _Order, on_progress: Progress | None
) -> list[Drafted]:
    """The same without guesses: written token by token, the endings read whole."""
    lm, said = trunks.lm, ["" for _ in rows]
    limits = [order.limit(trunks, row) for row in rows]

    def goes_on(index: int, token: str) -> bool:
        said[index] += token
        return order.until not in said[index].lstrip()

    options = {"max_new_tokens": order.most, "on_token": goes_on, "on_progress": on_progress}
    written = generate_many(lm, starts, trunks.setup, **options)
    _count(trunks, rows, order, [g.n_written + (g.stopped == "end") for g in written])
    found = []
    for generation, limit in zip(written, limits, strict=True):
        ids = generation.ids[: max(0, limit)]
        text, came, _ = written_text(lm, ids).partition(order.until)
        cut = order.full(limit) if len(ids) == limit or limit < 1 else generation.stopped
        found.append(Drafted(text, len(ids), "until" if came else cut))
    if order.ending is None:
        return found
    ended = trunks.rows([order.ending(index, one.text) for index, one in enumerate(found)])
    scores = trunks.scores(ended)
    chances = [chance(own, row.enc.ids[-len(own) :]) for own, row in zip(scores, ended, strict=True)]
    return [replace(one, chance=c, scores=own) for one, c, own in zip(found, chances, scores, strict=True)]


def _count(trunks: Trunks, rows: list[Row], order: _Order, steps: list[int]) -> None:
    """Note the passes of writing token by token: each text takes part to the end of its batch."""
    padded = "dynamic" in trunks.lm.padded
    for group, room in with_room(trunks.lm, rows, order.most, padded):
        longest = max(len(rows[i].enc) for i in group)
        for step in range(min(room, max(steps[i] for i in group))):
            trunks.count(len(group) * (1 if step else longest))
