"""The effect on a population: scoring, pairing, the interval."""

import random

import pytest

import ctkit as ct
from ctkit.measures.effect import Effect, effect_on, paired_interval
from ctkit.measures.score import first_words, is_right
from ctkit.tasks import get


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("box", True),
        (" box", True),
        ("box.", True),
        ("box and more", True),
        ("boxes", False),
        ("", False),
        ("the box", False),
    ],
)
def test_an_answer_is_right_when_it_begins_with_the_expected_word(answer, right):
    assert is_right(answer, "box") is right


def test_first_words_end_at_a_stop():
    assert first_words(" 7. Where next") == "7" and first_words(" box\nmore") == "box"


@pytest.mark.parametrize("setup", [(), (ct.Mask("causal"),), (ct.Reread(times=1), ct.Think(on=False))])
def test_the_effect_of_nothing_is_nothing(lm, setup):
    effect = ct.effect(lm, "hunt", *setup, n=12, difficulty=2)
    assert (effect.difference, effect.mended, effect.broken, effect.n) == (0.0, 0, 0, 12)
    assert effect.baseline == effect.edited and effect.interval[0] < 0 < effect.interval[1]


def test_the_same_seed_asks_the_same_problems(lm):
    first, again = (ct.effect(lm, "hunt", ct.Mask("bidirectional"), n=10, seed=5, difficulty=1) for _ in range(2))
    assert first.outcomes == again.outcomes
    assert [o.problem.seed for o in first.outcomes] == list(range(5, 15))


def test_an_outcome_is_what_a_single_run_says(lm):
    effect = ct.effect(lm, "hunt", ct.Mask("window", size=5), n=6, difficulty=2)
    for outcome in effect.outcomes:
        token = ct.run(lm, outcome.problem.prompt, effect.setup).next_tokens(1)[0][0]
        assert outcome.after == ("" if token == lm.tokenizer.eos_token else token.strip())
        assert outcome.right_after == (outcome.after == outcome.problem.answer)


def test_with_thinking_on_the_answer_is_the_one_behind_the_written_cue(lm):
    effect = ct.effect(lm, "sums", ct.Think(), n=4, difficulty=2)
    for outcome in effect.outcomes:
        text = ct.generate(lm, outcome.problem.prompt, ct.Think(), max_new_tokens=96).text
        assert outcome.after == (first_words(text.partition("Answer:")[2]) if "Answer:" in text else "")


def test_figures_follow_from_the_outcomes(lm):
    effect = ct.effect(lm, "hunt", ct.Mask("bidirectional"), n=20, difficulty=1)
    assert effect.difference == pytest.approx(effect.edited - effect.baseline)
    assert effect.mended - effect.broken == round(effect.difference * 20)
    assert "20 fresh problems of hunt" in str(effect)


def test_the_interval_holds_what_it_promises():
    """Coverage of the 95 % interval on simulated pairs (2,000 draws at each of three truths): at least 93 %."""
    rng = random.Random(0)
    for p_mend, p_break in ((0.2, 0.05), (0.02, 0.02), (0.5, 0.1)):
        held = 0
        for _ in range(2000):
            draws = [rng.random() for _ in range(100)]
            mended, broken = sum(d < p_mend for d in draws), sum(p_mend <= d < p_mend + p_break for d in draws)
            low, high = paired_interval(mended, broken, 100)
            held += low <= p_mend - p_break <= high
        assert held >= 1860


def test_problems_of_ones_own(lm):
    problems = [get("hunt").generate(i, 1) for i in (3, 9)]
    assert isinstance(effect_on(lm, problems, ct.Setup([ct.Reread()])), Effect)


def test_wrong_requests_are_refused(lm):
    with pytest.raises(ct.CtkitError, match="n=200"):
        ct.effect(lm, "hunt", n=0)
    with pytest.raises(ct.CtkitError, match="hunt"):
        ct.effect(lm, "hunting")
    with pytest.raises(ct.CtkitError, match="difficulty"):
        ct.effect(lm, "hunt", n=2, difficulty=99)
