"""Writing text token by token under a setup: with a cache or without, one prompt or many, always the same tokens."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ..errors import CtkitError, shown
from ..interventions.setup import as_setup
from ..prompt import Prompt
from .batch import groups
from .lm import LM
from .plan import Row
from .rows import rows_of
from .trace import Generation
from .writer import Begun, Writer

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
    What a setup takes back (`Intervention.keeps`) has been heard by `on_token` all the same.
    """
    rows = rows_of(lm, prompts, as_setup(*interventions))
    seeds = _seeds(seed, len(rows))
    check_wishes(max_new_tokens, temperature, seeds)
    cache = _cache_that_works(lm, cache)
    done: list[Generation | None] = [None] * len(rows)
    texts, finished = {i: Begun(row, row.enc) for i, row in enumerate(rows)}, 0
    while texts:  # once, unless a setup takes back what was written
        again: dict[int, Begun] = {}
        numbers, left = list(texts), [max_new_tokens - text.n for text in texts.values()]
        for places, room in with_room(lm, [text.row for text in texts.values()], left, cache in lm.padded):
            group = [numbers[place] for place in places]
            dice = [seeds[i] for i in group]
            writer = Writer(lm, [texts[i] for i in group], room, temperature, dice, cache)
            try:
                writer.write(group, on_token)
            except KeyboardInterrupt as interrupt:
                writer.interrupt()
                raise Interrupted(_put(done, group, writer, max_new_tokens), max_new_tokens) from interrupt
            _put(done, group, writer, max_new_tokens)
            again |= {group[b]: text for b, text in writer.back.items()}
            finished += len(group) - len(writer.back)
            if on_progress is not None:
                on_progress(finished, len(rows))
        texts = again
    return done


def check_wishes(max_new_tokens: int, temperature: float, seeds: list[int]) -> None:
    """Refuse what cannot be written, or not so."""
    if not isinstance(max_new_tokens, int) or max_new_tokens < 1:
        raise CtkitError(f"max_new_tokens={shown(max_new_tokens)}", "nothing to write", "1 or more")
    if not isinstance(temperature, (int, float)) or not 0 <= temperature < float("inf"):
        raise CtkitError(
            f"temperature={shown(temperature)}", "no temperature", "0 (greedy), or a number above it such as 0.8"
        )
    for seed in seeds:
        if not isinstance(seed, int) or not 0 <= seed < 2**40:
            raise CtkitError(f"seed={shown(seed)}", "no seed", "a whole number from 0 on")


def with_room(lm: LM, rows: list[Row], wanted: int | Sequence[int], padded: bool) -> Iterator[tuple[list[int], int]]:
    """Batches with the number of tokens to write; `wanted` is one for all, or one for each. Rows that meet the end of
    the context go with their likes, so that a long neighbour shortens nobody's text."""
    rooms = [wanted] * len(rows) if isinstance(wanted, int) else list(wanted)
    if lm.context is not None:
        rooms = [min(room, lm.context - len(row.enc)) for room, row in zip(rooms, rows, strict=True)]
    for room in sorted(set(rooms)):
        members = [i for i, own in enumerate(rooms) if own == room]
        for group in groups([len(rows[i].enc) + room for i in members], padded):
            yield [members[i] for i in group], room


def _put(done: list[Generation | None], group: list[int], writer: Writer, wanted: int) -> list[Generation | None]:
    for index, generation in zip(group, writer.generations(wanted), strict=True):
        done[index] = generation
    return done


def _seeds(seed: int | Sequence[int], n: int) -> list[Any]:
    """A seed for each prompt, not looked at yet."""
    seeds = list(seed) if isinstance(seed, Sequence) and not isinstance(seed, str) else [seed] * n
    if len(seeds) != n:
        raise CtkitError(f"{len(seeds)} seeds for {n} prompts", "not one for each", "one seed, or as many as prompts")
    return seeds


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
