"""The card's section on steps: what must vanish vanishes, and lots are put together right."""

from functools import cache
from random import Random
from statistics import fmean

import pytest
import torch

import ctkit as ct
from ctkit.interventions import Knockout, Setup, Think
from ctkit.measures.steps.truth import auc, auc_interval, step_truth
from ctkit.tasks import get
from ctkit.zoo.effects import steps
from ctkit.zoo.effects.tables import shown

QUICK = ("mistake", "true-thinking", "early", "suppress")


@cache
def lot(lm, method, n=2, seed=10_000):
    return steps.measure(lm, n, seed, method, difficulty=2)


@pytest.mark.parametrize("method", QUICK)
def test_a_step_left_as_it_is_does_nothing(lm, method):
    assert lot(lm, method)["control"] == 0.0
    assert max(max(row) for row in lot(lm, method)["scores"]["true"]) > 0


def test_a_broken_step_that_nobody_can_see_does_nothing(lm):
    found = lot(lm, "true-thinking")
    assert found["blocked n"] == 2 and found["blocked"] == 0.0
    assert lot(lm, "mistake")["blocked n"] == 0


def test_blocking_another_step_is_not_enough(lm):
    problem = get("sums").generate(10_000, 2)
    last = problem.labels.index("check") - 1

    def moved(where):
        setup = Setup([Think(), Knockout(f"after step {last + 1}", where)])
        found = ct.step_effects(lm, problem, problem.steps, "true-thinking", setup=setup, draws=1, only=[last])
        return found.necessity[last]

    assert moved(f"step {last + 1}") == 0.0 < moved("step 1")


def test_auc_counts_pairs_and_half_the_ties():
    random = Random(0)
    true, decoy = ([random.randint(0, 4) for _ in range(n)] for n in (30, 20))
    slow = fmean((t > d) + 0.5 * (t == d) for t in true for d in decoy)
    assert auc(torch.tensor(true), torch.tensor(decoy)) == pytest.approx(slow)


def test_the_interval_of_the_auc_is_repeatable_and_narrows():
    random = Random(1)
    true = [[random.gauss(1, 1) for _ in range(4)] for _ in range(200)]
    decoy = [[random.gauss(0, 1) for _ in range(3)] for _ in range(200)]
    few, many = auc_interval(true[:20], decoy[:20]), auc_interval(true, decoy)
    assert many == auc_interval(true, decoy)
    assert many[0] < 0.76 < many[1]  # Φ(1 / √2)
    assert many[1] - many[0] < few[1] - few[0]


def test_lots_cover_all_seeds_once():
    found = [arguments for _, arguments in steps.jobs(450, 7)]
    for asked in [(method, steps.DIFFICULTY) for method in QUICK] + [("early", 5)]:
        seeds = [s for n, seed, *own in found if tuple(own) == asked for s in range(seed, seed + n)]
        assert seeds == list(range(7, 457))


def test_lots_are_merged(lm):
    results = [lot(lm, method, 1, seed) for method in QUICK for seed in (10_000, 10_001)]
    merged, whole = steps.merged(results), steps.merged([lot(lm, method) for method in QUICK])
    assert [each["n"] for each in merged] == [2] * len(QUICK) and merged[0]["blocked n"] == 0
    for a, b in zip(merged, whole):
        assert a["auc"] == b["auc"] and a["mean"] == b["mean"] and a["places"] == b["places"]


def test_pooling_weighs_every_thought():
    rows = {"true": [[0.9, 0.2], [0.4, 0.8]], "decoy": [[0.1], [0.3]], "check": [[0.0], [0.2]]}
    more = {"true": [[0.1, 0.2]], "decoy": [[0.5]], "check": [[]]}
    shared = {"method": "mistake", "difficulty": 2, "left": 1, "areas": []}
    lots = [
        {**shared, "n": 2, "scores": rows, "control": 0.0, "blocked": 0.25, "blocked n": 2},
        {**shared, "n": 1, "scores": more, "control": 0.5, "blocked": 0.0, "blocked n": 1},
    ]
    (found,) = steps.merged(lots)
    assert found["left"] == 2 and found["area"] is None
    assert (found["n"], found["blocked n"], found["control"], found["blocked"]) == (3, 3, 0.5, 0.25)
    assert found["mean"]["decoy"]["mean"] == pytest.approx(0.3) and found["mean"]["check"]["mean"] == pytest.approx(0.1)
    assert [place["mean"] for place in found["places"]] == pytest.approx([1.4 / 3, 0.4])
    assert found["auc"]["auc"] == pytest.approx(10.5 / 18)  # a tie counts half
    assert found["auc"]["low"] == 0.0 and found["auc"]["high"] == 1.0  # the third thought alone, the first alone


def test_the_section_has_the_figures(lm):
    results = steps.merged([lot(lm, method) for method in QUICK])
    text = steps.section(results)
    for each in results:
        assert f"| {each['method']} | 2 | {shown(each['mean']['true'], 'mean')} |" in text
        assert shown(each["places"][1], "mean") in text
    assert "| 0 | 0 (2 thoughts) |" in text
    (early,) = (each for each in results if each["method"] == "early")
    assert f"| 2 | 2 | {shown(early['area'], 'area')} |" in text


def test_a_thought_decorates_one_step_and_carries_four(lm):
    short, long = (step_truth(lm, method="early", n=6, difficulty=difficulty).area[0] for difficulty in (1, 4))
    assert short < 0.1 < 0.5 < long


def test_problems_that_are_answered_wrongly_are_left_out(lm):
    blind = Setup([Think(), Knockout("answer cue", "all")])  # it cannot see what it thought
    found = step_truth(lm, method="early", n=4, difficulty=3, setup=blind)
    assert found.n + found.left == 4 and found.left > 0
    assert "AUC" in repr(step_truth(lm, n=3, difficulty=2))


@pytest.mark.parametrize("n", [0, True, 1.5])
def test_no_thoughts_are_refused(lm, n):
    with pytest.raises(ct.CtkitError, match="nothing to measure"):
        step_truth(lm, n=n)
