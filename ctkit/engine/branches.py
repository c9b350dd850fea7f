"""Many texts that share beginnings: what they share is read once, and each is read on from there."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import CtkitError, shown
from ..interventions.setup import Setup, as_setup
from ..prompt import Encoding
from .batch import BATCH_TOKENS, groups
from .lm import LM, keys_chosen
from .plan import Row
from .prefix import Going, Prefix, read_on, shared
from .probe import FAILURES, probed
from .rows import rows_of
from .run import traces
from .session import NOTHING

KEPT = 16384  # tokens: so much of the trunks is kept, the newest
PASS = 128  # tokens: reading fewer of them again is cheaper than another pass
CLOSE = 1e-3  # logits, by which a text read on may differ from the same text read whole; relative to the largest
BEYOND_TEXT = ("allow", "bias", "heads", "mlp", "residual", "segments")  # a setup with one of these shares nothing yet

Progress = Callable[[int, int], Any]


class Trunks:
    """Texts that were read, from which others go on: of each new text only what no trunk has is read.

    `setup` holds for all of them. Texts are compared by their token ids, so it does not matter how they are cut into
    pieces. The numbers are those of `run_many` to float rounding. Under a setup that changes more than text, and on a
    model that does not read on from a cache as if it read everything (found out once, by comparing), each text is read
    whole. `passes` and `tokens` count the forward passes and what was computed in them, padding included.

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
        if not new or not self._share(new):
            return
        for some in [new] if self.kept else [new[:1], new[1:]]:
            for _, reading in self.passing([self.going(row, 1) for row in some]):
                self.kept += [reading.prefix(b).own() for b in range(len(reading.goings))]
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

    def chances(self, texts: Sequence[Any], piece: str, on_progress: Progress | None = None) -> list[float]:
        """The probability of a piece, the last of each text: the product over its tokens, each given all before it."""
        rows = self.rows(texts)
        sizes = [piece_size(row.enc, piece) for row in rows]
        found = self._logits(rows, [size + 1 for size in sizes], on_progress)
        return [chance(logits[:-1], row.enc.ids[-size:]) for row, size, logits in zip(rows, sizes, found, strict=True)]

    def rows(self, texts: Sequence[Any]) -> list[Row]:
        """The texts as rows: edited, encoded, checked."""
        return rows_of(self.lm, texts, self.setup)

    def going(self, row: Row, last: int) -> Going:
        """A row that goes on from the trunk with which it has most in common."""
        prefix, length = self._best(row.enc.ids)
        return Going(Row(row.enc, Setup()), prefix, length, last)  # its setup has changed the text, and is done

    def passing(self, goings: Sequence[Going]) -> Iterator[tuple[list[int], Any]]:
        """Rows in passes of at most `BATCH_TOKENS` places, cache included: (their indices, the reading)."""
        for batch in batches(goings):
            reading = read_on(self.lm, [goings[i] for i in batch])
            self.count(reading.tokens)
            yield batch, reading

    def count(self, tokens: int) -> None:
        """Note a pass."""
        self.passes += 1
        self.tokens += tokens

    def _share(self, rows: Sequence[Row]) -> bool:
        return all(changes_text_only(row.setup) for row in rows) and reads_on(self.lm)

    def _best(self, ids: tuple[int, ...]) -> tuple[Prefix | None, int]:
        """The trunk with the longest beginning of a text, and how long that is."""
        found = [(shared(trunk.ids, ids), trunk) for trunk in self.kept]
        length, trunk = max(found, key=lambda pair: pair[0], default=(0, None))
        return (trunk, length) if length else (None, 0)

    def _logits(self, rows: list[Row], lasts: list[int], on_progress: Progress | None) -> list[Tensor]:
        found: list[Any] = [None] * len(rows)
        done = 0
        for batch, several in (self._shared if self._share(rows) else self._whole)(rows, lasts):
            for i, logits in zip(batch, several, strict=True):
                found[i] = logits[-lasts[i] :].float().cpu()
            done += len(batch)
            if on_progress is not None:
                on_progress(done, len(rows))
        return found

    def _shared(self, rows: list[Row], lasts: list[int]) -> Iterator[tuple[list[int], Sequence[Tensor]]]:
        for batch, reading in self.passing([self.going(row, last) for row, last in zip(rows, lasts, strict=True)]):
            yield batch, reading.logits

    def _whole(self, rows: list[Row], lasts: list[int]) -> Iterator[tuple[list[int], Sequence[Tensor]]]:
        for batch in groups([len(row.enc) for row in rows], "none" in self.lm.padded):
            some = [rows[i] for i in batch]
            yield batch, [trace.logits for trace in traces(self.lm, some, NOTHING, max(lasts) == 1)]
            self.count(len(some) * max(len(row.enc) for row in some))


def batches(goings: Sequence[Going], most: int = BATCH_TOKENS) -> Iterator[list[int]]:
    """Indices of rows that are read together: at most `most` places, cache included, so that memory does not grow with
    the number of rows; and alike in how much they have to read, as all read as much as the one that reads most."""
    batch: list[int] = []
    longest = sum_to_read = 0
    for index in sorted(range(len(goings)), key=lambda i: goings[i].place):
        going = goings[index]
        longest, sum_to_read = max(longest, len(going.row.enc)), sum_to_read + going.to_read
        again = (len(batch) + 1) * going.to_read - sum_to_read
        if batch and ((len(batch) + 1) * longest > most or again > max(PASS, sum_to_read // 2)):
            yield batch
            batch, longest, sum_to_read = [], len(going.row.enc), going.to_read
        batch.append(index)
    if batch:
        yield batch


def changes_text_only(setup: Setup) -> bool:
    """Whether a setup leaves the reading itself as it is."""
    return not any(setup.overrides(function) for function in BEYOND_TEXT)


def reads_on(lm: LM) -> bool:
    """Whether texts read on from a shared beginning give the numbers of texts read whole; tried once a model."""
    able = lm.support.get("cache") == "yes" and "dynamic" in lm.padded
    if not able or keys_chosen(lm.model) is not None:
        return False
    return lm.memory.recall(("reads on",), lambda: "yes" if _alike(lm) else "no") == "yes"


def piece_size(enc: Encoding, piece: str) -> int:
    """How many tokens the last piece of a text has. Raises `CtkitError` where it is not the last, or the first too."""
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


def _alike(lm: LM) -> bool:
    """Whether some texts read on give what they give read whole: one that only goes on, one that turns off early, one
    shorter, one that shares nothing."""
    enc = probed(lm)
    n = len(enc)
    texts = [enc.ids, (*enc.ids[: n // 2], *enc.ids[1 : n // 4]), enc.ids[: n // 3], enc.ids[1 : n // 2]]
    encs = [replace(enc, ids=ids, tokens=enc.tokens[: len(ids)], places=enc.places[: len(ids)]) for ids in texts]
    rows = [Row(each, Setup()) for each in encs]
    try:
        trunks = Trunks(lm)
        trunks.kept = [read_on(lm, [Going(Row(encs[0], Setup()), None, 0, 1)]).prefix(0)]
        [(order, read)] = trunks.passing([trunks.going(row, 1) for row in rows])
    except torch.OutOfMemoryError:
        raise
    except FAILURES:
        return False
    whole = torch.stack([traces(lm, [Row(encs[i], Setup())], NOTHING, True)[0].logits[-1] for i in order])
    return torch.allclose(read.logits[:, -1].float().cpu(), whole, atol=CLOSE * float(whole.abs().max()), rtol=0)
