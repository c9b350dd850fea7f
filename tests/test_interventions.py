"""Each technique's own vanishing test: its effect must be gone when what it works through is gone."""

import pytest
import torch

import ctkit as ct
from ctkit import Direction, Intervention, Knockout, Mask, PrependToken, Prompt, Reread, Setup, Steer, Think
from ctkit.engine.run import run_many
from ctkit.engine.trace import Trace
from ctkit.prompt import PLACEHOLDER

from .engine_fixtures import PROMPT, TOLERANCE, Blend, direction, same
from .families import ALL, ATTENDING, D_MODEL, FULL, N_LAYERS, STREAM, lm_of

ROTARY = [f for f in ATTENDING if f not in ("gpt2", "opt", "gpt2@eager")]  # positions count only as distances there
BARE = Reread(phrase="")


def future_mass(trace: Trace, layer: int) -> float:
    """How much the words of the last reading attend to words of the first that come later in the text."""
    encoding = trace.encoding
    last = max(reading for _, _, reading in encoding.places)
    first = {place[:2]: i for i, place in enumerate(encoding.places) if place[2] == 1}
    total, order = 0.0, {position: n for n, position in enumerate(first.values())}
    for i, place in enumerate(encoding.places):
        if place[2] != last or place[:2] not in first:
            continue
        own = order[first[place[:2]]]
        later = [j for j, n in order.items() if n > own]
        total += trace.attention(layer)[:, i, later].sum().item()
    return total


# --- re-reading ---


def test_rereading_is_a_change_of_text():
    prompt = Prompt(context="Ann has a.", question="Who?", cue="Answer:")
    assert Reread().edit(prompt).text == "Ann has a. Who?\nRead the question again: Ann has a. Who? Answer:"
    assert (
        Reread(times=3, phrase="Again:").edit(prompt).text
        == "Ann has a. Who?\nAgain: Ann has a. Who?\nAgain: Ann has a. Who? Answer:"
    )
    assert BARE.edit(prompt).text == "Ann has a. Who?\nAnn has a. Who? Answer:"
    assert Reread(times=1).edit(prompt) == prompt
    assert Reread().edit(prompt.then(thought="So b.")).text.endswith("Who? Answer: So b.")
    assert Reread().edit(Reread().edit(prompt)).text == Reread(times=3).edit(prompt).text
    twice = Think().edit(Reread().edit(prompt))
    assert twice.text == "Ann has a. Who?\nRead the question again: Ann has a. Who? Let's think step by step."
    assert Reread().edit(Think().edit(prompt)).text == twice.text


@pytest.mark.families
@pytest.mark.parametrize("family", ALL)
def test_the_first_reading_is_the_single_reading(family):
    lm = lm_of(family)
    once, twice = ct.run(lm, PROMPT), ct.run(lm, PROMPT, Reread())
    n = once.spans["question"].stop
    torch.testing.assert_close(twice.logits[:n], once.logits[:n], **TOLERANCE)
    if not family.startswith("mistral"):  # whose windows do not reach back to where the texts part
        assert not torch.allclose(twice.logits[-1], once.logits[-1], atol=1e-3)


@pytest.mark.families
@pytest.mark.parametrize("family", ROTARY)
def test_rereading_vanishes_when_the_second_reading_cannot_see_the_first(family):
    lm = lm_of(family)
    cut = [Knockout(queries, "reading 1") for queries in ("reading 2", "cue")]
    again = Prompt(context="\nAnn has a.", question="Who?", cue="Answer:")  # the second copy starts on a new line
    once, twice = ct.run(lm, again), ct.run(lm, PROMPT, BARE, *cut)
    n = len(once.tokens)
    assert once.tokens == twice.tokens[-n:]
    torch.testing.assert_close(twice.logits[-n:], once.logits, **TOLERANCE)
    open_ = ct.run(lm, PROMPT, BARE)
    assert not torch.allclose(open_.logits[-n:], once.logits, atol=1e-3)


@pytest.mark.families
@pytest.mark.parametrize("family", ["llama", "gpt2", "gemma2", "gpt_oss"])
def test_attention_to_later_words_needs_a_second_reading(family):
    lm = lm_of(family)
    for layer in range(N_LAYERS):
        assert future_mass(ct.run(lm, PROMPT), layer) == 0
        assert future_mass(ct.run(lm, PROMPT, Knockout("reading 2", "reading 1"), Reread()), layer) == 0
    assert sum(future_mass(ct.run(lm, PROMPT, Reread()), layer) for layer in range(N_LAYERS)) > 0.01


# --- token prepending ---


def streams(lm, text: str, *interventions: Intervention) -> tuple[Trace, list[torch.Tensor]]:
    trace = ct.run(lm, Prompt(head="Say:", fact=text, cue="so"), *interventions, residual="all")
    return trace, [trace.residual(layer) for layer in range(N_LAYERS + 1)]


