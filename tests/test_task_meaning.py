"""Scenes and their meanings are what they say; no count of shared words tells which sentence means the same."""

import re
from collections import Counter
from random import Random

import pytest

from ctkit.errors import CtkitError
from ctkit.tasks import get, meaning
from ctkit.zoo.documents import meaning as documents
from ctkit.zoo.documents.base import Forms
from ctkit.zoo.tokenizer import WORD

TASK = get("meaning")
PAIRS = [(i, pair) for groups in meaning.WORDS.values() for i, pair in enumerate(groups)]  # the bare table
CONCEPT = {word: concept.split()[0] for _, pair in PAIRS for concept in pair for word in concept.split()}
RANK = {word: i for i, pair in PAIRS for concept in pair for word in concept.split()}  # word → group
AROUND = set("Answer Read the question again Let think step by step".split()) | {*'.?:"', "'s", "\n"}


def bag(sentence):
    return {word for word in re.findall("[A-Za-z]+", sentence) if word in CONCEPT}


def concepts(sentence):
    return [CONCEPT[word] for word in re.findall("[A-Za-z]+", sentence) if word in CONCEPT]


def text_of(document):
    return "".join(segment.text for segment in document.segments)


def written(n=600):
    random = Random("test")
    return [documents.document(random, Forms()) for _ in range(n)]


def test_every_word_stands_for_one_concept():
    assert len(CONCEPT) == 72 == len(meaning.NAMED)
    assert all(re.fullmatch("[a-z]+", word) for word in CONCEPT)
    topics = [topic for row in meaning.TOPICS for topic in row]
    assert len(set(topics)) == 9 and not set(topics) & set(CONCEPT)


@pytest.mark.parametrize("difficulty", meaning.Meaning.difficulties)
def test_the_answer_follows_from_the_deed_and_the_last_word(difficulty):
    """Deed and last word, looked up by their place in the bare table, give the topic."""
    for seed in range(200):
        problem = TASK.generate(seed, difficulty)
        told = problem.prompt.pieces["context"].rstrip(".").split(". ")
        asked = [
            i for i, place in enumerate(("first", "second", "third")) if place in problem.prompt.pieces["question"]
        ]
        assert len(told) == (3 if difficulty == 3 else 1) and len(asked) == (difficulty == 3)
        words = told[(asked or [0])[0]].split()
        assert problem.answer == meaning.TOPICS[RANK[words[2]]][RANK[words[-1]]]
        assert concepts(problem.steps[0]) == concepts(" ".join(words))
        assert difficulty > 1 or concepts(told[0]) == [word for word in words if word in CONCEPT]


@pytest.mark.parametrize("difficulty", meaning.Meaning.difficulties)
def test_answers_are_balanced_and_shortcuts_do_not_pay(difficulty):
    population = [TASK.generate(seed, difficulty) for seed in range(900)]
    answers = Counter(problem.answer for problem in population)
    assert len(answers) == 9 and max(answers.values()) < 150
    for name in TASK.baselines(population[0]):
        found = [(TASK.baselines(problem)[name], problem.answer) for problem in population]
        right = sum((answer in guesses) / len(guesses) for guesses, answer in found) / len(found)
        assert right == pytest.approx(0.0 if name.startswith("another") else 1 / 3, abs=0.02)
    if difficulty == 3:
        assert 250 < sum("second" in problem.prompt.pieces["question"] for problem in population) < 350


def test_seeds_fix_what_is_drawn():
    assert TASK.generate(3, 2) == TASK.generate(3, 2) != TASK.generate(4, 2)
    assert meaning.triplets(5, 1) == meaning.triplets(5, 1) != meaning.triplets(5, 2)
    assert meaning.pairs(5, 1) == meaning.pairs(5, 1) != meaning.pairs(5, 2)
    assert (
        TASK.generate(1, 1).prompt.text
        == "The thief carried the carpet in the rain. What does it mean in one word? Answer:"
    )


@pytest.mark.parametrize("kind, changed", [("early", 0), ("late", 3), ("twin", 3)])
def test_near_means_the_same_and_far_differs_in_one_concept(kind, changed):
    for query, near, far in meaning.triplets(300, 0, kind):
        assert concepts(query) == concepts(near)
        differ = [i for i, (a, b) in enumerate(zip(concepts(query), concepts(far))) if a != b]
        assert differ == [changed]
        assert meaning.similarity(meaning.read(query), meaning.read(far)) == 0.75
        words = [sentence.rstrip(".").split()[1 if changed == 0 else -1] for sentence in (query, near, far)]
        assert len(set(words)) == 3
        if kind == "twin":
            assert near.rsplit(" ", 1)[0] == far.rsplit(" ", 1)[0] and not bag(query) & bag(near)


