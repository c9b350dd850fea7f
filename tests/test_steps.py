"""Step effects: breaking steps, writing on, and the controls under which every effect vanishes."""

import json
import math
from dataclasses import dataclass, field, replace
from math import prod

import pytest
import torch

import ctkit as ct
from ctkit.measures.steps import PAPER_CUE, Steps, StepsInterrupted, Thought, effects_of
from ctkit.measures.steps.effects import interval
from ctkit.measures.steps.mistake import filler_chance
from ctkit.measures.steps.paper import greedy_chances
from ctkit.measures.steps.true_thinking import _broken_chains
from ctkit.tasks import get

BROKEN = ("mistake", "true-thinking", "early", "suppress")  # the others have files of their own
PROBLEM = get("sums").generate(4, 3)
HUNT = get("hunt").generate(2, 2)


@pytest.mark.parametrize("method", BROKEN)
def test_the_control_is_exactly_zero(lm, method):
    effects = ct.step_effects(lm, PROBLEM.prompt, PROBLEM.steps, method, draws=2)
    assert effects.steps == list(PROBLEM.steps) and effects.done == len(PROBLEM.steps)
    assert effects.control == [0.0] * len(PROBLEM.steps)
    assert effects.passes > 0 and effects.tokens > 0
    assert max(map(abs, effects.scores)) > 0.01


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


def test_the_probability_of_a_long_answer_is_the_product_over_its_tokens(lm):
    thought = Thought.of(lm, PROBLEM, PROBLEM.steps)
    ids = tuple(lm.tokenizer.encode(f" {digit}", add_special_tokens=False)[0] for digit in (7, 3))
    thought = replace(thought, answer="7 3", answer_ids=ids)  # no likely answer
    (found,) = thought.chances([thought.steps])
    text = f"{ct.Think().edit(PROBLEM.prompt).text} {' '.join(PROBLEM.steps)} Answer:"
    first, second = ct.run(lm, text), ct.run(lm, f"{text} 7")
    product = first.logits[-1].softmax(-1)[ids[0]] * second.logits[-1].softmax(-1)[ids[1]]
    assert found == pytest.approx(float(product), rel=1e-3, abs=0)


def test_four_evaluations_are_those_of_four_texts(lm):
    effects = ct.step_effects(lm, PROBLEM.prompt, PROBLEM.steps, "true-thinking", draws=1, only=[2])
    thought = Thought.of(lm, PROBLEM.prompt, PROBLEM.steps)
    chain = _broken_chains(thought, 1, 0, "offset")[0]
    intact, broken = list(PROBLEM.steps[:2]), chain[:2]
    texts = [[*intact, PROBLEM.steps[2]], [*intact, chain[2]], [*broken, PROBLEM.steps[2]], [*broken, chain[2]]]
    expected = thought.chances([Steps.of(text) for text in texts])
    assert [row[2] for row in effects.evaluations.values()] == pytest.approx(expected, abs=1e-6)
    assert effects.broken[2] == chain[2] and len(set(expected)) == 4


def test_early_answers_are_those_of_the_cut_thought(lm):
    effects = ct.step_effects(lm, PROBLEM, PROBLEM.steps, "early")
    n = len(PROBLEM.steps)
    thought = Thought.of(lm, PROBLEM, PROBLEM.steps)
    expected = thought.chances([thought.steps.first(k) for k in range(n + 1)])
    assert effects.curve == pytest.approx(expected, abs=1e-6)
    assert effects.scores == pytest.approx([b - a for a, b in zip(expected, expected[1:])], abs=1e-6)
    said = [ct.generate(lm, thought.before_answer(thought.steps.first(k)), ct.Think(), max_new_tokens=1).text.strip()
            for k in range(n + 1)]  # fmt: skip
    assert effects.same == [text == effects.answer for text in said] and effects.same[-1]
    assert effects.area == sum(text != effects.answer for text in said[:-1]) / n
    assert effects.soft_area == pytest.approx(sum(1 - min(1, p / expected[-1]) for p in expected[:-1]) / n, abs=1e-5)
    assert effects.labels == list(PROBLEM.labels)


