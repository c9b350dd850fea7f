"""Accuracy against tokens: choosing among thoughts, hints as a Markov chain, what vanishes, what is refused."""

import math

import pytest
import torch

import ctkit as ct
from ctkit import CtkitError, Prompt, plots
from ctkit.measures.effect import paired_interval
from ctkit.measures.intervals import wilson
from ctkit.measures.score import after_cue, answer_cue, is_right
from ctkit.measures.thinking_time import Spending, Spent, marginalise, measure
from ctkit.measures.thinking_time.choosing import Thought, likeliest, majority
from ctkit.measures.thinking_time.hints import next_round, refined, with_hint, worth_a_hint
from ctkit.measures.thinking_time.measure import MOST

HOT = {"difficulty": 3, "temperature": 2.0, "n": 12}


@pytest.fixture(scope="module")
def several(lm):
    return ct.thinking_time(lm, "sums", "self-consistency", settings=[4, 1, 2], **HOT)


@pytest.fixture(scope="module")
def drawn(lm):
    """The same thoughts, written one by one."""
    problems = [ct.tasks.get("sums").generate(seed, 3) for seed in range(HOT["n"])]
    options = {"max_new_tokens": 128, "temperature": 2.0}
    return problems, [
        [ct.generate(lm, p.prompt, ct.Think(), seed=p.seed * MOST + j, **options) for j in range(4)] for p in problems
    ]


def test_a_vote_counts_answers_and_says_ties():
    assert majority(["3", "7", "7", "", ""]) == ("7", False)
    assert majority(["3", "7", "7", "3", "1"]) == ("3", True), "the one said first"
    assert majority([]) == majority(["", ""]) == ("", False)


def test_the_likeliest_thought_needs_an_answer():
    thoughts = [Thought("3", 5, -0.7), Thought("", 9, -0.1), Thought("7", 5, -0.2), Thought("1", 5, -0.2)]
    assert likeliest(thoughts) == ("7", True)
    assert likeliest([Thought("", 0, -math.inf)]) == ("", False)
    assert likeliest([Thought("7", 5, -0.2), Thought("7", 6, -0.2)]) == ("7", False), "the same answer is no tie"


def test_self_consistency_is_the_vote_over_the_thoughts_themselves(several, drawn):
    problems, written = drawn
    for point in several.points:
        answers = [
            [after_cue(g, answer_cue(p.prompt)) for g in own[: point.setting]] for p, own in zip(problems, written)
        ]
        assert point.tokens == tuple(sum(g.n_written for g in own[: point.setting]) for own in written)
        assert point.right == tuple(is_right(majority(a)[0], p.answer) for a, p in zip(answers, problems))
        assert point.any_right == tuple(any(is_right(a, p.answer) for a in own) for own, p in zip(answers, problems))
        assert point.ties == sum(majority(a)[1] for a in answers)
    assert [point.setting for point in several.points] == [1, 2, 4]
    assert len({g.text for own in written for g in own}) > 40, "dice of their own"


def test_best_of_n_takes_the_likeliest_thought(lm, drawn):
    problems, written = drawn
    found = ct.thinking_time(lm, "sums", "best-of-n", settings=[1, 4], **HOT)

    def score(g):
        return float(torch.stack([row.log_softmax(-1)[i] for row, i in zip(g.logits, g.ids)]).mean())

    expected = []
    for problem, own in zip(problems, written):
        answered = [g for g in own if after_cue(g, "Answer:")]
        best = max(answered, key=score, default=None)
        expected.append(best is not None and is_right(after_cue(best, "Answer:"), problem.answer))
    assert found.at(4).right == tuple(expected)
    assert found.at(4).accuracy > found.at(1).accuracy, "at this temperature a likely thought is a better one"


def test_one_thought_is_its_own_majority(several):
    one = several.at(1)
    assert one.right == one.any_right and one.ties == 0
    oracles = [point.oracle for point in several.points]
    assert oracles == sorted(oracles) and oracles[-1] > oracles[0], "more thoughts, more chances"
    assert all(point.oracle >= point.accuracy for point in several.points)


def test_greedy_stands_beside_and_is_thinking_as_ever(lm, several):
    found = ct.effect(lm, "sums", ct.Think(), n=HOT["n"], difficulty=3)
    assert several.greedy.right == tuple(o.right_after for o in found.outcomes)
    assert several.greedy.oracle is None and several.greedy.oracle_interval is None


def test_differences_are_paired(several):
    before, after = several.at(1), several.at(4)
    mended = sum(b > a for a, b in zip(before.right, after.right))
    broken = sum(a > b for a, b in zip(before.right, after.right))
    difference, *interval = several.difference(1, 4)
    assert difference == pytest.approx(after.accuracy - before.accuracy)
    assert tuple(interval) == paired_interval(mended, broken, several.n)
    assert several.difference("greedy", "greedy")[0] == 0.0
    with pytest.raises(CtkitError, match=r"(?s)setting 3.*'greedy', 1, 2, 4"):
        several.at(3)


