"""The figures show the numbers of the measures."""

import numpy as np
import pytest

import ctkit as ct
from ctkit import plots
from ctkit.plots import style

TEXT = "The key is in the box. Where is the key? $x$"


@pytest.fixture(scope="module")
def pair(lm):
    return ct.compare(ct.run(lm, TEXT), ct.run(lm, TEXT, ct.Reread()))


def test_attention_shows_the_weights(pair):
    image = plots.attention(pair.before, 1, 2).axes[0].images[0].get_array()
    assert np.allclose(image, np.log10(1 + 9 * pair.before.attention(1, 2).numpy()))


def test_what_the_mask_forbids_is_hatched(lm):
    trace = ct.run(lm, TEXT, ct.Mask("window", size=3, heads=[2]))
    n = len(trace.ids)
    for head, allowed in ((2, trace.allowed(1)[2]), (0, trace.allowed(1)[0])):
        [hatched] = plots.attention(trace, 1, head).axes[0].patches
        inside = hatched.get_path().contains_points([(key, query) for query in range(n) for key in range(n)])
        assert np.array_equal(inside.reshape(n, n), (~allowed).numpy())


def test_a_long_text_is_drawn_in_larger_cells(lm, monkeypatch):
    """The mean of each; hatched where all of one is masked."""
    trace = ct.run(lm, TEXT, ct.Mask("window", size=3))
    n, size = len(trace.ids), 4
    monkeypatch.setattr(style, "MOST", -(-n // size))
    ax = plots.attention(trace, 1, 2).axes[0]
    image, weights = ax.images[0].get_array(), np.log10(1 + 9 * trace.attention(1, 2).numpy())
    cells = [slice(start, start + size) for start in range(0, n, size)]
    assert n % size and np.allclose(image, [[weights[row, column].mean() for column in cells] for row in cells])
    [hatched] = ax.patches
    masked = [[bool((~trace.allowed(1)[0][row, column]).all()) for column in cells] for row in cells]
    middles = [(column.start + 1.5, row.start + 1.5) for row in cells for column in cells]
    assert np.array_equal(hatched.get_path().contains_points(middles).reshape(len(cells), -1), masked)
    assert ax.images[0].get_extent() == [-0.5, size * len(cells) - 0.5, size * len(cells) - 0.5, -0.5]


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
