"""The card's section on embeddings, on a small random model: what holds for any model, and that it is written."""

import json

import pytest
import torch

from ctkit.interventions import Setup
from ctkit.tasks.meaning import triplets
from ctkit.zoo.effects import meaning

from .test_effects_emphasis import random_lm


@pytest.fixture(scope="module")
def lm():
    return random_lm()


@pytest.fixture(scope="module")
def results(lm):
    return [getattr(meaning, name)(lm, *arguments) for name, arguments in meaning.jobs(6, 100)]


def test_a_beginning_knows_its_end_only_from_a_second_reading_or_without_the_mask(results):
    most = {name: gap["most"] for name, gap in results[1]["gaps"].items()}
    assert most["mean"] == most["echo, blind"] == 0
    assert most["echo"] > 1e-5 and most["mean, mask lifted"] > 1e-5


def test_beginnings_leave_out_what_differs(lm):
    """The start of what is pooled is long enough to tell different sentences apart, and ends before the last word."""
    query, near, far = (list(side) for side in zip(*triplets(3, 0, "twin")))
    form, setup = meaning.READINGS["mean"]
    a, b, c = (meaning.beginnings(lm, side, form, setup) for side in (query, near, far))
    assert torch.equal(b, c) and not torch.allclose(a, b, atol=1e-3)
    assert not torch.allclose(b, meaning.beginnings(lm, [t.rsplit(" ", 2)[0] + "." for t in near], form, setup))


def test_nearer_is_what_the_cosine_says(lm, monkeypatch):
    """Embeddings by hand: the query on one axis, near beside it in the first triplet, far in the second."""
    vectors = iter([[[1.0, 0.0], [1.0, 0.0]], [[1.0, 0.1], [0.0, 1.0]], [[0.0, 1.0], [9.0, 0.1]]])
    monkeypatch.setattr(meaning, "embed_layers", lambda *_, **__: torch.tensor([next(vectors)]))
    assert meaning.right(lm, 2, 0, "late", "mean", Setup()).tolist() == [[True, False]]


def test_each_reading_is_held_against_the_base(results):
    found = results[0]["readings"]
    assert list(found) == list(meaning.READINGS)
    for kind in meaning.KINDS:
        base, echo = (found[name][kind]["last"] for name in ("mean", "echo"))
        assert base["difference"] == 0 and echo["difference"] == pytest.approx(echo["share"] - base["share"])
        assert len(found["echo"]["layers"][kind]) == 3 and found["echo"]["layers"][kind][-1] == echo["share"]
        chosen = found["echo"]["layers"][kind][found["echo"]["layer"]]
        assert found["echo"][kind]["chosen"]["share"] == chosen


def test_pairs_of_readings_are_each_at_its_own_layer_or_at_the_last(lm, monkeypatch):
    """Readings of which each has one layer where all is right: its own; the last one is wrong in all but the echo."""
    own = {"mean": 0, "prompted": 1, "echo": 2, "last": 0, "one word": 0}

    def right(lm, n, seed, kind, form, setup):
        layer = 0 if form == "echo" and len(setup) else own[form]
        return torch.tensor([[i == layer] * n for i in range(3)])

    monkeypatch.setattr(meaning, "right", right)
    found = meaning.nearer(lm, 4, 100)
    assert [row["layer"] for row in found["readings"].values()] == [0, 1, 2, 0, 0, 0, 0]
    for row, last in zip(found["paired"], (1, 1, 0), strict=True):
        assert row["late"]["chosen"]["difference"] == 0 and row["early"]["last"]["difference"] == last
    assert found["readings"]["mean, prompted"]["late"]["chosen"]["difference"] == 0


def test_differences_are_paired():
    row, base = torch.tensor([True, True, True, False]), torch.tensor([False, True, False, True])
    found = meaning.against(row, base)
    assert (found["share"], found["difference"]) == (0.75, 0.25)
    assert found["low"] < 0.75 < found["high"] and found["least"] < 0.25 < found["most"]


def test_the_layer_is_picked_on_other_triplets(lm, monkeypatch):
    """A layer that is best on the fresh triplets only is not chosen."""

    def right(lm, n, seed, kind, form, setup):
        return torch.tensor([[seed < meaning.OTHER] * n, [seed >= meaning.OTHER] * n, [False] * n])

    monkeypatch.setattr(meaning, "right", right)
    found = meaning.nearer(lm, 4, 100)["readings"]["echo"]
    assert found["layer"] == 1 and found["late"]["chosen"]["share"] == 0 and found["layers"]["late"] == [1, 0, 0]


def test_the_section_writes_the_figures(results):
    text = meaning.section(json.loads(json.dumps(results)))
    row = results[0]["readings"]["echo"]
    assert f"| echo | {row['layer']} | {100 * row['late']['chosen']['share']:.0f} (" in text
    assert f"[{100 * row['early']['last']['difference']:+.1f} (" in text
    assert "| mean | 0 | 0 |" in text and "| echo, blind | 0 | 0 |" in text
    control = results[0]["paired"][-1]["late"]["chosen"]["difference"]
    assert f"| echo, blind − mean, prompted | {100 * control:+.1f} (" in text
    assert f"| {results[1]['gaps']['echo']['most']:.2g} |" in text