def test_intervals_are_those_of_shares_and_means():
    point = Spent(2, (10, 20, 30), (True, False, True), (True, True, True), 1)
    assert point.interval == wilson(2, 3) and point.oracle_interval == wilson(3, 3)
    assert point.mean_tokens == 20 and point.tokens_interval == pytest.approx((20 - 11.316, 20 + 11.316), abs=1e-3)
    assert Spent(1, (10,), (True,)).tokens_interval == (10, 10)


def test_a_budget_and_waits_are_those_of_think(lm):
    budget = ct.thinking_time(lm, "sums", "budget", settings=[40, 0], n=10, difficulty=3)
    assert budget.temperature == 0.0
    assert budget.at(40).right == budget.greedy.right and budget.at(40).tokens == budget.greedy.tokens, "never reached"
    assert budget.at(0).accuracy < budget.at(40).accuracy and budget.at(0).mean_tokens < 4
    waits = ct.thinking_time(lm, "sums", "waits", ct.Think(wait="Check"), settings=[0, 3], n=6, difficulty=3)
    assert waits.at(0).tokens == waits.greedy.tokens
    problem = ct.tasks.get("sums").generate(0, 3)
    held = ct.generate(lm, problem.prompt, ct.Think(wait="Check", waits=3), max_new_tokens=4 * 128)
    assert waits.at(3).tokens[0] == held.n_written > waits.at(0).tokens[0]


def test_marginalising_is_a_markov_chain():
    p, t = torch.tensor([0.5, 0.3, 0.2]), torch.tensor([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.0, 0.5, 0.5]])
    found = marginalise(p, t, 3)
    by_hand = [sum(float(p[a]) * float(t[a, b]) for a in range(3)) for b in range(3)]
    assert found[0].equal(p) and found[1].tolist() == pytest.approx(by_hand)
    assert found[2].tolist() == pytest.approx((p @ t @ t).tolist()) and torch.allclose(found.sum(1), torch.ones(3))
    assert marginalise(p, torch.eye(3), 5)[-1].equal(p), "a hint that is believed changes nothing"
    far = marginalise(p, t, 400)[-1]
    assert torch.allclose(far, torch.tensor([2 / 3, 1 / 3, 0.0]), atol=1e-4), "the stationary answer"


def test_ignored_hints_change_nothing():
    p = torch.tensor([0.6, 0.1, 0.3], dtype=torch.double)
    for found in marginalise(p, p.expand(3, 3), 4):
        assert torch.allclose(found, p, atol=1e-12)
    shares = {"7": 0.6, "3": 0.4}
    assert next_round(shares, dict.fromkeys(shares, shares)) == pytest.approx(shares)


@pytest.mark.parametrize(
    ("p", "t", "rounds", "words"),
    [
        ([0.5, 0.5], [[1.0, 0.0], [0.0, 1.0]], 0, "no number of rounds"),
        ([0.5, 0.5], [[1.0, 0.0], [0.0, 1.0]], True, "no number of rounds"),
        ([0.5, 0.6], [[1.0, 0.0], [0.0, 1.0]], 2, "the answers' probabilities that are no"),
        ([0.5, 0.5], [[1.0, 0.5], [0.0, 1.0]], 2, "a row of the transitions"),
        ([0.5, 0.5], [[1.5, -0.5], [0.0, 1.0]], 2, "a row of the transitions"),
        ([], [], 2, "no probabilities"),
    ],
)
def test_what_is_no_chain_is_refused(p, t, rounds, words):
    with pytest.raises(CtkitError, match=words):
        marginalise(torch.tensor(p), torch.tensor(t).reshape(len(p), len(p)), rounds)


def test_rare_answers_get_no_hint():
    p = {"7": 0.6, "3": 0.32, "1": 0.08}
    assert worth_a_hint(p, 0.1) == pytest.approx({"7": 0.6 / 0.92, "3": 0.32 / 0.92})
    assert worth_a_hint(p, 0.0) == pytest.approx(p) and worth_a_hint({}, 0.1) == {}
    assert worth_a_hint({"7": 0.5, "3": 0.5}, 0.9) == {"7": 0.5, "3": 0.5}, "all rare: the likeliest"


def test_rounds_ask_once_about_a_hint_and_count_its_cost():
    asked = []

    def ask(pairs):
        asked.append(pairs)
        return [({"7": 1.0}, 10) if given != "0" else ({}, 10) for _, given in pairs]

    rounds = refined([{"3": 0.5, "1": 0.5}, {}, {"0": 1.0}], 3, 0.1, ask)
    assert asked == [[(0, "3"), (0, "1"), (2, "0")], [(0, "7")]]
    assert [tokens for _, tokens in rounds[1]] == [20, 0, 10] and [tokens for _, tokens in rounds[2]] == [10, 0, 0]
    assert rounds[1][0][0]["7"] == pytest.approx(1.0) and rounds[1][1][0] == {}
    assert rounds[2][2][0] == {"0": 1.0}, "no answer under its hint: it stays"


