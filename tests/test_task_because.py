"""Causes follow by the rules that the task states, from no single statement, and the thought rests on what it names."""

import re
from collections import Counter
from functools import cache
from itertools import product
from random import Random

import pytest

from ctkit.tasks import because, get
from ctkit.zoo.documents import Forms
from ctkit.zoo.documents import because as documents

LEVELS = because.Because.difficulties
WORDS = re.compile(r"[A-Za-z]+")


@cache
def problems(difficulty, n=600):
    return [get("because").generate(seed, difficulty) for seed in range(n)]


def solve(context, question):
    """The rules once more, on sets: what is reached from where."""
    causes = set(re.findall(r"The (\w+) causes the (\w+)\.", context))
    denied = set(re.findall(r"The (\w+) does not cause the (\w+)\.", context))
    beside = set(re.findall(r"The (\w+) and the (\w+) come together\.", context))
    assert len(causes) + len(denied) + len(beside) == context.count(".")
    cause, effect = re.fullmatch(r"Does the (\w+) cause the (\w+)\?", question).groups()
    events = {event for pair in causes | denied | beside for event in pair}
    reach = set(causes)
    for middle, a, b in product(events, events, events):
        if (a, middle) in reach and (middle, b) in reach:
            reach.add((a, b))
    for _ in events:
        reach |= {(a, c) for a, b in reach for b2, c in causes if b == b2}
    if (cause, effect) in reach:
        return "yes"
    stopped = any(end == effect and (start == cause or (cause, start) in reach) for start, end in denied)
    shared = any((event, cause) in reach and (event, effect) in reach for event in events)
    if stopped or shared or (effect, cause) in reach:
        return "no"
    return "unknown" if {(cause, effect), (effect, cause)} & beside else None


@pytest.mark.parametrize("difficulty", LEVELS)
def test_the_answer_follows_by_the_stated_rules(difficulty):
    for problem in problems(difficulty):
        assert solve(problem.prompt.pieces["context"], problem.prompt.pieces["question"]) == problem.answer
        assert problem == get("because").generate(problem.seed, difficulty)


@pytest.mark.parametrize("difficulty", LEVELS)
def test_every_answer_is_drawn_as_often(difficulty):
    counts = Counter(problem.answer for problem in problems(difficulty))
    assert set(counts) == ({"yes", "no", "unknown"} if difficulty == 3 else {"yes", "no"})
    assert max(counts.values()) - min(counts.values()) < 75


def test_each_difficulty_asks_for_its_arguments():
    kinds = {level: {problem.order for problem in problems(level, 200)} for level in LEVELS}
    assert kinds[1] == {"direct", "denied", "reversed"}
    assert kinds[2] == kinds[4] == {"chain", "broken"}
    assert kinds[3] == {"chain", "common cause", "coincidence"}
    assert {len(problem.steps) for problem in problems(4, 50)} == {4}
    assert {len(problem.steps) for problem in problems(2, 50)} == {3}


@pytest.mark.parametrize("difficulty", LEVELS)
def test_the_answer_rests_on_the_true_steps_and_on_no_decoy(difficulty):
    for problem in problems(difficulty, 200):
        told, pair = (
            because.read(problem.prompt.pieces["context"]),
            because.asked_pair(problem.prompt.pieces["question"]),
        )
        *steps, end = zip(problem.steps, problem.labels)
        for step, label in steps:
            (statement,) = [statement for statement in told if statement.told() == step]
            without = because.judge([other for other in told if other != statement], pair)
            assert (without is not None and without.answer == problem.answer) == (label == "decoy")
        ends = {"yes": "causes", "no": "does not cause", "unknown": "unknown"}
        assert end[0].startswith("So ") and ends[problem.answer] in end[0] and end[1] == "true"


def rate(difficulty, feature):
    """How often the commonest answer for a feature is right on problems it was not counted on."""
    found, rest = problems(difficulty, 1200)[:600], problems(difficulty, 1200)[600:]
    counts: dict = {}
    for problem in found:
        counts.setdefault(feature(problem), Counter())[problem.answer] += 1
    guesses = {value: answers.most_common(1)[0][0] for value, answers in counts.items()}
    return sum(guesses.get(feature(problem), "no") == problem.answer for problem in rest) / len(rest)


