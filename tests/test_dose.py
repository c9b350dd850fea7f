"""The dose-response curve: each point is a run of its own, and its controls are those it names."""

import pytest
import torch

import ctkit as ct
from ctkit.measures.controls import randomized
from ctkit.ui.concepts import concept_directions
from ctkit.ui.dose import RANDOM, dose_of, doses_of

PROMPT = ct.Prompt("The room was warm. The day was")


def measured(lm, *setup, token=None, stale=lambda: False):
    setup, lines = ct.Setup(setup), []
    dose_of(lm, PROMPT, setup, (ct.run(lm, PROMPT), ct.run(lm, PROMPT, setup)), token, stale, lines.append)
    return lines


def probability(lm, token: int, *setup) -> float:
    return float(ct.run(lm, PROMPT, *setup).logits[-1].softmax(-1)[token])


def test_a_dose_is_a_run_of_its_own(lm):
    direction = concept_directions(lm)[0]
    curve = measured(lm, ct.Reread(), ct.Steer(direction, strength=3.0))[-1]
    assert curve["at"] in curve["doses"] and curve["doses"][0] == -8 and curve["doses"][-1] == 8
    for dose, value in zip(curve["doses"], curve["tokens"][0]["values"], strict=True):
        alone = probability(lm, curve["tokens"][0]["id"], ct.Reread(), ct.Steer(direction, strength=dose))
        assert value == pytest.approx(alone, abs=2e-5)


def test_the_band_is_that_of_random_directions_of_the_same_norm(lm):
    direction = concept_directions(lm)[0]
    setup = ct.Setup([ct.Steer(direction, strength=3.0)])
    curve = measured(lm, *setup)[-1]
    token, at = curve["tokens"][0], curve["doses"].index(3.0)
    drawn = [randomized(setup, ("dose", draw)) for draw in range(RANDOM)]
    assert all(torch.isclose(s.interventions[0].direction.vector.norm(), direction.vector.norm()) for s in drawn)
    values = [probability(lm, token["id"], own) for own in drawn]
    assert (token["low"][at], token["high"][at]) == (
        pytest.approx(min(values), abs=2e-5),
        pytest.approx(max(values), abs=2e-5),
    )
    zero = curve["doses"].index(0.0)
    assert token["low"][zero] == token["high"][zero] == pytest.approx(token["values"][zero], abs=2e-5)


def test_the_curve_comes_first_and_the_band_fills(lm):
    lines = measured(lm, ct.Steer(concept_directions(lm)[0]))
    assert [line["random"] for line in lines] == list(range(RANDOM + 1))
    assert lines[0]["tokens"][0]["low"] is None and lines[0]["tokens"][0]["values"] == lines[-1]["tokens"][0]["values"]
    assert len(measured(lm, ct.Steer(concept_directions(lm)[0]), stale=lambda: True)) == 1


def test_a_strength_as_kl_is_where_the_curve_says(lm):
    direction = concept_directions(lm)[0]
    curve = measured(lm, ct.Steer(direction, kl=0.25))[-1]
    after = probability(lm, curve["tokens"][0]["id"], ct.Steer(direction, kl=0.25))
    assert curve["tokens"][0]["values"][curve["doses"].index(curve["at"])] == pytest.approx(after, abs=2e-5)


def test_a_token_can_be_chosen(lm):
    curve = measured(lm, ct.Steer(concept_directions(lm)[0]), token=5)[-1]
    assert 5 in [token["id"] for token in curve["tokens"]]
    assert 5 in [token["id"] for token in curve["offered"]]
    assert len(measured(lm, ct.Steer(concept_directions(lm)[0]), token=10**9)[-1]["tokens"]) == 2


def test_doses_have_both_signs_where_strength_has(lm):
    direction = concept_directions(lm)[0]
    assert doses_of(ct.Steer(direction, strength=20.0))[0] == -20
    assert doses_of(ct.Steer(direction, op="ablate"))[0] == 0
    assert doses_of(ct.Steer(direction, op="relative"))[0] == -1


def test_without_steering_there_is_no_curve_and_with_thinking_it_says_why(lm):
    assert measured(lm, ct.Reread()) == [None]
    prompt, setup = (
        ct.Prompt(question="Where?", cue="Answer:"),
        ct.Setup([ct.Steer(concept_directions(lm)[0]), ct.Think()]),
    )
    lines = []
    dose_of(lm, prompt, setup, (None, None), None, lambda: False, lines.append)
    assert "thinking" in lines[0]["note"] and set(lines[0]) == {"note"}