def test_a_step_that_the_answer_needs_not_leaves_no_area(lm):
    """An answer that stands in the question's last words is there from the start."""
    easy = get("hunt").generate(3, 1)
    effects = ct.step_effects(lm, easy, easy.steps, "early")
    hard = ct.step_effects(lm, PROBLEM, PROBLEM.steps, "early")
    assert effects.area < hard.area


def test_suppression_is_a_knockout(lm):
    effects = ct.step_effects(lm, PROBLEM, PROBLEM.steps, "suppress", only=[1])
    thought = Thought.of(lm, PROBLEM, PROBLEM.steps)
    text = thought.with_answer(thought.steps)
    before, after = ct.run(lm, text, ct.Think()), ct.run(lm, text, ct.Think(), ct.Knockout("after step 2", "step 2"))
    at = before.spans["answer"].start - 1
    token = thought.answer_ids[0]
    fall = before.logits[at].softmax(-1)[token] - after.logits[at].softmax(-1)[token]
    assert effects.scores[1] == pytest.approx(float(fall), abs=1e-5) and math.isnan(effects.scores[0])
    span = before.spans["step 4"]
    p, q = (trace.logits[span].double().log_softmax(-1) for trace in (before, after))
    assert float(effects.kl[1, 3]) == pytest.approx(float((p.exp() * (p - q)).sum(-1).mean()), rel=1e-3)


def test_the_matrix_has_no_column_means_and_nothing_in_front(lm):
    effects = ct.step_effects(lm, PROBLEM, PROBLEM.steps, "suppress")
    n = len(PROBLEM.steps)
    later = torch.ones(n, n, dtype=torch.bool).triu(1)
    assert torch.equal(effects.matrix.isfinite(), later) and torch.equal(effects.kl.isfinite(), later)
    assert effects.matrix.nansum(0).abs().max() < 1e-4 < effects.matrix.nan_to_num().abs().max()
    assert (effects.kl[later] > 0).any() and (effects.kl[later] >= 0).all()


def test_the_paper_reads_along_the_models_own_text(lm):
    problem = get("copy").generate(3)
    own = Thought.of(lm, problem, problem.steps)
    text = f"{ct.Think().edit(problem.prompt).text} {own.steps.text} Answer:"
    written = ct.generate(lm, text, max_new_tokens=len(own.answer_ids))
    assert tuple(written.ids) == own.answer_ids and len(own.answer_ids) > 1
    assert greedy_chances(own, [own.steps]) == pytest.approx(own.chances([own.steps]), rel=1e-3)
    other = replace(own, answer=" ".join(own.answer.split()[::-1]), answer_ids=own.answer_ids[::-1])
    along = [float(row.softmax(-1)[id_]) for row, id_ in zip(written.logits, other.answer_ids, strict=True)]
    (found,), (forced,) = greedy_chances(other, [own.steps]), other.chances([own.steps])
    assert math.log(found) == pytest.approx(math.log(prod(along)), rel=1e-3)
    assert math.log(found) != pytest.approx(math.log(forced), rel=0.1)


def test_a_filler_thought_is_as_long_as_the_thought(lm):
    thought = Thought.of(lm, PROBLEM, PROBLEM.steps)
    seen = []
    spied = replace(thought, reader=Spy(thought.reader, seen))
    assert filler_chance(spied) == pytest.approx(ct.step_effects(lm, PROBLEM, PROBLEM.steps, "early").filler, abs=1e-6)
    (prompt,) = seen
    n = len(thought.encoded(thought.with_answer(thought.steps)).ids)
    assert set(prompt.pieces["step 1"].split()) == {"..."}
    assert n - 3 < len(thought.encoded(prompt).ids) <= n


