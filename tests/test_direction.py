"""Directions add and scale like vectors, and survive saving to the last bit."""

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
    save_file({"vector": torch.ones(2, 2)}, tmp_path / "flat.safetensors", {"ctkit": '{"layer": 1}'})
    save_file({"vector": torch.ones(4)}, tmp_path / "list.safetensors", {"ctkit": "[1]"})
    (tmp_path / "text.safetensors").write_text("nonsense")
    for name in ("other", "weight", "flat", "list", "text", "nowhere"):
        with pytest.raises(CtkitError) as caught:
            Direction.load(tmp_path / f"{name}.safetensors")
        assert caught.value.remedy