@pytest.mark.parametrize("kind", ["early", "late", "twin"])
def test_shared_words_tell_nothing(kind):
    """A count of shared words, a tie as half: right in half of the triplets, and near and far share equally many."""
    shared = [
        (len(bag(query) & bag(near)), len(bag(query) & bag(far)))
        for query, near, far in meaning.triplets(4000, 0, kind)
    ]
    right = sum((near > far) + (near == far) / 2 for near, far in shared) / len(shared)
    assert right == pytest.approx(0.5, abs=0.025)
    assert sum(near - far for near, far in shared) / len(shared) == pytest.approx(0, abs=0.08)


def test_late_triplets_change_the_topic():
    for kind in ("late", "twin"):
        for query, near, far in meaning.triplets(100, 3, kind):
            assert meaning.read(query).topic == meaning.read(near).topic != meaning.read(far).topic


def test_pairs_are_graded_and_share_no_word():
    found = meaning.pairs(500)
    assert Counter(grade for *_, grade in found) == dict.fromkeys((0.0, 0.25, 0.5, 0.75, 1.0), 100)
    for first, second, grade in found:
        assert sum(a == b for a, b in zip(concepts(first), concepts(second))) / 4 == grade
        assert not bag(first) & bag(second)


def test_a_scene_is_told_in_all_of_its_words():
    scene = meaning.Scene("doctor", "sent", "letter", "rain")
    told = {meaning.tell(scene, Random(i)) for i in range(600)}
    assert len(told) == 81 and all(meaning.read(text) == scene for text in told)
    assert meaning.plain(scene) == "The doctor sent the letter in the rain."


def test_forms_of_embeddings():
    text = "The kid sent the note in the rain."
    assert meaning.one_word_form(text) == f'This sentence: "{text}" means in one word: "'
    assert meaning.echo_form(text) == (f"Rewrite the sentence: {text} The rewritten sentence:", f" {text}")
    assert meaning.echo_form(text, "The child sent the note in the rain.")[1] == " The child sent the note in the rain."


def test_documents_hold_known_words_only():
    known = TASK.words() | AROUND
    for document in written():
        pieces = [piece for segment in document.segments for piece in WORD.findall(segment.text)]
        assert {piece.removeprefix(" ") for piece in pieces} <= known
        assert "  " not in text_of(document)
        assert document.written[-1].text == "" and len(pieces) < 120


def test_documents_are_a_third_one_word_and_two_thirds_echo():
    echo = [document for document in written(1500) if text_of(document).startswith("Rewrite")]
    assert len(echo) / 1500 == pytest.approx(2 / 3, abs=0.05)
    verbatim = [d for d in echo if d.written[0].weight == 0.0]
    assert len(verbatim) / len(echo) == pytest.approx(documents.VERBATIM, abs=0.05)
    for document in echo:
        first, second = document.asked[1].text, document.written[0].text
        assert concepts(first) == concepts(second) and (first == second or document not in verbatim)


def test_documents_answer_rightly():
    """Every answer that counts, in all three forms, is the topic or the concept of the sentence before it."""
    for document in written():
        text = text_of(document)
        for sentence, topic in re.findall(r'This sentence: "([^"]+)" means in one word: "(\w+)"', text):
            assert meaning.read(sentence).topic == topic
        sentences = re.findall(r"The \w+ \w+ the \w+ in the \w+\.", text)
        for question, answer in re.findall(r"([^.?\n]+\?) Answer: (\w+)", text):
            asked = next((i for i, place in enumerate(meaning.PLACES) if place in question), 0)
            scene = meaning.read(sentences[asked])
            right = [getattr(scene, slot) for slot, known in meaning.SLOT_QUESTIONS.items() if known in question]
            assert answer == (right or [scene.topic])[0]


def test_wrong_requests_say_what_there_is():
    with pytest.raises(CtkitError, match="triplets of the kind 'later'") as error:
        meaning.triplets(1, 0, "later")
    assert error.value.found == "the kinds early, late, twin"
