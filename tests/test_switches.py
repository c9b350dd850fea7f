"""The switches of the playground as data: each makes a setup that runs, as it is and with every choice."""

import json
from pathlib import Path

import pytest
import torch

import ctkit as ct
from ctkit.interventions import Direction
from ctkit.ui.catalog import catalog_of
from ctkit.ui.concepts import concept_directions
from ctkit.ui.entries import entry_of
from ctkit.ui.examples import examples
from ctkit.ui.steering import steered_along
from ctkit.ui.switches import switches

from .families import lm_of

PIECES = ct.Prompt(context="The key is in the box. The box is in the car.", question="Where is the key?", cue="Answer:")
PLAIN = ct.Prompt("The key is in the box. The cup is in the")
FIXTURE = Path(__file__).parents[1] / "widgets" / "harness" / "switches.json"
PAINTED = ["painted", "2:1,1,2", [["text", 2]]]


def settings(switch: dict):
    """Every choice of every setting, one at a time, with what makes it apply."""
    yield {}
    for field in switch["fields"]:
        first = {name: v[0] if isinstance(v, list) else v for name, v in field.get("when", {}).items()}
        first |= {"paint": PAINTED} if first.get("kind") == "painted" else {}
        for choice in field.get("choices", []):
            own = {"paint": PAINTED} if choice["value"] == "painted" else {}
            yield first | own | {field["name"]: choice["value"]}
        if "min" in field:
            yield first | {field["name"]: field["min"]}
            yield first | {field["name"]: field["max"]}


@pytest.mark.parametrize("prompt", [PIECES, PLAIN], ids=["pieces", "plain"])
@pytest.mark.parametrize("id_", [s["id"] for s in switches(ct.load(), [])])
def test_every_choice_of_every_switch_runs(lm, prompt, id_):
    [switch] = [one for one in switches(lm, concept_directions(lm)) if one["id"] == id_]
    names = list(prompt.pieces)
    tried = list(settings(switch))
    assert tried
    for values in tried:
        entry = entry_of(switch, values, names)
        setup = ct.Setup.from_data([entry])
        assert ct.Setup.from_json(setup.to_json()) == setup
        assert ct.run(lm, prompt, setup).logits.isfinite().all(), entry


def test_all_kinds_of_the_algebra_are_on_the_mask_switch(lm):
    from ctkit.interventions.mask import KINDS

    mask = switches(lm, [])[0]
    offered = {choice["value"] for choice in mask["fields"][0]["choices"]}
    assert offered == {*KINDS, "painted", "groups", "knockout"}


def test_what_a_model_cannot_do_is_said(lm):
    found = {s["id"]: s["unsupported"] for s in switches(lm, [])}
    assert found["mask"] is None and found["steer"] == "no direction could be fitted on this model"
    gpt2 = {s["id"]: s["unsupported"] for s in switches(lm_of("gpt2"), [])}
    assert gpt2["pine"] and gpt2["pine"] == lm_of("gpt2").support["pine"]


def test_the_views_tests_have_these_switches(lm):
    """The front end's tests and its development page use the real switches, with two short directions."""
    made = [Direction(torch.tensor([1.0, float(i)]), 2 - i, "diffmean", name) for i, name in enumerate("ab")]
    written = json.dumps(switches(lm, made), indent="\t", ensure_ascii=False) + "\n"
    if not FIXTURE.exists():
        FIXTURE.write_text(written, "utf-8")
    assert json.loads(FIXTURE.read_text("utf-8")) == json.loads(written), f"delete {FIXTURE.name} and run this again"


def test_directions_are_those_of_fit_direction(lm):
    from ctkit.tasks import get

    own = concept_directions(lm)
    assert [d.name for d in own[::3]] == ["happy − sad", "C++ − Python"]
    mood = get("mood")
    fitted = ct.fit_direction(lm, mood.texts("happy", 12, 0), mood.texts("sad", 12, 0), layer=own[0].layer)
    assert torch.allclose(own[0].vector, fitted.vector, atol=1e-4)


def test_a_switch_can_be_left_out(lm):
    assert [s["id"] for s in catalog_of(lm, [], ("steer",))["switches"]] == ["steer"]


