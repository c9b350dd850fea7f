"""Receiver heads: scores and kurtosis by hand on made-up attention, what is flat or too short, and a real model."""

import math

import pytest
import torch

import ctkit as ct
from ctkit import CtkitError
from ctkit.measures.steps import step_effects
from ctkit.measures.steps.receivers import (
    few_of,
    kurtosis,
    receiver_heads,
    spearman,
    split_half,
    step_attention,
    vertical_scores,
)

SUMS = ct.tasks.get("sums")
PROBLEMS = [SUMS.generate(seed, 5) for seed in range(6)]


@pytest.fixture(scope="module")
def found(lm):
    return receiver_heads(lm, PROBLEMS, ct.Think(), skip=2)


def made_up(n: int = 10) -> torch.Tensor:
    """Three heads over `n` steps: one looks at step 2 alone, one at all alike, one at step 0 and 3 equally."""
    heads = torch.zeros(3, n, n)
    heads[0, 2:, 2] = 1.0
    heads[1] = torch.tril(torch.full((n, n), 0.1))
    heads[2, :, [0, 3]] = 0.5
    return heads.tril()


def test_vertical_scores_count_the_steps_behind():
    scores = vertical_scores(made_up(), skip=4)
    assert scores.shape == (3, 10) and scores[:, 6:].isnan().all()
    assert scores[0, :6].tolist() == [0, 0, 1, 0, 0, 0]
    assert scores[1, :6].tolist() == pytest.approx([0.1] * 6)
    near = torch.zeros(1, 6, 6)
    near[0, 1, 0] = near[0, 2, 0] = 1.0  # one and two steps behind
    assert vertical_scores(near, 1)[0, 0] == pytest.approx(2 / 5)
    assert vertical_scores(near, 2)[0, 0] == pytest.approx(1 / 4) and vertical_scores(near, 3)[0, 0] == 0


def test_kurtosis_ranks_the_peaked_and_leaves_out_the_flat():
    values = kurtosis(vertical_scores(made_up(), skip=4))
    p = 1 / 6  # one of six scores stands out: a Bernoulli variable
    assert values[0] == pytest.approx((1 - 6 * p * (1 - p)) / (p * (1 - p)), abs=1e-5)
    assert values[1].isnan(), "all alike"
    assert values[2] == pytest.approx((1 - 6 * (1 / 3) * (2 / 3)) / (2 / 9), abs=1e-5)
    assert kurtosis(torch.full((2, 7), 0.1)).isnan().all() and kurtosis(torch.zeros(7)).isnan()
    rounding = torch.full((7,), 0.1) + torch.tensor([1e-9, 0, 0, 0, 0, 0, -1e-9])
    assert kurtosis(rounding).isnan(), "equal up to rounding"
    assert kurtosis(torch.rand(3, 3)).isnan().all(), "of three scores it is always the same"


def test_ranks_share_their_places():
    assert spearman(torch.tensor([3.0, 1.0, 2.0]), torch.tensor([30.0, 10.0, 20.0])) == pytest.approx(1.0)
    assert spearman(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([9.0, 5.0, 1.0])) == pytest.approx(-1.0)
    tied = spearman(torch.tensor([1.0, 1.0, 2.0]), torch.tensor([1.0, 2.0, 3.0]))
    assert tied == pytest.approx(math.sqrt(3) / 2)
    assert math.isnan(spearman(torch.ones(3), torch.rand(3))) and math.isnan(spearman(torch.ones(1), torch.ones(1)))


def test_reliability_tells_heads_from_noise():
    source = torch.Generator().manual_seed(0)
    heads = torch.randn(4, 8, generator=source)
    steady = heads + 0.1 * torch.randn(40, 4, 8, generator=source)
    noise = torch.randn(40, 4, 8, generator=source)
    assert split_half(steady) > 0.95 and abs(split_half(noise)) < 0.3
    assert split_half(steady, 1) == split_half(steady, 1)
    steady[:, 0, 0] = float("nan")
    assert split_half(steady) > 0.95, "a head without a kurtosis is left out"
    assert math.isnan(split_half(steady[:1]))


def test_step_attention_is_the_mean_over_pairs_of_tokens(lm):
    prompt = PROBLEMS[0].prompt.then(**{f"step {i + 1}": step for i, step in enumerate(PROBLEMS[0].steps)})
    names = [f"step {i + 1}" for i in range(len(PROBLEMS[0].steps))]
    pooled = step_attention(lm, prompt, names, ct.Setup([ct.Think()]))
    trace = ct.run(lm, prompt, ct.Think(), attention="all")
    for layer, head, i, j in ((0, 0, 3, 1), (2, 1, 8, 7), (3, 3, 5, 5), (1, 2, 2, 6)):
        whole = trace.attention(layer, head)[trace.spans[names[i]], trace.spans[names[j]]]
        assert pooled[layer, head, i, j] == pytest.approx(float(whole.mean()), abs=1e-6)
    assert (pooled.triu(1) == 0).all(), "no step looks ahead"


