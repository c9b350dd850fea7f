"""A few tokens behind a text that was read: those that `generate` writes, and only what is new is read."""

import pytest
import torch

import ctkit as ct
from ctkit import Reread
from ctkit.engine.behind import written_behind
from ctkit.engine.branches import Trunks
from ctkit.measures.steps import Thought
from ctkit.measures.steps import writing as writing_module
from ctkit.measures.steps.writing import first_answer
from ctkit.tasks import get

from .families import CONTEXT
from .test_draft import STARTS, writer_of

PROBLEM = get("sums").generate(0, difficulty=4)


def once_a_capital(token: str) -> bool:
    return not token.strip().isupper()


@pytest.mark.parametrize("family", ["llama", "gpt2", "gpt_neox", "mixtral", "bloom"])
@pytest.mark.parametrize("setup", [(), (Reread(),)], ids=str)
@pytest.mark.parametrize("goes_on", [lambda token: True, once_a_capital], ids=["all", "up to a capital"])
def test_they_are_those_that_generate_writes(family, setup, goes_on):
    lm = writer_of(family)
    trunks = Trunks(lm, *setup)
    for start in STARTS[:4]:
        expected = ct.generate(lm, start, *setup, max_new_tokens=9, on_token=goes_on).ids
        assert written_behind(trunks, start, goes_on, 9) == expected


def test_they_end_with_the_models_own_end_and_with_its_context(monkeypatch):
    lm = writer_of("llama")
    first, second = ct.generate(lm, STARTS[0], max_new_tokens=2).ids
    assert first != second
    monkeypatch.setattr("ctkit.engine.behind.end_ids", lambda lm: {second})
    assert written_behind(Trunks(lm), STARTS[0], lambda token: True, 5) == [first]
    monkeypatch.undo()
    for n in range(CONTEXT - 3, CONTEXT):
        text = ct.Prompt("x" * n)
        left = CONTEXT - len(ct.run(lm, text).ids)
        assert len(written_behind(Trunks(lm), text, lambda token: True, 9)) == left


def test_what_was_read_is_not_read_again(lm):
    trunks = Trunks(lm)
    n = len(ct.run(lm, PROBLEM.prompt).ids)
    for again in range(3):
        written_behind(trunks, PROBLEM.prompt, lambda token: True, 1)
        assert (trunks.passes, trunks.tokens) == (1 + again, n + again)


def test_the_answer_behind_an_edited_thought_reads_from_the_edit_on(lm):
    thought = Thought.of(lm, PROBLEM, PROBLEM.steps)
    last = len(thought.steps) - 1
    edited = thought.edited(thought.steps.with_step(last, PROBLEM.steps[last].replace("=", "= 1 =")))
    whole = len(thought.encoded(edited.with_answer(edited.steps)))
    before = len(thought.encoded(thought.up_to(thought.steps.first(last))))
    assert edited.made[1] <= (whole - before) + 6 < whole / 2


@pytest.mark.parametrize(
    "setup", [ct.Mask("window", size=40), ct.Steer(ct.Direction(torch.ones(128), 1), strength=2)], ids=["mask", "steer"]
)
def test_a_setup_that_shares_nothing_asks_for_the_answer_as_ever(lm, setup, monkeypatch):
    seen = []
    monkeypatch.setattr(writing_module, "written_behind", lambda *args: seen.append(args))
    thought = Thought.of(lm, PROBLEM, PROBLEM.steps, setup=setup)
    asked = thought.before_answer(thought.steps)
    assert first_answer(ct.generate(lm, asked, thought.setup, max_new_tokens=20).text) == thought.answer
    assert seen == []
