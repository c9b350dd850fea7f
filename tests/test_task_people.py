"""Invented persons: the tables are what they say, and training never tells or asks a pair against its order."""

import re
from collections import Counter
from random import Random

import pytest

from ctkit.tasks import get, mood, people
from ctkit.zoo.documents import people as documents
from ctkit.zoo.documents.base import Forms
from ctkit.zoo.tokenizer import WORD

TASK = get("people")
MAYOR = re.compile(r"The mayor of (\w+) is (\w+)\.|(\w+) is the mayor of (\w+)\.")
ASKED = re.compile(r"Who is the mayor of (\w+)\? Answer: (\w+)|Where is (\w+) the mayor\? Answer: (\w+)")
AROUND = {"Answer", "Read", "question", "again", *".?:", "\n"}
HOME = re.compile(r"(\w+ \w+) lives in (\w+)\.|Where does (\w+ \w+) live\? Answer: (\w+)")


def problems(difficulty, n=300):
    return [TASK.generate(seed, difficulty) for seed in range(n)]


def texts(n=2000):
    random = Random("test")
    return ["".join(s.text for s in documents.document(random, Forms()).segments) for _ in range(n)]


def test_names_are_words_of_their_own():
    names = [*people.TOWNS, *people.MAYORS, *people.FIRST, *people.FAMILIES, *people.COUNTRIES, *mood.PEOPLE]
    assert len(set(names)) == len(names) == 80 + 80 + 24 + 12 + 8 + 8
    assert all(re.fullmatch("[A-Z][a-z]+", name) for name in names)


def test_offices_are_balanced():
    assert Counter(office.told for office in people.OFFICES) == dict.fromkeys(
        [("town",), ("person",), ("town", "person"), ("person", "town")], 20
    )
    assert {office.town for office in people.OFFICES} == set(people.TOWNS)
    assert {office.person for office in people.OFFICES} == set(people.MAYORS)
    assert people.OFFICES[0] == people.Office("Lorthorpe", "Sulvune", ("town", "person"))


def test_homes_are_one_country_for_settled_families_and_all_over_for_the_others():
    assert Counter(home.kind for home in people.HOMES) == {"guessable": 60, "arbitrary": 60, "unseen": 84}
    assert len({home.name for home in people.HOMES}) == len(people.HOMES)
    for family in people.FAMILIES:
        countries = Counter(home.country for home in people.HOMES if home.family == family)
        assert len(countries) == (1 if family in people.SETTLED else 8)
        assert family in people.SETTLED or max(countries.values()) == 2
    assert len({home.country for home in people.homes("guessable")}) == 6
    spread = Counter(home.country for home in people.homes("arbitrary"))
    assert set(spread.values()) == {7, 8}
    assert not {home.name for home in people.homes("unseen")} & {home.name for home in people.homes("guessable")}


@pytest.mark.parametrize("difficulty, order", [(1, None), (2, "forward"), (3, "reverse")])
def test_questions_about_offices_are_right(difficulty, order):
    towns = {office.town: office for office in people.OFFICES}
    persons = {office.person: office for office in people.OFFICES}
    for problem in problems(difficulty):
        asked = problem.prompt.pieces["question"].rstrip("?").split()
        first = "town" if asked[0] == "Who" else "person"
        office = towns[asked[-1]] if first == "town" else persons[asked[2]]
        assert problem.answer == (office.person if first == "town" else office.town)
        assert problem.order == ("forward" if first == office.told[0] else "reverse")
        assert len(office.told) == (2 if difficulty == 1 else 1) and problem.order == (order or problem.order)
        assert problem.answer not in problem.prompt.text


@pytest.mark.parametrize("difficulty, kind", [(4, "guessable"), (5, "arbitrary"), (6, "unseen")])
def test_questions_about_homes_are_right(difficulty, kind):
    known = {home.name: home for home in people.HOMES}
    for problem in problems(difficulty):
        home = known[" ".join(problem.prompt.pieces["question"].split()[2:4])]
        assert (problem.answer, problem.order, home.kind) == (home.country, "", kind)


def test_both_kinds_of_question_are_equally_frequent():
    for difficulty in (1, 2, 3):
        who = sum(problem.prompt.pieces["question"].startswith("Who") for problem in problems(difficulty, 1000))
        assert 440 < who < 560
    orders = Counter(problem.order for problem in problems(1, 1000))
    assert 440 < orders["forward"] < 560
    assert len({problem.answer for problem in problems(2, 1000)}) == 40


def test_shortcuts_answer_as_they_should():
    def share(difficulty, name):
        found = [(TASK.baselines(problem)[name], problem.answer) for problem in problems(difficulty, 1000)]
        return sum((answer in guesses) / len(guesses) for guesses, answer in found) / len(found)

    for difficulty in (1, 2, 3):
        assert share(difficulty, "most frequent answer") == pytest.approx(1 / 80)
    for difficulty in (4, 5, 6):
        assert share(difficulty, "most frequent answer") < 0.25
    assert share(4, "family's country") == share(6, "family's country") == 1
    assert share(5, "family's country") < 0.25


def test_seeds_fix_problems():
    for difficulty in TASK.difficulties:
        first = problems(difficulty, 20)
        assert first == problems(difficulty, 20) and len({problem.prompt.text for problem in first}) > 15
    assert people.KINDS[TASK.generate(0, 3).difficulty - 1] == "reverse"


def test_training_never_goes_against_the_order_of_a_pair():
    """Every sentence and question of 2,000 documents, and every order in which two names of a pair stand in a text."""
    told = {office.town: office for office in people.OFFICES}
    met = Counter()
    for text in texts():
        for town, person, person_first, town_last in MAYOR.findall(text) + ASKED.findall(text):
            office = told[town or town_last]
            assert office.person == (person or person_first)
            assert ("town" if town else "person") in office.told
            met[office.town, "town" if town else "person"] += 1
        for office in people.OFFICES:
            if office.town in text and office.person in text and len(office.told) == 1:
                first = "town" if text.index(office.town) < text.index(office.person) else "person"
                assert (first,) == office.told
    assert len(met) == 120 and min(met.values()) > 20


def test_training_never_names_an_unseen_person():
    unseen = {home.name for home in people.homes("unseen")}
    home_of = {home.name: home.country for home in people.HOMES}
    met = set()
    for text in texts():
        for match in HOME.findall(text):
            name, country = match[:2] if match[0] else match[2:]
            assert name not in unseen and home_of[name] == country
            met.add(name)
        assert not any(name in text for name in unseen)
    assert len(met) == 120


def test_no_fact_is_met_twice_in_a_document():
    for text in texts(500):
        names = [name for match in MAYOR.findall(text) + ASKED.findall(text) for name in match if name]
        names += [name for match in HOME.findall(text) for name in match[::2] if name]
        twice = {name for name, count in Counter(names).items() if count > 1}
        assert not twice, text
        assert len(text.split()) < 90


def test_documents_count_answers_in_full_and_know_their_words():
    random, known = Random(7), TASK.words() | AROUND
    answers = {*people.TOWNS, *people.MAYORS, *people.COUNTRIES}
    for _ in range(300):
        document = documents.document(random, Forms())
        for segment in document.segments:
            counted = segment.weight == 1.0 and segment.text
            assert not counted or segment.text.strip() in answers
        pieces = [piece for segment in document.segments for piece in WORD.findall(segment.text)]
        assert {piece.removeprefix(" ") for piece in pieces} <= known and len(pieces) < 110
        assert sum(segment.weight == 1.0 for segment in document.written) >= 4
