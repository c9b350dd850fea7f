"""Writing where a guess of the text exists: the guess is read in one pass, and kept as far as the model says the same.

Greedy, and the same tokens as without a guess (speculative decoding, Leviathan et al., arXiv 2211.17192, with a given
text in place of a small model's). After a broken step of a thought a model mostly writes the old thought on with other
digits, so the old thought is the guess.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from jaxtyping import Float
from torch import Tensor

from ..errors import CtkitError, shown
from ..prompt import Encoding
from .branches import PASS, Progress, Trunks, chance, piece_size
from .generate import check_wishes
from .guess import Echoes, Writing
from .plan import PLAIN, Row
from .prefix import Going, Prefix, shared
from .read_on import Reading
from .undrafted import Drafted, Ending, Order, plainly


def write_drafted(
    trunks: Trunks,
    starts: Sequence[Any],
    guesses: Sequence[Any],
    until: str,
    *,
    max_new_tokens: int | Sequence[int] = 40,
    ending: Ending | None = None,
    spare: int = 0,
    on_progress: Progress | None = None,
) -> list[Drafted]:
    """Let the model write each start on, greedily, until it has written the words `until`: what `generate_many` writes.

    A guess (or None) is a whole text: its start, and what may be read behind it, the ending too. A wrong one costs time
    only. `max_new_tokens` is one number for all, or one for each. `ending(index, text)` is the text to be read once the
    writing is over, for the probability of its last piece; `spare` tokens at the end of the model's context are kept
    free for it. `on_progress(done, all)` counts texts. Where nothing can be shared (`trunks.shares`) all is written
    plainly.

    >>> import ctkit as ct
    >>> prompt = ct.Prompt(context="The key is in the box.", question="Where is the key?", cue="Answer:")
    >>> trunks = Trunks(ct.load())
    >>> [drafted] = write_drafted(trunks, [prompt], [prompt.then(guess="box.")], until=".", max_new_tokens=4)
    >>> drafted.text.strip(), trunks.passes
    ('box', 1)
    """
    found: dict[int, Drafted] = {}
    options = {"max_new_tokens": max_new_tokens, "ending": ending, "spare": spare}
    for ended in drafted(trunks, starts, guesses, until, **options):
        found |= ended
        if on_progress is not None:
            on_progress(len(found), len(starts))
    return [found[index] for index in range(len(starts))]


def drafted(
    trunks: Trunks,
    starts: Sequence[Any],
    guesses: Sequence[Any],
    until: str,
    *,
    max_new_tokens: int | Sequence[int] = 40,
    ending: Ending | None = None,
    spare: int = 0,
    at_once: int | None = None,
) -> Iterator[dict[int, Drafted]]:
    """The same as it comes: after each round the texts that have ended in it, by their index. When one ends, the next
    start takes its place; at most `at_once` are under way, and no more than there is room for."""
    most = [max_new_tokens] * len(starts) if isinstance(max_new_tokens, int) else list(max_new_tokens)
    check_wishes(min(most, default=1), 0, [])
    if not until.strip():
        raise CtkitError(f"writing until {shown(until)}", "no words to wait for", 'words such as "Answer:"')
    order = Order(until, most, spare, ending)
    rows = trunks.rows(starts)
    if not trunks.share(rows):
        yield from plainly(trunks, starts, rows, order, at_once or len(rows))
        return
    echoes = Echoes()
    begun = enumerate(zip(rows, guesses, strict=True))
    texts = [_begun(trunks, order, i, row, guess, echoes) for i, (row, guess) in begun]
    while texts:
        ended = {text.index: text.found for text in texts if text.found is not None}
        texts = [text for text in texts if text.found is None]
        if ended:
            yield ended
        if texts:
            _round(trunks, _some(texts, at_once or len(texts), trunks.room))


COPIED = 20  # places whose keys and values are copied in the time that a token takes to be read


@dataclass
class _Text:
    """A start with its writing, then its ending, from pass to pass."""

    trunks: Trunks
    order: Order
    index: int
    writing: Writing
    free: int  # tokens of its start that take no place, since they are read in a trunk where it lies
    read: Prefix | None = None  # the text as it was in the last pass
    last: Row | None = None  # the text with its ending, once the writing is over
    waits: bool = False  # for others that have to be read to their ends
    found: Drafted | None = None

    @property
    def length(self) -> int:
        """So many places it takes, at most, that nothing else takes."""
        return len(self.writing.row.enc) - self.free + self.writing.limit + self.order.spare

    @property
    def own(self) -> int:
        """So many places it takes now, about."""
        return len(self.writing.row.enc) - self.free + len(self.writing.written)

    def going(self, offered: int) -> Going:
        """What is to be read next: what was said, and so many tokens that may follow; or the ending."""
        if self.last is not None:
            row, last = self.last, self.size + 1
        else:
            start, guessed = self.writing.row.enc, self.writing.offer(offered)
            row = Row(_bare(start, (*start.ids, *self.writing.written, *guessed)), PLAIN)
            last = len(guessed) + 1
        if self.read is None:
            return self.trunks.going(row, last)
        return Going(Row(row.enc, PLAIN), self.read, shared(self.read.ids, row.enc.ids), last, taken=True)

    def hear(self, reading: Reading, b: int) -> None:
        """Take over what a pass says of this text, its row `b`."""
        self.read = reading.prefix(b)
        if self.last is None:
            self.writing.hear(reading.best[b][-len(self.writing.offered) - 1 :])
            if self.writing.stopped:
                self.stop()
        if self.last is not None:
            self._close(reading.logits[b])

    def wait(self) -> None:
        """Not in the next pass: keep what was read, and nothing of those beside which it was read."""
        if self.last is not None and self.read is not None and not self.waits:
            self.read, self.waits = self.read.apart(), True

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
            scores = logits[first : first + self.size].float().cpu().clone()
            self._end(chance(scores, ids[-self.size :]), scores)

    def _end(self, *read: Any) -> None:
        writing = self.writing
        stopped = self.order.full(self.index, writing.limit) if writing.stopped == "limit" else writing.stopped
        self.found, self.read = Drafted(writing.text, len(writing.written), stopped, *read), None


def _begun(trunks: Trunks, order: Order, index: int, row: Row, guess: Any, echoes: Echoes) -> _Text:
    """A text of which nothing is written yet."""
    ids, guessed = row.enc.ids, ()
    if guess is not None:
        with suppress(CtkitError):  # too long for the model, or not to be edited: no guess
            guessed = trunks.rows([guess])[0].enc.ids
    behind = list(guessed[len(ids) :]) if guessed[: len(ids)] == ids else []
    writing = Writing(trunks.lm, row, behind, order.until, order.limit(trunks, index, row), echoes)
    text = _Text(trunks, order, index, writing, trunks.free_of(row))
    if text.writing.stopped:
        text.stop()
    return text


def _some(texts: list[_Text], at_once: int, room: int) -> list[_Text]:
    """The texts to go on with: those begun, and as many of the others, in order, as there is room for beside them."""
    some: list[_Text] = []
    for text in sorted(texts, key=lambda text: text.read is None):
        room -= text.length
        if some and text.read is None and (room < 0 or len(some) == at_once):
            break
        some.append(text)
    return some


def _round(trunks: Trunks, texts: list[_Text]) -> None:
    """The next pass of each text, several in one. Endings wait until there are enough of them for a pass, or nothing is
    left to write."""
    writing = [text for text in texts if text.last is None]
    places = sum(text.own for text in writing)
    offered = _worth_offering([text.writing.window for text in writing], PASS + places // COPIED)
    goings = [text.going(offered) for text in texts]
    if writing and sum(going.to_read for text, going in zip(texts, goings) if text.last is not None) < PASS:
        for text in texts:
            text.wait()
        texts, goings = writing, [going for text, going in zip(texts, goings) if text.last is None]
    for batch, reading in trunks.passing(goings, keep=True):
        for b, i in enumerate(batch):
            texts[i].hear(reading, b)
        del reading  # its keys and values are the texts' now; they let go of them block by block


def _worth_offering(windows: Sequence[int], beside: int) -> int:
    """How many guessed tokens each of some texts offers in a pass, as all read equally many: as many as bring most for
    what the pass costs, if each text's guess holds for about its window; or as many as cost no more than the pass has
    cost already, in tokens (`beside`)."""
    n = len(windows)
    if not n:
        return 0
    worth = {each: sum(min(w, each) + 1 for w in windows) / (beside + n * (each + 1)) for each in sorted(set(windows))}
    return max(max(worth, key=worth.get), PASS // n)


def _bare(enc: Encoding, ids: tuple[int, ...]) -> Encoding:
    """An encoding of other tokens; what they are called and where they stand is asked by nobody."""
    return replace(enc, ids=ids, tokens=(), places=(), spans=MappingProxyType({}))
