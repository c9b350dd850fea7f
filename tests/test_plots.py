"""The figures show the numbers of the measures."""

import numpy as np
import pytest

import ctkit as ct
from ctkit import plots

TEXT = "The key is in the box. Where is the key? $x$"


@pytest.fixture(scope="module")
def pair(lm):
    return ct.compare(ct.run(lm, TEXT), ct.run(lm, TEXT, ct.Reread()))


def test_attention_shows_the_weights(pair):
    image = plots.attention(pair.before, 1, 2).axes[0].images[0].get_array()
    assert np.allclose(image, np.log10(1 + 9 * pair.before.attention(1, 2).numpy()))


def test_what_the_mask_forbids_is_hatched(lm):
    trace = ct.run(lm, TEXT, ct.Mask("window", size=3, heads=[2]))
    for head, allowed in ((2, trace.allowed(1)[2]), (0, trace.allowed(1)[0])):
        patches = plots.attention(trace, 1, head).axes[0].patches
        assert sum(patch.get_width() for patch in patches) == int((~allowed).sum())


def test_the_difference_keeps_its_sign(pair):
    image = plots.attention_difference(pair, 1, 2).axes[0].images[0].get_array()
    assert np.array_equal(np.sign(image), np.sign(pair.attention_difference(1, 2).nan_to_num().numpy()))


def test_bars_are_as_long_as_the_probabilities(pair):
    bars = plots.next_tokens(pair).axes[0].patches
    rows = pair.next_tokens[:6][::-1]
    assert [bar.get_width() for bar in bars] == [after for *_, after in rows] + [before for _, before, _ in rows]


def test_effect_is_drawn(lm):
    effect = ct.effect(lm, "hunt", ct.Mask("bidirectional"), n=10, difficulty=1)
    assert str(effect) in plots.effect(effect).axes[0].get_title(loc="left")


def test_a_figure_is_a_picture_by_itself(pair):
    assert plots.comparison(pair, *plots.most_changed_head(pair))._repr_png_().startswith(b"\x89PNG")
