"""Prompts in pieces, and what becomes of the pieces when a tokenizer reads them."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ctkit as ct
from ctkit import CtkitError, Piece, PrependToken, Prompt, Reread, Setup, Think
from ctkit.engine.encode import encode
from ctkit.prompt import CUE, PLACEHOLDER, START, as_prompt
from ctkit.sentences import sentences

from .engine_fixtures import PROMPT
from .families import BOS, byte_tokenizer, lm_of, new_model

NAMES = ("context", "question", "hint", CUE)
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)
prompts = st.dictionaries(st.sampled_from(NAMES), texts, min_size=1).filter(
    lambda d: any(t.strip() for t in d.values())
)


def test_pieces_are_joined_by_single_spaces():
    assert PROMPT.text == "Ann has a. Who? Answer:"
    assert Prompt("Ann").text == "Ann"
    assert Prompt(a="one ", b="two\n", c="three").text == "one two\nthree", "no second space"
    assert Prompt(context="", question="Who?").text == "Who?", "an empty piece leaves no space"
    assert Prompt(a="one", b="", c="two").text == "one two"
    assert Prompt("start", more="x").pieces == {"text": "start", "more": "x"}
    assert repr(PROMPT) == "Prompt(context='Ann has a.', question='Who?', cue='Answer:')"


def test_a_prompt_is_a_value():
    assert Prompt(a="x", b="y") == Prompt(a="x", b="y") != Prompt(b="y", a="x")
    assert len({Prompt("x"), Prompt("x"), Prompt("y")}) == 2
    with pytest.raises(AttributeError):
        PROMPT.parts = ()
    with pytest.raises(TypeError):
        PROMPT.pieces["context"] = "other"


def test_what_was_written_is_told_apart():
    written = PROMPT.then(step_1="So a.", step_2="Then b.")
    assert written.text == "Ann has a. Who? Answer: So a. Then b."
    assert [p.name for p in written.asked] == list(PROMPT.pieces)
    assert [p.name for p in written.written] == ["step_1", "step_2"]
    enc = encode(lm_of("llama"), written)
    assert enc.n_prompt == len(PROMPT.text)
    assert "".join(enc.tokens[enc.n_prompt :]) == " So a. Then b."
    assert encode(lm_of("llama"), PROMPT).n_prompt == len(PROMPT.text)


@pytest.mark.parametrize("wrong", [None, 3, ["a"], b"text", Piece("a", "b")])
def test_what_is_no_prompt_is_refused(wrong):
    with pytest.raises(CtkitError) as caught:
        as_prompt(wrong)
    assert type(wrong).__name__ in caught.value.found
    with pytest.raises(CtkitError):
        Prompt(context=wrong)


@pytest.mark.parametrize("pieces", [{}, {"a": ""}, {"a": " ", "b": "\n\t"}])
def test_an_empty_prompt_is_refused(pieces):
    with pytest.raises(CtkitError, match="an empty prompt"):
        Prompt(**pieces)


def test_two_pieces_of_one_name_are_refused():
    with pytest.raises(CtkitError, match="two pieces named 'a'"):
        Prompt.of([Piece("a", "x"), Piece("a", "y")])
    with pytest.raises(CtkitError, match="a name of its own"):
        PROMPT.then(context="again")
    with pytest.raises(CtkitError, match="the piece 'nowhere'"):
        PROMPT.piece("nowhere")
    with pytest.raises(CtkitError, match="one of these names"):
        encode(lm_of("llama"), PROMPT).span("nowhere")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(prompts)
def test_the_tokens_are_the_text(pieces):
    prompt = Prompt(**pieces)
    enc = encode(lm_of("llama"), prompt)
    assert list(enc.ids) == lm_of("llama").tokenizer(prompt.text)["input_ids"]
    assert len(enc.tokens) == len(enc.places) == len(enc) == len(prompt.text.encode())
    covered = [i for span in enc.spans.values() for i in range(len(enc))[span]]
    assert covered == list(range(len(enc))), "every token belongs to one piece, in order"
    ends = [end for _, end, _ in enc.places]
    assert all(end >= 0 for end in ends), "0 is the space before a piece"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(prompts, st.permutations([Reread(), Think(), PrependToken()]), st.integers(0, 3))
def test_edits_keep_every_word_in_its_place(pieces, interventions, n):
    prompt, lm = Prompt(**({"question": "Who?"} | pieces)), lm_of("llama")
    setup = Setup(interventions[:n])
    if not any(text.strip() for name, text in prompt.pieces.items() if name != CUE):
        return
    edited = setup.edit(prompt)
    enc, plain = encode(lm, edited), encode(lm, prompt)
    known = {(place, token) for place, token in zip(enc.places, enc.tokens, strict=True)}
    for place, token in zip(plain.places, plain.tokens, strict=True):
        if place[0] != CUE and token.strip():
            assert (place, token) in known, "the first reading is there, word by word"
    assert sum(part.is_placeholder for part in edited.parts) == (PrependToken() in setup.interventions)


def test_a_token_over_a_border_belongs_to_the_piece_in_which_it_ends():
    enc = encode(lm_of("llama"), Prompt(a="xy", b="zé"))
    assert enc.spans == {"a": slice(0, 2), "b": slice(2, 6)}
    assert enc.places[2:] == (("b", 0, 1), ("b", 1, 1), ("b", 2, 1), ("b", 2, 1)), "the space, z, and é in two bytes"


def test_tokens_that_the_tokenizer_adds_belong_to_no_piece():
    lm = ct.wrap(new_model("llama"), byte_tokenizer(bos=True))
    enc = encode(lm, PROMPT)
    assert enc.ids[0] == BOS
    assert enc.places[0] == (START, 1, 1)
    assert enc.spans["context"] == slice(1, 11)
    placed = encode(lm, PrependToken(before="question").edit(PROMPT))
    assert [i for i, id_ in enumerate(placed.ids) if id_ == BOS] == [0], "once"
    assert placed.spans[PLACEHOLDER] == slice(11, 12)


def test_sentences():
    assert sentences("a = 3. So b = 3 + 0.5! Why? Answer: 7") == ["a = 3.", "So b = 3 + 0.5!", "Why?", "Answer: 7"]
    assert sentences("e.g. this one.\n\nNext") == ["e.g. this one.", "Next"]
    assert sentences("") == sentences(" \n ") == []
