"""Which tokenizers read a text word by word, so that a piece that begins with a word is read for itself, and once."""

import json
from collections.abc import Sequence
from typing import Any

from ..prompt import Piece
from .lm import LM

# what splits a text before the words of GPT-2's pattern are found; no match of it has anything in front of a space
DIGITS = (r"\n| ?[0-9]",)


def apart(lm: LM, parts: Sequence[tuple[Piece, str]]) -> list[tuple[tuple[Piece, str], ...]]:
    """Pieces with their leads, in groups whose tokens do not depend on what else is there: a new one begins with each
    piece that has a space before its first word, and a word before that. All are one group where the tokenizer is
    not known to read word by word."""
    if lm.memory.recall(("word by word",), lambda: "yes" if _word_by_word(lm) else "no") == "no":
        return [tuple(parts)]
    groups: list[list[tuple[Piece, str]]] = []
    end = ""
    for part, lead in parts:
        text = lead + part.text
        if not groups or (text[:1] == " " and text[1:2].strip() and end.strip()):
            groups.append([])
        groups[-1].append((part, lead))
        end = text[-1:] or end
    return [tuple(group) for group in groups]


def _word_by_word(lm: LM) -> bool:
    """Whether each word, with the one space before it, has the same tokens wherever it stands."""
    backend = getattr(lm.tokenizer, "backend_tokenizer", None)
    if backend is None or backend.normalizer is not None or getattr(backend.model, "dropout", None):
        return False
    special = lm.tokenizer.added_tokens_decoder.values()
    if any(token.lstrip or token.rstrip or token.single_word or " " in token.content for token in special):
        return False
    plain, whole = (lm.tokenizer("a b", add_special_tokens=told)["input_ids"] for told in (False, True))
    return whole[len(whole) - len(plain) :] == plain and _splits(backend.pre_tokenizer)


def _splits(pre_tokenizer: Any) -> bool:
    """Whether a text is cut in front of each space behind a word, as GPT-2's pattern does, whatever is cut before."""
    if pre_tokenizer is None:
        return False
    told = json.loads(pre_tokenizer.__getstate__())
    *before, last = told.get("pretokenizers", [told])
    words = last["type"] == "ByteLevel" and last["use_regex"] and not last["add_prefix_space"]
    return words and all(each["type"] == "Split" and each["pattern"].get("Regex") in DIGITS for each in before)