FEATURES = {
    "the cause asked for": lambda problem: because.asked_pair(problem.prompt.pieces["question"])[0],
    "the effect asked for": lambda problem: because.asked_pair(problem.prompt.pieces["question"])[1],
    "the last statement's kind": lambda problem: because.read(problem.prompt.pieces["context"])[-1].how,
    "the first statement's kind": lambda problem: because.read(problem.prompt.pieces["context"])[0].how,
    "all kinds in their order": lambda problem: tuple(s.how for s in because.read(problem.prompt.pieces["context"])),
}


@pytest.mark.parametrize("difficulty", LEVELS)
@pytest.mark.parametrize("name", FEATURES)
def test_question_and_last_statement_are_at_chance(difficulty, name):
    assert rate(difficulty, FEATURES[name]) < (0.41 if difficulty == 3 else 0.57)


@pytest.mark.parametrize("difficulty", [2, 4])
def test_what_is_said_of_the_effect_alone_is_at_chance(difficulty):
    """Each end is caused by one event and denied to another, and so is each of the two events before it."""

    def said(problem):
        told, (_, effect) = (
            because.read(problem.prompt.pieces["context"]),
            because.asked_pair(problem.prompt.pieces["question"]),
        )
        return tuple(statement.how for statement in told if statement.second == effect)

    assert rate(difficulty, said) < 0.57


@pytest.mark.parametrize("difficulty", LEVELS)
def test_what_an_answer_rests_on_stands_anywhere(difficulty):
    places: dict = {}
    for problem in problems(difficulty, 1200):
        told = [statement.told() for statement in because.read(problem.prompt.pieces["context"])]
        place = told.index(problem.steps[-2]) / (len(told) - 1)
        places.setdefault(problem.answer, []).append(place)
    for found in places.values():
        assert abs(sum(found) / len(found) - 0.5) < 0.06 and {0.0, 1.0} <= set(found)


@pytest.mark.parametrize("difficulty", LEVELS)
def test_shortcuts_do_not_pay(difficulty):
    population = problems(difficulty)
    for shortcut in get("because").baselines(population[0]):
        right = sum(get("because").baselines(problem)[shortcut] == problem.answer for problem in population)
        assert right / len(population) < (0.41 if difficulty == 3 else 0.57), shortcut


@pytest.mark.parametrize("difficulty", LEVELS)
def test_the_task_knows_its_words(difficulty):
    for problem in problems(difficulty, 200):
        text = " ".join([problem.prompt.text, problem.answer, *problem.steps]).replace("Answer:", "")
        assert set(WORDS.findall(text)) <= get("because").words()
        assert not set(re.sub(r"[A-Za-z]+", "", text)) - set(" .?")


def test_nothing_follows_for_strangers():
    told = because.read("The rain causes the mud. The dust causes the rust.")
    assert because.judge(told, ("rain", "rust")) is None
    assert because.askable(told) == {
        "yes": [("dust", "rust"), ("rain", "mud")],
        "no": [("mud", "rain"), ("rust", "dust")],
    }


def test_documents_ask_what_follows():
    random, again, thoughts = Random(0), 0, 0
    for _ in range(300):
        document = documents.document(random, Forms())
        text = "".join(segment.text for segment in document.asked)
        context = text[: text.index(" Does the")]
        first = re.search(r"Does the \w+ cause the \w+\?", text)[0]
        written = "".join(segment.text for segment in document.written)
        answer = written.split("\n")[0].split()[-1]  # right behind the cue, or behind the thought
        assert solve(context, first) == answer
        for question, answer in re.findall(r"\n(Does .*?\?) Answer: (\w+)", written):
            assert question != first and solve(context, question) == answer
            again += 1
        thoughts += "step by step" in text
        assert document.written[-1] == documents.END
    assert again > 200 and 40 < thoughts < 120


def test_causes_are_also_asked_for_by_name_and_only_where_there_is_one():
    random, asked = Random(4), 0
    for _ in range(200):
        document = documents.document(random, Forms(think=0.0, reread=0.0, listed=0.5))
        text = "".join(segment.text for segment in document.segments)
        links = re.findall(r"The (\w+) causes the (\w+)\.", text.split("?")[0])
        for effect, answer in re.findall(r"What causes the (\w+)\? Answer: (\w+)", text):
            assert [cause for cause, other in links if other == effect] == [answer]
        for cause, answer in re.findall(r"What does the (\w+) cause\? Answer: (\w+)", text):
            assert [effect for other, effect in links if other == cause] == [answer]
        asked += "? Answer:" in text and "What " in text
        assert re.search(r"Does the \w+ cause the \w+\? Answer: (yes|no|unknown)", text)
    assert 60 < asked < 140
