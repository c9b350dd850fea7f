"""Tags are what later words make of them, no past foretells them, and documents hold them as targets, not as text."""

import re
from collections import Counter
from functools import cache
from random import Random

import pytest

from ctkit.tasks import get, tags
from ctkit.zoo.documents import Forms
from ctkit.zoo.documents import tags as documents

LEVELS = tags.Tags.difficulties


@cache
def problems(difficulty, n=500):
    return [get("tags").generate(seed, difficulty) for seed in range(n)]


@pytest.mark.parametrize("difficulty", LEVELS)
def test_a_tag_says_whether_the_word_comes_later(difficulty):
    for problem in problems(difficulty, 200):
        context = problem.prompt.pieces["context"]
        slots = [match.start() for match in re.finditer(r"_", context)]
        assert len(slots) == (6, 10, 14)[difficulty - 1] == len(get("tags").tags(problem))
        for slot, tag in zip(slots, get("tags").tags(problem)):
            word = context[:slot].split()[-1]
            assert (tag == "again") == (word in re.findall(r"\w+", context[slot:]))
        asked = problem.prompt.pieces["question"].rstrip("?").split()[-1]
        assert problem.answer == ("again" if len(re.findall(rf"\b{asked}\b", context)) > 1 else "last")
        assert problem.steps == (f"The {asked} comes {'again' if problem.answer == 'again' else 'once'}.",)
        assert "again" not in context and "last" not in context
        assert problem == get("tags").generate(problem.seed, difficulty)


def pasts(words, place):
    """What a reader of the words so far could go by, in several degrees of detail."""
    so_far, word = words[: place + 1], words[place]
    seen, different = so_far.count(word), len(set(so_far))
    ranks = {other: i for i, other in enumerate(dict.fromkeys(so_far))}
    yield place
    yield seen > 1
    yield place, seen, different
    yield tuple(ranks[other] for other in so_far)  # the whole past, up to the choice of words
    yield word


@pytest.mark.parametrize("difficulty", LEVELS)
@pytest.mark.parametrize("detail", range(5))
def test_the_past_foretells_no_tag(difficulty, detail):
    counts: dict = {}
    right = total = 0
    for problem in problems(difficulty, 2500):
        words = tags.read_words(problem.prompt.pieces["context"])
        for place, tag in enumerate(get("tags").tags(problem)):
            past = list(pasts(words, place))[detail]
            if problem.seed < 1500:
                counts.setdefault(past, Counter())[tag] += 1
            elif past in counts:
                right, total = right + (counts[past].most_common(1)[0][0] == tag), total + 1
    assert total > 1000 and abs(right / total - 0.5) < 0.035


@pytest.mark.parametrize("difficulty", LEVELS)
def test_shortcuts_do_not_pay(difficulty):
    population = problems(difficulty, 1000)
    assert abs(sum(problem.answer == "again" for problem in population) / 1000 - 0.5) < 0.05
    for shortcut in get("tags").baselines(population[0]):
        right = 0.0
        for problem in population:
            found = get("tags").baselines(problem)[shortcut]
            guesses = (found,) if isinstance(found, str) else found
            right += (problem.answer in guesses) / len(guesses)
        assert right / len(population) < 0.64, shortcut


@pytest.mark.parametrize("difficulty", LEVELS)
def test_the_task_knows_its_words(difficulty):
    for problem in problems(difficulty, 100):
        text = " ".join([problem.prompt.text, problem.answer, *problem.steps]).replace("Answer:", "")
        assert set(re.findall("[A-Za-z]+", text)) <= get("tags").words()
        assert not set(re.sub(r"[A-Za-z]+", "", text)) - set(" .?:_")


def test_documents_hold_the_tags_as_targets_only():
    random, again, twice = Random(0), 0, 0
    for _ in range(200):
        document = documents.document(random, Forms())
        copies = "".join(segment.text for segment in document.asked).count("Words:")
        text = "".join(segment.text for segment in document.asked)
        context = text[: text.index(" What is")]
        words = tags.read_words(context)
        truth = tags.tags_of(words, context.count("_"))
        slots = [segment for segment in document.asked if segment.text.endswith("_")]
        assert tuple(segment.target for segment in slots) == truth * copies
        assert all(segment.text == " _" for segment in slots)
        assert not any(segment.target for segment in [*document.asked, *document.written] if "_" not in segment.text)
        written = "".join(segment.text for segment in document.written)
        for question, answer in re.findall(r"first (\w+)\? Answer: (\w+)", text[len(context) :] + written):
            assert answer == ("again" if words.count(question) > 1 else "last")
            again += 1
        twice += copies == 2
        assert document.written[-1] == documents.END
    assert again > 300 and 50 < twice < 110
