"""Chains with minus signs come out by arithmetic; the shortcut through the numbers fails where it should."""

import re
from functools import cache
from random import Random

import pytest

from ctkit.errors import CtkitError
from ctkit.tasks import get, signs, sums
from ctkit.zoo.documents import Forms
from ctkit.zoo.documents import signs as documents

LEVELS = signs.Signs.difficulties
COUNTS = [(length, taken) for length in LEVELS for taken in range(length)]


@cache
def problems(difficulty, n=300, subtrahends=None):
    return [get("signs").generate(seed, difficulty, subtrahends) for seed in range(n)]


def solve(context):
    """Every variable's value, by Python's own arithmetic."""
    values = {}
    for told in context.rstrip(".").split(". "):
        name, right = told.split(" = ")
        values[name] = eval(right, {}, values) % 10
    return values


def needed(context, asked):
    """The right-hand sides that the asked variable needs, last to first."""
    rights = dict(told.split(" = ") for told in context.rstrip(".").split(". "))
    found = [rights[asked]]
    while name := re.search("[a-z]", found[-1]):
        found.append(rights[name[0]])
    return found


@pytest.mark.parametrize("difficulty", LEVELS)
def test_signs_come_out_by_arithmetic(difficulty):
    for problem in problems(difficulty):
        context, asked = problem.prompt.pieces["context"], problem.prompt.pieces["question"][-2]
        values = solve(context)
        assert str(values[asked]) == problem.answer
        assert problem.labels.count("true") == difficulty == len(needed(context, asked))
        for step, label in zip(problem.steps, problem.labels):
            *_, shown, result = ["", *step.rstrip(".").removeprefix("Check: ").split(" = ")]
            assert label == "check" or values[step[0]] == int(result)
            assert not re.search("[+-]", shown) or eval(shown) % 10 == int(result)
        assert problem == get("signs").generate(problem.seed, difficulty)
        assert " ".join(line.told() for line in signs.read_lines(context)) == context


@pytest.mark.parametrize("difficulty, taken", COUNTS)
def test_the_number_of_subtrahends_is_as_asked(difficulty, taken):
    for problem in problems(difficulty, 100, taken):
        context, asked = problem.prompt.pieces["context"], problem.prompt.pieces["question"][-2]
        assert sum(bool(re.match(r"\d - [a-z]", right)) for right in needed(context, asked)) == taken
        assert problem.order == f"v{taken}" and problem.difficulty == difficulty
        plain = get("signs").generate(problem.seed, difficulty, 0)
        # the same names and numbers, otherwise put together
        assert sorted(re.findall(r"\w", plain.prompt.text)) == sorted(re.findall(r"\w", problem.prompt.text))


def test_every_number_of_subtrahends_is_drawn_as_often():
    orders = [problem.order for problem in problems(4, 800)]
    assert all(150 < orders.count(f"v{taken}") < 250 for taken in range(4))
    assert {problem.order for problem in problems(None, 200)} == {"v0", "v1", "v2", "v3"}
    assert {get("signs").generate(seed, subtrahends=2).difficulty for seed in range(50)} == {3, 4}


def right(population, shortcut):
    found = [get("signs").baselines(problem)[shortcut] == problem.answer for problem in population]
    return sum(found) / len(found)


@pytest.mark.parametrize("difficulty, taken", COUNTS)
def test_chaining_the_numbers_is_right_without_subtrahends_only(difficulty, taken):
    accuracy = right(problems(difficulty, 300, taken), "numbers chained as they stand")
    assert accuracy == 1.0 if taken == 0 else accuracy < 0.3


@pytest.mark.parametrize("difficulty", LEVELS[1:])
@pytest.mark.parametrize("shortcut", ["number named last", "number beside the name"])
def test_shortcuts_do_not_pay(difficulty, shortcut):
    assert right(problems(difficulty), shortcut) < 0.25


@pytest.mark.parametrize("difficulty", LEVELS)
def test_the_answers_are_spread(difficulty):
    answers = [problem.answer for problem in problems(difficulty, 1000)]
    assert all(60 < answers.count(str(digit)) < 145 for digit in range(10))


def test_labels_say_what_the_answer_needs():
    """Changing the number in a line changes the answer exactly where the line's step is labelled true."""
    for problem in problems(4, 50):
        lines, asked = signs.read_lines(problem.prompt.pieces["context"]), problem.prompt.pieces["question"][-2]
        for i, line in enumerate(lines):
            moved = signs.Signed(line.name, line.start, line.plus + 1, line.form)
            changed = str(sums.values_of([*lines[:i], moved, *lines[i + 1 :]])[asked]) != problem.answer
            step = next(k for k, step in enumerate(problem.steps) if step.startswith(f"{line.name} ="))
            assert changed == (problem.labels[step] == "true")


def test_the_numbers_as_they_stand():
    lines = signs.read_lines("b = 4. c = 7 - b. d = c + 2. e = d - 1.")
    assert sums.values_of(lines) == {"b": 4, "c": 3, "d": 5, "e": 4}
    assert signs.chained(lines, "e") == 4 - 7 + 2 - 1 + 10
    assert sums.thought(lines, "c")[0][:3] == ("b = 4.", "c = 7 - 4 = 3.", "Check: 7 - 4 = 3.")


@pytest.mark.parametrize("difficulty", LEVELS)
def test_the_task_knows_its_words(difficulty):
    for problem in problems(difficulty, 100):
        text = " ".join([problem.prompt.text, problem.answer, *problem.steps]).replace("Answer:", "")
        assert set(re.findall(r"[A-Za-z]+|\d", text)) <= get("signs").words()
        assert not set(re.sub(r"\w", "", text)) - set(" .?:=+-")


@pytest.mark.parametrize("wrong", [3, -1, "two"])
def test_more_subtrahends_than_lines_are_refused(wrong):
    with pytest.raises(CtkitError, match="subtract the variable") as error:
        get("signs").generate(0, 3, wrong)
    assert error.value.found == "0 to 2 in a chain of 3"


def test_documents_come_out_by_arithmetic():
    random, drills, answers = Random(0), 0, 0
    for _ in range(300):
        document = documents.document(random, Forms(reread=0.0, think=0.3, broken=0.0, drill=0.3))
        text = "".join(segment.text for segment in document.segments)
        for shown, result in re.findall(r"(\d [+-] \d) = (\d)\.", text):
            assert eval(shown) % 10 == int(result)
        drills += not document.asked
        values = solve(text[: text.index(" What")]) if document.asked else {}
        for asked, answer in re.findall(r"What is (\w)\?[^\n]*? Answer: (\d)", text):
            assert str(values[asked]) == answer
            answers += 1
        assert document.written[-1] == documents.END
    assert 60 < drills < 120 and answers > 300
