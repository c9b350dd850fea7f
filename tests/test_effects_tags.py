"""The card's section on tags at their slots: controls that hold for any model, and what is written."""

from functools import cache

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

import ctkit as ct
from ctkit.tasks import get
from ctkit.tasks.tags import AGAIN, LAST
from ctkit.zoo.effects import tags
from ctkit.zoo.tokenizer import make_tokenizer

N = 6
CAUSAL = ("causal", "window", "blind")  # forms in which nothing later can be seen
FUTURE = ("mask lifted", "prefix", "re-read")


@cache
def model():
    torch.manual_seed(0)
    tokenizer = make_tokenizer()
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = LlamaConfig(vocab_size=len(tokenizer), initializer_range=0.2, **sizes)
    return ct.wrap(LlamaForCausalLM(config), tokenizer)


@cache
def cells():
    return [getattr(tags, name)(model(), *arguments) for name, arguments in tags.jobs(N, 10_000)]


def test_what_stands_later_moves_nothing_where_it_cannot_be_seen():
    for cell in cells():
        assert all(cell["exchanged"][form] == 0 for form in CAUSAL), cell["exchanged"]
        assert all(cell["exchanged"][form] > 1e-3 for form in FUTURE), cell["exchanged"]


def test_an_exchange_leaves_the_first_half_and_the_number_of_tokens():
    problem = get("tags").generate(3, 2)
    old, new = problem.prompt.pieces["context"], tags.with_others(problem, 5).pieces["context"]
    read, changed = tags.read_words(old), tags.read_words(new)
    assert read[:5] == changed[:5] and not set(read) & set(changed[5:])
    assert len(old.split()) == len(new.split()) and old.count("_") == new.count("_")


@pytest.mark.parametrize("form", tags.FORMS)
def test_every_slot_is_read_behind_its_word(form):
    problems = [get("tags").generate(i, 1) for i in range(2)]
    found = list(tags.at_slots(model(), [p.prompt for p in problems], form))
    setup, piece = tags.FORMS[form]
    for problem, logits in zip(problems, found):
        trace = ct.run(model(), problem.prompt, *setup)
        words = tags.read_words(problem.prompt.pieces["context"])[: -tags.TAIL]
        places = [i for i in range(*trace.spans[piece].indices(999)) if trace.tokens[i] == " _"]
        assert [trace.tokens[i - 1].strip() for i in places] == words
        ids = [model().tokenizer.encode(f" {tag}", add_special_tokens=False)[0] for tag in (AGAIN, LAST)]
        torch.testing.assert_close(logits, trace.logits[places][:, ids], atol=1e-4, rtol=1e-4)


def test_the_likelier_tag_is_the_guess():
    assert tags.guesses(torch.tensor([[2.0, 1.0], [1.0, 2.0]])) == [AGAIN, LAST]


def test_the_past_alone_is_an_even_chance():
    problems = [get("tags").generate(i, 3) for i in range(600)]
    guesses = tags.past_reader(problems[300:], problems[:300])
    found = tags.score([tags.matches(g, get("tags").tags(p)) for g, p in zip(guesses, problems)])
    assert found["low"] < 0.5 < found["high"] and found["high"] - found["low"] < 0.06


def test_slots_of_one_list_widen_the_interval():
    apart = tags.score([[True, False, True, False]] * 20 + [[False, True, True, False]] * 20)
    mixed = tags.score([[True, True, False, False], [True, False, False, False], [True, True, True, False]] * 20)
    together = tags.score([[True] * 4, [False] * 4] * 20)
    width = {name: s["high"] - s["low"] for name, s in (("mixed", mixed), ("together", together))}
    assert apart["accuracy"] == mixed["accuracy"] == together["accuracy"] == 0.5
    low, high = tags.wilson(20, 40)
    assert width["mixed"] < width["together"] == pytest.approx(high - low)
    everything = tags.score([[True] * 4] * 40)
    assert everything["high"] == pytest.approx(1) and 0.9 < everything["low"] < 1


def test_the_section_has_every_form_and_difficulty():
    text = tags.section(cells())
    for form in [*tags.FORMS, tags.PAST]:
        assert text.count(f"| {form} |") == 1
    shown = cells()[-1]["accuracy"]["mask lifted"]
    assert tags.percent(shown["accuracy"], shown["low"], shown["high"]) in text
    assert f"{6 * N}, {10 * N}, {14 * N} slots" in text
