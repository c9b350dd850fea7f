"""The shape checks of the test runs are really on, and leave the rest to ctkit's own words."""

import pytest
import torch
from jaxtyping import Float, TypeCheckError, jaxtyped
from torch import Tensor

import ctkit as ct

from .shapes import checked


@jaxtyped(typechecker=checked)
def scaled(
    x: Float[Tensor, "token d_model"], y: Float[Tensor, "token d_model"] | None = None, by: float = 1.0
) -> Tensor:
    return x if by == 1.0 else "scaled"  # type: ignore[return-value]


def test_a_wrong_shape_is_found():
    assert scaled(torch.zeros(2, 3)) is not None
    with pytest.raises(TypeCheckError, match="token"):
        scaled(torch.zeros(2))
    with pytest.raises(TypeCheckError, match="parameter 'y'"):
        scaled(torch.zeros(2, 3), torch.zeros(2, 4))


def test_another_argument_is_let_through_and_a_wrong_return_found():
    assert scaled(torch.zeros(2, 3), by=1) is not None
    with pytest.raises(TypeCheckError, match="return value"):
        scaled(torch.zeros(2, 3), by="twice")


def test_the_checks_are_on_for_the_library():
    enc_free = ct.Intervention()
    with pytest.raises(TypeCheckError):
        enc_free.residual(torch.zeros(3, dtype=torch.int64), None, 0)
