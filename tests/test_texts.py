"""Edits of the text: words keep their places, so that runs of other length compare; each effect has its vanishing."""

from itertools import permutations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoConfig, AutoModelForCausalLM

import ctkit as ct
from ctkit import CtkitError, Echo, FixedPrefix, Knockout, Mask, Permute, Piece, Prompt, Reread, Setup, Split
from ctkit.engine.encode import encode
from ctkit.engine.run import run_many
from ctkit.sentences import sentences

from .engine_fixtures import PROMPT, TOLERANCE
from .families import BASE, TOKENIZER, lm_of, plain

FACTS = Prompt(context="Ann has a. Bob has b. Cid has c. Dan has d. Eve has e.", question="Who has b?", cue="Answer:")
CHAIN = ("Dan has d.", "Bob", 2)  # in the order told: Bob 1, Cid 2, Dan 3
EDITS = {
    "split": [Split("context")],
    "backward": [Permute("context", "backward", gold=CHAIN)],
    "far apart": [Permute("context", "distance", gold=(3, 1), distance=2)],
    "shuffled, twice": [Permute("context", "random", seed=3), Reread()],
    "twice, shuffled": [Reread(), Permute("context", "random", seed=3)],
    "echo": [Echo()],
    "fixed prefix": [FixedPrefix("Be brief.\n")],
    "all of them": [Permute("context", "backward"), Echo(ask="Say:"), FixedPrefix("Go!"), ct.Think()],
}
texts = st.text("ab.!? \n\t3é", max_size=40)


# --- sentences ---


@settings(max_examples=300, deadline=None)
@given(texts, texts, st.booleans())
def test_split_leaves_every_letter_where_it_is(first, second, again):
    if not (first + second).strip():
        return
    prompt = Reread(phrase="").edit(Prompt(a=first, b=second)) if again else Prompt(a=first, b=second)
    split = prompt.split("a")
    assert split.text == prompt.text
    assert split.split("a") == split
    parts = [part for part in split.parts if part.whole == "a" and part.reading == 1]
    assert [first[part.offset :][: len(part.text)] for part in parts] == [part.text for part in parts]
    assert [part.text.strip() for part in parts if part.text.strip()] == sentences(first)


def test_the_parts_are_named_in_every_reading():
    split = FACTS.split("context")
    assert list(split.pieces) == [*(f"context {i}" for i in range(1, 6)), "question", "cue"]
    assert split.piece("context").text == "Ann has a.", "the old name is its first part's"
    one, other = Reread().edit(split), Reread().edit(FACTS).split("context")
    assert one == other and one.piece("context 2 (2)").text == "Bob has b."
    assert Prompt(a="One only").split("a").pieces == {"a 1": "One only"}
    with pytest.raises(CtkitError, match="the piece 'nowhere'"):
        FACTS.split("nowhere")
    with pytest.raises(CtkitError, match="two pieces named 'context 1'"):
        Prompt.of([*FACTS.parts, Piece("context 1", "x")]).split("context")
    placeholder = ct.PrependToken().edit(FACTS)
    assert placeholder.split("placeholder") == placeholder


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_split_is_idle_bit_for_bit(family):
    lm = lm_of(family)
    trace = ct.run(lm, FACTS, Split("context"))
    assert torch.equal(trace.logits, plain(lm, ct.run(lm, FACTS).ids))
    assert (ct.compare(ct.run(lm, FACTS), trace).kl == 0).all() and len(
        ct.compare(ct.run(lm, FACTS), trace).pairs
    ) == len(trace.ids)


# --- documents in another order ---


def told(order, gold=None, **given) -> str:
    """The initials of the documents in the order in which they are told."""
    return "".join(text[0] for text in Permute("context", order, gold, **given).edit(FACTS).pieces.values())[:5]


