"""The card's section on steering, on a small random model: what holds for any model, and that it is written."""

import json

import pytest
import torch

from ctkit.interventions import Direction
from ctkit.tasks import get
from ctkit.zoo.effects import steering

from .test_effects_emphasis import random_lm

N = 16


@pytest.fixture(scope="module")
def lm():
    return random_lm()


@pytest.fixture(scope="module")
def results(lm):
    patch = pytest.MonkeyPatch()
    for name, value in {"RANDOM": 2, "SHUFFLED": 2, "NEUTRAL": 6}.items():
        patch.setattr(steering, name, value)
    yield [getattr(steering, name)(lm, *arguments) for name, arguments in steering.jobs(N, 100) if arguments[2] == 1]
    patch.undo()


def test_each_concept_is_steered_in_each_block():
    jobs = steering.jobs(N, 100)
    assert [each[2] for name, each in jobs if name == "mood"] == [0, 1, 2, 3]
    assert [each[2:] for name, each in jobs if name == "code"] == [
        *((i, "all") for i in range(4)), *((i, "last") for i in range(1, 4))
    ]  # fmt: skip


def test_strength_nought_is_the_plain_model(results):
    for found in results:
        assert found["control"] == 0 and found["kl"]["0.0"] == 0


def test_the_share_moves_and_costs_something(results):
    for found in results:
        assert found["n"] == N and found["kl"]["4.0"] > found["kl"]["1.0"] > 0
        assert found["share"]["4.0"]["mean"] != found["share"]["-4.0"]["mean"]


def test_random_directions_cost_as_much(results):
    for found in results:
        assert found["random"]["kl"] == pytest.approx(found["kl"]["4.0"], rel=0.3)
        assert 0 < found["random"]["mean"] <= found["random"]["most"]


def test_shares_are_of_the_two_sides(lm):
    prompts = [get("code").generate(seed, 2).prompt for seed in range(5)]
    direction = Direction(torch.ones(lm.d_model), 1)
    chances = steering.next_words(lm, prompts, None)
    sides = [3, 4], [5]
    found = steering.shares(lm, prompts, direction, 0.0, sides)
    expected = (chances[:, 3] + chances[:, 4]) / (chances[:, 3] + chances[:, 4] + chances[:, 5])
    assert found == pytest.approx(expected.tolist())


def test_prompts_that_name_a_language_differ_in_nothing_else():
    python, cpp = (steering.asking(language, 3, 7) for language in ("Python", "C++"))
    assert [p.text.replace("Python", "C++") for p in python] == [p.text for p in cpp]


def test_another_direction_is_as_long():
    direction = Direction(torch.full((16,), 2.0), 1)
    assert steering.as_long(torch.randn(16), direction).vector.norm().item() == pytest.approx(8.0)


def test_the_section_tells_every_figure(results):
    text = steering.section(json.loads(json.dumps(results)))
    for found in results:
        assert f"KL {found['random']['kl']:.2f}" in text and f"{found['share']['4.0']['mean']:.2f} (" in text
    assert f"(most {results[1]['shuffled']['most']:.3f})" in text
