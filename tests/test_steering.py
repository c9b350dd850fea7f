"""Steering: seen where it was made, as strong as was said, and gone where it was not asked for."""

import pytest
import torch

import ctkit as ct
from ctkit import Steer
from ctkit.ui import steering

from .engine_fixtures import PROMPT, TOLERANCE, direction
from .families import ALL, DEVICE, EAGER, N_LAYERS, lm_of


@pytest.mark.families
@pytest.mark.parametrize("family", ALL)
def test_the_captured_stream_shows_the_steering_where_it_was_made(family):
    lm, d = lm_of(family), direction()
    base = ct.run(lm, PROMPT, residual="all")
    for layer in range(N_LAYERS + 1):
        trace = ct.run(lm, PROMPT, Steer(d, layers=layer, strength=2.0), residual="all")
        for before in range(layer):
            torch.testing.assert_close(trace.residual(before), base.residual(before), **TOLERANCE)
        moved = trace.residual(layer) - base.residual(layer)
        torch.testing.assert_close(moved, (2.0 * d.vector).expand_as(moved), **TOLERANCE)
        assert not torch.allclose(trace.logits, base.logits, atol=1e-3)


@pytest.mark.families
@pytest.mark.parametrize("family", [f for f in ALL if f not in EAGER])
def test_the_last_stream_leads_through_the_final_norm_to_the_logits(family):
    lm = lm_of(family)
    trace = ct.run(lm, PROMPT, Steer(direction(), layers=[1, N_LAYERS]), residual="all")
    base = lm.model.base_model
    parts = base.decoder if hasattr(base, "decoder") else base
    names = ("norm", "ln_f", "final_layernorm", "final_layer_norm")
    norm = next(getattr(parts, name) for name in names if hasattr(parts, name))
    config = lm.model.config
    with torch.no_grad():
        logits = lm.model.get_output_embeddings()(norm(trace.residual(N_LAYERS).to(DEVICE))).cpu()
    logits = logits * getattr(config, "logit_scale", 1.0) / getattr(config, "logits_scaling", 1.0)
    cap = getattr(config, "final_logit_softcapping", None)
    logits = logits if cap is None else cap * torch.tanh(logits / cap)
    torch.testing.assert_close(logits, trace.logits, **TOLERANCE)


def test_what_strength_counts():
    lm, d = lm_of("llama"), direction()
    base = ct.run(lm, PROMPT).residual(1)

    def moved(strength=1.0, op="add", where="all", layers=None, d=d):
        return ct.run(lm, PROMPT, Steer(d, layers, strength, op, where)).residual(1) - base

    unit = d.vector / d.vector.norm()
    torch.testing.assert_close(moved(3.0), (3 * d.vector).expand(len(base), -1), **TOLERANCE)
    torch.testing.assert_close(moved(3.0, "unit"), (3 * unit).expand(len(base), -1), **TOLERANCE)
    torch.testing.assert_close(moved(-0.5, "relative"), -0.5 * base.norm(dim=-1, keepdim=True) * unit, **TOLERANCE)
    torch.testing.assert_close(moved(2.0), moved(1.0, d=2 * d), **TOLERANCE)
    torch.testing.assert_close(moved(2.0), -moved(2.0, d=-d), **TOLERANCE)
    for where, rows in {
        "question": range(10, 15),
        (0, -1): (0, len(base) - 1),
        "prompt": range(len(base)),
        "generated": (),
    }.items():
        change = moved(where=where).abs().amax(-1)
        assert [i for i in range(len(base)) if change[i] > 0.01] == list(rows)
    assert (moved(0.0) == 0).all()
    assert (moved(5.0, "unit", d=0 * d) == 0).all(), "nothing to add"
    assert (moved(layers=[2]) == 0).all()


def test_steering_what_is_written_leaves_the_prompt_alone():
    lm, steer = lm_of("llama"), Steer(direction(), strength=4.0, where="generated")
    assert torch.equal(ct.run(lm, PROMPT, steer).logits, ct.run(lm, PROMPT).logits)
    plain, steered = ct.generate(lm, PROMPT, max_new_tokens=6), ct.generate(lm, PROMPT, steer, max_new_tokens=6)
    torch.testing.assert_close(steered.logits[0], plain.logits[0], **TOLERANCE)
    assert not torch.allclose(steered.logits[1], plain.logits[1], atol=1e-3)


def test_a_switch_that_is_flipped_while_a_direction_is_fitted_stays_on(lm, monkeypatch):
    view = ct.Playground(lm, "The key is in the box.")
    assert view.wait(120)
    true = steering.fit_direction

    def fitting(*args, **named):
        view.setup = ct.Setup([ct.Reread()])
        return true(*args, **named)

    monkeypatch.setattr(steering, "fit_direction", fitting)
    view._told(view, {"type": "fit", "positive": "good", "negative": "bad"}, [])
    assert view.wait(120) and [type(one).__name__ for one in view.setup] == ["Reread", "Steer"]
