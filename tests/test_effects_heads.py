"""The card's section on retrieval heads, on a small random model: what holds for any model, and that it is written."""

import json

import pytest

import ctkit as ct
from ctkit.measures import heads as measured
from ctkit.tasks import get
from ctkit.zoo.effects import heads

from .test_effects_emphasis import random_lm


@pytest.fixture(scope="module")
def lm():
    return random_lm()


@pytest.fixture
def found(lm, monkeypatch):
    monkeypatch.setattr(measured, "_answered_right", lambda lm, problems, setup: problems)
    monkeypatch.setattr(heads, "any", lambda answers: True, raising=False)  # as if the model could do some
    [(name, arguments)] = heads.jobs(6, 100)
    return getattr(heads, name)(lm, *arguments)


def test_no_head_knocked_out_is_identity(found):
    assert found["control"] == 0
    assert found["n"] == found["right"] == 6 and len(found["scores"]) == 8


def test_random_heads_are_other_heads(found):
    assert len(found["draws"]) == heads.DRAWS
    for draw in found["draws"]:
        assert not set(draw["heads"]) & set(found["top"]) and len(set(draw["heads"])) == heads.TOP
    scores = {(layer, head): score for layer, head, score in found["scores"]}
    assert min(scores[head] for head in found["top"]) >= max(scores[h] for h in scores if h not in found["top"])


def test_needle_and_haystack_are_the_context(lm):
    problem = get("copy").generate(3, 3)
    [keys] = heads.places(lm, [problem])
    context = heads.places_of(heads.encode(lm, problem.prompt), "context")
    assert sorted([*keys["needle"], *keys["haystack"]]) == context
    assert 0 < len(keys["needle"]) < len(keys["haystack"])


def test_a_knock_out_takes_the_sight_of_its_heads_alone(lm):
    problem = get("copy").generate(3, 3)
    trace = ct.run(lm, problem.prompt.then(answer=problem.answer), heads.cut([(0, 1), (1, 3)], "context"))
    context, behind = trace.spans["context"], slice(trace.spans["cue"].start, len(trace.ids))
    for layer in range(2):
        for head in range(4):
            mass = trace.attention(layer, head)[behind, context].sum(-1)
            assert (mass == 0).all() if (layer, head) in ((0, 1), (1, 3)) else (mass > 0).all()


def test_the_page_says_the_figures(found):
    page = heads.section([json.loads(json.dumps(found))])
    assert "| nothing | 6 | " in page and "the needle alone" in page and f"{heads.DRAWS} × " in page
    assert f"{100 * found['rows']['needle']['after'][0]:.0f} (" in page
    layer, head, score = found["scores"][0]
    assert f"| {layer}, {head} | {score:.2f} |" in page
    assert page.rstrip().endswith("No head knocked out: the largest change of a logit is 0.")


def test_shares_and_differences_are_of_the_same_problems():
    row = heads.against([True, True, False, False], [True, False, False, True])
    assert row["before"][0] == row["after"][0] == 0.5 and row["difference"][0] == 0 and row["n"] == 4
    assert heads.against([False] * 4, [True] * 4)["difference"][0] == 1


def test_a_model_that_copies_nothing_has_no_such_heads(lm):
    found = heads.measure(lm, 4, 100)
    assert found == {"difficulty": 3, "n": 4, "right": 0}
    assert "none of 4 problems is answered right" in heads.section([found])
