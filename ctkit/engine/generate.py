"""Writing text token by token under a setup: with a cache or without, one prompt or many, always the same tokens."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from ..errors import CtkitError, shown
from ..interventions.setup import as_setup
from ..prompt import Prompt
from .batch import groups, new_cache, padded_ids
from .encode import token_text
from .lm import LM
from .plan import Row
from .rows import rows_of
from .run import traces, wanted
from .session import Session
from .trace import Generation, Trace

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
    seed: int | Sequence[int] = 0,
    cache: str = "dynamic",
    on_token: Callable[[int, str], Any] | None = None,
    on_progress: Callable[[int, int], Any] | None = None,
) -> list[Generation]:
    """`generate` for many prompts (or pairs of prompt and setup) at once. `on_token(index, token)`.

    One `seed` gives all texts the same dice; a list has one for each prompt, so that texts can be drawn independently.
    """
    rows = rows_of(lm, prompts, as_setup(*interventions))
    seeds = _seeds(seed, len(rows))
    _check_wishes(max_new_tokens, temperature, seeds)
    cache = _cache_that_works(lm, cache)
    done: list[Generation | None] = [None] * len(rows)
    finished = 0
    for group, room in _with_room(lm, rows, max_new_tokens, cache in lm.padded):
        stopped = "length" if room == max_new_tokens else "context"
        dice = [seeds[i] for i in group]
        writer = _Writer(lm, [rows[i] for i in group], room, temperature, dice, cache, stopped)
        try:
            writer.write(group, on_token)
        except KeyboardInterrupt as interrupt:
            writer.interrupt()
            raise Interrupted(_put(done, group, writer), max_new_tokens) from interrupt
        _put(done, group, writer)
        finished += len(group)
        if on_progress is not None:
            on_progress(finished, len(rows))
    return done


def _put(done: list[Generation | None], group: list[int], writer: "_Writer") -> list[Generation | None]:
    for index, generation in zip(group, writer.generations(), strict=True):
        done[index] = generation
    return done


def _seeds(seed: int | Sequence[int], n: int) -> list[Any]:
    """A seed for each prompt, not looked at yet."""
    seeds = list(seed) if isinstance(seed, Sequence) and not isinstance(seed, str) else [seed] * n
    if len(seeds) != n:
        raise CtkitError(f"{len(seeds)} seeds for {n} prompts", "not one for each", "one seed, or as many as prompts")
    return seeds


def _check_wishes(max_new_tokens: int, temperature: float, seeds: list[int]) -> None:
    if not isinstance(max_new_tokens, int) or max_new_tokens < 1:
        raise CtkitError(f"max_new_tokens={shown(max_new_tokens)}", "nothing to write", "1 or more")
    if not isinstance(temperature, (int, float)) or not 0 <= temperature < float("inf"):
        raise CtkitError(
            f"temperature={shown(temperature)}", "no temperature", "0 (greedy), or a number above it such as 0.8"
        )
    for seed in seeds:
        if not isinstance(seed, int) or not 0 <= seed < 2**40:
            raise CtkitError(f"seed={shown(seed)}", "no seed", "a whole number from 0 on")


def _cache_that_works(lm: LM, cache: str) -> str:
    """The cache asked for; none where the model's answers change with one, which costs time but no truth."""
    if cache not in CACHES:
        raise CtkitError(f"cache={shown(cache)}", "no such cache", f"one of {', '.join(CACHES)}")
    whys = {"dynamic": lm.support.get("cache", "yes"), "static": lm.support.get("static", "yes"), "none": "yes"}
    if whys[cache] == "yes":
        return cache
    if cache == "static":
        instead = "dynamic" if whys["dynamic"] == "yes" else "none"
        raise CtkitError('cache="static"', whys["static"], f'cache="{instead}"')
    return "none"


def _with_room(lm: LM, rows: list[Row], wanted: int, padded: bool) -> Iterator[tuple[list[int], int]]:
    """Batches with the number of tokens to write. Rows that meet the end of the context go with their likes, so that a
    long neighbour shortens nobody's text."""
    rooms = [wanted if lm.context is None else min(wanted, lm.context - len(row.enc)) for row in rows]
    for room in sorted(set(rooms)):
        members = [i for i, own in enumerate(rooms) if own == room]
        for group in groups([len(rows[i].enc) + room for i in members], padded):
            yield [members[i] for i in group], room


class Interrupted(KeyboardInterrupt):
    """An interrupt (Ctrl-C, a notebook's stop button) while text was written: says where it stopped, and keeps what is
    there. `generations` has an entry for each prompt, None for those not begun; `generation` is the first."""

    def __init__(self, generations: list[Generation | None], most: int):
        self.generations = generations
        begun = [g for g in generations if g is not None]
        self.generation = begun[0] if begun else None
        stopped = [g for g in begun if g.stopped == "interrupted"]
        where = f"token {stopped[0].n_written} of at most {most}" if stopped else "the first token"
        texts = f" of text {generations.index(stopped[0]) + 1} of {len(generations)}" if len(generations) > 1 else ""
        said = f": {shown(stopped[0].text)}" if stopped else ""
        super().__init__(f"stopped at {where}{texts if stopped else ''}{said}")


class _Writer:
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
        self.ends = _end_ids(lm)
        self.forced: list[deque[int]] = [deque() for _ in rows]  # tokens that a setup has put in the model's mouth

    def write(self, indices: list[int], on_token: Callable[[int, str], Any] | None) -> None:
        """All tokens of all rows."""
        lm, horizon = self.lm, self.ids.shape[1] + self.room
        session = Session(lm, self.rows, horizon, cache=new_cache(lm, self.cache, horizon))
        ids = self.ids
        with session.installed():
            for step in range(self.room):
                scores = session.forward(ids, last_only=True).logits[:, -1].float().cpu()
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
            ended = id_ in self.ends
            ids = [*row.enc.ids[len(self.read[b]) :], *([] if ended else [id_])]
            said = row.setup.goes_on(row.enc.prompt, self._text(ids), ended)
            forced.extend([] if said is None else self.lm.tokenizer(said, add_special_tokens=False)["input_ids"])
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
        return Generation(whole, n, self._text(ids), logits, self.stopped[b], row.setup, again)

    def _text(self, ids: Sequence[int]) -> str:
        return self.lm.tokenizer.decode(list(ids), clean_up_tokenization_spaces=False)


def _thrown(seed: int, place: int, n: int) -> Tensor:
    """The dice of one seed at one place of the text, a number for each token of the vocabulary."""
    return torch.rand(n, generator=torch.Generator().manual_seed(seed * 1_000_003 + place))


def _reread(lm: LM, row: Row) -> Trace:
    return traces(lm, [row], wanted(lm), last_only=False)[0]


def _end_ids(lm: LM) -> set[int]:
    """The ids with which the model ends a text."""
    config = getattr(lm.model, "generation_config", None)
    ends = getattr(config, "eos_token_id", None)
    if ends is None:
        ends = lm.tokenizer.eos_token_id
    return set(ends if isinstance(ends, (list, tuple)) else [] if ends is None else [ends])
