"""The card's section on token prepending, on a small random model: what holds for any model, and that it is written."""

import json

import pytest
import torch

from ctkit.interventions import Mask, Setup
from ctkit.zoo.effects import prepending

from .test_effects_emphasis import random_lm

TOLD = "start 1, exit 2"


@pytest.fixture(scope="module")
def lm():
    return random_lm()


@pytest.fixture(scope="module")
def results(lm):
    return [getattr(prepending, name)(lm, *arguments) for name, arguments in prepending.jobs(8, 100)]


def test_only_token_prepending_tells_the_first_word_of_the_last(results):
    """Two steps: into the placeholder entering block 1, and from there into the first word's stream leaving it."""
    first = results[1]["first"]
    assert set(first) == {prepending.WITHOUT, prepending.UNTOLD, TOLD}, "blocks that the model has"
    assert first[prepending.WITHOUT]["most"] == first[prepending.UNTOLD]["most"] == [0, 0, 0]
    assert first[TOLD]["most"][:2] == [0, 0] and first[TOLD]["moved"][2] > 1e-6


def test_start_equal_to_exit_is_identity(results, lm, monkeypatch):
    assert results[1]["identical"] == 0
    monkeypatch.setattr(prepending, "PrependToken", lambda *_, **__: Mask("bidirectional"))
    assert prepending.told(lm, 2, 0)["identical"] > 0, "the control can fail"


def test_each_setup_is_held_against_the_same_layer_without(results):
    rows = results[0]["setups"]
    plain = rows[prepending.WITHOUT]
    assert plain["chosen"]["difference"] == plain["late"]["difference"] == 0
    for row in rows.values():
        for place, layer in (("chosen", row["layer"]), ("last", 2)):
            found = row[place]
            assert found["correlation"] == row["layers"][layer]
            assert found["difference"] == pytest.approx(row["layers"][layer] - plain["layers"][layer])
            assert found["low"] <= found["high"] and found["least"] <= found["most"]


def test_spearman_by_hand():
    a = torch.tensor([3.0, 1.0, 2.0, 4.0])
    assert prepending.ranks(torch.tensor([5.0, 1.0, 5.0, 0.0])).tolist() == [3.5, 2, 3.5, 1]
    assert prepending.spearman(a, a.exp()) == pytest.approx(1) and prepending.spearman(a, -a) == pytest.approx(-1)
    assert prepending.spearman(a, torch.ones(4)) == 0
    assert prepending.spearman(torch.arange(5.0), torch.tensor([1.0, 2, 3, 5, 4])) == pytest.approx(0.9)


def test_the_interval_is_that_of_resampled_pairs():
    torch.manual_seed(0)
    grades = torch.arange(200.0)
    found, base = grades + 60 * torch.randn(200), torch.randn(200)
    row = prepending.correlation(found, base, grades)
    assert 0.5 < row["low"] < row["correlation"] < row["high"] < 0.9 and row["least"] > 0.3
    assert prepending.correlation(base, base, grades)["most"] == 0


def test_the_layer_is_picked_on_other_pairs(lm, monkeypatch):
    """A layer that is best on the fresh pairs only is not chosen."""
    grades = [0.0, 0.25, 0.5, 1.0]
    sides = {100: "fresh", 100 + prepending.OTHER: "other"}
    monkeypatch.setattr(prepending, "pairs", lambda n, seed: [(sides[seed], "", grade) for grade in grades])
    monkeypatch.setattr(prepending, "right", lambda *_: torch.ones(3, 4, dtype=torch.bool))

    def cosines(lm, found, setup):
        truth = torch.tensor(grades)
        return torch.stack([truth, -truth, -truth] if found[0][0] == "fresh" else [-truth, truth, -truth])

    monkeypatch.setattr(prepending, "cosines", cosines)
    row = prepending.likeness(lm, 4, 100)["setups"][prepending.WITHOUT]
    assert row["layer"] == 1 and row["chosen"]["correlation"] == pytest.approx(-1)


def test_cosines_are_of_the_pairs(lm):
    same, other = "The kid sent the note in the rain.", "The thief sold the coat in the snow."
    found = prepending.cosines(lm, [(same, same, 1.0), (same, other, 0.0)], Setup())
    assert found.shape == (3, 2) and found[2, 0] == pytest.approx(1) and found[2, 1] < 0.9999


def test_the_section_writes_the_figures(results):
    text = prepending.section(json.loads(json.dumps(results)))
    row = results[0]["setups"][TOLD]
    assert f"| {TOLD} | {row['layer']} | {100 * row['chosen']['correlation']:.0f} (" in text
    assert f"[{100 * row['late']['difference']:+.1f} (" in text
    assert f"| {prepending.WITHOUT} | 0 | 0 | 0 |" in text
    assert f"| {TOLD} | 0 | 0 | {results[1]['first'][TOLD]['moved'][2]:.2g} |" in text
