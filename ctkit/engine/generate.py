"""Writing text token by token under a setup: with a cache or without, one prompt or many, always the same tokens."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from ..errors import CtkitError, shown
from ..interventions.setup import as_setup
from ..prompt import Prompt
from .batch import filler_id, groups, new_cache, padded_ids, rows_of
from .encode import token_text
from .lm import LM
from .plan import Row
from .session import Session
from .trace import Generation

CACHES = ("dynamic", "static", "none")


def generate(
    lm: LM,
    prompt: Prompt | str,
    *interventions: Any,
    max_new_tokens: int = 40,
    temperature: float = 0.0,
    seed: int = 0,
    cache: str = "dynamic",
    on_token: Callable[[str], Any] | None = None,
) -> Generation:
    """Let the model write on. Greedy at temperature 0, else sampled.

    Sampling adds Gumbel noise that depends on `seed` and the place in the text only: two setups at the same seed share
    their dice, so a difference between their texts is the setups'. `on_token(token)` is called for each token; when
    it returns False the writing stops there. The mask is set for the whole text to come, so a cache changes nothing.

    >>> import ctkit as ct
    >>> ct.generate(ct.load(), "The key is in the box. Where is the key? Answer:", max_new_tokens=1).tokens
    [' box']
    """
    heard = None if on_token is None else lambda row, token: on_token(token)
    options = {"max_new_tokens": max_new_tokens, "temperature": temperature, "seed": seed, "cache": cache}
    return generate_many(lm, [prompt], *interventions, on_token=heard, **options)[0]


def generate_many(
    lm: LM,
    prompts: Sequence[Any],
    *interventions: Any,
    max_new_tokens: int = 40,
    temperature: float = 0.0,
    seed: int = 0,
    cache: str = "dynamic",
    on_token: Callable[[int, str], Any] | None = None,
    on_progress: Callable[[int, int], Any] | None = None,
) -> list[Generation]:
    """`generate` for many prompts (or pairs of prompt and setup) at once. `on_token(index, token)`."""
    _check_wishes(max_new_tokens, temperature, seed)
    rows = rows_of(lm, prompts, as_setup(*interventions))
    cache = _cache_that_works(lm, cache)
    done: list[Generation | None] = [None] * len(rows)
    finished = 0
    for group, room in _with_room(lm, rows, max_new_tokens):
        stopped = "length" if room == max_new_tokens else "context"
        writer = _Writer(lm, [rows[i] for i in group], room, temperature, seed, cache, stopped)
        for index, generation in zip(group, writer.write(group, on_token), strict=True):
            done[index] = generation
        finished += len(group)
        if on_progress is not None:
            on_progress(finished, len(rows))
    return done


def _check_wishes(max_new_tokens: int, temperature: float, seed: int) -> None:
    if not isinstance(max_new_tokens, int) or max_new_tokens < 1:
        raise CtkitError(f"max_new_tokens={shown(max_new_tokens)}", "nothing to write", "1 or more")
    if not isinstance(temperature, (int, float)) or not 0 <= temperature < float("inf"):
        raise CtkitError(
            f"temperature={shown(temperature)}", "no temperature", "0 (greedy), or a number above it such as 0.8"
        )
    if not isinstance(seed, int) or not 0 <= seed < 2**40:
        raise CtkitError(f"seed={shown(seed)}", "no seed", "a whole number from 0 on")


def _cache_that_works(lm: LM, cache: str) -> str:
    """The cache asked for; none where the model's answers change with one, which costs time but no truth."""
    if cache not in CACHES:
        raise CtkitError(f"cache={shown(cache)}", "no such cache", f"one of {', '.join(CACHES)}")
    why = lm.support.get("cache", "yes")
    if why == "yes" or cache == "none":
        return cache
    if cache == "static":
        raise CtkitError('cache="static"', why, 'cache="none"')
    return "none"


def _with_room(lm: LM, rows: list[Row], wanted: int) -> Iterator[tuple[list[int], int]]:
    """Batches with the number of tokens to write. Rows that meet the end of the context go with their likes, so that a
    long neighbour shortens nobody's text."""
    rooms = [wanted if lm.context is None else min(wanted, lm.context - len(row.enc)) for row in rows]
    for room in sorted(set(rooms)):
        members = [i for i, own in enumerate(rooms) if own == room]
        for group in groups([len(rows[i].enc) + room for i in members]):
            yield [members[i] for i in group], room


class _Writer:
    """One batch of rows being written."""

    def __init__(self, lm: LM, rows: list[Row], room: int, temperature: float, seed: int, cache: str, stopped: str):
        self.lm, self.rows, self.temperature, self.seed = lm, rows, temperature, seed
        self.ids = padded_ids(rows, filler_id(lm))
        self.stopped = [stopped] * len(rows)  # unless something else comes first
        self.room, self.cache = room, cache
        self.read = [row.enc for row in rows]
        self.open = [True] * len(rows)
        self.logits: list[Tensor] = []
        self.written = [0] * len(rows)
        self.ends = _end_ids(lm)

    def write(self, indices: list[int], on_token: Callable[[int, str], Any] | None) -> list[Generation]:
        """All tokens of all rows."""
        lm, horizon = self.lm, self.ids.shape[1] + self.room
        session = Session(lm, self.rows, horizon, cache=new_cache(lm, self.cache, horizon))
        ids = self.ids
        with session.installed():
            for step in range(self.room):
                scores = session.forward(ids, last_only=True).logits[:, -1].float().cpu()
                self.logits.append(scores)
                chosen = self._choose(scores, step)
                self._append(chosen, indices, on_token)
                if not any(self.open):
                    break
                new = chosen[:, None]
                self.ids = torch.cat([self.ids, new], dim=1)
                ids = new if session.cache is not None else self.ids
        return [self._generation(b) for b in range(len(self.rows))]

    def _choose(self, scores: Tensor, step: int) -> Tensor:
        if self.temperature == 0:
            return scores.argmax(-1)
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + step)
        uniform = torch.rand(scores.shape[-1], generator=generator).clamp_min(1e-12)
        return (scores / self.temperature - (-uniform.log()).log()).argmax(-1)

    def _append(self, chosen: Tensor, indices: list[int], on_token: Callable[[int, str], Any] | None) -> None:
        for b, id_ in enumerate(chosen.tolist()):
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
        text = self.lm.tokenizer.decode(ids, clean_up_tokenization_spaces=False)
        return Generation(read.extended(ids, tokens), n, text, logits, self.stopped[b], row.setup)


def _end_ids(lm: LM) -> set[int]:
    """The ids with which the model ends a text."""
    config = getattr(lm.model, "generation_config", None)
    ends = getattr(config, "eos_token_id", None)
    if ends is None:
        ends = lm.tokenizer.eos_token_id
    return set(ends if isinstance(ends, (list, tuple)) else [] if ends is None else [ends])
