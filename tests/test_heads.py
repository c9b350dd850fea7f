"""Retrieval scores: a hit is the largest weight, in the needle, on the token that is written next; no token twice."""

from dataclasses import replace

import pytest
import torch

import ctkit as ct
from ctkit import CtkitError, Knockout, Mask, Prompt, Reread, Think
from ctkit.measures import heads
from ctkit.measures.heads import hits, retrieval_heads
from ctkit.tasks import Problem, get

from .families import N_HEADS, N_LAYERS, lm_of

NEEDLE = "k is a7b7."
PROBLEM = Problem(
    Prompt(context=f"a b 7. {NEEDLE} c.", question="k?", cue="Answer:"), "a7b7", (NEEDLE,), ("true",), "own", 0, 1
)
START = PROBLEM.prompt.text.index("a7b7")  # a byte is a token, so a character's place is a token's


def looking_at(places: list[int]) -> torch.Tensor:
    """Scores where one head has its eyes at these places while the answer " a7b7" is written, and the others at 0."""
    trace = ct.run(lm_of("llama"), PROBLEM.prompt.then(answer=PROBLEM.answer))
    n, written = len(trace.ids), trace.spans["answer"]
    weights = {(layer, head): torch.zeros(n, n) for layer in range(N_LAYERS) for head in range(N_HEADS)}
    for pattern in weights.values():
        pattern[:, 0] = 0.5
    for at, place in zip(range(n)[written], places, strict=True):
        weights[1, 2][at - 1, place] = 0.6
    return hits(replace(trace, kept_attention=weights), PROBLEM)


def test_a_hit_is_the_next_token_where_the_needle_is():
    space = START - 1
    found = looking_at([space, START, START + 1, START + 2, START + 3])
    assert found[1, 2] == 1 and found.sum() == 1, "one head copies all, no other any"
    assert looking_at([space, START, START + 1, START + 2, 0])[1, 2] == pytest.approx(4 / 5)
    assert looking_at([space, START + 1, START, START + 3, START + 2])[1, 2] == pytest.approx(1 / 5), "other tokens"
    ahead = [space + 1, START + 1, START + 2, START + 3, START + 4]
    assert looking_at(ahead)[1, 2] == 0, "the token behind the one that comes next"


def test_the_same_token_outside_the_needle_is_no_hit():
    outside = PROBLEM.prompt.text.index("a b 7")
    assert looking_at([0, outside, outside + 4, outside + 2, outside + 4]).sum() == 0


def test_no_token_counts_twice():
    twice = looking_at([0, START, START + 1, START + 2, START + 1])
    assert twice[1, 2] == pytest.approx(3 / 5), "7 stands twice in the answer, and was looked at in one place only"


def test_the_score_is_the_mean_over_what_is_answered_right(monkeypatch):
    lm, problems = lm_of("llama"), [PROBLEM, replace(PROBLEM, seed=1), replace(PROBLEM, seed=2)]
    monkeypatch.setattr(heads, "_answered_right", lambda lm, problems, setup: problems[:2])
    found = retrieval_heads(lm, problems)
    trace = ct.run(lm, PROBLEM.prompt.then(answer=PROBLEM.answer))
    torch.testing.assert_close(found.scores, hits(trace, PROBLEM))
    assert (found.n, found.asked, found.scores.shape) == (2, 3, (N_LAYERS, N_HEADS))
    assert ((found.scores >= 0) & (found.scores <= 1)).all()


def test_batches_do_not_show(monkeypatch, lm):
    problems = [get("hunt").generate(seed, 1) for seed in range(12)]
    whole = retrieval_heads(lm, problems)
    monkeypatch.setattr(heads, "AT_ONCE", 5)
    torch.testing.assert_close(retrieval_heads(lm, problems).scores, whole.scores)


def test_the_trained_model_has_heads_that_look_things_up(lm):
    problems = [get("hunt").generate(seed, 1) for seed in range(40)]
    found = retrieval_heads(lm, problems)
    assert found.scores[found.top(1)[0]] > 0.5 > found.scores.median(), "few heads look at what is written next"
    assert found.ranked[:2] == found.top(2) and len(set(found.ranked)) == lm.n_layers * lm.n_heads
    assert f"{found.n} of 40 problems: {found.top(1)[0]}" in str(found)


def test_heads_that_cannot_see_the_context_retrieve_nothing(monkeypatch, lm):
    problems = [get("hunt").generate(seed, 1) for seed in range(10)]
    monkeypatch.setattr(heads, "_answered_right", lambda lm, problems, setup: problems)
    blind = retrieval_heads(lm, problems, Knockout(("cue", "generated"), "context"))
    assert blind.scores.sum() == 0
    cut = retrieval_heads(lm, problems, Knockout(("cue", "generated"), "context", layers=[2], heads=[1]))
    assert cut.scores[2, 1] == 0 and cut.scores.sum() > 0
    torch.testing.assert_close(
        retrieval_heads(lm, problems, Mask("causal")).scores, retrieval_heads(lm, problems).scores
    )


def test_the_needle_counts_in_both_readings(monkeypatch, lm):
    problems = [get("hunt").generate(seed, 1) for seed in range(5)]
    monkeypatch.setattr(heads, "_answered_right", lambda lm, problems, setup: problems)
    cut = [Knockout(("cue", "generated"), f"reading {reading}") for reading in (1, 2)]
    sums = [retrieval_heads(lm, problems, Reread(), *some).scores.sum() for some in ([], cut[:1], cut[1:], cut)]
    assert min(sums[:3]) > 0 and sums[3] == 0


def test_what_has_no_score_is_refused(lm):
    """The remedy, problems of hunt, is tried in the tests above."""
    hunt = get("hunt").generate(0, 1)
    with pytest.raises(CtkitError, match=r"(?s)retrieval heads.*no problems.*hunt"):
        retrieval_heads(lm, [])
    with pytest.raises(CtkitError, match=r"(?s)retrieval heads.*nothing to look up.*hunt"):
        retrieval_heads(lm, [hunt, replace(hunt, steps=("So it is.",))])
    with pytest.raises(CtkitError, match=r"(?s)under ct.Think.*without thinking"):
        retrieval_heads(lm, [hunt], Think())
    with pytest.raises(CtkitError, match=r"(?s)none of 1 problems answered right.*easier"):
        retrieval_heads(lm, [replace(hunt, answer="zebra")])
