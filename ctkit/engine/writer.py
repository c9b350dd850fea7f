"""One batch of texts being written, token by token: who is still writing, what is chosen, what is put in its place."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor

from ..prompt import Encoding
from .batch import new_cache, padded_ids
from .encode import token_text
from .lm import LM
from .plan import Row
from .run import traces, wanted
from .session import Session
from .trace import Generation, Trace


@dataclass
class Begun:
    """A text to be written, or to be written on: the prompt that was `read`, the row with what stands there so far, the
    scores from which that was chosen, and the tokens that come next whatever the model says."""

    row: Row
    read: Encoding
    logits: list[Tensor] = field(default_factory=list)
    forced: list[int] = field(default_factory=list)

    @property
    def n(self) -> int:
        """How many tokens are written."""
        return len(self.row.enc) - len(self.read)


class Writer:
    """One batch of texts being written. `back`: those of which a setup took something back; they end here, and are to
    be written on in another batch."""

    def __init__(self, lm: LM, texts: list[Begun], room: int, temperature: float, dice: list[int], cache: str):
        self.lm, self.texts, self.temperature, self.dice = lm, texts, temperature, dice
        self.rows = [text.row for text in texts]
        self.ids = padded_ids(self.rows, lm)
        self.stopped = [""] * len(texts)  # no room left, unless something else comes first
        self.room, self.cache = room, cache
        self.read = [text.read for text in texts]
        self.open = [True] * len(texts)
        self.logits: list[Tensor] = []
        self.written = [text.n for text in texts]
        self.begun = list(self.written)
        self.ends = end_ids(lm)
        self.forced = [deque(text.forced) for text in texts]  # tokens that a setup has put in the model's mouth
        self.back: dict[int, Begun] = {}

    def write(self, indices: list[int], on_token: Callable[[int, str], Any] | None) -> None:
        """All tokens of all rows."""
        lm, horizon = self.lm, self.ids.shape[1] + self.room
        session = Session(lm, self.rows, horizon, cache=new_cache(lm, self.cache, horizon))
        ids = self.ids
        with session.installed():
            for step in range(self.room):
                scores = session.forward(ids, last=1).logits[:, -1].float().cpu()
                self.logits.append(scores)
                chosen = [self._said(b, id_) for b, id_ in enumerate(self._choose(scores, step).tolist())]
                self._append(chosen, indices, on_token)
                if not any(self.open):
                    break
                new = torch.tensor(chosen)[:, None]
                self.ids = torch.cat([self.ids, new], dim=1)
                ids = new if session.cache is not None else self.ids

    def interrupt(self) -> None:
        """Note that the open texts end here, because somebody stopped them."""
        self.stopped = ["interrupted" if is_open else why for is_open, why in zip(self.open, self.stopped)]

    def generations(self, wanted: int) -> list[Generation]:
        """What is written so far, of so many tokens that were wanted."""
        return [self._generation(b, wanted) for b in range(len(self.rows))]

    def _choose(self, scores: Tensor, step: int) -> Tensor:
        if self.temperature == 0:
            return scores.argmax(-1)
        places = [(seed, begun + step) for seed, begun in zip(self.dice, self.begun, strict=True)]
        thrown = {place: _thrown(*place, scores.shape[-1]) for place in set(places)}
        uniform = torch.stack([thrown[place] for place in places]).clamp_min(1e-12)
        return (scores / self.temperature - (-uniform.log()).log()).argmax(-1)

    def _said(self, b: int, id_: int) -> int:
        """The next token of a text: the model's choice, unless the setup puts something in its place."""
        row, forced = self.rows[b], self.forced[b]
        if not forced and self.open[b] and row.setup.overrides("goes_on"):
            kept, said = instead(self.lm, row, [*row.enc.ids[len(self.read[b]) :], id_], id_ in self.ends)
            if said and kept < self.written[b]:
                self._take_back(b, kept, said)
            else:
                forced.extend(said)
        return forced.popleft() if forced else id_

    def _take_back(self, b: int, kept: int, forced: list[int]) -> None:
        """End a text here, to be begun again with its first tokens and what is said behind them."""
        enc, read = self.rows[b].enc, self.read[b]
        part = slice(len(read), len(read) + kept)
        row = Row(read.extended(enc.ids[part], enc.tokens[part]), self.rows[b].setup)
        self.back[b] = Begun(row, read, self._scores(b, kept), forced)
        self.open[b], self.written[b] = False, kept

    def _scores(self, b: int, n: int) -> list[Tensor]:
        """The scores from which the first tokens were chosen."""
        return [*self.texts[b].logits, *(scores[b] for scores in self.logits)][:n]

    def _append(self, chosen: list[int], indices: list[int], on_token: Callable[[int, str], Any] | None) -> None:
        for b, id_ in enumerate(chosen):
            row = self.rows[b]
            token = token_text(self.lm, id_)
            row.enc = row.enc.extended((id_,), (token,))
            if not self.open[b]:
                continue
            if id_ in self.ends:
                self.open[b], self.stopped[b] = False, "end"
                continue
            self.written[b] += 1
            if on_token is not None and on_token(indices[b], token) is False:
                self.open[b], self.stopped[b] = False, "asked"

    def _generation(self, b: int, wanted: int) -> Generation:
        row, read, n = self.rows[b], self.read[b], self.written[b]
        ids, tokens = row.enc.ids[len(read) : len(read) + n], row.enc.tokens[len(read) : len(read) + n]
        logits = torch.stack(self._scores(b, n)) if n else torch.zeros(0, self.lm.n_tokens)
        whole = read.extended(ids, tokens)
        again = partial(_reread, self.lm, Row(whole, row.setup))
        full = "length" if self.begun[b] + self.room == wanted else "context"
        stopped = self.stopped[b] or full
        return Generation(whole, n, written_text(self.lm, ids), logits, stopped, row.setup, again)


def instead(lm: LM, row: Row, written: Sequence[int], ended: bool) -> tuple[int, list[int]]:
    """What a row's setup puts in place of the last of the tokens written, and how many of those before it stay. No
    tokens: it lets the model have its way. `ended`: the last one ends the text."""
    prompt, before = row.enc.prompt, len(written) - 1
    text = written_text(lm, written[: len(written) - ended])
    said = row.setup.goes_on(prompt, text, ended)
    ids = [] if said is None else lm.tokenizer(said, add_special_tokens=False)["input_ids"]
    if not ids:
        return before, []
    kept, stays = before, row.setup.keeps(prompt, text, ended)
    while kept and not stays.startswith(written_text(lm, written[:kept])):
        kept -= 1
    return kept, ids


def written_text(lm: LM, ids: Sequence[int]) -> str:
    """Tokens as the text that they are."""
    return lm.tokenizer.decode(list(ids), clean_up_tokenization_spaces=False)


def end_ids(lm: LM) -> set[int]:
    """The ids with which the model ends a text."""
    config = getattr(lm.model, "generation_config", None)
    ends = getattr(config, "eos_token_id", None)
    if ends is None:
        ends = lm.tokenizer.eos_token_id
    return set(ends if isinstance(ends, (list, tuple)) else [] if ends is None else [ends])


def _thrown(seed: int, place: int, n: int) -> Tensor:
    """The dice of one seed at one place of the text, a number for each token of the vocabulary."""
    return torch.rand(n, generator=torch.Generator().manual_seed(seed * 1_000_003 + place))


def _reread(lm: LM, row: Row) -> Trace:
    return traces(lm, [row], wanted(lm), last_only=False)[0]