@pytest.mark.families
@pytest.mark.parametrize("family", ["llama", "gpt2", "mistral@eager", "gpt_neox", "opt", "qwen3", "gpt_oss", *STREAM])
@pytest.mark.parametrize("start", [0, 1, 2])
def test_prepending_lets_the_first_word_hear_of_the_last(family, start):
    lm = lm_of(family)
    prepend = PrependToken(start=start, exit=3, before="fact")
    for setup, hears in (
        ((), False),
        ((prepend,), True),
        ((PrependToken(start, 3, before="fact", source="itself"),), False),
    ):
        (trace, one), (_, other) = streams(lm, "Ann has a", *setup), streams(lm, "Ann has b", *setup)
        first = trace.spans["fact"].start + 1  # behind the space
        changes = [(a[first] - b[first]).abs().max().item() for a, b in zip(one, other, strict=True)]
        if not hears:
            assert changes == [0.0] * (N_LAYERS + 1)
            continue
        assert changes[: start + 1] == [0.0] * (start + 1), "nothing before block `start` has run"
        # before block 0 the last token has read nothing but itself ("so"), the same in both texts
        assert all(change > 1e-3 for change in changes[max(start, 1) + 1 :])
    placeholder = trace.spans[PLACEHOLDER].start
    (_, plain), (_, told) = (
        streams(lm, "Ann has a", PrependToken(1, 3, before="fact", source="itself")),
        streams(lm, "Ann has a", prepend),
    )
    for layer in range(N_LAYERS + 1):
        assert same(plain[layer][:placeholder], told[layer][:placeholder]), "tokens before the placeholder hear nothing"
        assert torch.equal(told[layer][placeholder], told[layer][-1]) == (start <= layer < 3)


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_a_token_prepended_by_itself_is_a_plain_token(family):
    lm = lm_of(family)
    kept = ct.run(lm, PROMPT, PrependToken(1, 3, source="itself"))
    never = ct.run(lm, PROMPT, PrependToken(N_LAYERS, N_LAYERS), PrependToken(0, 1, source="itself"))
    assert torch.equal(kept.logits, never.logits), "start and exit say nothing where nothing is overwritten"
    assert len(kept.tokens) == len(PROMPT.text) + 1
    told = ct.run(lm, PROMPT, PrependToken(1, 3))
    assert not torch.allclose(told.logits[-1], kept.logits[-1], atol=1e-4)


def test_where_the_placeholder_goes():
    def names(*interventions, prompt=PROMPT):
        return list(Setup(interventions).edit(prompt).pieces)

    assert names(PrependToken()) == [PLACEHOLDER, "context", "question", "cue"]
    assert names(PrependToken(before="question")) == ["context", PLACEHOLDER, "question", "cue"]
    assert names(Reread(), PrependToken())[2:] == ["phrase (2)", PLACEHOLDER, "context (2)", "question (2)", "cue"]
    assert names(PrependToken(), Reread()).count(PLACEHOLDER) == 1
    assert names(PrependToken(2, 2)) == list(PROMPT.pieces)
    assert Setup([PrependToken()]).edit(PROMPT).text == PROMPT.text, "a placeholder has no text"


def test_the_placeholders_embedding():
    lm = lm_of("llama")
    mean = ct.run(lm, PROMPT, PrependToken(1, 2, init="mean")).residual(0)[0]
    torch.testing.assert_close(mean, lm.model.get_input_embeddings().weight.detach().mean(0).cpu())
    normal = [ct.run(lm, PROMPT, PrependToken(1, 2, seed=seed)).residual(0)[0] for seed in (0, 0, 1)]
    assert torch.equal(normal[0], normal[1])
    assert not torch.equal(normal[0], normal[2])
    assert 0.5 < normal[0].std() < 1.5


def test_the_start_token_stays_in_front():
    from .families import BOS, byte_tokenizer, new_model

    lm = ct.wrap(new_model("llama"), byte_tokenizer(bos=True))
    plain, told = ct.run(lm, PROMPT), ct.run(lm, PROMPT, PrependToken())
    assert plain.ids[0] == BOS
    assert told.ids[0] == BOS
    assert told.ids[2:] == plain.ids[1:]
    assert told.spans[PLACEHOLDER] == slice(1, 2)
    assert plain.spans["context"].start == 1


# --- thinking ---


def test_thinking_takes_the_place_of_the_cue():
    assert Think().edit(PROMPT).text == "Ann has a. Who? Let's think step by step."
    assert Think(phrase="Steps:").edit(PROMPT.then(thought="b.")).text == "Ann has a. Who? Steps: b."
    assert Think().edit(Think().edit(PROMPT)).text == Think().edit(PROMPT).text
    assert Think(on=False).edit(PROMPT) == PROMPT
    assert list(Think().edit(Prompt("Who?")).pieces) == ["text", "think"]


# --- one's own ---


def test_interventions_act_in_their_order():
    lm = lm_of("llama")
    one, other = [Steer(direction(1)), Blend()], [Blend(), Steer(direction(1))]
    assert not torch.allclose(ct.run(lm, PROMPT, one).logits, ct.run(lm, PROMPT, other).logits, atol=1e-3)
    assert torch.equal(ct.run(lm, PROMPT, one).logits, ct.run(lm, PROMPT, *one).logits)
    assert torch.equal(ct.run(lm, PROMPT, Setup(one)).logits, ct.run(lm, PROMPT, *one).logits)
    sum_of_two = ct.run(lm, PROMPT, Steer(direction(1)), Steer(direction(2)))
    torch.testing.assert_close(
        sum_of_two.logits, ct.run(lm, PROMPT, Steer(direction(1) + direction(2))).logits, **TOLERANCE
    )


def test_arguments_are_left_alone():
    lm, given = lm_of("llama"), {}

    class Looks(Intervention):
        def residual(self, x, enc, layer):
            given[layer] = (x, x.clone())
            return x

    ct.run(lm, PROMPT, Looks(), Steer(direction(), layers=[0, 1, 2, 3]), PrependToken(0, 3))
    assert sorted(given) == list(range(N_LAYERS + 1))
    assert all(torch.equal(x, copy) for x, copy in given.values())


def test_the_two_directions_of_a_setup_of_its_own():
    lm = lm_of("llama")
    mine, ours = Reread(), Mask("prefix")
    trace = run_many(lm, [(PROMPT, mine)], ours)[0]
    assert torch.equal(trace.logits, ct.run(lm, PROMPT, mine, ours).logits)
    assert trace.setup == Setup([mine, ours])
    assert len(FULL) >= 16
    assert Direction(torch.zeros(D_MODEL), 0).vector.shape == (D_MODEL,)
