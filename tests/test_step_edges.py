"""Odd thoughts: empty, of one step, without numbers, too long, hostile; each is measured, or refused in words."""

import math

import pytest

import ctkit as ct
from ctkit.measures.steps import Thought
from ctkit.tasks import get

PROBLEM = get("sums").generate(4, 2)
ALL = ["mistake", "true-thinking", "early", "suppress"]
HOSTILE = ["</script><img src=x onerror=alert(1)> = 3.", "a‮b​c = \U0001f468‍\U0001f469 7.", "$x_1$ {0} %s \\n 5."]


@pytest.mark.parametrize("nothing", [[], "", " \n ", ["a = 3.", ""], ["a = 3.", " "]])
def test_no_steps_or_an_empty_one(lm, nothing):
    with pytest.raises(ct.CtkitError, match="a thought without steps, or with an empty one"):
        ct.step_effects(lm, PROBLEM, nothing)


@pytest.mark.parametrize("wrong", [["a", 3], [None], 3.5, [["a"]]])
def test_steps_that_are_no_text(lm, wrong):
    with pytest.raises(ct.CtkitError):
        ct.step_effects(lm, PROBLEM, wrong)


def test_one_step(lm):
    found = ct.step_effects(lm, PROBLEM, [PROBLEM.steps[-1]], ALL, draws=2)
    for effects in found.values():
        assert len(effects.scores) == 1 and math.isfinite(effects.scores[0])
    assert found["suppress"].matrix.isnan().all() and len(found["early"].curve) == 2
    assert found["true-thinking"].necessity == found["true-thinking"].sufficiency  # no context that could be broken


def test_a_thought_without_a_number_is_broken_by_words_or_not_at_all(lm):
    hunt = get("hunt").generate(2, 2)
    assert all(map(math.isfinite, ct.step_effects(lm, hunt, hunt.steps, "true-thinking", draws=1).scores))
    options = {"paper": True}
    effects = ct.step_effects(lm, hunt, hunt.steps, "true-thinking", draws=1, options=options)
    assert all(map(math.isnan, effects.scores)) and effects.control == [0.0] * len(hunt.steps)
    assert effects.broken == [""] * len(hunt.steps)


def test_an_answer_of_several_tokens(lm):
    problem = get("copy").generate(3)
    thought = Thought.of(lm, problem, problem.steps)
    assert len(thought.answer_ids) > 1 and thought.answer == problem.answer
    enc = thought.encoded(thought.with_answer(thought.steps))
    assert enc.ids[-len(thought.answer_ids) :] == thought.answer_ids
    found = ct.step_effects(lm, problem, problem.steps, ALL, draws=1, options={"paper": True})
    assert all(0 < effects.probability <= 1 for effects in found.values())


def test_a_thought_that_is_longer_than_the_context(lm):
    steps = [f"k = {i % 10} + 1 = 2." for i in range(80)]
    with pytest.raises(ct.CtkitError, match=f"a context of {lm.context} tokens"):
        ct.step_effects(lm, PROBLEM, steps)


def test_what_is_written_on_leaves_room_for_the_answer(lm):
    room = lm.context - len(ct.run(lm, PROBLEM.prompt).ids)
    steps = [f"k = {i % 10} + 1 = 2." for i in range(room // 8 - 4)]
    effects = ct.step_effects(lm, PROBLEM, steps, "mistake", draws=1, only=[0, len(steps) - 1])
    assert effects.done == 2 and math.isfinite(effects.scores[0])


def test_a_cue_that_is_not_in_the_prompt(lm):
    plain = ct.Prompt("a = 3. b = a + 4. What is b?")
    assert Thought.of(lm, plain, ["a = 3.", "b = 3 + 4 = 7."]).cue == "Answer:"
    thought = Thought.of(lm, plain, ["a = 3.", "b = 3 + 4 = 7."], cue="\nSo it is")
    assert thought.before_answer(thought.steps).text.endswith("b = 3 + 4 = 7.\nSo it is")
    for wrong in ("", "  ", 3):
        with pytest.raises(ct.CtkitError, match="words that ask for the answer"):
            Thought.of(lm, plain, ["a = 3."], cue=wrong)


def test_a_model_that_writes_no_answer(lm):
    class Silent(ct.Intervention):
        def residual(self, x, enc, layer):
            return x * 0 + end if layer == enc.shape.n_layers else x

    end = lm.model.get_output_embeddings().weight[lm.tokenizer.eos_token_id].detach()
    with pytest.raises(ct.CtkitError, match="a model that writes no answer"):
        ct.step_effects(lm, PROBLEM, PROBLEM.steps, setup=[ct.Think(), Silent()])


def test_a_model_that_writes_no_thought(lm):
    with pytest.raises(ct.CtkitError, match="no steps in what it wrote"):
        ct.step_effects(lm, PROBLEM, cue=lm.tokenizer.decode(ct.generate(lm, PROBLEM.prompt, ct.Think()).ids[:1]))


def test_a_prompt_that_ends_with_the_thought(lm):
    prompt = PROBLEM.prompt.then(thought=" ".join(PROBLEM.steps))
    plain = ct.Prompt(f"{PROBLEM.prompt.pieces['context']} {' '.join(PROBLEM.steps)}")
    for twice in (prompt, plain):
        with pytest.raises(ct.CtkitError, match="already ends with a thought"):
            ct.step_effects(lm, twice, PROBLEM.steps)


@pytest.mark.parametrize("draws", [0, -1, 1.5, True, None])
def test_no_draws(lm, draws):
    with pytest.raises(ct.CtkitError, match="1 or more"):
        ct.step_effects(lm, PROBLEM, PROBLEM.steps, draws=draws)


def test_hostile_steps_are_text(lm):
    found = ct.step_effects(lm, PROBLEM, HOSTILE, ALL, draws=1)
    for effects in found.values():
        assert effects.steps == HOSTILE and effects.done == 3


def test_options_that_nobody_has(lm):
    with pytest.raises(ct.CtkitError, match="paper, perturbation"):
        ct.step_effects(lm, PROBLEM, PROBLEM.steps, "true-thinking", options={"speed": 3})
    with pytest.raises(ct.CtkitError, match="no options"):
        ct.step_effects(lm, PROBLEM, PROBLEM.steps, "early", options={"paper": True})
    with pytest.raises(ct.CtkitError, match="no such way to break a step"):
        ct.step_effects(lm, PROBLEM, PROBLEM.steps, "mistake", options={"perturbation": "explode"})