def test_a_thought_of_fillers_is_read_once(lm):
    alone = ct.step_effects(lm, PROBLEM, PROBLEM.steps, "mistake")
    both = ct.step_effects(lm, PROBLEM, PROBLEM.steps, ["early", "mistake"])
    assert both["mistake"].filler == both["early"].filler == pytest.approx(alone.filler, abs=1e-6)
    assert both["mistake"].passes == alone.passes - 1


@dataclass
class Spy:
    """A reader that is watched."""

    reader: object
    seen: list
    fillers: dict = field(default_factory=dict)

    def logits(self, prompts, last):
        self.seen += prompts
        return self.reader.logits(prompts, last)


def test_the_paper_switch(lm):
    options = {"paper": True}
    effects = ct.step_effects(lm, PROBLEM, PROBLEM.steps, "true-thinking", draws=1, options=options, cue=PAPER_CUE)
    plain = ct.step_effects(lm, PROBLEM, PROBLEM.steps, "true-thinking", draws=1)
    assert effects.control == [0.0] * len(PROBLEM.steps) and effects.broken != plain.broken
    thought = Thought.of(lm, PROBLEM, PROBLEM.steps, cue=PAPER_CUE)
    assert thought.before_answer(thought.steps).text.endswith(f"{PROBLEM.steps[-1]}{PAPER_CUE}")


def test_several_methods_share_one_thought(lm):
    names = ["true-thinking", "early"]
    both = ct.step_effects(lm, PROBLEM, PROBLEM.steps, names, draws=1)
    assert list(both) == names
    for name in names:
        alone = ct.step_effects(lm, PROBLEM, PROBLEM.steps, name, draws=1)
        assert both[name].scores == pytest.approx(alone.scores, abs=1e-6) and both[name].method == name


def test_an_edited_thought_is_measured_like_a_new_one(lm):
    thought = Thought.of(lm, PROBLEM, PROBLEM.steps)
    effects_of(thought, "early")
    steps = thought.steps.with_step(1, "So it goes.")
    edited = effects_of(thought.edited(steps), "early")
    fresh = ct.step_effects(lm, PROBLEM, steps, "early")
    assert edited.curve == pytest.approx(fresh.curve, abs=1e-5) and edited.labels == fresh.labels
    assert edited.labels[1] is None and edited.labels[0] == PROBLEM.labels[0]


def test_some_steps_alone_are_as_all_of_them(lm):
    some = ct.step_effects(lm, PROBLEM, PROBLEM.steps, "true-thinking", draws=1, only=[3, 1, 1])
    whole = ct.step_effects(lm, PROBLEM, PROBLEM.steps, "true-thinking", draws=1)
    assert some.done == 2 and math.isnan(some.scores[0])
    assert [some.scores[i] for i in (1, 3)] == pytest.approx([whole.scores[i] for i in (1, 3)], abs=1e-6)
    with pytest.raises(ct.CtkitError, match="steps 0 to"):
        ct.step_effects(lm, PROBLEM, PROBLEM.steps, "early", only=[99])


@pytest.mark.parametrize("method", BROKEN)
def test_partial_results_come_step_by_step(lm, method, monkeypatch):
    monkeypatch.setattr("ctkit.measures.steps.lots.WORK", 1)
    seen, told = [], []
    effects = ct.step_effects(
        lm, PROBLEM, PROBLEM.steps[:3], method, draws=1, on_step=seen.append, on_progress=lambda *at: told.append(at)
    )
    assert [each.done for each in seen] == [1, 2, 3] and told == [(1, 3), (2, 3), (3, 3)]
    assert math.isnan(seen[0].scores[1]) and seen[0].scores[0] == effects.scores[0]