def test_the_orders_of_documents():
    assert told("original") == told("forward") == told((0, 1, 2, 3, 4)) == told("distance") == "ABCDE"
    assert told("forward", CHAIN) == "ADBCE", "Dan, Bob, Cid in the places of Bob, Cid, Dan"
    assert told("backward", CHAIN) == "ACBDE"
    assert told("backward") == "EDCBA", "without gold documents all are the chain"
    assert told("distance", CHAIN) == "AEDBC", "others first, the last hop last of all"
    assert told("distance", CHAIN, distance=1) == "DABEC"
    assert told("distance", (3, 1), distance=3) == "DACEB"
    assert told(("Eve", "context 1", 1, "Dan has d.", 2)) == "EABDC"
    shuffled = {told("random", seed=seed) for seed in range(20)}
    assert len(shuffled) > 10 and all(sorted(one) == list("ABCDE") for one in shuffled)
    assert told("random", seed=4) == told("random", CHAIN, seed=4)


@settings(max_examples=100, deadline=None)
@given(
    st.permutations(range(5)),
    st.integers(1, 5),
    st.sampled_from(["forward", "backward", "distance"]),
    st.integers(0, 2),
)
def test_gold_documents_take_the_places_they_should(order, n, kind, distance):
    chain = tuple(order[:n])
    if kind == "distance" and distance * (n - 1) > 5 - n:
        with pytest.raises(CtkitError, match=f"{5 - n} others"):
            told(kind, chain, distance=distance)
        return
    found = ["ABCDE".index(letter) for letter in told(kind, chain, distance=distance)]
    assert sorted(found) == list(range(5))
    at = [found.index(document) for document in chain]
    others = [document for document in found if document not in chain]
    assert others == sorted(others), "the others keep their order"
    if kind == "distance":
        assert at[-1] == 4 and all(b - a == distance + 1 for a, b in zip(at, at[1:]))
    else:
        assert sorted(at) == sorted(chain), "the same places"
        assert at == sorted(at, reverse=kind == "backward")


def test_pieces_are_documents_too():
    prompt = Prompt(say="Read.", one="Ann has a.", two="Bob has b.", three="Cid has c.", question="Who?")
    edited = Permute(("one", "two", "three"), "backward").edit(prompt)
    assert list(edited.pieces) == ["say", "three", "two", "one", "question"]
    assert edited.text == "Read. Cid has c. Bob has b. Ann has a. Who?"
    assert Permute(["three", "one"], ("three", "one")).edit(prompt).text.startswith("Read. Cid has c. Bob has b. Ann")
    nested = Prompt(one="Ann", two="Ann and Bob")
    assert Permute(("one", "two"), ("two", " Ann ")).edit(nested).text == "Ann and Bob Ann", "the whole text goes first"
    lines = Prompt(context="A is b.\nC is d.\nE is f.")
    assert Permute("context", "backward").edit(lines).text == "E is f.\nC is d.\nA is b.", "the lead is the place's"
    parts = Permute(("context",), "backward").edit(FACTS.split("context"))
    assert parts.text == Permute("context", "backward").edit(FACTS).text, "a name stands for all parts"


def test_every_reading_is_told_alike():
    permute = Permute("context", "backward", gold=CHAIN)
    assert Setup([permute, Reread()]).edit(FACTS).text == Setup([Reread(), permute]).edit(FACTS).text


@pytest.mark.parametrize("family", ["llama", "gpt2"])
@pytest.mark.parametrize("idle", [("original",), ("forward", (1, 3)), ((0, 1, 2, 3, 4),), ("backward", (2,))])
def test_the_order_told_is_idle_bit_for_bit(family, idle):
    lm = lm_of(family)
    trace = ct.run(lm, FACTS, Permute("context", *idle))
    assert torch.equal(trace.logits, plain(lm, ct.run(lm, FACTS).ids)), "a chain of one hop has one order"


def test_words_are_found_wherever_they_went():
    lm = ct.load()
    problem = ct.tasks.get("hunt").generate(0, 3)
    base = ct.run(lm, problem.prompt)
    moved = ct.run(lm, problem.prompt, Permute("context", "backward", gold=problem.steps))
    comparison = ct.compare(base, moved)
    assert len(comparison.pairs) == len(base.tokens)
    assert all(base.tokens[i] == moved.tokens[j] for i, j in comparison.pairs)
    assert sorted(j for _, j in comparison.pairs) == list(range(len(moved.tokens))) and base.ids != moved.ids
    ordered = ct.tasks.get("hunt").generate(0, 3, order="backward")
    assert Permute("context", "backward", gold=ordered.steps).edit(ordered.prompt).text == ordered.prompt.text


