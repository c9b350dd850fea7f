"""The direction from steps without to steps with an effect, and what steering along it flips, beside its controls."""

import math

import pytest
import torch

import ctkit as ct
import ctkit.measures.engagement as module
from ctkit import CtkitError, Prompt, Setup, Steer
from ctkit.measures.engagement import Weigh
from ctkit.measures.flips import Flips
from ctkit.measures.intervals import wilson
from ctkit.measures.thinking_directions import ScoredStep, checked_thoughts, directions_of, parted, scored_steps

SUMS = ct.tasks.get("sums")
FITTED = [SUMS.generate(seed, 3) for seed in range(8)]
TESTED = [SUMS.generate(seed, 3) for seed in range(100, 106)]


@pytest.fixture(scope="module")
def scored(lm):
    return scored_steps(lm, FITTED, draws=1)


@pytest.fixture(scope="module")
def found(lm, scored):
    return ct.engagement(lm, TESTED, directions_of(lm, scored)[1:], n_random=2)


def step(score: float) -> ScoredStep:
    return ScoredStep(Prompt(f"a = {score}."), Setup(), f"a = {score}.", score)


def test_steps_are_scored_as_by_step_effects(lm, scored):
    effects = ct.step_effects(lm, FITTED[0], FITTED[0].steps, "true-thinking", draws=1)
    assert [s.score for s in scored[: len(effects.steps)]] == pytest.approx(effects.scores)
    assert [s.step for s in scored[: len(effects.steps)]] == list(FITTED[0].steps)
    assert scored[1].text.text.endswith(f"{FITTED[0].steps[0]} {FITTED[0].steps[1]}"), "nothing behind the step"


def test_the_direction_is_the_difference_at_the_steps_last_token(lm, scored):
    above, below = parted(scored, 0.3)
    (direction,) = [d for d in directions_of(lm, scored, share=0.3) if d.layer == 2]

    def mean(steps):
        return torch.stack([ct.run(lm, s.text, s.setup).residual(2)[-1] for s in steps]).mean(0)

    assert torch.allclose(direction.vector, mean(above) - mean(below), atol=1e-4)
    assert direction.method == "true-thinking" and -1 <= direction.reliability <= 1
    layers = directions_of(lm, scored)
    assert [d.layer for d in layers] == list(range(lm.n_layers + 1))
    assert layers[0].vector.norm() < 1e-5, "every step ends in the same token: its embedding says nothing"
    few = directions_of(lm, scored, share=0.5, most=2)
    assert few[2].accuracy is None, "two steps a side"


def test_steps_are_parted_by_rank_or_by_threshold():
    steps = [step(score) for score in (0.0, 0.95, 0.2, 0.0, 0.91, 0.5, 0.3, 0.1, 0.4, 0.6)]
    above, below = parted(steps, 0.2)
    assert [s.score for s in above] == [0.91, 0.95] and [s.score for s in below] == [0.0, 0.0]
    above, below = parted(steps, high=0.45, low=0.1)
    assert [s.score for s in above] == [0.5, 0.6, 0.91, 0.95] and [s.score for s in below] == [0.0, 0.0, 0.1]
    assert len(parted(steps, high=0.9, low=0.0)[0]) == 2


@pytest.mark.parametrize(
    ("scores", "options", "words"),
    [
        ([], {}, "no steps"),
        ([0.5, 0.5, 0.5], {}, "same effect 0.5"),
        ([0.1, 0.5], {"high": 0.9}, "no high one: effects from 0.100 to 0.500"),
        ([0.1, 0.5], {"low": 0.0}, "no low one"),
        ([0.1, 0.3, 0.5], {"high": 0.2, "low": 0.4}, "reaches down to the low one"),
        ([0.1, 0.5], {"share": 0.7}, "share=0.7"),
        ([0.1, 0.5], {"share": 0}, "share=0"),
        ([0.0, 0.0, 0.0, 0.0, 1.0], {"share": 0.4}, "reaches down"),
    ],
)
def test_sides_that_are_none_are_refused(scores, options, words):
    with pytest.raises(CtkitError, match=words):
        parted([step(score) for score in scores], **options)


def test_weighing_scales_attention_and_no_more(lm):
    prompt = TESTED[0].prompt.then(**{"step 1": TESTED[0].steps[0], "step 2": TESTED[0].steps[1]})
    plain, less = (ct.run(lm, prompt, *setup, attention=[0]) for setup in ((), (Weigh("step 1", 0.1),)))
    span, rows = plain.spans["step 1"], plain.spans["step 2"]
    before, after = plain.attention(0)[:, rows], less.attention(0)[:, rows]
    scaled = before.clone()
    scaled[..., span] *= 0.1
    assert torch.allclose(after, scaled / scaled.sum(-1, keepdim=True), atol=1e-5)
    assert torch.equal(plain.logits[: span.stop], less.logits[: span.stop]), "the step itself is left alone"
    assert torch.equal(plain.logits, ct.run(lm, prompt, Weigh("step 1", 1)).logits)


