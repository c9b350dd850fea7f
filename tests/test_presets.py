"""The presets: each shows on the shipped model what its note says, here and on fresh problems."""

import math

import pytest

import ctkit as ct
from ctkit.measures.score import is_right
from ctkit.tasks import get
from ctkit.ui.catalog import catalog_of
from ctkit.ui.concepts import concept_directions
from ctkit.ui.examples import MEASURED_ON, examples
from ctkit.ui.frame import frame_of
from ctkit.ui.look import look


@pytest.fixture(scope="module")
def directions(lm):
    return concept_directions(lm)


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.id)
def test_what_the_note_says_is_seen(lm, directions, example):
    setup = example.setup_with(directions)
    before = look(lm, example.prompt, ct.Setup())
    after = look(lm, example.prompt, setup, before) if len(setup) else None
    frame = frame_of(lm, before, after, setup)
    assert all(math.isfinite(t["before"]) and math.isfinite(t["after"] or 0) for t in frame["next"])
    assert ("after" in example.claim) == (after is not None), "a setup without a claim, or a claim without a setup"
    for side, seen in (("before", before), ("after", after)):
        if side in example.claim:
            said, claim = seen.trace.next_tokens(1)[0][0], example.claim[side]
            answer = get(example.task).generate(example.seed, example.difficulty).answer
            right = is_right(said, answer.split()[0])
            assert {"right": right, "wrong": not right}.get(claim, said.strip() == claim), (example.id, side, said)


@pytest.mark.parametrize("example", [e for e in examples() if "population" in e.claim], ids=lambda example: example.id)
def test_what_the_note_says_of_fresh_problems_holds(lm, directions, example):
    effect = ct.effect(
        lm, example.task, example.setup_with(directions), n=200, seed=10_000, difficulty=example.difficulty
    )
    low, high = effect.interval
    found = "more" if low > 0 else "fewer" if high < 0 else "the same"
    assert found == example.claim["population"], effect


def test_notes_are_a_sentence_or_two_and_hold_no_figure():
    for example in examples():
        assert example.note.endswith((".", "?")) and len(example.note) <= 140, example.id
        assert not any(letter.isdigit() for letter in example.note), "a figure in prose that no command prints"
    assert len({example.id for example in examples()}) == len({e.label for e in examples()}) == len(examples())


def test_each_preset_says_whether_another_model_can_show_it(lm):
    other = ct.load("tiny-anymask")
    shown = {e["id"]: e for e in catalog_of(other, concept_directions(other))["examples"]}
    assert all(e["note"].startswith(f"On {MEASURED_ON}: ") for e in shown.values())
    without = {e["id"]: e["unsupported"] for e in catalog_of(lm, [])["examples"]}
    assert without["mood"] == "no direction of that name on this model" and without["read-again"] is None


def test_a_preset_made_for_one_model_says_so(lm):
    from dataclasses import replace

    paint = next(e for e in examples() if e.id == "paint")
    assert paint.to_data(replace(lm, name="gpt2"), [])["unsupported"] == "it is made for tiny and tiny-anymask"
