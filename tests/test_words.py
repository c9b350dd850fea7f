"""Pieces that are tokenized once: their tokens are those of the whole text, wherever the cuts are."""

import random

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerFast

import ctkit as ct
from ctkit import Prompt
from ctkit.engine import encode as encoding
from ctkit.engine.words import apart
from ctkit.prompt import Piece

from .families import TOKENIZER, new_model

LETTERS = ["a", "é", " ", "  ", "\n", "1", "23", "the", "key", "'s", "'", "-", "—", "日本", "🙂", "<|end|>"]
LETTERS += ["\t", "\u00a0", "\u0301", ".", "?", "\r", "A", "'ll", "3.14", "x"]


def prompts(n: int) -> list[Prompt]:
    """Prompts of one to five pieces of odd text, with odd spaces between them."""
    dice, found = random.Random(0), []
    while len(found) < n:
        texts = ["".join(dice.choices(LETTERS, k=dice.randrange(7))) for _ in range(dice.randrange(1, 6))]
        if any(text.strip() for text in texts):
            leads = dice.choices([" ", " ", "", "\n", "  "], k=len(texts))
            pieces = zip(texts, leads, strict=True)
            found.append(Prompt.of([Piece(f"p{i}", text, lead=lead) for i, (text, lead) in enumerate(pieces)]))
    return found


def told(enc) -> tuple:
    """All that an encoding says of its tokens."""
    return enc.ids, enc.tokens, enc.places, dict(enc.spans)


@pytest.mark.parametrize("name", ["tiny", "bytes"])
def test_pieces_read_apart_are_the_text_read_whole(name, monkeypatch):
    lm = ct.load(name) if name == "tiny" else ct.wrap(new_model("llama"), TOKENIZER)
    some = prompts(1500)
    assert any(len(apart(lm, list(zip(p.parts, p.leads, strict=True)))) > 2 for p in some)
    found = [told(encoding._encoded(lm, prompt)) for prompt in some]
    lm.pieces.kept.clear()
    monkeypatch.setattr(encoding, "apart", lambda lm, parts: [tuple(parts)])
    assert found == [told(encoding._encoded(lm, prompt)) for prompt in some]


def test_a_piece_is_tokenized_once(monkeypatch):
    lm, heard = ct.load("tiny"), []
    lm.pieces.kept.clear()
    true = encoding._with_ends
    monkeypatch.setattr(encoding, "_with_ends", lambda lm, text, first: heard.append(text) or true(lm, text, first))
    for answer in ("1", "2"):
        encoding._encoded(lm, Prompt(context="a = 3.", question="What is a?", answer=answer))
    assert heard == ["a = 3.", " What is a?", " 1", " 2"]


def stranger(change) -> PreTrainedTokenizerFast:
    """A tokenizer of words that is not known to read word by word."""
    raw = Tokenizer(models.WordLevel({"a": 0, "b": 1, "?": 2, "</s>": 3}, unk_token="?"))
    raw.pre_tokenizer = pre_tokenizers.Whitespace()
    change(raw)
    return PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="</s>")


@pytest.mark.parametrize("normalizer", [None, normalizers.Lowercase()])
def test_a_tokenizer_that_is_not_known_reads_the_text_whole(normalizer):
    def change(raw):
        raw.normalizer = normalizer

    lm = ct.wrap(new_model("llama"), stranger(change))
    prompt = Prompt(x="a", y="b")
    assert len(apart(lm, list(zip(prompt.parts, prompt.leads, strict=True)))) == 1
    assert told(encoding._encoded(lm, prompt))[0] == (0, 1)