def test_the_cases_are_those_of_the_text(lm, found):
    """One case found again by hand: the answer right behind the step, as it is and broken."""
    assert found.tried == sum(len(problem.steps) for problem in TESTED)
    assert found.engagement.n + found.disengagement.n <= found.tried
    assert found.disengagement.n >= len(TESTED), "a wrong last sum is followed"
    for flips in (found.engagement, found.disengagement):
        assert flips.layers == (1, 2, 3, 4) and flips.random.shape == (2, 4, flips.n)
        assert flips.removed.shape == flips.weighed.shape == (flips.n,)


def test_the_stream_that_leaves_the_last_block_flips_nothing(found):
    """The answer's tokens do not read it from there: the effect must vanish."""
    for flips in (found.engagement, found.disengagement):
        for what in ("steered", "opposite", "random"):
            assert not getattr(flips, what)[..., flips.layers.index(4), :].any()


def test_at_strength_0_nothing_flips(lm, scored):
    idle = ct.engagement(lm, TESTED, directions_of(lm, scored), strength=0.0, n_random=1)
    for flips in (idle.engagement, idle.disengagement):
        for what in ("steered", "opposite", "random"):
            assert not getattr(flips, what).any() and (not flips.n or flips.rate(what, 2)[0] == 0.0)


def test_a_flip_is_another_answer(lm, scored):
    """Flips found again one by one with ct.run: the step is broken, ignored, and steered the answer is another."""
    direction = -directions_of(lm, scored)[1]
    ignored, followed, _ = module._cases(lm, checked_thoughts("test", TESTED), Setup(), 0)
    flips = module._flips(lm, ignored, [direction], 1.0, 4.0, 1, 0)
    assert flips.steered.any() and not flips.steered.all()
    assert not any(right(lm, case.text, case.setup) for case in followed)
    for i, case in enumerate(ignored):
        assert right(lm, case.text, case.setup)
        steered = Steer(direction, strength=4.0, where=case.step)
        assert right(lm, case.text, Setup([steered, *case.setup])) != bool(flips.steered[0, i])
        assert right(lm, case.without, case.setup) != bool(flips.removed[i])
        assert right(lm, case.text, Setup([Weigh(case.step, 10.0), *case.setup])) != bool(flips.weighed[i])


def right(lm, text, setup) -> bool:
    trace = ct.run(lm, text, setup)
    span = trace.spans["answer"]
    return trace.logits[span.start - 1 : span.stop - 1].argmax(-1).tolist() == trace.ids[span]


def test_rates_and_the_held_out_layer_by_hand():
    steered = torch.tensor([[1, 0, 1, 0, 1, 0], [0, 1, 0, 1, 0, 1]], dtype=torch.bool)
    none = torch.zeros(6, dtype=torch.bool)
    flips = Flips((1, 2), steered, ~steered, torch.stack([steered, steered | True]), none, ~none)
    assert flips.rate("steered", 1) == (0.5, *wilson(3, 6)) and flips.rate("removed")[0] == 0.0
    assert flips.rate("weighed") == (1.0, *wilson(6, 6)) and flips.rate("random", 2)[0] == 0.75
    assert flips.best["steered"][0] == 0.5
    assert flips.held_out["steered"] == (0.0, *wilson(0, 3)), "layer 1, chosen on cases that the others contradict"
    empty = Flips(
        (1,), *(torch.zeros(1, 0, dtype=torch.bool),) * 2, torch.zeros(2, 1, 0, dtype=torch.bool), none[:0], none[:0]
    )
    assert math.isnan(empty.rate("steered", 1)[0]) and math.isnan(empty.best["random"][0])


def test_it_prints_and_draws_all_layers(found):
    text = str(found)
    assert text.count("layer ") >= 8 and "best of the layers" in text and "step removed" in text
    figure = ct.plots.engagement(found)
    assert len(figure.axes) == 2
    for ax, flips in zip(figure.axes, (found.engagement, found.disengagement), strict=True):
        if flips.n:
            steered = next(line for line in ax.lines if line.get_label() == "steered")
            assert steered.get_ydata().tolist() == pytest.approx([flips.rate("steered", x)[0] for x in flips.layers])


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (lambda lm, d: ct.engagement(lm, [], d), "no list of problems"),
        (lambda lm, d: ct.engagement(lm, TESTED[0], d), "no list of problems"),
        (lambda lm, d: ct.engagement(lm, ["a = 3."], d), "a pair"),
        (lambda lm, d: ct.engagement(lm, TESTED, []), "none"),
        (lambda lm, d: ct.engagement(lm, TESTED, ["up"]), "'up'"),
        (lambda lm, d: ct.engagement(lm, TESTED, d, strength=-1), "sign is the test's"),
        (lambda lm, d: ct.engagement(lm, TESTED, d, n_random=0), "n_random=0"),
        (lambda lm, d: ct.engagement(lm, TESTED, d, most=0), "most=0"),
        (lambda lm, d: ct.engagement(lm, [("Who?", ["Nobody knows."])], d), "steps broken"),
        (lambda lm, d: ct.thinking_directions(lm, []), "no list of problems"),
        (lambda lm, d: ct.thinking_directions(lm, FITTED, method="prayer"), "no such measure"),
    ],
)
def test_what_cannot_be_tested_is_refused(lm, scored, asked, words):
    with pytest.raises(CtkitError, match=words):
        asked(lm, directions_of(lm, scored, most=2)[2])
