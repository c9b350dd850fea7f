"""Guesses are held against the truth."""

import pytest

import ctkit as ct


def test_guesses():
    assert ct.check(3, 3) and ct.check(0.51, 0.5, tolerance=0.02) and ct.check("box", "box")
    assert not ct.check(4, 3) and not ct.check("jar", "box") and not ct.check(..., 3)
    assert "it is 3" in repr(ct.check(4, 3))
    with pytest.raises(ct.CtkitError, match="a number"):
        ct.check("many", 3)


def test_a_name_is_no_loaded_model(lm):
    """What a beginner tries first; the remedy works. (In a function of its own file, without checked arguments.)"""
    for call in (ct.run, ct.generate):
        with pytest.raises(ct.CtkitError, match="a loaded model first"):
            call("tiny", "The key is in the box.")
    assert ct.run(ct.load("tiny"), "The key is in the box.").tokens