@pytest.mark.parametrize("method", BROKEN)
def test_an_interrupt_leaves_what_is_there(lm, method, monkeypatch):
    monkeypatch.setattr("ctkit.measures.steps.lots.WORK", 1)

    def stop(effects):
        if effects.done == 2:
            raise KeyboardInterrupt

    with pytest.raises(StepsInterrupted, match=f"stopped after 2 of 3 steps by {method}") as caught:
        ct.step_effects(lm, PROBLEM, PROBLEM.steps[:3], method, draws=1, on_step=stop)
    assert caught.value.effects.done == 2 and math.isnan(caught.value.effects.scores[2])
    assert isinstance(caught.value, KeyboardInterrupt)


def test_an_interrupt_before_the_first_step_leaves_nothing(lm, monkeypatch):
    def stop(*args, **kwargs):
        raise KeyboardInterrupt

    thought = Thought.of(lm, PROBLEM, PROBLEM.steps)
    monkeypatch.setattr(type(thought.reader), "logits", stop)
    with pytest.raises(StepsInterrupted, match="no step") as caught:
        effects_of(thought, "early")
    assert caught.value.effects is None


def test_effects_as_data_and_in_words(lm):
    effects = ct.step_effects(lm, "Go on", ["So it is", "x = 3."], ["suppress", "mistake"], draws=2)
    data = json.loads(json.dumps(effects["suppress"].to_data(), allow_nan=False))
    assert data["matrix"][0][0] is None and data["scores"][0] == effects["suppress"].scores[0]
    assert json.loads(json.dumps(effects["mistake"].to_data(), allow_nan=False))["scores"][0] is None
    said = repr(effects["mistake"])
    assert "So it is" in said and "not measurable" in said and str(effects["mistake"].passes) in said


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


def test_a_thought_that_the_model_writes_itself_is_known(lm):
    own = Thought.of(lm, PROBLEM)
    assert own.writes_itself_from == 0
    other = own.edited(own.steps.with_step(1, "So it is 3."))
    assert 1 < other.writes_itself_from <= len(other.steps) + 1
    for start in range(len(other.steps) + 1):
        (written,) = other.written_on([other.steps.first(start)])
        rest = " ".join(other.steps.texts[start:])
        assert (written.text.strip() == rest) == (start >= other.writes_itself_from)
    forced = Thought.of(lm, PROBLEM, own.steps, setup=ct.Think(waits=1))
    assert forced.writes_itself_from == len(own.steps) + 1


def test_the_rest_is_written_on_where_it_is_not_the_models_own(lm):
    own = Thought.of(lm, PROBLEM)
    thought = own.edited(own.steps.with_step(1, "So it is 3."))
    effects = effects_of(thought, "mistake", draws=1, only=[0, 1])
    (first,) = thought.written_on([thought.steps.first(1)])
    assert effects.evaluations["the step as it is"][0] == pytest.approx(first.chance, abs=1e-6)
    assert first.text.strip() != " ".join(thought.steps.texts[1:])
    assert effects.control[:2] == [0.0, 0.0]


def test_intervals_are_students():
    low, high = interval([0.0, 1.0])
    assert (low, high) == pytest.approx((0.5 - 12.706 * 0.5, 0.5 + 12.706 * 0.5), abs=1e-3)
    assert interval([0.5]) == (0.5, 0.5) and all(math.isnan(end) for end in interval([]))
    many = [0.0, 1.0] * 100
    assert interval(many)[1] - 0.5 == pytest.approx(1.96 * 0.5 / 200**0.5, rel=0.01)


@pytest.mark.parametrize("method", ["true-thinking", "early", "suppress"])
def test_passes_grow_with_the_steps_and_no_faster(lm, method, monkeypatch):
    monkeypatch.setattr("ctkit.measures.steps.lots.WORK", 1)  # a lot for each step, as on a slow model
    steps = [f"k = {i % 10} + 1 = {(i + 1) % 10}." for i in range(16)]
    few, many = (ct.step_effects(lm, PROBLEM, steps[:n], method, draws=1).passes for n in (4, 16))
    assert few + 12 <= many <= 4 * few
