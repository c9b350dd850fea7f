"""The card's section on emphasis, on a small random model: what holds for any model, and that it is written."""

import json

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

import ctkit as ct
from ctkit import Emphasize
from ctkit.engine.lm import LM
from ctkit.tasks import get
from ctkit.zoo.effects import emphasis
from ctkit.zoo.tokenizer import make_tokenizer


def random_lm() -> LM:
    """Two blocks of four heads over the corpus' words, untrained."""
    torch.manual_seed(0)
    tokenizer = make_tokenizer()
    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = LlamaConfig(vocab_size=len(tokenizer), max_position_embeddings=512, **sizes)
    return ct.wrap(LlamaForCausalLM(config), tokenizer)


@pytest.fixture(scope="module")
def lm():
    return random_lm()


@pytest.fixture(scope="module")
def results(lm):
    return [getattr(emphasis, name)(lm, *arguments) for name, arguments in emphasis.jobs(4, 100)]


def test_alpha_1_is_identity(results):
    assert [result["control"] for result in results] == [0, 0, 0]


def test_the_controls_can_fail(lm):
    problems = [get("emphasis").generate(seed, 2) for seed in range(3)]
    assert emphasis.moved(lm, problems, [Emphasize(emphasis.newer(p), 0.9) for p in problems]) > 1e-4


def test_every_choice_of_heads_is_there(results):
    labels = [(row["label"], row["alpha"], len(row["heads"])) for result in results for row in result["rows"]]
    expected = [("all heads", 8), ("block 0", 4), ("block 1", 4), ("best 1", 1), ("best 2", 2), ("best 4", 4)]
    assert labels == [(label, alpha, n) for label, n in expected for alpha in (0.1, 0.01)]
    few = results[2]
    ranked = [tuple(entry[:2]) for entry in few["profile"]]
    assert sorted(ranked) == [(layer, head) for layer in range(2) for head in range(4)]
    assert [row["heads"] for row in few["rows"]][-1] == ranked[:4]
    assert [entry[2] for entry in few["profile"]] == sorted((entry[2] for entry in few["profile"]), reverse=True)


def test_the_few_are_chosen_on_other_problems(lm, monkeypatch):
    drawn = []
    task, generate = get("emphasis"), type(get("emphasis")).generate
    monkeypatch.setattr(
        type(task), "generate", lambda self, seed, level=None: drawn.append(seed) or generate(self, seed, level)
    )
    emphasis.measure(lm, 4, 100, "few heads")
    assert set(drawn) == {100, 101, 102, 103, 50_100}


def test_answers_are_new_old_or_neither(lm, monkeypatch):
    problems = [get("emphasis").generate(seed, 2) for seed in range(3)]
    notes = [emphasis.note_of(problem) for problem in problems]
    monkeypatch.setattr(emphasis, "written", lambda *_: [notes[0].new, notes[1].old, notes[2].thing])
    assert emphasis.says(lm, problems, [[]] * 3) == ["new", "old", ""]


def test_a_stretch_is_as_long_as_the_fact_and_inside_the_context(lm):
    hunts = [get("hunt").generate(seed, 1) for seed in range(20)]
    found = emphasis.stretches(lm, hunts, 9)
    for hunt, places in zip(hunts, found, strict=True):
        span = emphasis.encode(lm, hunt.prompt).span("context")
        assert list(places) == list(range(places[0], places[0] + 9))
        assert span.start <= places[0] and places[-1] < span.stop
    assert len({places[0] for places in found}) > 5
    fact = get("emphasis").generate(0, 2)
    assert len(emphasis.places_of(emphasis.encode(lm, fact.prompt), emphasis.newer(fact))) == 9


def test_the_page_says_the_figures(results):
    page = emphasis.section(json.loads(json.dumps(results)))
    row = results[0]["rows"][1]
    assert f"| all heads | 0.01 | {100 * row['newer']['after'][0]:.0f} (" in page
    assert "| none | 1 | " in page and "| best 4 | 0.1 | " in page
    assert "the largest change of a logit is 0." in page
