"""Directions add and scale like vectors, and survive saving to the last bit."""

import json
from dataclasses import replace

import pytest
import torch

from ctkit import CtkitError, Direction

from .engine_fixtures import direction


def test_directions_add_like_vectors():
    d, e = direction(0), direction(1)
    assert torch.equal((d + e).vector, d.vector + e.vector)
    assert torch.equal((2 * d).vector, 2 * d.vector)
    assert torch.equal((d * 0.5).vector, d.vector * 0.5)
    assert torch.equal((-d).vector, -d.vector)
    assert torch.equal((d - e).vector, d.vector - e.vector)
    assert (d + e).layer == d.layer
    assert (d + e).reliability is None
    assert d == Direction(d.vector.clone(), d.layer)
    assert hash(d) == hash(Direction(d.vector.clone(), d.layer))
    assert d != e
    assert d != Direction(d.vector, 2)
    assert d != "direction"


def test_a_direction_survives_saving(tmp_path):
    d = Direction(torch.tensor([0.1, -1e-30, 3e38]), 2, "diffmean", "joy − sadness", 0.75)
    d.save(tmp_path / "joy.safetensors")
    again = Direction.load(tmp_path / "joy.safetensors")
    assert again == d
    assert torch.equal(again.vector, d.vector)
    assert (again.layer, again.method, again.name, again.reliability) == (2, "diffmean", "joy − sadness", 0.75)
    assert Direction.from_data(d.to_data()) == d
    assert "0.75" in repr(d)
    assert "not measured" in repr(direction())


def test_half_precision_directions_are_kept():
    d = Direction(torch.randn(8).to(torch.bfloat16), 0)
    assert torch.equal(Direction.from_data(d.to_data()).vector, d.vector.float())


@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
def test_what_is_not_finite_is_refused(
    wrong,
):  # vectors of a wrong shape: tests/test_errors.py, without the type checker
    with pytest.raises(CtkitError, match="not finite") as caught:
        Direction(torch.tensor([1.0, wrong]), 1)
    assert caught.value.remedy


@pytest.mark.parametrize("layer", [-1, None, "3", 1.5])
def test_what_is_no_layer_is_refused(layer):
    with pytest.raises(CtkitError, match="the layer where it was read"):
        Direction(torch.ones(4), layer)


def test_different_widths_do_not_add():
    with pytest.raises(CtkitError, match="widths 32 and 4"):
        direction() + Direction(torch.ones(4), 1)


def test_files_that_hold_no_direction_are_refused(tmp_path):
    from safetensors.torch import save_file

    save_file({"vector": torch.ones(4)}, tmp_path / "other.safetensors")
    save_file({"weight": torch.ones(4)}, tmp_path / "weight.safetensors", {"ctkit": '{"layer": 1}'})
    save_file({"vector": torch.ones(2, 2, 2)}, tmp_path / "deep.safetensors", {"ctkit": '{"layer": 1}'})
    save_file({"vector": torch.ones(4)}, tmp_path / "list.safetensors", {"ctkit": "[1]"})
    save_file(
        {"vector": torch.ones(4), "third": torch.ones(4)}, tmp_path / "third.safetensors", {"ctkit": '{"layer": 1}'}
    )
    (tmp_path / "text.safetensors").write_text("nonsense")
    (tmp_path / "text.json").write_text("nonsense")
    (tmp_path / "list.json").write_text("[1]")
    names = [f"{name}.safetensors" for name in ("other", "weight", "deep", "list", "third", "text", "nowhere")]
    for name in (*names, "text.json", "list.json", "nowhere.json"):
        with pytest.raises(CtkitError) as caught:
            Direction.load(tmp_path / name)
        assert caught.value.remedy


WIDE = {
    "at a head": Direction(torch.tensor([0.5, -1.5]), 1, "iti", "truth", 0.5, "heads", 3, sigma=0.25, accuracy=0.75),
    "at the MLP": Direction(torch.ones(4), 0, site="mlp", accuracy=1.0),
    "of several positions": Direction(torch.arange(6.0).reshape(2, 3) / 7, 2, "actadd"),
    "of a plane": Direction(torch.ones(4), 2, second=torch.tensor([0.1, 0.2, 0.3, -1e-30])),
}


@pytest.mark.parametrize("name", WIDE)
@pytest.mark.parametrize("file", ["d.safetensors", "d.json"])
def test_every_field_survives_saving(name, file, tmp_path):
    d = WIDE[name]
    d.save(tmp_path / file)
    for again in (Direction.load(tmp_path / file), Direction.from_data(json.loads(json.dumps(d.to_data())))):
        assert again == d
        assert hash(again) == hash(d)
        assert torch.equal(again.vector, d.vector)
        assert (again.second is None) == (d.second is None)
        assert again.second is None or torch.equal(again.second, d.second)
        for field in ("layer", "method", "name", "reliability", "site", "head", "sigma", "accuracy"):
            assert getattr(again, field) == getattr(d, field)


