"""Steps drawn anew: what counts as another step, the difference of shares by hand, and what cannot be measured."""

import math
from collections import Counter

import pytest

import ctkit as ct
from ctkit import CtkitError
from ctkit.measures.intervals import share_difference
from ctkit.measures.steps import step_effects
from ctkit.measures.steps.resample import (
    Rollout,
    anew,
    counterpart,
    divergence,
    jensen_shannon,
    normal,
    overlap,
    resample,
)
from ctkit.measures.steps.thought import Thought

HOT = {"temperature": 2.0, "rollouts": 8}
PROBLEM = ct.tasks.get("sums").generate(2, 2)


def same(step, other):
    return float(normal(step) == normal(other))


@pytest.fixture(scope="module")
def hot(lm):
    return step_effects(lm, PROBLEM, PROBLEM.steps, "resample", options=HOT)


def test_the_counterpart_of_a_step_is_as_long():
    text = "b = 3.5. So c = 4! Then d."
    assert counterpart("a = 3.", text) == "b = 3.5."
    assert counterpart("a = 3. b = 4.", text) == "b = 3.5. So c = 4!"
    assert counterpart("a = 3", text) == "b = 3.5."
    assert counterpart("a", text) == "b"
    assert counterpart("a = 3.", "") == counterpart("a", "") == ""


def test_likeness_overlooks_case_spaces_and_end_marks():
    assert normal("  So B =  4 ! ") == normal("so b = 4") != normal("so b = 5")
    assert overlap("a = 3.", "a = 3") == 1.0 and overlap("a = 3.", "x y") == 0.0 and overlap("", ".") == 1.0
    assert overlap("a b c", "a b d") == pytest.approx(0.5)


def test_shares_and_their_difference_by_hand():
    without = [Rollout("b = 4.", "9"), Rollout("b = 4.", "7"), Rollout("B = 3", "7"), Rollout("", "")]
    kept = [Rollout("", "7")] * 3 + [Rollout("", "1")]
    found = anew("b = 3.", "7", without, kept, same, 0.8)
    assert (found.kept, found.others, found.similar) == (0.75, pytest.approx(1 / 3), 0.25)
    assert found.score == pytest.approx(0.75 - 1 / 3) and found.interval == share_difference(3, 4, 1, 3)
    assert found.overdetermined == 0.25 and found.example == "b = 4."
    p = {a: (n + 1) / 7 for a, n in {"9": 1, "7": 1, "": 1, "1": 0}.items()}
    q = {a: (n + 1) / 8 for a, n in {"9": 0, "7": 3, "": 0, "1": 1}.items()}
    assert found.kl == pytest.approx(sum(p[a] * math.log(p[a] / q[a]) for a in p))


def test_the_same_answers_either_way_are_no_effect():
    kept = [Rollout("", "7")] * 5
    found = anew("b = 3.", "7", [Rollout("c = 1.", "7")] * 5, kept, same, 0.8)
    assert found.score == found.kl == found.jensen_shannon == 0.0 and found.interval[0] < 0 < found.interval[1]
    away = anew("b = 3.", "7", [Rollout("c = 1.", "2")] * 5, kept, same, 0.8)
    assert away.score == 1.0 and away.jensen_shannon == pytest.approx(math.log(2)) and away.kl < math.inf


def test_without_another_step_nothing_is_measurable():
    found = anew("b = 3.", "7", [Rollout("b = 3.", "7")] * 6, [Rollout("", "7")] * 6, same, 0.8)
    assert math.isnan(found.score) and all(map(math.isnan, found.interval)) and math.isnan(found.kl)
    assert found.similar == 1.0 and found.overdetermined == pytest.approx(5 / 6)


def test_the_median_parts_the_draws():
    draws = [Rollout(step, "7") for step in ("a b c d", "a b c x", "a b y x", "z")]
    kept = [Rollout("", "7")] * 2
    assert anew("a b c d", "7", draws, kept, overlap, "median").similar == 0.5
    assert anew("a b c d", "7", draws, kept, overlap, 0.5).similar == 0.5
    assert anew("a b c d", "7", draws, kept, overlap, 0.3).similar == 0.75
    assert anew("q", "7", draws, kept, overlap, "median").similar == 0.0, "nothing in common is never alike"
    assert math.isnan(anew("z", "7", draws[3:], kept, overlap, "median").score), "all the same step"


def test_divergences_of_lots_of_answers():
    p, q = Counter(a=6, b=2), Counter(a=3, c=9)
    assert divergence(p, p) == jensen_shannon(q, q) == 0.0
    by_hand = sum(x * math.log(x / y) for x, y in ((7 / 11, 4 / 15), (3 / 11, 1 / 15), (1 / 11, 10 / 15)))
    assert divergence(p, q) == pytest.approx(by_hand)
    assert jensen_shannon(p, q) == pytest.approx(jensen_shannon(q, p)) and jensen_shannon(p, q) < math.log(2)