def test_blocked_attention_gives_nothing(lm):
    prompt = PROBLEMS[0].prompt.then(**{f"step {i + 1}": step for i, step in enumerate(PROBLEMS[0].steps)})
    names = [f"step {i + 1}" for i in range(len(PROBLEMS[0].steps))]
    cut = ct.Setup([ct.Think(), ct.Knockout("after step 1", "step 1")])
    scores = vertical_scores(step_attention(lm, prompt, names, cut), 1)
    assert (scores[..., 0] == 0).all() and (scores[..., 1] > 0).any()


def test_the_heads_of_a_model(lm, found):
    assert found.kurtosis.shape == (4, 4) and found.n == 6 and len(found.thoughts) == 6
    assert found.ranked == sorted(found.ranked, key=lambda pair: -float(found.kurtosis[pair]))
    assert found.top() == found.ranked[:3] and found.top(5) == found.ranked[:5]
    assert torch.allclose(found.kurtosis, found.thoughts.mean(0), equal_nan=True)
    alone = receiver_heads(lm, PROBLEMS[:1], ct.Think(), skip=2)
    assert torch.allclose(alone.kurtosis, found.thoughts[0], equal_nan=True) and math.isnan(alone.reliability)
    assert f"{found.reliability:.2f}" in str(found) and "6 thoughts" in str(found)


def test_a_flat_head_is_never_ranked():
    rows = torch.tensor([[[1.0, float("nan")], [2.0, 3.0]], [[1.0, float("nan")], [float("nan"), 3.0]]])
    heads = ct.measures.steps.ReceiverHeads(rows.nanmean(0), rows, 4, 0.5)
    assert heads.ranked == [(1, 1), (1, 0), (0, 0)] and heads.top(9) == heads.ranked
    assert [few_of(n) for n in (1, 4, 16, 144, 1920)] == [1, 1, 3, 20, 20]


def test_thoughts_can_be_given_as_texts(lm, found):
    heard = []
    pairs = [(ct.Think().edit(p.prompt), " ".join(p.steps)) for p in PROBLEMS]
    given = receiver_heads(lm, pairs, skip=2, on_progress=lambda *done: heard.append(done))
    assert torch.allclose(given.kurtosis, found.kurtosis, atol=1e-5, equal_nan=True)
    assert heard == [(i + 1, 6) for i in range(6)]


def test_a_step_scores_what_the_receiver_heads_give_it(lm, found):
    problem = PROBLEMS[0]
    effects = step_effects(lm, problem, problem.steps, "receiver", options={"skip": 2, "heads": found.top()})
    prompt = problem.prompt.then(**{f"step {i + 1}": step for i, step in enumerate(problem.steps)})
    names = [f"step {i + 1}" for i in range(len(problem.steps))]
    scores = vertical_scores(step_attention(lm, prompt, names, ct.Setup([ct.Think()])), 2)
    expected = torch.stack([scores[pair] for pair in found.top()]).mean(0)
    assert torch.allclose(torch.tensor(effects.scores), expected, atol=1e-5, equal_nan=True)
    assert all(map(math.isnan, effects.scores[-2:])) and max(effects.control) == 0.0
    own = step_effects(lm, problem, problem.steps, "receiver", options={"skip": 2})
    assert own.scores != effects.scores or set(found.top()) == set(found.top())


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (lambda lm: receiver_heads(lm, PROBLEMS, skip=6), r"thought of 9 steps.*3 steps with a score"),
        (lambda lm: receiver_heads(lm, [SUMS.generate(0, 1)]), "longer thoughts"),
        (lambda lm: receiver_heads(lm, []), "no list of thoughts"),
        (lambda lm: receiver_heads(lm, PROBLEMS[0]), "no list of thoughts"),
        (lambda lm: receiver_heads(lm, ["a = 3."]), "pairs"),
        (lambda lm: receiver_heads(lm, PROBLEMS, skip=0), "skip=0"),
        (lambda lm: receiver_heads(lm, PROBLEMS, skip=True), "skip=True"),
        (
            lambda lm: step_effects(lm, PROBLEMS[0], PROBLEMS[0].steps, "receiver", options={"heads": [(9, 0)]}),
            "layers 0 to 3",
        ),
        (
            lambda lm: step_effects(lm, PROBLEMS[0], PROBLEMS[0].steps, "receiver", options={"heads": []}),
            r"pairs such as",
        ),
        (lambda lm: step_effects(lm, SUMS.generate(0, 1), None, "receiver"), "longer thoughts"),
    ],
)
def test_what_has_no_receivers_is_refused(lm, asked, words):
    with pytest.raises(CtkitError, match=rf"(?s){words}"):
        asked(lm)