def test_without_positions_and_under_a_prefix_mask_the_order_is_nothing():
    config = AutoConfig.for_model("smollm3", **BASE, no_rope_layers=[0, 0, 0])
    torch.manual_seed(0)
    lm = ct.wrap(AutoModelForCausalLM.from_config(config).eval(), TOKENIZER)
    prompt = Prompt(say="Read:", context=FACTS.pieces["context"], question="Who?", cue="Answer:")
    lifted = Mask("prefix")
    orders = [Permute("context", order) for order in list(permutations(range(5)))[::25]]
    for setup, changes in ((lifted, False), (None, True)):
        last = [ct.run(lm, prompt, *filter(None, [order, setup])).logits[-1] for order in orders]
        gaps = [float((one - last[0]).abs().max()) for one in last[1:]]
        assert (min(gaps) > 1e-5) == changes and (max(gaps) < 1e-5) != changes, gaps


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (lambda: Permute("context", "sideways"), "'sideways'"),
        (lambda: Permute("context", 3), r"Permute\(order=3\)"),
        (lambda: Permute(3), r"Permute\(documents=3\)"),
        (lambda: Permute("context", gold=2.5), r"Permute\(gold=2.5\)"),
        (lambda: Permute("context", distance=-1), r"distance=-1"),
        (lambda: Permute("context", seed="a"), "seed='a'"),
        (lambda: told("forward", ("Zoe",)), "(?s)the document 'Zoe'.*0 such among"),
        (lambda: told("forward", ("has",)), "(?s)the document 'has'.*5 such among"),
        (lambda: told("forward", (5,)), "the document 5"),
        (lambda: told("forward", (-1,)), "the document -1"),
        (lambda: told("forward", (1, "Bob")), "(?s)the chain.*twice"),
        (lambda: told((0, 1, 2)), "(?s)5 documents.*each of them once"),
        (lambda: told((0, 1, 2, 3, 3)), "each of them once"),
        (lambda: told("distance", CHAIN, distance=2), r"(?s)3 documents with 2 others.*2 others.*up to 1"),
        (lambda: Permute("nowhere").edit(FACTS), "the piece 'nowhere'"),
        (lambda: Permute(("question", "nowhere")).edit(FACTS), "the piece 'nowhere'"),
        (lambda: Split(3), r"Split\(3\)"),
        (lambda: FixedPrefix(None), r"FixedPrefix\(None\)"),
        (lambda: Echo(phrase=4), "phrase=4"),
        (lambda: Setup([Echo(), Echo()]).edit(FACTS), "an echo already"),
        (lambda: Echo().edit(Prompt(cue="Answer:")), "of which none is re-read"),
    ],
)
def test_what_cannot_be_told_is_refused(make, found):
    with pytest.raises(CtkitError, match=found) as caught:
        make()
    assert caught.value.remedy


# --- echo and a fixed prefix ---


def test_an_echo_is_a_rewriting_that_is_the_same():
    assert Echo().edit(PROMPT).text == (
        "Rewrite the following paragraph: Ann has a. Who? The rewritten paragraph: Ann has a. Who? Answer:"
    )
    assert Echo(ask="", phrase="").edit(PROMPT).text == "Ann has a. Who? Ann has a. Who? Answer:"
    assert [p.name for p in Echo().edit(PROMPT).parts] == [
        "form", "context", "question", "phrase (2)", "context (2)", "question (2)", "cue",
    ]  # fmt: skip
    lm = lm_of("llama")
    comparison = ct.compare(ct.run(lm, PROMPT), ct.run(lm, PROMPT, Echo()))
    assert comparison.tokens == comparison.before.tokens
    second = range(len(comparison.after.ids))[comparison.after.spans["context (2)"]]
    assert comparison.align[3] in second, "a word is where it was read last"


