"""The names of places in a prompt: one vocabulary for masks, knock-outs, steering and emphasis."""

import pytest

import ctkit as ct
from ctkit import CtkitError, Knockout, Mask, Prompt, Reread, Split, Steer, masks
from ctkit.engine.encode import encode
from ctkit.masks import places_of, positions

from .engine_fixtures import PROMPT, TOLERANCE, direction
from .families import lm_of

FACTS = Prompt(context="Ann has a. Bob has b.", question="Who has b?", cue="Answer:")
LM = lm_of("llama")
ENC = encode(LM, FACTS)


def words(enc, where) -> str:
    """The tokens of a place, put together."""
    return "".join(enc.tokens[i] for i in positions(enc, where))


def test_what_stands_before_and_after():
    assert words(ENC, "after question") == " Answer:"
    assert words(ENC, "before question") == "Ann has a. Bob has b."
    assert words(ENC, "before context") == words(ENC, "after cue") == ""
    longer = ENC.extended((1, 2), ("x", "y"))
    assert words(longer, "after cue") == words(longer, "after prompt") == "xy"
    assert words(longer, "after generated") == ""
    assert words(ENC, "after generated") == "", "nothing is generated yet"
    assert words(ENC, ("before question", "cue")) == "Ann has a. Bob has b. Answer:"


def test_words_of_the_text_are_a_place():
    assert words(ENC, "has b") == "has bhas b"
    assert words(ENC, ("Ann", 0, "Ann has")) == "Ann has", "each token once"
    told = encode(LM, Prompt(context="after all, after dinner", dinner="soup"))
    assert words(told, "after all") == "", "names go before words"
    assert words(told, "after dinner") == "", "behind a piece, not these words"
    assert words(told, "after all,") == "after all,"
    assert words(told, "dinner") == " soup"


def test_a_name_is_a_first_reading_and_every_name_all_of_them():
    enc = encode(LM, Reread(times=3, phrase="Again:").edit(FACTS))
    assert words(enc, "question") == " Who has b?" == words(enc, "question (3)")
    assert words(enc, "every question") == " Who has b?" * 3
    assert words(enc, "after every question") == " Answer:"
    assert words(enc, "before every question") == words(enc, "context")
    assert places_of(enc, "question") == positions(enc, "every question"), "as emphasis means it"
    assert places_of(enc, "question (2)") == positions(enc, "question (2)")
    assert places_of(enc, ("cue", "question")) == sorted(positions(enc, ("every question", "cue")))
    assert places_of(enc, "after context") == positions(enc, "after context")


def test_a_split_piece_keeps_its_name():
    whole, parts = ENC, encode(LM, FACTS.split("context"))
    assert list(parts.spans) == ["context 1", "context 2", "question", "cue"]
    assert parts.ids == whole.ids and parts.places == whole.places
    for place in ("context", "every context", "after context", "before context", "has b", ("context", "cue")):
        assert positions(parts, place) == positions(whole, place), place
        assert places_of(parts, place) == places_of(whole, place), place
    assert words(parts, "context 2") == " Bob has b."
    twice = [encode(LM, setup.edit(FACTS)) for setup in (ct.Setup([Split("context"), Reread()]), ct.Setup([Reread()]))]
    for place in ("context", "context (2)", "every context", "reading 2"):
        assert positions(twice[0], place) == positions(twice[1], place), place


def test_words_and_names_go_into_every_technique():
    at = positions(ENC, "Bob has b")
    base = ct.run(LM, FACTS)
    for named, numbered in (
        (Knockout("cue", "Bob has b"), Knockout("cue", at)),
        (Mask(masks.suppress("Bob has b")), Mask(masks.suppress(at))),
        (Steer(direction(), where="Bob has b"), Steer(direction(), where=at)),
        (Steer(direction(), where="after question"), Steer(direction(), where="cue")),
        (Mask("prefix", until="Bob has b."), Mask("prefix", until="context")),
    ):
        logits = ct.run(LM, FACTS, named).logits
        assert logits.equal(ct.run(LM, FACTS, numbered).logits), named
        assert (logits - base.logits).abs().max() > 1e-3, named


def test_what_comes_behind_a_piece_grows_with_the_text():
    setups = [Steer(direction(), where="after cue"), Steer(direction(), where="generated")]
    one, other = (ct.generate(LM, FACTS, setup, max_new_tokens=4) for setup in setups)
    assert one.ids == other.ids
    assert (one.logits - other.logits).abs().max() <= TOLERANCE["atol"]
    cut = Knockout("after question", "context")
    runs = [ct.generate(LM, FACTS, cut, max_new_tokens=4, cache=cache) for cache in ("dynamic", "none")]
    assert runs[0].ids == runs[1].ids
    seen = ct.run(LM, FACTS.then(more="so it is"), cut)
    assert (seen.attention(0)[:, positions(ENC, "after question")[0] :, seen.spans["context"]] == 0).all()


@pytest.mark.parametrize(
    "where", ["nowhere", "after nowhere", "every nowhere", "question (2)", " ", "has  b", "reading"]
)
def test_what_is_nowhere_is_refused_with_the_pieces(where):
    with pytest.raises(CtkitError, match=r"(?s)the part .*pieces are context, question, cue.*words exactly"):
        positions(ENC, where)


def test_a_piece_without_a_token_is_refused():
    enc = encode(LM, Prompt(context="Ann", hint="", question="Who?"))
    with pytest.raises(CtkitError, match=r"(?s)the piece 'hint'.*without a token"):
        positions(enc, "hint")


@pytest.mark.parametrize("value", [None, 2.5, {"a": 1}, [[1]], [None]])
def test_what_names_no_place_is_refused(value):
    with pytest.raises(CtkitError, match="no place in a prompt"):
        masks.as_where(value)
    assert masks.as_where(range(2, 4)) == (2, 3)
    assert positions(ENC, range(2, 4)) == [2, 3]


def test_a_reading_without_words_is_empty():
    assert positions(ENC, "reading 2") == []
    assert positions(ENC, "reading 1") == list(range(ENC.spans["question"].stop))
    assert encode(LM, PROMPT).n_prompt == len(PROMPT.text)
