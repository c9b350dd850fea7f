"""Emphasis: what is outside is scaled and the rest renormalised, once, and nothing else moves."""

import json

import pytest
import torch

import ctkit as ct
from ctkit import CtkitError, Emphasize, Mask, PrependToken, Prompt, Reread, Setup
from ctkit.engine.encode import encode
from ctkit.engine.generate import CACHES, generate_many
from ctkit.engine.run import run_many
from ctkit.interventions.emphasize import places_of

from .engine_fixtures import PROMPT, TOLERANCE
from .families import N_HEADS, N_LAYERS, byte_tokenizer, lm_of, plain

TWICE = Prompt(context="Ann has a. Bob has b.", question="Who has b?", cue="Answer:")
SOME = ("llama", "gpt2", "mistral", "gemma2", "gpt_oss", "gpt2@eager")
FORMS = {
    "a piece": Emphasize("context", 0.1),
    "a text": Emphasize("has a", 0.01, layers=[0, 2]),
    "heads of some layers": Emphasize("question", 0.1, heads=[0, 3], layers=[1]),
    "single heads": Emphasize(("context", 12), 0.01, heads=[(0, 1), (2, 0), (2, 3)]),
    "less than before": Emphasize("cue", 5.0),
}


@pytest.fixture
def lm():
    return lm_of("llama")


def columns(lm, prompt, emphasis, *setup) -> set[int]:
    """The columns whose scores fall (in block 0, head 0)."""
    trace = ct.run(lm, prompt, *setup)
    bias = emphasis.bias(trace.encoding, 0)
    return set() if bias is None else set(bias[0, -1].nonzero().flatten().tolist())


@pytest.mark.parametrize("family", SOME)
def test_no_emphasis_is_identity(family):
    lm = lm_of(family)
    expected = plain(lm, ct.run(lm, PROMPT).ids)
    whole = [Emphasize("prompt"), Emphasize("all"), Emphasize(("context", "question", "cue")), Emphasize(PROMPT.text)]
    for idle in (Emphasize("context", alpha=1), Emphasize("has a", 1.0), Emphasize("cue", heads=[]), *whole):
        assert torch.equal(ct.run(lm, PROMPT, idle).logits, expected), idle
        assert torch.equal(ct.run(lm, PROMPT, idle, attention="all").logits, expected), idle
        assert all(idle.bias(ct.run(lm, PROMPT).encoding, layer) is None for layer in range(N_LAYERS))
    assert not torch.allclose(ct.run(lm, PROMPT, Emphasize("context")).logits, expected, atol=1e-3)


def test_the_whole_text_is_whole_also_behind_a_start_token(lm):
    started = ct.wrap(lm.model, byte_tokenizer(bos=True))
    expected = plain(started, ct.run(started, PROMPT).ids)
    assert torch.equal(ct.run(started, PROMPT, Emphasize(PROMPT.text)).logits, expected)
    assert 0 in columns(started, PROMPT, Emphasize("context"))


@pytest.mark.parametrize("family", ["llama", "gpt2", "gemma2", "llama@eager"])
@pytest.mark.parametrize("layer", range(N_LAYERS))
def test_weights_are_scaled_and_made_to_sum_to_1(family, layer):
    lm, heads = lm_of(family), [1, 3]
    base = ct.run(lm, PROMPT).attention(layer)
    trace = ct.run(lm, PROMPT, Emphasize("question", 0.02, heads=[(layer, head) for head in heads]))
    scale = torch.full((len(trace.ids),), 0.02)
    scale[trace.spans["question"]] = 1
    expected = base.clone()
    expected[heads] = (base * scale / (base * scale).sum(-1, keepdim=True))[heads]
    torch.testing.assert_close(trace.attention(layer), expected, atol=1e-6, rtol=0)
    assert (trace.attention(layer) - base)[heads].abs().max() > 1e-2


def test_rows_before_the_part_are_unchanged_and_rows_behind_it_are_not(lm):
    base, trace = ct.run(lm, PROMPT), ct.run(lm, PROMPT, Emphasize("question"))
    start = trace.spans["question"].start
    torch.testing.assert_close(trace.logits[:start], base.logits[:start], **TOLERANCE)
    assert (trace.logits - base.logits)[start:].abs().amax(-1).min() > 1e-4


def test_emphasis_on_nothing_shows_only_where_something_is_written(lm):
    prompt, written = PROMPT, PROMPT.then(thought="So b.")
    torch.testing.assert_close(ct.run(lm, prompt, Emphasize(())).logits, ct.run(lm, prompt).logits, **TOLERANCE)
    base, trace = ct.run(lm, written), ct.run(lm, written, Emphasize(()))
    n = base.encoding.n_prompt
    torch.testing.assert_close(trace.logits[:n], base.logits[:n], **TOLERANCE)
    assert not torch.allclose(trace.logits[n:], base.logits[n:], atol=1e-3)


