"""When the effect of a step must vanish: nothing changed, nothing seen, nothing there."""

import pytest

import ctkit as ct
from ctkit.tasks import get

PROBLEM = get("sums").generate(4, 2)
N = len(PROBLEM.steps)


@pytest.mark.parametrize("method", ["mistake", "true-thinking"])
def test_a_step_left_as_it_is_has_exactly_no_effect(lm, method):
    effects = ct.step_effects(lm, PROBLEM, PROBLEM.steps, method, draws=2, options={"perturbation": "identity"})
    assert effects.scores == [0.0] * N and effects.intervals == [(0.0, 0.0)] * N
    assert effects.broken == list(PROBLEM.steps)
    whole = [set(values) for values in zip(*effects.evaluations.values(), strict=True)]
    assert all(len(values) == 1 for values in whole)  # bit for bit


@pytest.mark.parametrize("perturbation", ["offset", "result", "swap", "filler"])
def test_a_broken_step_that_nothing_can_attend_to_has_exactly_no_effect(lm, perturbation):
    for i in range(N):
        cut = ct.Setup([ct.Think(), ct.Knockout(f"after step {i + 1}", f"step {i + 1}")])
        options = {"draws": 2, "only": [i], "options": {"perturbation": perturbation}}
        steps = [step if len(step) > 6 else step.replace(".", " + 0.") for step in PROBLEM.steps]
        blocked = ct.step_effects(lm, PROBLEM, steps, "true-thinking", setup=cut, **options)
        if perturbation == "filler":  # "..." is another number of tokens, which moves the cue
            assert blocked.broken[i].count("...") == len(steps[i].split())
            continue
        assert blocked.necessity[i] == blocked.sufficiency[i] == 0.0


def test_attention_to_another_step_blocked_is_not_enough(lm):
    cut = ct.Setup([ct.Think(), ct.Knockout("after step 2", "step 1")])
    effects = ct.step_effects(lm, PROBLEM, PROBLEM.steps, "true-thinking", setup=cut, draws=1, only=[N - 1])
    assert effects.scores[N - 1] > 0


def test_suppression_leaves_all_in_front_of_the_step_bit_for_bit(lm):
    from ctkit.measures.steps import Thought
    from ctkit.measures.steps.suppress import _read

    thought = Thought.of(lm, PROBLEM, PROBLEM.steps)
    enc, before, (intact, *cut) = _read(thought, thought.with_answer(thought.steps), range(N))
    assert before == enc.span("step 1").start
    for i, logits in enumerate(cut):
        stop = enc.span(f"step {i + 1}").stop - before
        assert (logits[:stop] == intact[:stop]).all()
        assert (logits[stop:] != intact[stop:]).any()
    assert ct.step_effects(lm, PROBLEM, PROBLEM.steps, "suppress").control == [0.0] * N


@pytest.mark.parametrize("method", ["mistake", "true-thinking", "early", "suppress"])
def test_under_a_setup_that_hides_the_thought_no_step_matters(lm, method):
    """Everything behind the steps is cut off from them, so no step can matter."""
    hidden = tuple(f"step {i + 1}" for i in range(N))
    effects = ct.step_effects(lm, PROBLEM, PROBLEM.steps, method, setup=[ct.Think(), Hidden(hidden)], draws=1)
    largest = max(abs(score) for score in effects.scores)
    if method == "early":  # a step more moves the cue by as many places
        assert largest > 0
    else:
        assert largest == pytest.approx(0, abs=1e-6)


class Hidden(ct.Intervention):
    """Nothing but a step itself may read it."""

    def __init__(self, steps):
        self.steps = steps

    def allow(self, allowed, enc, layer):
        allowed = allowed.clone()
        for step in self.steps:
            if step in enc.spans:
                span = enc.span(step)
                allowed[:, span.stop :, span] = False
        return allowed
