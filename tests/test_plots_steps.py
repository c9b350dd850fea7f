"""The figures of a thought: bars as long as the effects, outlines before, hatched intervals, hostile text as text."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_hex

import ctkit as ct
from ctkit import plots
from ctkit.plots.style import READ_BY, READS
from ctkit.tasks import get

PROBLEM = get("sums").generate(0, 2)
HOSTILE = ["</script><img src=x> $x_1$ = 3.", "a\u202eb\u200bc \\frac{1}{2} 7.", "So\nit is.", "long 5. " * 400]


@pytest.fixture(scope="module")
def effects(lm):
    return ct.step_effects(lm, PROBLEM, PROBLEM.steps, ["true-thinking", "suppress"], draws=2)


def drawn(figure):
    figure.draw_without_rendering()
    return figure.axes[0]


def test_bars_are_as_long_as_the_effects_and_hatched_over_the_interval(effects):
    found = replace(effects["true-thinking"], scores=[0.5, -0.25, float("nan"), 0.25, 0.0])
    ax = drawn(plots.steps(found))
    bars = [patch for patch in ax.patches if patch.get_facecolor()[3] == 1]
    widths = [bar.get_width() for bar in bars]
    assert widths == [score for score in found.scores if score == score]
    assert [to_hex(bar.get_facecolor()) for bar in bars[:2]] == [READS, READ_BY]
    hatched = [patch for patch in ax.patches if patch.get_hatch()]
    spans = [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in hatched]
    wide = [at for at, score in zip(found.intervals, found.scores) if at[0] < at[1] and score == score]
    assert np.allclose(spans, wide)
    assert sum(text.get_text() == "not measurable" for text in ax.texts) == 1


def test_the_text_of_each_step_with_what_the_task_says_of_it(effects):
    labels = [text.get_text() for text in drawn(plots.steps(effects["suppress"])).get_yticklabels()]
    tags = {"true": "●", "decoy": "○", "check": "✓"}
    assert labels == [f"{tags[label]} {step}" for label, step in zip(PROBLEM.labels, PROBLEM.steps, strict=True)]


def test_before_is_an_outline(lm, effects):
    before = replace(effects["suppress"], scores=[0.5] * len(PROBLEM.steps))
    ax = drawn(plots.steps(effects["suppress"], before))
    outlines = [patch for patch in ax.patches if patch.get_facecolor()[3] == 0 and not patch.get_hatch()]
    assert [patch.get_width() for patch in outlines] == before.scores
    other = replace(before, steps=[*before.steps[:-1], "Something else."])
    with pytest.raises(ct.CtkitError, match="other words"):
        plots.steps(effects["suppress"], other)


def test_the_matrix_is_the_matrix(effects):
    figure = plots.step_matrix(effects["suppress"])
    image = drawn(figure).images[0].get_array()
    assert np.allclose(image.filled(np.nan), effects["suppress"].matrix.numpy(), equal_nan=True)
    with pytest.raises(ct.CtkitError, match="a measure without one"):
        plots.step_matrix(effects["true-thinking"])


@pytest.mark.filterwarnings("ignore:Glyph")
def test_hostile_steps_are_drawn_as_text(lm):
    effects = ct.step_effects(lm, PROBLEM, HOSTILE[:3], "suppress")
    odd = replace(effects, steps=HOSTILE, scores=[*effects.scores, 0.0], intervals=[*effects.intervals, (0.0, 0.0)],
                  labels=[None] * 4)  # fmt: skip
    labels = [text.get_text() for text in drawn(plots.steps(odd)).get_yticklabels()]
    assert labels[0] == HOSTILE[0] and labels[1].startswith("a·b·c \\frac") and labels[2] == "So↵it is."
    assert len(labels[3]) < 700
    assert plots.steps(odd)._repr_png_().startswith(b"\x89PNG")
    assert plots.step_matrix(effects)._repr_png_().startswith(b"\x89PNG")