def test_what_is_written_keeps_its_scores(lm):
    enc = ct.run(lm, PROMPT.then(thought="So b.")).encoding
    bias = Emphasize("context", 0.1).bias(enc, 0)
    assert (bias[..., enc.n_prompt :] == 0).all() and (bias[0, :, enc.spans["context"]] == 0).all()
    assert (bias[0, :, enc.spans["question"]] < 0).all(), "every row, also those of what is written"
    assert "generated" not in enc.spans and Emphasize("generated", 0.1).bias(enc, 0)[0, -1, 0] < 0


@pytest.mark.parametrize("family", SOME)
@pytest.mark.parametrize("form", FORMS)
def test_a_cache_and_a_batch_change_nothing(family, form):
    lm, setup = lm_of(family), Setup([FORMS[form]])
    runs = [ct.generate(lm, PROMPT, setup, max_new_tokens=5, cache=cache) for cache in CACHES]
    for run in runs[1:]:
        assert run.ids == runs[0].ids
        torch.testing.assert_close(run.logits, runs[0].logits, **TOLERANCE)
    prompts = [(PROMPT, setup), (PROMPT.then(thought="So b."), setup), "No setup."]
    for trace, entry in zip(run_many(lm, prompts), prompts, strict=True):
        alone = ct.run(lm, *entry) if isinstance(entry, tuple) else ct.run(lm, entry)
        torch.testing.assert_close(trace.logits, alone.logits, **TOLERANCE)
    together = generate_many(lm, prompts, max_new_tokens=3)
    assert together[0].ids == ct.generate(lm, PROMPT, setup, max_new_tokens=3, cache="none").ids


@pytest.mark.parametrize("form", FORMS)
def test_it_survives_its_round_trip(lm, form):
    setup = Setup([FORMS[form], Reread()])
    coded = eval(setup.to_code(), {"ct": ct})  # our own text, which a learner will run
    for again in (Setup.from_json(setup.to_json()), coded):
        assert again == setup and hash(again) == hash(setup)
        assert torch.equal(ct.run(lm, PROMPT, again).logits, ct.run(lm, PROMPT, setup).logits)
    assert json.loads(Setup([Emphasize("a", heads=[(1, 2)])]).to_json())[0]["heads"] == [[1, 2]]
    assert Setup([Emphasize("context")]).to_code() == "ct.Setup([ct.Emphasize(piece='context')])"


def test_a_text_is_the_tokens_of_its_letters():
    enc = encode(lm_of("llama"), TWICE)
    assert "".join(enc.tokens[i] for i in places_of(enc, "has b")) == "has bhas b", "all occurrences"
    assert "".join(enc.tokens[i] for i in places_of(enc, " b. Who ")) == "b. Who", "over two pieces, margins off"
    assert places_of(enc, ("has b", "b.", 0)) == sorted({0, *places_of(enc, "has b"), *places_of(enc, "b.")})
    assert places_of(enc, "context") == list(range(len(enc)))[enc.spans["context"]], "a piece goes before a text"
    assert places_of(encode(lm_of("llama"), Prompt("Is it reading matter?")), "reading") == list(range(6, 13))
    accents = encode(lm_of("llama"), Prompt("héé!"))
    assert [len(places_of(accents, text)) for text in ("h", "hé", "é", "é!", "héé!")] == [1, 3, 4, 3, 6]
    overlapping = encode(lm_of("llama"), Prompt("aabaabaa"))
    assert places_of(overlapping, "aabaa") == list(range(8))


def test_tokens_that_the_text_only_cuts_belong_to_it(word_lm):
    enc = encode(word_lm, TWICE)
    assert [enc.tokens[i] for i in places_of(enc, "nn has")] == ["Ann", " has"]
    assert [enc.tokens[i] for i in places_of(enc, "Bob has b.")] == [" Bob", " has", " b", "."]
    assert [enc.tokens[i] for i in places_of(enc, "Ann has a. Bob")] == ["Ann", " has", " a", ".", " Bob"]


