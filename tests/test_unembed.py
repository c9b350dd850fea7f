"""Any vector is read by the model's own last steps, whatever they are: norm, unembedding, scale, softcap."""

from dataclasses import replace

import pytest
import torch

import ctkit as ct
from ctkit import CtkitError, Setup
from ctkit.engine.load import wrap
from ctkit.engine.unembed import CARRIER, unembed
from ctkit.interventions import Intervention

from .engine_fixtures import left_behind
from .families import ALL, D_MODEL, DEVICE, N_LAYERS, TOKENIZER, VOCAB, lm_of, new_model

TEXT = "Ann has a. Who?"


@pytest.mark.families
@pytest.mark.parametrize("family", ALL)
def test_the_last_stream_gives_the_models_logits(family):
    lm = lm_of(family)
    trace = ct.run(lm, TEXT)
    torch.testing.assert_close(unembed(lm, trace.residual(N_LAYERS)), trace.logits, atol=1e-6, rtol=1e-6)


def by_hand(lm, x):
    """The last steps of three models, written out."""
    model = lm.model
    with torch.no_grad():
        if lm.name.startswith("GPT2"):
            return model.lm_head(model.transformer.ln_f(x))
        logits = model.lm_head(model.model.norm(x))
        if lm.name.startswith("Gemma2"):
            cap = model.config.final_logit_softcapping
            return cap * torch.tanh(logits / cap)
        return logits * getattr(model.config, "logit_scale", 1.0)


@pytest.mark.parametrize("family", ["llama", "gpt2", "gemma2", "cohere"])
def test_every_vector_is_read_as_by_hand(family):
    lm = lm_of(family)
    x = 3 * torch.randn(100, D_MODEL, generator=torch.Generator().manual_seed(0))
    assert len(x) > len(CARRIER), "more than one run carries"
    torch.testing.assert_close(unembed(lm, x), by_hand(lm, x.to(DEVICE)).cpu(), atol=1e-5, rtol=1e-5)


def test_nothing_is_left_behind():
    lm = lm_of("llama")
    before = left_behind(lm)
    unembed(lm, torch.ones(2, D_MODEL))
    assert left_behind(lm) == before
    assert unembed(lm, torch.ones(0, D_MODEL)).shape == (0, VOCAB)


def test_half_precision_is_the_models_own():
    lm = wrap(new_model("llama", dtype=torch.bfloat16), TOKENIZER)
    trace = ct.run(lm, TEXT)
    torch.testing.assert_close(unembed(lm, trace.residual(N_LAYERS)), trace.logits, atol=0.05, rtol=0.05)


def test_it_is_no_technique():
    assert not [name for name in Intervention.known if "arried" in name]
    with pytest.raises(CtkitError, match="no intervention of that name"):
        Setup.from_json('[{"intervention": "_Carried", "vectors": [1, 2]}]')


def test_what_cannot_be_read_is_refused():
    lm = lm_of("llama")
    with pytest.raises(CtkitError, match=r"(?s)shape \(2, 5\).*a stream 32 wide.*\(any, 32\)"):
        unembed(lm, torch.ones(2, 5))
    with pytest.raises(CtkitError, match=r"(?s)not finite.*trace.residual"):
        unembed(lm, torch.full((1, D_MODEL), float("nan")))
    without = replace(lm, support={**lm.support, "steer": "it has several streams"})
    with pytest.raises(CtkitError, match=r"(?s)it has several streams.*ct.load"):
        unembed(without, torch.ones(1, D_MODEL))
