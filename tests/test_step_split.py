"""From a thought to its steps: nothing of the text is lost, whatever the grain, and the model reads what was given."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ctkit as ct
from ctkit.measures.steps import Steps, Thought, cut, labels_of, split
from ctkit.tasks import get

PROBLEM = get("sums").generate(4, 3)
TEXTS = st.text(alphabet="ab37 .,!?…\n\t\r\"'{}\\é。日", max_size=50)


@settings(deadline=None)
@given(TEXTS, st.sampled_from(["word", "sentence", "line", "[ab]+", r"\n\n", r"(?<=,)", "x*"]))
def test_steps_and_what_stands_between_are_the_text(text, by):
    steps = split(text, by)
    assert steps.text == text
    assert [text[start:stop] for start, stop in steps.ranges] == list(steps.texts)
    assert all(step and step == step.strip() for step in steps.texts)
    assert not "".join((*steps.leads, steps.tail)).strip()


@settings(deadline=None, max_examples=40)
@given(TEXTS)
def test_tokens_too(lm, text):
    try:
        steps = split(text, "token", lm)
    except ct.CtkitError:
        assert not lm.tokenizer(text, add_special_tokens=False)["input_ids"]
        return
    assert steps.text == text and all(steps.texts)


def test_the_grains(lm):
    text = "a = 3.5. So b = 4.\nDone."
    assert split(text).texts == ("a = 3.5.", "So b = 4.", "Done.")
    assert split(text, "line").texts == ("a = 3.5. So b = 4.", "Done.")
    assert split(text, "word").texts == tuple(text.split())
    assert split(text, r"\bSo|Done").texts == ("a = 3.5.", "So b = 4.", "Done.")
    assert split(text, re.compile("So")).texts == ("a = 3.5.", "So b = 4.\nDone.")
    tokens = [token.strip() for token in ct.run(lm, text).tokens if token.strip()]
    assert list(split(text, "token", lm).texts) == [token for token in tokens if token in text]


def test_a_pattern_that_is_none_is_refused():
    with pytest.raises(ct.CtkitError, match="unterminated"):
        split("a b", "[ab")
    with pytest.raises(ct.CtkitError, match="token, word, sentence, line"):
        split("a b", "sentense")
    with pytest.raises(ct.CtkitError, match="token, word, sentence, line"):
        split("a b", 3)
    with pytest.raises(ct.CtkitError, match="token, word, sentence, line"):
        split("a b", re.compile(b"a"))
    with pytest.raises(ct.CtkitError, match="no model"):
        split("a b", "token")
    with pytest.raises(ct.CtkitError, match="a int"):
        split(3)


@settings(deadline=None)
@given(st.text(alphabet="ab. \n", min_size=1, max_size=20), st.sets(st.integers(-2, 22), max_size=4))
def test_cutting_by_hand_keeps_the_text_or_says_why_not(text, at):
    boundaries = sorted(at)
    edges = [0, *boundaries, len(text)]
    fine = not at or (boundaries[0] > 0 and boundaries[-1] < len(text))
    fine = fine and all(text[a:b].strip() for a, b in zip(edges, edges[1:]))
    if fine:
        assert len(cut(text, boundaries)) == len(at) + 1 and cut(text, boundaries).text == text
    elif text.strip() or at:
        with pytest.raises(ct.CtkitError, match="characters cut at"):
            cut(text, boundaries)


@pytest.mark.parametrize("wrong", [[7, 3], [3, 3], [0], [99], [2.0], ["2"], [True]])
def test_wrong_cuts_are_refused(wrong):
    with pytest.raises(ct.CtkitError, match="rising row of whole numbers"):
        cut("a = 3. b = 4.", wrong)


def test_steps_one_by_one_keep_the_space_around_them():
    assert Steps.of(["a = 3.", "b = 4."]).text == "a = 3. b = 4."
    assert Steps.of(["a = 3.\n", "  b = 4. "]).text == "a = 3.\n  b = 4. "
    assert Steps.of(["a.\n", "b."]).leads == ("", "\n")
    for wrong in (["a", 3], "a. b.", [None]):
        with pytest.raises(ct.CtkitError, match="one a step"):
            Steps.of(wrong)


def test_parts_of_steps():
    steps = split("a.\nb. c.\n")
    assert steps.first(2).text == "a.\nb." and steps.first(9) is steps
    assert steps.with_step(1, "x y").text == "a.\nx y c.\n" and steps.without(0).texts == ("", "b.", "c.")


def test_labels_are_those_of_the_same_words():
    texts = [PROBLEM.steps[0], "Something else.", PROBLEM.steps[-1]]
    assert labels_of(texts, PROBLEM) == [PROBLEM.labels[0], None, PROBLEM.labels[-1]]
    assert labels_of(texts, None) == [None] * 3


@pytest.mark.parametrize("by", ["line", "sentence", "word", "token"])
def test_the_model_reads_the_text_as_it_was_given(lm, by):
    text = "\na = 3.\n\nb = 3 + 4 = 7.\nCheck: 3 + 4 = 7. Then stop.\n"
    thought = Thought.of(lm, PROBLEM, text, by=by)
    asked = ct.Think().edit(PROBLEM.prompt).text
    assert ct.Think().edit(thought.before_answer(thought.steps)).text == f"{asked}{text}Answer:"
    own = thought.encoded(thought.before_answer(thought.steps)).ids
    assert own == ct.run(lm, f"{asked}{text}Answer:").encoding.ids