def test_the_difference_of_shares_has_newcombes_interval():
    assert share_difference(56, 70, 48, 80) == pytest.approx((0.0524, 0.3339), abs=1e-4)  # the paper's first example
    low, high = share_difference(0, 10, 0, 20)
    assert low == pytest.approx(-0.1611, abs=1e-4) and high == pytest.approx(0.2775, abs=1e-4)


def test_the_score_is_what_the_rollouts_say(lm, hot):
    thought = Thought.of(lm, PROBLEM, PROBLEM.steps)
    (again,) = {tuple(e.scores) for e in list(resample(thought, 4, 0, only=range(len(PROBLEM.steps)), **HOT))[-1:]}
    n = len(PROBLEM.steps)
    assert hot.done == n and any(not math.isnan(score) for score in hot.scores)
    for i in range(n):
        assert (math.isnan(hot.scores[i]) and math.isnan(again[i])) or hot.scores[i] == again[i]
        kept, others = hot.evaluations["the step kept"][i], hot.evaluations["another step in its place"][i]
        assert 0 <= kept <= 1
        if not math.isnan(hot.scores[i]):
            assert hot.scores[i] == pytest.approx(kept - others) and hot.broken[i] is not None
            assert hot.intervals[i][0] <= hot.scores[i] <= hot.intervals[i][1]
            assert normal(hot.broken[i]) != normal(PROBLEM.steps[i])
        assert hot.extras["similar"][i] < 1 or math.isnan(hot.scores[i])


def test_the_rollouts_of_the_next_step_are_drawn_once(lm, monkeypatch):
    from ctkit.measures.steps import resample as module

    drawn = []
    real = module.generate_many

    def counted(lm, prompts, *setup, **options):
        drawn.append(options["seed"])
        return real(lm, prompts, *setup, **options)

    monkeypatch.setattr(module, "generate_many", counted)
    thought = Thought.of(lm, PROBLEM, PROBLEM.steps)
    before, _ = thought.reader.cost
    effects = list(resample(thought, 4, 3, only=[0, 1], **HOT))[-1]
    seeds = [seed for lot in drawn for seed in lot]
    assert len(seeds) == len(set(seeds)) == 3 * 8, "places 0, 1 and 2, each thought with dice of its own"
    assert thought.reader.cost[0] > before and effects.passes > 0
    assert effects.done == 2 and math.isnan(effects.scores[2])


def test_a_subset_has_the_same_numbers(lm, hot):
    last = len(PROBLEM.steps) - 1
    one = step_effects(lm, PROBLEM, PROBLEM.steps, "resample", only=[last], options=HOT)
    assert one.evaluations["the step kept"][last] == hot.evaluations["the step kept"][last]
    assert one.extras["similar"][last] == hot.extras["similar"][last]


def test_at_temperature_0_nothing_is_measurable(lm):
    cold = step_effects(lm, PROBLEM, PROBLEM.steps, "resample", options={"temperature": 0, "rollouts": 2})
    assert all(map(math.isnan, cold.scores)) and cold.extras["similar"] == [1.0] * len(PROBLEM.steps)
    assert cold.evaluations["the step kept"] == [1.0] * len(PROBLEM.steps)


def test_a_step_that_the_model_would_not_write_is_measured_greedily(lm):
    """At temperature 0 the model writes another step than a wrong one; its draws are then all dissimilar."""
    wrong = [PROBLEM.steps[0], *(step.replace("= ", "= 1 + ") for step in PROBLEM.steps[1:2]), *PROBLEM.steps[2:]]
    effects = step_effects(lm, PROBLEM, wrong, "resample", only=[1], options={"temperature": 0, "rollouts": 2})
    assert effects.extras["similar"][1] == 0.0 and not math.isnan(effects.scores[1])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rollouts": 1}, "rollouts=1"),
        ({"rollouts": 2000}, "rollouts=2000"),
        ({"rollouts": "many"}, "rollouts='many'"),
        ({"temperature": -1}, "temperature=-1"),
        ({"temperature": "hot"}, "temperature='hot'"),
        ({"threshold": 0}, "threshold=0"),
        ({"threshold": "mean"}, "threshold='mean'"),
        ({"similarity": "taste"}, "similarity 'taste'"),
    ],
)
def test_what_cannot_be_drawn_is_refused(lm, options, words):
    with pytest.raises(CtkitError, match=words):
        step_effects(lm, PROBLEM, PROBLEM.steps, "resample", options=options)