def test_two_texts_of_ones_own_become_a_direction(lm):
    request = {"positive": "The day was happy.\n\nThe room was merry.", "negative": "The day was sad.", "layer": 1}
    setup = steered_along(lm, ct.Setup([ct.Reread()]), request)
    steer = setup.interventions[1]
    fitted = ct.fit_direction(lm, ["The day was happy.", "The room was merry."], ["The day was sad."], layer=1)
    assert torch.equal(steer.direction.vector, fitted.vector) and steer.layers == (1,)
    assert steer.direction.name == "“The day was happy.” − “The day was sad.”"
    again = steered_along(
        lm, ct.Setup([ct.Steer(fitted, strength=-3, layers=[3]), ct.Reread()]), request | {"layer": 2}
    )
    assert [type(i) for i in again] == [ct.Steer, ct.Reread]
    assert (again.interventions[0].strength, again.interventions[0].layers) == (-3, (2,))


@pytest.mark.parametrize("texts", ["", "  \n ", None, 7, "x\n" * 201])
def test_sides_without_texts_are_refused_in_words(lm, texts):
    with pytest.raises(ct.CtkitError, match=r"(?s)your negative texts.*1 to 200 texts, each on a line"):
        steered_along(lm, ct.Setup(), {"positive": "a", "negative": texts, "layer": 1})


def test_a_fit_asked_by_the_view_is_followed(lm):
    view = ct.SteeringView(lm)
    view._told(view, {"type": "fit", "positive": "The day was happy.", "negative": "The day was sad.", "layer": 1}, [])
    assert view.wait(120) and view.error is None
    assert view.setup.interventions[0].direction.name.startswith("“The day was happy.”")
    assert view.frame["seq"] == view.seq
    view._told(view, {"type": "fit", "positive": "", "negative": "x", "layer": 1}, [])
    assert view.wait(120) and "your positive texts" in view.error["asked"]


def test_the_steering_view_begins_with_a_story(lm):
    view = ct.SteeringView(lm)
    assert view.prompt == next(e for e in examples() if e.id == "mood").prompt
    assert [s["id"] for s in view.catalog["switches"]] == ["steer"]
    assert len(ct.SteeringView(lm, "The day was", ct.Steer(view.setup.interventions[0].direction)).setup) == 1


def test_a_mask_painted_for_another_text_says_so_beside_the_population(lm):
    from ctkit.engine.encode import encode
    from ctkit.tasks import get
    from ctkit.ui.paint import note_on_paint

    problems = [get("hunt").generate(seed, 2).prompt for seed in range(20)]
    enc = encode(lm, problems[0])
    pieces = [(name, span.stop - span.start) for name, span in enc.spans.items()]
    pieces = [("", len(enc) - sum(count for _, count in pieces)), *pieces]
    fits = ct.Setup([ct.Mask(ct.masks.painted(torch.ones(len(enc), len(enc)).tril(), pieces))])
    others = [prompt for prompt in problems if len(encode(lm, prompt)) != len(enc)]
    alike = [prompt for prompt in problems if len(encode(lm, prompt)) == len(enc)]
    assert note_on_paint(lm, fits, alike) == "" and alike
    other = ct.Prompt(context="The key is in the box.", question="Where is the key?", cue="Answer:")
    assert note_on_paint(lm, fits, [*alike, other]).startswith("The mask was painted for another text: in 1 of these")
    assert note_on_paint(lm, ct.Setup([ct.Mask("prefix")]), [other]) == ""
    assert len(others) + len(alike) == 20


def test_a_painted_mask_is_kept_by_the_view(lm):
    view = ct.MaskPainter(lm, "The key is in the box.")
    assert view.wait(60)
    n = len(view.before["tokens"])
    spans = [(piece["name"], piece["stop"] - piece["start"]) for piece in view.before["pieces"]]
    pieces = [("", n - sum(count for _, count in spans)), *spans]
    matrix = torch.ones(n, n).tril()
    matrix[-1, 1] = 0
    view.setup = ct.Mask(ct.masks.painted(matrix, pieces))
    assert view.wait(60) and view.error is None
    alone = ct.run(lm, "The key is in the box.", ct.Mask(ct.masks.painted(matrix)))
    [top] = alone.next_tokens(1)
    assert {t["token"]: t["after"] for t in view.frame["next"]}[top[0]] == pytest.approx(top[1], abs=1e-4)
    view.prompt = "The key is in the large box."  # its paint rests
    assert view.wait(60) and view.error is None