def test_a_hint_stands_before_the_cue():
    prompt = Prompt(context="a = 3.", question="What is a?", cue="Answer:")
    assert with_hint(prompt, "Near 3.").text == "a = 3. What is a? Near 3. Answer:"
    assert ct.Think().edit(with_hint(prompt, "Near 3.")).pieces["hint"] == "Near 3."
    assert with_hint(prompt, " ") is prompt


def test_a_hint_that_says_nothing_changes_nothing(lm):
    few = {"settings": [1, 2, 3], "samples": 4, **(HOT | {"n": 6})}
    silent = ct.thinking_time(lm, "sums", "hints", hint="", least=0.0, **few)
    first = silent.at(1)
    for point in silent.points[1:]:
        assert point.right == first.right and point.ties == first.ties and point.tokens > first.tokens
    told = ct.thinking_time(lm, "sums", "hints", hint="= {answer}.", **few)
    assert told.at(1) == first and told.at(2).right != first.right
    vote = ct.thinking_time(lm, "sums", "self-consistency", settings=[4], **(HOT | {"n": 6}))
    assert (vote.at(4).right, vote.at(4).tokens, vote.at(4).ties) == (first.right, first.tokens, first.ties)


def test_lots_change_nothing_and_progress_is_told(lm, several, monkeypatch):
    heard = []
    monkeypatch.setattr(measure, "AT_ONCE", 17 * 128 * lm.n_tokens)
    again = ct.thinking_time(
        lm, "sums", "self-consistency", settings=[4, 1, 2], on_progress=lambda *done: heard.append(done), **HOT
    )
    assert again == several
    assert heard == [(17, 48), (34, 48), (48, 48)]


def test_an_interrupt_gets_through(lm):
    def stop(done, of):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ct.thinking_time(lm, "sums", "self-consistency", on_progress=stop, **HOT)
    assert ct.run(lm, "The key is in the box.").logits.isfinite().all()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"method": "prayer"}, "self-consistency, best-of-n, budget, waits, hints"),
        ({"task": "chess"}, "one of these names"),
        ({"settings": []}, "whole numbers from 1"),
        ({"settings": [0]}, "whole numbers from 1"),
        ({"settings": [1.5]}, "whole numbers from 1"),
        ({"method": "waits", "settings": [101]}, "from 0 to 100"),
        ({"n": 0}, "n=0"),
        ({"samples": 0, "method": "hints"}, "samples=0"),
        ({"temperature": 0}, "all the same"),
        ({"temperature": -1.0}, "temperature=-1"),
        ({"hint": 3, "method": "hints"}, "hint=3"),
        ({"least": 2}, "least=2"),
        ({"difficulty": 9}, "difficulties 1 to 5"),
    ],
)
def test_what_cannot_be_measured_is_refused(lm, wrong, words):
    task, method = wrong.pop("task", "sums"), wrong.pop("method", "self-consistency")
    with pytest.raises(CtkitError, match=words):
        ct.thinking_time(lm, task, method, **({"n": 2} | wrong))


def test_it_prints_what_was_measured(several):
    text = str(several)
    assert "self-consistency on 12 problems of sums 3 (seed 0), temperature 2" in text
    assert f"{several.at(4).accuracy:.1%}" in text and f"{several.at(4).ties} ties" in text and "greedy" in text


def test_the_figure_shows_the_points(several):
    ax = plots.thinking_time(several).axes[0]
    lines = {container.get_label(): container[0] for container in ax.containers}
    assert list(lines["self-consistency"].get_ydata()) == [point.accuracy for point in several.points]
    assert list(lines["any right (oracle)"].get_ydata()) == [point.oracle for point in several.points]
    assert list(lines["self-consistency"].get_xdata()) == [point.mean_tokens for point in several.points]
    assert list(lines["one, greedy"].get_ydata()) == [several.greedy.accuracy]
    assert [text.get_text() for text in ax.texts] == ["1", "2", "4"]
    all_right = Spent(1, (3,) * 200, (True,) * 200)
    single = Spending("budget", "sums", 5, 0.0, 0, ct.Setup(), all_right, (all_right,))
    assert plots.thinking_time(single).axes[0].get_title(loc="left").startswith("200 problems of sums 5")
    single = Spending("budget", "sums", None, 0.0, 0, ct.Setup(), several.greedy, (several.greedy,))
    assert len(plots.thinking_time(single).axes[0].containers) == 2, "no oracle of one thought"
