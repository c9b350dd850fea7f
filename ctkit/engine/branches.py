"""Many texts that share beginnings: what they share is read once, and each is read on from there."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import CtkitError, shown
from ..interventions.setup import Setup, as_setup
from ..prompt import Encoding
from .able import cascades, reads_on
from .batch import BATCH_TOKENS, groups
from .lm import LM
from .plan import PLAIN, Row
from .prefix import Going, Prefix, shared
from .read_on import Reading, read_on
from .rows import rows_of
from .run import traces
from .session import NOTHING

KEPT = 16384  # tokens: so much of the trunks is kept, the newest
PASS = 128  # tokens: reading fewer of them again is cheaper than another pass
LOGITS = 2**26  # numbers: of a pass
BYTES = 2**28  # of keys and values that are kept for rows under way; more where `BATCH_TOKENS` need more
BEYOND_MASKS = ("bias", "heads", "mlp", "residual", "segments")  # a setup with one of these shares nothing

Progress = Callable[[int, int], Any]


class Trunks:
    """Texts that were read, from which others go on: of each new text only what no trunk has is read.

    `setup` holds for all of them. Texts are compared by their token ids, so it does not matter how they are cut into
    pieces. The numbers are those of `run_many` to float rounding. Trunks are texts without masks: a text under masks
    goes on from them as far as no block's mask is another one. Under a setup that changes more than text and masks, and
    on a model that does not read on from a cache as if it read everything (found out once, by comparing), each text is
    read whole. `passes` and `tokens` count the forward passes and what was computed in them, padding included.

    >>> import ctkit as ct
    >>> prompt = ct.Prompt(context="The key is in the box.", question="Where is the key?", cue="Answer:")
    >>> trunks = Trunks(ct.load())
    >>> trunks.grow([prompt])
    >>> chances = trunks.chances([prompt.then(answer=word) for word in ("box", "car")], "answer")
    >>> chances[0] > chances[1], trunks.passes
    (True, 2)
    """

    def __init__(self, lm: LM, *setup: Any):
        self.lm, self.setup = lm, as_setup(*setup)
        self.kept: list[Prefix] = []
        self.passes = self.tokens = 0

    @property
    def shares(self) -> bool:
        """Whether this model, under this setup, reads shared beginnings once."""
        return changes_text_only(self.setup) and reads_on(self.lm)

    def grow(self, texts: Sequence[Any]) -> None:
        """Read texts whose beginnings later ones will share; of all trunks the newest are kept, `KEPT` tokens' worth.
        The first one is read alone, the others from it on."""
        rows = {row.enc.ids: row for row in self.rows(texts)}
        new = [row for ids, row in rows.items() if self._best(ids)[1] < len(ids)]
        if not new or not self.go_on(new):
            return
        # half of it under masks is no beginning worth the reading
        new = [Row(row.enc, PLAIN) for row in new if 2 * row.plain_until > len(row.enc)]
        for some in [new] if self.kept else [new[:1], new[1:]]:
            for _, reading in self.passing([self.going(row, 1) for row in some], keep=True):
                self.keep([reading.prefix(b).own() for b in range(len(reading.goings))])

    def keep(self, prefixes: Sequence[Prefix]) -> None:
        """Make texts that were read trunks, of which the newest stay."""
        self.kept += prefixes
        room = KEPT
        for place in range(len(self.kept) - 1, -1, -1):
            room -= len(self.kept[place].ids)
            if room < 0 and place < len(self.kept) - 1:
                del self.kept[: place + 1]
                break

    def logits(
        self, texts: Sequence[Any], last: int = 1, on_progress: Progress | None = None
    ) -> list[Float[Tensor, "last vocab"]]:
        """The scores at the last positions of each text, in float32 on the CPU. A text is a prompt or a pair (prompt,
        setup), as for `run_many`; `on_progress(done, all)` counts texts."""
        rows = self.rows(texts)
        for row in rows:
            if not 1 <= last <= len(row.enc):
                raise CtkitError(
                    f"the logits of the last {last} positions",
                    f"a text of {len(row.enc)} tokens: {shown(row.enc.prompt.text)}",
                    f"from 1 to {len(row.enc)}",
                )
        return self._logits(rows, [last] * len(rows), on_progress)

    def chances(
        self, texts: Sequence[Any], piece: str | None = None, on_progress: Progress | None = None
    ) -> list[float]:
        """The probability of the last piece of each text: the product over its tokens, each given all before it.
        `piece` is its name, where that is to be checked."""
        rows = self.rows(texts)
        found = self.scores(rows, piece, on_progress)
        return [chance(scores, row.enc.ids[-len(scores) :]) for row, scores in zip(rows, found, strict=True)]

    def scores(
        self, rows: list[Row], piece: str | None = None, on_progress: Progress | None = None
    ) -> list[Float[Tensor, "token vocab"]]:
        """Those from which each token of a row's last piece would be chosen."""
        sizes = [piece_size(row.enc, piece) for row in rows]
        return [logits[:-1] for logits in self._logits(rows, [size + 1 for size in sizes], on_progress)]

    def rows(self, texts: Sequence[Any]) -> list[Row]:
        """The texts as rows: edited, encoded, checked."""
        return rows_of(self.lm, texts, self.setup)

    def going(self, row: Row, last: int) -> Going:
        """A row that goes on from the trunk with which it has most in common. Of its setup the masks are left; what
        changed the text is done."""
        masks = row.setup.having("allow")
        row = Row(row.enc, Setup(masks) if masks else PLAIN)
        prefix, length = self._best(row.enc.ids)
        length = min(length, row.plain_until) if masks else length
        return Going(row, prefix if length else None, length, last)

    def passing(self, goings: Sequence[Going], keep: bool) -> Iterator[tuple[list[int], Reading]]:
        """Rows in passes: (their indices, the reading). `keep` as in `read_on`; where nothing is kept, one block's keys
        and values at a time may take as much room as else those of all blocks."""
        lm, in_place = self.lm, cascades(self.lm)
        room = self.room if keep else self.room * lm.n_layers
        for batch in batches(goings, room, lm.n_tokens, in_place):
            batch = sorted(batch, key=lambda i: goings[i].root)
            reading = read_on(lm, [goings[i] for i in batch], keep, in_place)
            self.count(reading.tokens)
            yield batch, reading
            del reading  # what it keeps is not kept beside the next

    @property
    def room(self) -> int:
        """How many places of keys and values may be kept at once."""
        each = self.kept[0].bytes_a_token if self.kept else 0
        return max(BATCH_TOKENS, BYTES // each) if each else BATCH_TOKENS

    def free_of(self, row: Row) -> int:
        """How many of a row's tokens take no place of its own, since they are read in a trunk where it lies."""
        return self._best(row.enc.ids)[1] if cascades(self.lm) else 0

    def count(self, tokens: int) -> None:
        """Note a pass."""
        self.passes += 1
        self.tokens += tokens

    def share(self, rows: Sequence[Row]) -> bool:
        """Whether these rows, some perhaps with setups of their own, can be written on from the trunks."""
        return all(changes_text_only(row.setup) for row in rows) and reads_on(self.lm)

    def go_on(self, rows: Sequence[Row]) -> bool:
        """Whether these rows, some perhaps under masks, can be read from the trunks on."""
        return all(masks_only(row.setup) for row in rows) and reads_on(self.lm)

    def _best(self, ids: tuple[int, ...]) -> tuple[Prefix | None, int]:
        """The trunk with the longest beginning of a text, and how long that is."""
        best, length = None, 0
        for trunk in self.kept:
            if trunk.ids[: length + 1] == ids[: length + 1]:  # else it has no more in common than the best one
                best, length = trunk, shared(trunk.ids, ids)
        return best, length

    def _logits(self, rows: list[Row], lasts: list[int], on_progress: Progress | None) -> list[Tensor]:
        found: list[Any] = [None] * len(rows)
        done = 0
        for batch, several in (self._shared if self.go_on(rows) else self._whole)(rows, lasts):
            for i, logits in zip(batch, several, strict=True):
                found[i] = logits[-lasts[i] :].float().cpu().clone()  # its own, not a part of all that was read
            done += len(batch)
            if on_progress is not None:
                on_progress(done, len(rows))
        return found

    def _shared(self, rows: list[Row], lasts: list[int]) -> Iterator[tuple[list[int], Sequence[Tensor]]]:
        goings = [self.going(row, last) for row, last in zip(rows, lasts, strict=True)]
        for batch, reading in self.passing(goings, keep=False):
            yield batch, reading.logits

    def _whole(self, rows: list[Row], lasts: list[int]) -> Iterator[tuple[list[int], Sequence[Tensor]]]:
        for batch in groups([len(row.enc) for row in rows], "none" in self.lm.padded):
            some = [rows[i] for i in batch]
            yield batch, [trace.logits for trace in traces(self.lm, some, NOTHING, max(lasts) == 1)]
            self.count(len(some) * max(len(row.enc) for row in some))


def batches(
    goings: Sequence[Going], room: int = BATCH_TOKENS, vocab: int = 1, in_place: bool = False
) -> Iterator[list[int]]:
    """Indices of rows that are read together: at most `room` places, `BATCH_TOKENS` tokens to read and `LOGITS` logits,
    so that memory does not grow with the number of rows; and alike in how much they have to read, as all read as much
    as the one that reads most. `in_place`: what rows share takes no place."""
    batch: list[int] = []
    widest = sum_to_read = last = 0
    for index in sorted(range(len(goings)), key=lambda i: goings[i].place):
        going, n = goings[index], len(batch) + 1
        width, sum_to_read = going.own if in_place else len(going.row.enc), sum_to_read + going.to_read
        widest, last = max(widest, width), max(last, going.last)
        full = n * widest > room or n * going.to_read > BATCH_TOKENS or n * last * vocab > LOGITS
        if batch and (full or n * going.to_read - sum_to_read > max(PASS, sum_to_read // 2)):
            yield batch
            batch, widest, sum_to_read, last = [], width, going.to_read, going.last
        batch.append(index)
    if batch:
        yield batch


def changes_text_only(setup: Setup) -> bool:
    """Whether a setup leaves the reading itself as it is."""
    return masks_only(setup) and not setup.overrides("allow")


def masks_only(setup: Setup) -> bool:
    """Whether a setup changes nothing but text, and who may attend to whom."""
    return not any(setup.overrides(function) for function in BEYOND_MASKS)


def piece_size(enc: Encoding, piece: str | None = None) -> int:
    """How many tokens the last piece of a text has. Raises `CtkitError` where the one named is not the last, or where
    nothing is before it."""
    piece = piece or enc.prompt.parts[-1].name
    span = enc.span(piece)
    if span.stop != len(enc) or span.start == 0:
        raise CtkitError(
            f"the probability of the piece {piece!r}",
            f"the pieces {list(enc.spans)}",
            "a piece at the end, with something before it",
        )
    return span.stop - span.start


def chance(logits: Float[Tensor, "token vocab"], ids: Sequence[int]) -> float:
    """The probability of tokens, each given all before it."""
    chosen = logits.float().log_softmax(-1)[torch.arange(len(ids)), list(ids)]
    return float(chosen.sum().exp())
