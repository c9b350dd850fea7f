"""The card's section on facts by heart, answered by readers whose knowledge is known, and by a small random model."""

import json

import pytest

from ctkit.tasks.people import HOMES, TOLD, home_fact
from ctkit.zoo.effects import people

from .test_effects_emphasis import random_lm

BY_HEART = {fact.question: fact.answer for fact in TOLD}
FAMILY = {home.family: home.country for home in HOMES if home.kind == "unseen"}


def by_heart(question):
    return BY_HEART.get(question, "")


def by_family(question):
    return FAMILY.get(question.rstrip("?").split()[3] if question.startswith("Where does") else "", "")


@pytest.fixture(scope="module")
def lm():
    return random_lm()


def rows_of(lm, monkeypatch, reader, n=40):
    """The section's rows with a reader's answers in place of the model's."""
    monkeypatch.setattr(people, "answers", lambda lm, prompts, *_: [reader(p.pieces["question"]) for p in prompts])
    return {arguments[2:]: people.measure(lm, *arguments) for _, arguments in people.jobs(n, 100)}


def test_who_knows_by_heart_what_was_told_has_the_curse(lm, monkeypatch):
    rows = rows_of(lm, monkeypatch, by_heart)
    assert {row: found["accuracy"] for row, found in rows.items()} == {
        (1, "forward"): 1,
        (1, "reverse"): 1,
        (2, "forward"): 1,
        (3, "reverse"): 0,
        (4, ""): 1,
        (5, ""): 1,
        (6, ""): 0,
    }
    assert all(found["known"] == found["facts"] * found["accuracy"] for found in rows.values())


def test_who_guesses_by_the_family_scores_as_the_shortcut_says(lm, monkeypatch):
    rows = rows_of(lm, monkeypatch, by_family)
    assert [rows[difficulty, ""]["accuracy"] for difficulty in (4, 5, 6)] == [1, 0, 1]
    assert rows[6, ""]["shortcuts"]["family's country"] == 1


def test_forward_and_reverse_ask_for_the_same_pairs():
    asked = {
        (difficulty, order): {frozenset((p.answer, name_in(p))) for p, _ in zip(problems, range(400))}
        for (difficulty, order) in ((2, "forward"), (3, "reverse"))
        for problems in [people.drawn(0, difficulty, order)]
    }
    forward, reverse = asked.values()
    assert forward == reverse and len(forward) == 40


def test_pairs_told_both_ways_are_asked_in_one_order_a_row():
    for difficulty, order in people.ROWS:
        problems = [p for p, _ in zip(people.drawn(0, difficulty, order), range(50))]
        assert {(p.difficulty, p.order) for p in problems} == {(difficulty, order)}


def name_in(problem):
    words = problem.prompt.pieces["question"].rstrip("?").split()
    return words[-1] if words[0] == "Who" else words[2]


def test_a_fact_is_known_if_no_wording_of_it_is_missed(lm, monkeypatch):
    """Right at all but one question: that fact, asked for several times, counts as not known."""
    missed = []

    def reader(question):
        if not missed:
            missed.append(question)
            return ""
        return by_heart(question)

    monkeypatch.setattr(people, "answers", lambda lm, prompts, *_: [reader(p.pieces["question"]) for p in prompts])
    found = people.measure(lm, 200, 0, 5, "")
    assert found["accuracy"] == 199 / 200 and found["known"] == found["facts"] - 1
    assert found["low"] < found["accuracy"] < found["high"]


def test_a_random_model_knows_nothing_and_the_section_writes_it(lm):
    results = [getattr(people, name)(lm, *arguments) for name, arguments in people.jobs(4, 100)]
    assert all(found["accuracy"] == found["known"] == 0 and 0 < found["sure"] < 0.1 for found in results)
    assert [round(1 / found["chance"]) for found in results] == [80, 80, 80, 80, 8, 8, 8]
    text = people.section(json.loads(json.dumps(results)))
    assert text.count("| 0 (0–49) | 0 of ") == len(people.ROWS) == len(results)
    assert f"| {people.ROWS[3, 'reverse']} | 0 (0–49) | 0 of 4 |" in text and "| 12.5 | 100 |" in text


def test_an_unseen_person_is_told_of_nowhere():
    told = {fact.question for fact in TOLD}
    assert not told & {home_fact(home).question for home in HOMES if home.kind == "unseen"}
