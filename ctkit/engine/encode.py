"""From a prompt in pieces to tokens with spans. The text is tokenized whole, as the model would meet it."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

from ..errors import CtkitError
from ..prompt import START, Encoding, Piece, Place, Prompt, as_prompt
from .lm import LM
from .words import apart

PLACEHOLDER_TOKEN = "⟨new⟩"  # how a placeholder is shown


def encode(lm: LM, prompt: Prompt | str) -> Encoding:
    """A prompt as `lm` reads it. A token belongs to the piece in which its last character stands, or before which (a
    line break between two readings belongs to the second).

    Raises `CtkitError` where the prompt is longer than the model's context.
    """
    prompt = as_prompt(prompt)
    return lm.memory.recall(("encoding", prompt), lambda: _encoded(lm, prompt))


@dataclass(frozen=True)
class _Read:
    """Some pieces as tokens. `spans`: each piece's name, the first of its tokens and the one behind its last; `own`:
    the tokens that the tokenizer put in, whose places are their positions."""

    ids: tuple[int, ...]
    tokens: tuple[str, ...]
    places: tuple[Place, ...]
    spans: tuple[tuple[str, int, int], ...]
    own: tuple[int, ...]


def _encoded(lm: LM, prompt: Prompt) -> Encoding:
    ids: list[int] = []
    tokens: list[str] = []
    places: list[Place] = []
    found: dict[str, slice] = {}
    for parts in _segments(prompt):
        for read in _reads(lm, parts, first=not ids):
            start = len(ids)
            ids += read.ids
            tokens += read.tokens
            places += read.places
            for n in read.own:
                places[start + n] = (START, start + n + 1, 1)
            for name, first, stop in read.spans:
                found[name] = slice(found[name].start if name in found else start + first, start + stop)
    _refuse_unreadable(lm, ids, tokens)
    spans = MappingProxyType({part.name: found[part.name] for part in prompt.parts if part.name in found})
    n_prompt = next((spans[part.name].start for part in prompt.written if part.name in spans), len(ids))
    return Encoding(tuple(ids), tuple(tokens), tuple(places), spans, n_prompt, lm.shape, prompt)


def _reads(lm: LM, parts: Sequence[tuple[Piece, str]], first: bool) -> list[_Read]:
    """A placeholder, or pieces of text, of which each group is read once."""
    part = parts[0][0]
    if part.is_placeholder:
        place = (part.origin, 1, part.reading)
        alone = _Read((_placeholder_id(lm),), (PLACEHOLDER_TOKEN,), (place,), ((part.name, 0, 1),), ())
        return [_tokens(lm, (), True), alone] if first else [alone]  # what the tokenizer puts in front stays in front
    keys = [("tokens", group, first and not i) for i, group in enumerate(apart(lm, parts))]
    return [lm.pieces.recall(key, lambda key=key: _tokens(lm, *key[1:])) for key in keys]


def token_text(lm: LM, id_: int) -> str:
    """One token as text, as it would stand in a sentence."""
    if id_ not in lm.words:
        lm.words[id_] = lm.tokenizer.decode([id_], clean_up_tokenization_spaces=False)
    return lm.words[id_]


def _refuse_unreadable(lm: LM, ids: list[int], tokens: list[str]) -> None:
    if not ids:
        raise CtkitError(
            "a prompt to read",
            f"a text of which the tokenizer of {lm.name} makes no token",
            "a text in the model's alphabet",
        )
    if lm.context is not None and len(ids) > lm.context:
        raise CtkitError(
            f"a prompt of {len(ids)} tokens", f"a context of {lm.context} tokens in {lm.name}", "a shorter prompt"
        )
    if max(ids) >= lm.n_tokens:
        token = tokens[ids.index(max(ids))]
        raise CtkitError(
            f"token {max(ids)} ({token!r})",
            f"{lm.n_tokens} tokens in {lm.name}",
            "the tokenizer that belongs to the model",
        )


def _segments(prompt: Prompt) -> list[list[tuple[Piece, str]]]:
    """The pieces with their leads, in runs between placeholders (which no tokenizer can read)."""
    runs: list[list[tuple[Piece, str]]] = []
    for part, lead in zip(prompt.parts, prompt.leads, strict=True):
        if part.is_placeholder or not runs or runs[-1][-1][0].is_placeholder:
            runs.append([])
        runs[-1].append((part, lead))
    return runs


def _tokens(lm: LM, parts: Sequence[tuple[Piece, str]], first: bool) -> _Read:
    """Some pieces with their leads as tokens."""
    text, starts, stops = "", [], []
    for part, lead in parts:
        starts.append(len(text) + len(lead))
        text += lead + part.text
        stops.append(len(text))
    ids, ends = _with_ends(lm, text, first)
    places, own, spans = [], [], {}
    for n, end in enumerate(ends):
        inside = len(stops) if end is None else bisect_left(stops, end)
        if inside == len(stops) or end <= (stops[inside - 1] if inside else 0):
            places.append((START, n + 1, 1))
            own.append(n)
        else:
            part = parts[inside][0]
            places.append((part.origin, end - starts[inside], part.reading))
            spans[part.name] = (spans.get(part.name, (n,))[0], n + 1)
    tokens = tuple(token_text(lm, id_) for id_ in ids)
    return _Read(tuple(ids), tokens, tuple(places), tuple((name, *span) for name, span in spans.items()), tuple(own))


def _with_ends(lm: LM, text: str, first: bool) -> tuple[list[int], list[int | None]]:
    """Token ids, and for each the character where it ends (None for tokens that the tokenizer adds)."""
    if not lm.tokenizer.is_fast:
        return _with_ends_slow(lm, text, first)
    encoded = lm.tokenizer(text, add_special_tokens=first, return_offsets_mapping=True, verbose=False)
    ids = list(encoded["input_ids"])
    ends = [stop if stop > start else None for start, stop in encoded["offset_mapping"]]
    while ids and ends[-1] is None and ids[-1] == lm.tokenizer.eos_token_id and len(ids) > 1:
        ids, ends = ids[:-1], ends[:-1]  # some tokenizers close the text; the model is to go on with it
    return ids, ends


def _with_ends_slow(lm: LM, text: str, first: bool) -> tuple[list[int], list[int | None]]:
    """For tokenizers without offsets: a token ends where the text decoded up to it ends."""
    plain = lm.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
    whole = lm.tokenizer(text, add_special_tokens=first, verbose=False)["input_ids"]
    added = whole[: len(whole) - len(plain)] if whole[-len(plain) :] == plain else []
    ends = [min(len(text), len(lm.tokenizer.decode(plain[: i + 1]))) for i in range(len(plain))]
    return [*added, *plain], [None] * len(added) + ends


def _placeholder_id(lm: LM) -> int:
    """Some id for a token whose embedding is overwritten anyway."""
    special = (lm.tokenizer.pad_token_id, lm.tokenizer.bos_token_id, lm.tokenizer.eos_token_id, 0)
    return next(id_ for id_ in special if id_ is not None and id_ < lm.n_tokens)
