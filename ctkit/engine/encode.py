"""From a prompt in pieces to tokens with spans. The text is tokenized whole, as the model would meet it."""

from bisect import bisect_left
from collections.abc import Sequence
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


def _encoded(lm: LM, prompt: Prompt) -> Encoding:
    ids: list[int] = []
    tokens: list[str] = []
    places: list[Place] = []
    names: list[str | None] = []
    for parts in _segments(prompt):
        if parts[0][0].is_placeholder:
            part = parts[0][0]
            front = () if ids else _tokens(lm, (), True)  # what the tokenizer puts in front stays in front
            rows = [*front, (_placeholder_id(lm), PLACEHOLDER_TOKEN, (part.origin, 1, part.reading), part.name)]
            several = [rows]
        else:
            groups = apart(lm, parts)
            keys = [("tokens", group, not ids and not i) for i, group in enumerate(groups)]
            several = [lm.pieces.recall(key, lambda key=key: _tokens(lm, *key[1:])) for key in keys]
        for rows in several:
            for id_, token, place, name in rows:
                ids.append(id_)
                tokens.append(token)
                places.append((START, len(ids), 1) if name is None else place)
                names.append(name)
    _refuse_unreadable(lm, ids, tokens)
    spans = MappingProxyType(_spans(prompt, names))
    n_prompt = next((spans[part.name].start for part in prompt.written if part.name in spans), len(ids))
    return Encoding(tuple(ids), tuple(tokens), tuple(places), spans, n_prompt, lm.shape, prompt)


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


def _tokens(lm: LM, parts: Sequence[tuple[Piece, str]], first: bool) -> list[tuple[int, str, Place, str | None]]:
    """Each token of some pieces: its id, its text, its place, the name of its piece (None: the tokenizer's own)."""
    text, starts, stops = "", [], []
    for part, lead in parts:
        starts.append(len(text) + len(lead))
        text += lead + part.text
        stops.append(len(text))
    ids, ends = _with_ends(lm, text, first)
    rows = []
    for n, (id_, end) in enumerate(zip(ids, ends, strict=True)):
        inside = len(stops) if end is None else bisect_left(stops, end)
        if inside == len(stops) or end <= (stops[inside - 1] if inside else 0):
            rows.append((id_, token_text(lm, id_), (START, n + 1, 1), None))
        else:
            part = parts[inside][0]
            rows.append((id_, token_text(lm, id_), (part.origin, end - starts[inside], part.reading), part.name))
    return rows


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


def _spans(prompt: Prompt, names: list[str | None]) -> dict[str, slice]:
    """The positions of each piece that has some, from its first token to its last."""
    first = {name: i for i, name in reversed(list(enumerate(names)))}
    last = {name: i for i, name in enumerate(names)}
    return {part.name: slice(first[part.name], last[part.name] + 1) for part in prompt.parts if part.name in last}
