"""Needles in haystacks: the code is where the question points, and neither its place nor its door gives it away."""

import re
from random import Random

import pytest

from ctkit.tasks import copy, get
from ctkit.zoo.documents import END, Forms
from ctkit.zoo.documents import copy as documents


def problems(difficulty, n=300):
    return [get("copy").generate(seed, difficulty) for seed in range(n)]


def sentences(problem):
    return [f"{told}." for told in problem.prompt.pieces["context"].rstrip(".").split(". ")]


@pytest.mark.parametrize("difficulty", copy.Copy.difficulties)
def test_the_code_is_read_off_the_sentence_of_the_door(difficulty):
    assert problems(difficulty, 20) == problems(difficulty, 20)
    for problem in problems(difficulty):
        colour = problem.prompt.pieces["question"].split()[-2]
        told = sentences(problem)
        (found,) = [text for text in told if colour in text.split()]
        assert problem.steps == (found,) and problem.labels == ("true",)
        assert " ".join(found.rstrip(".").split()[7:]) == problem.answer
        assert re.fullmatch(r"[b-z] \d [b-z] \d", problem.answer)
        doors = [text for text in told if "door" in text.split()]
        assert len(told) - len(doors) == copy.LENGTHS[difficulty] and len(doors) in (1, 2)
        signs = re.findall(r"\b(?:[b-z]|\d)\b", problem.prompt.pieces["context"])
        assert len(signs) == len(set(signs)) == 4 * len(doors)
        assert len(set(told)) == len(told)


@pytest.mark.parametrize("difficulty", copy.Copy.difficulties)
def test_neither_place_nor_order_gives_the_code_away(difficulty):
    population = problems(difficulty, 800)
    double = [p for p in population if len(copy.codes_in(p.prompt.pieces["context"])) == 2]
    assert 0.44 < len(double) / len(population) < 0.56
    for shortcut in ("first code", "last code"):
        right = sum(get("copy").baselines(p)[shortcut] == p.answer for p in double)
        assert 0.42 < right / len(double) < 0.58, shortcut
    assert all(p.answer in get("copy").baselines(p)["any code"] for p in population)
    depths = [sentences(p).index(p.steps[0]) / (len(sentences(p)) - 1) for p in population]
    assert 0.45 < sum(depths) / len(depths) < 0.55
    assert {round(4 * depth) for depth in depths} == {0, 1, 2, 3, 4}


def test_codes_and_doors_are_drawn_evenly():
    population = [p for d in copy.Copy.difficulties for p in problems(d, 400)]
    for place in range(4):
        signs = [p.answer.split()[place] for p in population]
        chance = 1 / (len(copy.NAMES) if place % 2 == 0 else 10)
        assert all(signs.count(sign) / len(signs) < 1.6 * chance for sign in set(signs))
    colours = [p.prompt.pieces["question"].split()[-2] for p in population]
    assert all(0.06 < colours.count(colour) / len(colours) < 0.14 for colour in copy.COLOURS)


def test_documents_answer_what_they_tell():
    random, known = Random(0), get("copy").words() | set(".?:") | {"Answer"}
    lines = []
    for _ in range(1000):
        document = documents.document(random, Forms(reread=0.0, think=0.3))
        text = "".join(part.text for part in document.segments)
        thoughtful = "Let's think step by step." in text
        assert set(re.findall(r"[A-Za-z]+|\S", text.replace("Let's think step by step.", ""))) <= known
        assert document.written[-1] == END
        codes = copy.codes_in(document.asked[0].text)
        for line in text.split("\n"):
            colour = re.search(r"What is the code of the (\w+) door", line)[1]
            assert line.rpartition("Answer: ")[2] == codes[colour]
            assert not thoughtful or f"The code of the {colour} door is {codes[colour]}. Answer: " in line
        lines.append((thoughtful, len(text.split("\n")), len(codes)))
    assert 0.25 < sum(thoughtful for thoughtful, _, _ in lines) / 1000 < 0.35
    assert all(asked == (1 if thoughtful else told) for thoughtful, asked, told in lines)
    assert {told for _, _, told in lines} == set(Forms().doors)


def test_a_task_knows_the_words_of_its_haystacks():
    known = get("copy").words()
    for difficulty in copy.Copy.difficulties:
        for problem in problems(difficulty, 100):
            assert set(re.findall(r"\w+", problem.prompt.text)) <= known | {"Answer"}
