"""One batch of texts being written, token by token: who is still writing, what is chosen, what is put in its place."""

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from .batch import new_cache, padded_ids
from .encode import token_text
from .lm import LM
from .plan import Row
from .run import traces, wanted
from .session import Session
from .trace import Generation, Trace


class Writer:
    """One batch of rows being written."""

    def __init__(
        self, lm: LM, rows: list[Row], room: int, temperature: float, dice: list[int], cache: str, stopped: str
    ):
        self.lm, self.rows, self.temperature, self.dice = lm, rows, temperature, dice
        self.ids = padded_ids(rows, lm)
        self.stopped = [stopped] * len(rows)  # unless something else comes first
        self.room, self.cache = room, cache
        self.read = [row.enc for row in rows]
        self.open = [True] * len(rows)
        self.logits: list[Tensor] = []
        self.written = [0] * len(rows)
        self.ends = end_ids(lm)
        self.forced: list[deque[int]] = [deque() for _ in rows]  # tokens that a setup has put in the model's mouth

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

    def generations(self) -> list[Generation]:
        """What is written so far."""
        return [self._generation(b) for b in range(len(self.rows))]

    def _choose(self, scores: Tensor, step: int) -> Tensor:
        if self.temperature == 0:
            return scores.argmax(-1)
        thrown = {seed: _thrown(seed, step, scores.shape[-1]) for seed in set(self.dice)}
        uniform = torch.stack([thrown[seed] for seed in self.dice]).clamp_min(1e-12)
        return (scores / self.temperature - (-uniform.log()).log()).argmax(-1)

    def _said(self, b: int, id_: int) -> int:
        """The next token of a text: the model's choice, unless the setup puts something in its place."""
        row, forced = self.rows[b], self.forced[b]
        if not forced and self.open[b] and row.setup.overrides("goes_on"):
            forced.extend(instead(self.lm, row, [*row.enc.ids[len(self.read[b]) :], id_], id_ in self.ends))
        return forced.popleft() if forced else id_

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

    def _generation(self, b: int) -> Generation:
        row, read, n = self.rows[b], self.read[b], self.written[b]
        ids, tokens = row.enc.ids[len(read) : len(read) + n], row.enc.tokens[len(read) : len(read) + n]
        logits = torch.stack([scores[b] for scores in self.logits[:n]]) if n else torch.zeros(0, self.lm.n_tokens)
        whole = read.extended(ids, tokens)
        again = partial(_reread, self.lm, Row(whole, row.setup))
        return Generation(whole, n, written_text(self.lm, ids), logits, self.stopped[b], row.setup, again)


def instead(lm: LM, row: Row, written: Sequence[int], ended: bool) -> list[int]:
    """The tokens that a row's setup puts in place of the last of those written; none: it lets the model have its way.
    `ended`: that one ends the text."""
    said = row.setup.goes_on(row.enc.prompt, written_text(lm, written[: len(written) - ended]), ended)
    return [] if said is None else lm.tokenizer(said, add_special_tokens=False)["input_ids"]


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