def test_every_field_tells_directions_apart():
    d = Direction(torch.ones(4), 1)
    others = {"site": "mlp", "sigma": 1.0, "accuracy": 0.5, "second": torch.ones(4), "reliability": 0.5, "layer": 2}
    for field, value in others.items():
        assert d != replace(d, **{field: value}), field
    assert Direction(torch.ones(4), 1, site="heads", head=0) != Direction(torch.ones(4), 1, site="heads", head=1)
    assert Direction(torch.ones(2, 2), 1) != Direction(torch.ones(1, 4), 1)


def test_data_of_the_first_version_is_read():
    old = {"vector": "AACAPwAAAMA=", "layer": 3, "method": "diffmean", "name": "joy", "reliability": None}
    d = Direction.from_data(old)
    assert d == Direction(torch.tensor([1.0, -2.0]), 3, "diffmean", "joy")
    assert d.to_data() == old
    assert (d.site, d.head, d.sigma, d.accuracy, d.second) == ("residual", None, None, None, None)


def test_directions_of_different_places_do_not_add():
    stream, head = Direction(torch.ones(4), 1), Direction(torch.ones(4), 1, site="heads", head=1)
    others = [head, Direction(torch.ones(4), 1, site="mlp"), Direction(torch.ones(4), 1, site="heads", head=2)]
    for left, right in [(stream, other) for other in others] + [(head, others[1]), (head, others[2])]:
        with pytest.raises(CtkitError, match="one at") as caught:
            left + right
        assert left.place in caught.value.found and right.place in caught.value.found
    both = head + 2 * head
    assert (both.site, both.head, both.vector.tolist()) == ("heads", 1, [3.0] * 4)
    rows = Direction(torch.ones(2, 4), 1)
    assert (rows - rows).vector.tolist() == [[0.0] * 4] * 2
    with pytest.raises(CtkitError, match=r"shapes \(2, 4\) and \(4,\)"):
        rows + stream


def test_what_was_measured_holds_for_the_opposite_and_not_for_a_sum():
    d = Direction(torch.ones(4), 1, "iti", "t", 0.5, "heads", 1, 2.0, 0.75, torch.ones(4))
    for same in (-d, 3 * d):
        assert (same.reliability, same.sigma, same.accuracy) == (0.5, 2.0, 0.75)
        assert torch.equal(same.second, d.second)
    both = d + d
    assert (both.reliability, both.sigma, both.accuracy, both.second, both.method) == (
        None,
        None,
        None,
        None,
        "combined",
    )
    assert repr(d) == "Direction('t', layer 1, 4 wide, iti, reliability 0.50, head 1, accuracy 0.75)"
    assert "2 positions × 3 wide" in repr(Direction(torch.ones(2, 3), 1))


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"site": "neurons"}, "'neurons'"),
        ({"site": "heads"}, "head None"),
        ({"site": "heads", "head": -1}, "head -1"),
        ({"site": "heads", "head": True}, "head True"),
        ({"head": 1}, "'residual'"),
        ({"site": "mlp", "head": 1}, "'mlp'"),
        ({"site": "mlp", "vector": torch.ones(2, 4)}, "each of 2 positions"),
        ({"vector": torch.ones(2, 2, 2)}, "(2, 2, 2)"),
        ({"vector": torch.ones(0)}, "empty"),
        ({"second": torch.ones(3)}, "(3,)"),
        ({"second": torch.tensor([1.0, 1.0, 1.0, float("nan")])}, "not finite"),
        ({"vector": torch.ones(2, 4), "second": torch.ones(4)}, "(2, 4)"),
        ({"sigma": -1.0}, "sigma -1.0"),
        ({"sigma": float("inf")}, "sigma inf"),
        ({"sigma": "1"}, "sigma '1'"),
        ({"accuracy": 1.5}, "accuracy 1.5"),
        ({"accuracy": float("nan")}, "accuracy nan"),
    ],
)
def test_fields_that_make_no_sense_are_refused(fields, found):
    with pytest.raises(CtkitError) as caught:
        Direction(**{"vector": torch.ones(4), "layer": 1} | fields)
    assert found in caught.value.found and caught.value.remedy


@pytest.mark.parametrize("wrong", [{"shape": [3]}, {"shape": "ab"}, {"head": "x"}, {"second": 3}, {"sigma": "x"}])
def test_data_that_makes_no_direction_is_refused(wrong):
    data = Direction(torch.ones(4), 1).to_data() | wrong
    with pytest.raises(CtkitError) as caught:
        Direction.from_data(data)
    assert caught.value.remedy
