"""Step effects: breaking steps, writing on, and the controls under which every effect vanishes."""

import math
import random

import pytest

import ctkit as ct
from ctkit.measures.steps.perturb import NUMBER, break_numbers, break_result, moved
from ctkit.sentences import sentences
from ctkit.tasks import get

PROBLEM = get("sums").generate(4, 3)
HUNT = get("hunt").generate(2, 2)


def test_a_moved_number_is_another_one_of_the_same_length():
    rng = random.Random(0)
    for number in ("0", "9", "10", "99", "123", "3.14"):
        for _ in range(30):
            other = moved(number, rng)
            assert other != number and len(other) == len(number)


def test_breaking_a_result_leaves_the_rest_of_the_step():
    rng = random.Random(1)
    assert break_result("b = 3 + 4 = 7.", "", rng).startswith("b = 3 + 4 = ")
    assert break_result("b = 3 + 4 = 7.", "", rng) != "b = 3 + 4 = 7."
    swapped = break_result("The key is in the box.", "The key is in the box. The cup is in the jar.", rng)
    assert swapped == "The key is in the jar."
    assert break_result("So there.", "So there.", rng) is None


def test_breaking_all_numbers_moves_each():
    before, after = "b = 3 + 4 = 7.", break_numbers("b = 3 + 4 = 7.", "", random.Random(2))
    assert all(x != y for x, y in zip(NUMBER.findall(before), NUMBER.findall(after), strict=True))


def test_steps_are_sentences():
    assert sentences("a = 3. Check: 2.5 + 1 = 3.5. So, e.g. this, is one.\nAnswer: 7") == [
        "a = 3.",
        "Check: 2.5 + 1 = 3.5.",
        "So, e.g. this, is one.",
        "Answer: 7",
    ]


@pytest.mark.parametrize("method", ["mistake", "true-thinking"])
def test_the_control_is_exactly_zero(lm, method):
    effects = ct.step_effects(lm, PROBLEM.prompt, PROBLEM.steps, method)
    assert effects.steps == list(PROBLEM.steps)
    assert effects.control == [0.0] * len(PROBLEM.steps)
    assert effects.passes > len(PROBLEM.steps)


def test_true_thinking_is_the_mean_of_its_halves(lm):
    effects = ct.step_effects(lm, PROBLEM.prompt, PROBLEM.steps, "true-thinking")
    for score, necessity, sufficiency in zip(effects.scores, effects.necessity, effects.sufficiency, strict=True):
        assert score == pytest.approx((necessity + sufficiency) / 2) and 0 <= score <= 1


@pytest.mark.parametrize("method", ["mistake", "true-thinking"])
def test_a_step_that_nothing_may_read_has_no_effect(lm, method):
    """Everything behind the steps is cut off from them, so no step can matter: the effect must vanish."""
    steps = PROBLEM.steps[:2]
    cut = ct.Setup([ct.Think(), Unread(("step 1", "step 2"))])
    effects = ct.step_effects(lm, PROBLEM.prompt, steps, method, setup=cut, draws=2)
    assert max(abs(s) for s in effects.scores) == pytest.approx(0, abs=1e-6)


def test_the_probability_is_that_of_the_own_answer(lm):
    effects = ct.step_effects(lm, HUNT.prompt, HUNT.steps)
    prompt = ct.Think().edit(HUNT.prompt).then(**{f"s{i}": s for i, s in enumerate(HUNT.steps)}, end="Answer:")
    token, probability = ct.run(lm, prompt).next_tokens(1)[0]
    assert token.strip() == effects.answer and effects.probability == pytest.approx(probability, abs=1e-5)


def test_a_step_without_anything_to_break_is_not_measurable(lm):
    effects = ct.step_effects(lm, "Go on", ["So it is", "x = 3."], draws=2)
    assert math.isnan(effects.scores[0]) and not math.isnan(effects.scores[1])


def test_the_same_seed_breaks_the_same_way(lm):
    first, again = (ct.step_effects(lm, PROBLEM.prompt, PROBLEM.steps, seed=3, draws=2) for _ in range(2))
    assert first.scores == again.scores and first.broken == again.broken


def test_wrong_requests_are_refused(lm):
    with pytest.raises(ct.CtkitError, match="mistake, true-thinking"):
        ct.step_effects(lm, PROBLEM.prompt, PROBLEM.steps, "guess")
    with pytest.raises(ct.CtkitError, match="a list of sentences"):
        ct.step_effects(lm, PROBLEM.prompt, [])


from dataclasses import dataclass  # noqa: E402 - the intervention below is part of the test above


@dataclass(frozen=True)
class Unread(ct.Intervention):
    """Nothing but a step itself may read it: neither the tokens behind it nor the next steps."""

    steps: tuple[str, ...]

    def allow(self, allowed, enc, layer):
        allowed = allowed.clone()
        for step in self.steps:
            if step in enc.spans:
                span = enc.span(step)
                allowed[:, span.stop :, span] = False
        return allowed
