"""Embeddings are the mean stream over the place their form names; only an echo's early words know the late ones."""

import pytest
import torch

import ctkit as ct
from ctkit import CtkitError, Knockout, Mask, Piece, PrependToken
from ctkit.measures.embed import FORMS, Form, embed, embed_layers, pool
from ctkit.tasks import meaning

from .families import D_MODEL, N_LAYERS, lm_of

TEXT = "Ann has a key."
NEAR, FAR = "Ann has a key.", "Ann has a box."  # equal up to the ninth byte
EARLY = len("Ann has a")
FAMILIES = ["llama", "gpt2", "qwen3", "gpt_neox"]


def cosine(vectors):
    return torch.cosine_similarity(vectors[:1], vectors[1:])


@pytest.mark.parametrize("family", FAMILIES)
def test_the_mean_is_over_the_text_alone(family):
    lm = lm_of(family)
    trace = ct.run(lm, TEXT)
    own = [i for i, place in enumerate(trace.encoding.places) if place[0] != "start"]
    assert len(own) == len(TEXT), "a byte is a token"
    for layer in range(N_LAYERS + 1):
        by_hand = trace.residual(layer)[own].mean(0)
        assert torch.allclose(embed(lm, [TEXT], layer=layer)[0], by_hand, atol=1e-6)
    assert torch.allclose(embed(lm, [TEXT])[0], by_hand, atol=1e-6), "left out: leaving the last block"


def test_last_and_one_word_are_the_last_token():
    lm = lm_of("llama")
    assert torch.equal(embed(lm, [TEXT], form="last")[0], ct.run(lm, TEXT).residual(N_LAYERS)[-1])
    asked = ct.run(lm, meaning.one_word_form(TEXT))
    assert torch.allclose(embed(lm, [TEXT], form="one word", layer=2)[0], asked.residual(2)[-1], atol=1e-6)


def test_an_echo_is_pooled_over_the_second_reading_alone():
    lm = lm_of("llama")
    trace = ct.run(lm, "".join(meaning.echo_form(TEXT)))
    by_hand = trace.residual(N_LAYERS)[-len(f" {TEXT}") :].mean(0)
    assert torch.allclose(embed(lm, [TEXT], form="echo")[0], by_hand, atol=1e-6)


def test_forms_are_the_ones_that_training_knows(lm):
    text = "The kid sent the note in the rain."
    assert FORMS["one word"].prompt(text).text == meaning.one_word_form(text)
    assert FORMS["echo"].prompt(text).text == "".join(meaning.echo_form(text))
    assert FORMS["echo"].prompt(text).text.startswith(FORMS["prompted"].prompt(text).text)
    assert FORMS["mean"].prompt("a {} b").text == "a {} b"
    trace = ct.run(lm, FORMS["one word"].prompt(text))
    assert "".join(trace.tokens[trace.spans["sentence"]]) == text


def test_a_token_is_prepended_where_its_paper_puts_it(lm):
    plain = ct.run(lm, FORMS["one word"].prompt(TEXT))
    told = ct.run(lm, FORMS["one word"].prompt(TEXT), PrependToken(before="quote"))
    spot = told.spans["placeholder"].start
    assert told.ids[:spot] + told.ids[spot + 1 :] == plain.ids
    assert "".join(told.tokens[1:spot]) == "This sentence:" and told.spans["quote"].start == spot + 1


@pytest.mark.parametrize("family", FAMILIES)
def test_early_words_know_the_late_ones_in_an_echo_only(family):
    """What is equal so far has equal streams; the second reading has heard of the end, unless that is forbidden."""
    lm = lm_of(family)
    blind = Knockout("reading 2", "sentence")
    for form, setup, told in (
        ("mean", (), 0),
        ("echo", (), 1),
        ("echo", (blind,), 0),
        ("prompted", (), 0),
        ("mean", (Mask("prefix"),), 1),
    ):
        early = []
        for text in (NEAR, FAR):
            trace = ct.run(lm, FORMS[form].prompt(text), *setup)
            piece = trace.spans[FORMS[form].pooled]
            early.append(pool(trace, tuple(range(piece.start, piece.stop))[:EARLY], N_LAYERS))
        gap = float((early[0] - early[1]).abs().max())
        assert gap > 1e-4 if told else gap == 0


def test_many_are_as_each_alone():
    lm = lm_of("llama")
    texts = ["Ann.", "Ann has a box.", "No key"]
    for form in FORMS:
        alone = torch.cat([embed(lm, [text], form=form) for text in texts])
        assert torch.allclose(embed(lm, texts, form=form), alone, atol=1e-5)


def test_all_layers_come_from_the_same_passes():
    lm = lm_of("gpt2")
    found = embed_layers(lm, [NEAR, FAR], form="echo")
    assert found.shape == (N_LAYERS + 1, 2, D_MODEL)
    assert torch.equal(embed_layers(lm, [NEAR, FAR], form="echo", layers=[2])[0], found[2])


def test_what_is_long_is_read_in_parts(monkeypatch):
    lm = lm_of("llama")
    whole = embed(lm, [NEAR, FAR, TEXT])
    monkeypatch.setattr("ctkit.measures.embed.TOGETHER", 2)
    assert torch.allclose(embed(lm, [NEAR, FAR, TEXT]), whole, atol=1e-6)


def test_a_form_of_ones_own():
    lm = lm_of("llama")
    form = Form((Piece("before", "He said:"), Piece("said", "{}"), Piece("after", "And left.")), ("said", "after"))
    trace = ct.run(lm, f"He said: {TEXT} And left.")
    by_hand = trace.residual(N_LAYERS)[-len(f" {TEXT} And left.") :].mean(0)
    assert torch.allclose(embed(lm, [TEXT], form=form)[0], by_hand, atol=1e-6)


def test_equal_texts_are_fully_alike():
    vectors = embed(lm_of("llama"), [NEAR, NEAR, FAR], form="echo")
    same, other = cosine(vectors).tolist()
    assert same == pytest.approx(1) and other < 1 - 1e-4


def test_wrong_requests_are_refused():
    lm = lm_of("llama")
    with pytest.raises(CtkitError, match="the form 'echoes'") as error:
        embed(lm, [TEXT], form="echoes")
    assert "mean, prompted, last, echo, one word" in error.value.remedy
    with pytest.raises(CtkitError, match="a list with one text"):
        embed(lm, TEXT)
    with pytest.raises(CtkitError, match="a list with one text"):
        embed(lm, [])
    with pytest.raises(CtkitError, match="an embedding of ' '"):
        embed(lm, [TEXT, " "])
    with pytest.raises(CtkitError, match="layers 0 to 3"):
        embed(lm, [TEXT], layer=9)
    with pytest.raises(CtkitError, match="no token there"):
        pool(ct.run(lm, TEXT), (), 0)
