"""The figures of the analysis show its numbers."""

import numpy as np
import pytest
import torch

import ctkit as ct
from ctkit import plots
from ctkit.measures.depth import ConceptDepth
from ctkit.measures.side_effects import SideEffects
from ctkit.measures.uncertainty import ResidualCrossEntropy

HUNT = ct.tasks.get("hunt").generate(3, 4)


@pytest.fixture(scope="module")
def found(lm):
    return ct.lens(lm, HUNT.prompt)


def written(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


def test_the_lens_writes_the_likeliest_token_of_every_layer(found):
    ax = plots.lens(found, last=4).axes[0]
    best = found.logits[:, -4:].softmax(-1)
    assert np.allclose(ax.images[0].get_array(), best.amax(-1))
    names = [found.trace.name_token(int(i)).strip() for i in best.argmax(-1).flatten()]
    assert [text.removesuffix("…") for text in written(ax)] == [name[:7] if len(name) > 8 else name for name in names]
    assert ax.get_ylim()[0] < ax.get_ylim()[1], "the last layer on top"
    assert [label.get_text() for label in ax.get_xticklabels()] == [t.strip() for t in found.tokens[-4:]]


def test_when_it_is_decided(found):
    ax = plots.decided(found, tokens=("locker", "bag")).axes[0]
    for line, token in zip(ax.lines, ("locker", "bag"), strict=True):
        assert np.allclose(line.get_ydata(), found.probability(token)[:, -1])
    assert written(ax) == ["locker", "bag"]
    by_itself = plots.decided(found, at=-2).axes[0]
    assert len(by_itself.lines) == len(set(found.logits[:, -2].argmax(-1).tolist()))


def test_residual_cross_entropy_has_both_means():
    source = torch.Generator().manual_seed(0)
    curves, right = torch.rand(30, 4, generator=source), torch.arange(30) % 3 > 0
    curves[:, 3] += 2 * ~right
    rce = ResidualCrossEntropy(curves, right, ("a",) * 30, "written")
    ax = plots.residual_cross_entropy(rce).axes[0]
    assert np.allclose(ax.lines[0].get_ydata(), curves[right].mean(0)) and np.allclose(
        ax.lines[1].get_ydata(), curves[~right].mean(0)
    )
    assert written(ax)[:4] == [f"{value:.2f}" for value, _, _ in rce.auc]
    assert [text.get_weight() for text in ax.texts[:4]] == [
        "bold" if low > 0.5 or high < 0.5 else "normal" for _, low, high in rce.auc
    ]
    alone = ResidualCrossEntropy(curves, torch.ones(30, dtype=torch.bool), ("a",) * 30, "written")
    assert len(plots.residual_cross_entropy(alone).axes[0].lines) == 1


def test_concept_depth_has_the_control_beside_it():
    depth = ConceptDepth((100, 100, 190, 195), (100, 98, 103, 99), 200, 0.5, ("a", "b"))
    ax = plots.concept_depth(depth).axes[0]
    control, probe = (line.get_ydata() for line in ax.lines[:2])
    assert list(probe) == depth.accuracy and list(control) == depth.control
    assert written(ax) == ["jump", "converges"] and depth.jump == 2 / 3
    assert [line.get_xdata()[0] for line in ax.lines[-2:]] == pytest.approx([2, 3])
    nothing = plots.concept_depth(ConceptDepth((100, 100), (99, 101), 200, 0.5, ("a", "b"))).axes[0]
    assert written(nothing) == []


def test_rollout_shows_the_product(lm):
    trace = ct.run(lm, "The key is in the box.")
    for layer in (0, -1):
        image = plots.rollout(trace, layer=layer).axes[0].images[0].get_array()
        assert np.allclose(image, np.log10(1 + 9 * ct.rollout(trace)[layer].numpy()))
    assert "layer 3" in plots.rollout(trace).axes[0].get_title(loc="left")


def test_the_peak_is_the_darkest_cell(lm):
    prompt = HUNT.prompt.split("context")
    names = [part.name for part in prompt.parts if part.whole == "context"]
    peak = ct.peak_attention(ct.run(lm, prompt.then(answer="bag"), attention="all"), names)
    ax = plots.peak_attention(peak).axes[0]
    assert np.allclose(ax.images[0].get_array(), peak.accumulated) and ax.images[0].get_clim() == (0, peak.peak)
    assert f"peak {peak.peak:.2f}" in ax.get_title(loc="left") and f"{peak.peak:.2f}" in written(ax)


PANEL = SideEffects(
    metric="logit of 'a' − 'b'",
    clean=1.0,
    steered=3.0,
    opposite=0.5,
    random=(0.9, 1.2, 1.1, 0.8),
    kl=0.25,
    opposite_kl=0.2,
    random_kl=(0.1, 0.3, 0.2, 0.15),
    cross_entropy=(1.0, 1.2),
    token_kl=((("The", 0.1), (" key", 0.4)), ((" $x$", 0.25),)),
)


def test_the_panel_has_the_effect_among_its_controls():
    left, right = plots.side_effects(PANEL).axes
    dots = {round(float(line.get_xdata()[0]), 6) for line in left.lines if line.get_marker() == "o"}
    assert dots == {2.0, -0.5, -0.1, 0.2, 0.1, -0.2} and "as large by chance: 20%" in left.get_xlabel()
    assert written(left) == ["-0.50", "+2.00"]
    assert [bar.get_width() for bar in right.patches] == [0.2, 0.25] and "2.7 → 3.3" in right.get_xlabel()
    assert sorted(line.get_xdata()[0] for line in right.lines) == sorted(PANEL.random_kl)


def test_each_token_of_a_neutral_text_has_its_shade():
    ax = plots.token_kl(PANEL).axes[0]
    assert written(ax) == ["The", "key"] and "darkest 0.40 nats" in ax.get_title(loc="left")
    shades = [sum(text.get_bbox_patch().get_facecolor()[:3]) for text in ax.texts]
    assert shades[0] > shades[1], "more is darker"
    other = plots.token_kl(PANEL, text=1)
    assert written(other.axes[0]) == [r"\$x\$"] and other._repr_png_().startswith(b"\x89PNG")