@pytest.fixture
def word_lm(lm):
    """The tiny model with a tokenizer for which a word with the space before it is a token."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = ["?", "Ann", " has", " a", ".", " Bob", " b", " Who", " Answer", ":", "\n", "Read"]
    raw = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="?"))
    raw.pre_tokenizer = pre_tokenizers.Split(Regex(r" ?\w+|[.?:\n]"), "isolated")
    return ct.wrap(lm.model, PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="\n"))


@pytest.mark.parametrize("place", ["context", "has b", ("question", "Bob")])
def test_all_readings_are_emphasised(lm, place):
    emphasis = Emphasize(place, 0.1)
    once = encode(lm, TWICE)
    inside = {once.places[i][:2] for i in places_of(once, place) if once.places[i][1] > 0}
    for setup in ([Reread(phrase=""), emphasis], [emphasis, Reread(phrase="")]):
        trace = ct.run(lm, TWICE, setup)
        twice = [trace.encoding.places[i] for i in places_of(trace.encoding, place)]
        twice = [own for own in twice if own[1] > 0]  # what stands between the pieces differs
        assert {p[:2] for p in twice} == inside and len(twice) == 2 * len(inside)
        assert {p[2] for p in twice} == {1, 2}
    other = ct.run(lm, TWICE, emphasis, Reread(phrase=""))
    assert torch.equal(trace.logits, other.logits), "the order of the two does not matter"


def test_one_reading_can_be_named(lm):
    enc = ct.run(lm, TWICE, Reread()).encoding
    assert {enc.places[i][2] for i in places_of(enc, "reading 2")} == {2}
    assert places_of(enc, "context (2)") == list(range(len(enc)))[enc.spans["context (2)"]]


def test_it_goes_with_a_mask_and_a_new_token(lm):
    trace = ct.run(lm, PROMPT, Mask("prefix"), Emphasize("question", 0.1))
    base = ct.run(lm, PROMPT, Mask("prefix"))
    scale = torch.full((len(trace.ids),), 0.1)
    scale[trace.spans["question"]] = 1
    expected = base.attention(0) * scale / (base.attention(0) * scale).sum(-1, keepdim=True)
    torch.testing.assert_close(trace.attention(0), expected, atol=1e-6, rtol=0)
    assert (trace.attention(0)[:, 0, trace.spans["question"]] > base.attention(0)[:, 0, trace.spans["question"]]).all()
    cut = ct.run(lm, PROMPT, Emphasize("question"), ct.Knockout("cue", "question"))
    assert (cut.attention(0)[:, cut.spans["cue"], cut.spans["question"]] == 0).all()
    new = ct.run(lm, PROMPT, PrependToken(1, 3), Emphasize("has a", 0.1))
    assert [new.tokens[i] for i in places_of(new.encoding, "has a")] == list("has a")


def test_emphases_on_two_parts_with_one_setting_are_a_union(lm):
    bias = Emphasize(("context", "cue", "has a"), 0.1).bias(ct.run(lm, PROMPT).encoding, 0)
    assert bias.unique().tolist() == pytest.approx([torch.tensor(0.1).log().item(), 0.0])


@pytest.mark.parametrize("alpha", [0, -1, 0.0, float("nan"), float("inf"), "a", None, True])
def test_weights_stay_above_0(alpha):
    with pytest.raises(CtkitError, match=r"(?s)Emphasize\(alpha=.*stay above 0.*1 changes nothing"):
        Emphasize("context", alpha)


def test_what_does_not_exist_is_refused(lm):
    with pytest.raises(CtkitError, match=r"(?s)'the cup' of a prompt.*pieces are context, question, cue.*exactly"):
        ct.run(lm, PROMPT, Emphasize("the cup"))
    with pytest.raises(CtkitError, match="no such words"):
        ct.run(lm, PROMPT, Emphasize("  "))
    with pytest.raises(CtkitError, match="no such words"):
        ct.run(lm, PROMPT.then(thought="So b."), Emphasize("So b"))  # what was written is no part of the prompt
    for heads, layers, found in (
        (None, [N_LAYERS], f"(?s)Emphasize at layer {N_LAYERS}.*layers 0 to 2 in"),
        ([N_HEADS], None, f"(?s)Emphasize at head {N_HEADS}.*heads 0 to 3 in"),
        ([(N_LAYERS, 0)], None, f"(?s)Emphasize at layer {N_LAYERS}.*layers 0 to 2 in"),
        ([(0, -1)], None, "(?s)Emphasize at head -1.*heads 0 to 3 in"),
    ):
        with pytest.raises(CtkitError, match=found):
            ct.run(lm, PROMPT, Emphasize("context", heads=heads, layers=layers))
    with pytest.raises(CtkitError, match="position 99"):
        ct.run(lm, PROMPT, Emphasize(99))


@pytest.mark.parametrize("heads", [[(1, 2), 3], [(1, 2, 3)], [("a", 1)], "12"])
def test_heads_are_numbers_or_pairs(heads):
    with pytest.raises(CtkitError):
        Emphasize("context", heads=heads)


def test_pairs_say_their_layers_themselves():
    with pytest.raises(CtkitError, match="pairs alone"):
        Emphasize("context", heads=[(1, 2)], layers=[1])
