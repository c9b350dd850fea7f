"""Guesses are held against the truth."""

import pytest

import ctkit as ct


def test_guesses():
    assert ct.check(3, 3) and ct.check(0.51, 0.5, tolerance=0.02) and ct.check("box", "box")
    assert not ct.check(4, 3) and not ct.check("jar", "box") and not ct.check(..., 3)
    assert "it is 3" in repr(ct.check(4, 3))
    with pytest.raises(ct.CtkitError, match="a number"):
        ct.check("many", 3)