def early(lm, late: str, *setup) -> torch.Tensor:
    """The mean stream over the early part of a text, in its last reading, leaving the last block."""
    trace = ct.run(lm, Prompt(early="Ann and Bob,", late=late), *setup)
    name = "early (2)" if "early (2)" in trace.spans else "early"
    return trace.residual(lm.n_layers)[trace.spans[name]].mean(0)


@pytest.mark.parametrize("family", ["llama", "gpt2", "gemma2"])
def test_only_an_echo_tells_early_words_of_late_ones(family):
    lm, blind = lm_of(family), Knockout("reading 2", "reading 1")
    classical, echo, blocked = (
        (early(lm, "they came", *setup) - early(lm, "they left", *setup)).abs().max()
        for setup in ((), (Echo(),), (Echo(), blind))
    )
    assert classical == 0
    assert blocked == 0
    assert echo > 1e-3


def test_a_fixed_prefix_stands_in_front():
    assert FixedPrefix("Be brief.").edit(PROMPT).text == "Be brief. Ann has a. Who? Answer:"
    assert FixedPrefix("Be brief.\n").edit(PROMPT).text == "Be brief.\nAnn has a. Who? Answer:"
    assert FixedPrefix("").edit(PROMPT) == PROMPT
    two = Setup([FixedPrefix("One."), FixedPrefix("Two.")]).edit(PROMPT)
    assert two.text.startswith("Two. One. Ann") and list(two.pieces)[:2] == ["prefix 2", "prefix"]
    lm = lm_of("llama")
    trace = ct.run(lm, PROMPT, FixedPrefix("Be brief.\n"))
    comparison = ct.compare(ct.run(lm, PROMPT), trace)
    assert len(comparison.pairs) == len(PROMPT.text), "every word is found again"
    assert comparison.fold[: trace.spans["prefix"].stop] == (-1,) * len("Be brief.\n"), "the prefix is new"
    assert [j for _, j in comparison.pairs] == list(range(len("Be brief.\n"), len(trace.ids)))


def test_a_prefix_that_nobody_sees_is_not_there():
    lm = lm_of("llama")
    cut = [FixedPrefix("Be brief.\n"), Knockout("after prefix", "prefix")]
    blind, base = ct.run(lm, PROMPT, *cut), ct.run(lm, PROMPT)
    torch.testing.assert_close(blind.logits[-len(base.ids) :], base.logits, **TOLERANCE)
    assert not torch.allclose(ct.run(lm, PROMPT, cut[0]).logits[-1], base.logits[-1], atol=1e-3)


# --- the laws, for each ---


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_of_the_text_keeps_the_laws(name):
    lm, setup = lm_of("llama"), Setup(EDITS[name])
    runs = [ct.generate(lm, FACTS, setup, max_new_tokens=4, cache=cache) for cache in ("dynamic", "static", "none")]
    assert runs[0].ids == runs[1].ids == runs[2].ids
    trace = ct.run(lm, FACTS, setup)
    assert list(trace.ids) == TOKENIZER(setup.edit(FACTS).text)["input_ids"]
    torch.testing.assert_close(run_many(lm, ["short", (FACTS, setup)])[1].logits, trace.logits, **TOLERANCE)
    for again in (Setup.from_json(setup.to_json()), eval(setup.to_code(), {"ct": ct})):
        assert again == setup and hash(again) == hash(setup)
        assert torch.equal(ct.run(lm, FACTS, again).logits, trace.logits)
    known = {place[:2] for place in trace.encoding.places}
    lost = [
        p
        for p, token in zip(encode(lm, FACTS).places, encode(lm, FACTS).tokens)
        if token.strip() and p[:2] not in known
    ]
    assert all(origin == "cue" for origin, _, _ in lost), "every word is still told"
    comparison = ct.compare(ct.run(lm, FACTS), trace)
    assert all(comparison.before.tokens[i] == trace.tokens[j] for i, j in comparison.pairs)
    composed = ct.run(lm, FACTS, setup, Mask("window", size=30), Knockout("every context", 0))
    assert composed.logits.isfinite().all()
