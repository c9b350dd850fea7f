"""What is particular to families: what is captured, what is supported, what is said where it is not."""

from dataclasses import dataclass

import pytest
import torch
from transformers import MambaConfig, MambaForCausalLM

import ctkit as ct
from ctkit import CtkitError, Knockout, Mask, Setup, Steer
from ctkit.engine.generate import CACHES
from ctkit.engine.run import run_many

from .engine_fixtures import EVERY, PROMPT, THROUGH_STREAM, TOLERANCE, Dim, Slope, direction, left_behind, setups_for
from .families import (
    ALL,
    ATTENDING,
    D_MODEL,
    FULL,
    N_HEADS,
    N_LAYERS,
    STREAM,
    TOKENIZER,
    VOCAB,
    lm_of,
    new_model,
    plain,
    recorded,
)

pytestmark = pytest.mark.families


def test_there_are_enough_families():
    assert len(FULL) >= 16
    assert len(STREAM) >= 4
    assert all(lm_of(family).support["mask"] == "yes" for family in ATTENDING)


@pytest.mark.parametrize("family", ATTENDING)
def test_captured_attention_is_what_plain_attention_gives(family):
    name, lm = family.partition("@")[0], lm_of(family)
    eager = new_model(name)
    eager.set_attn_implementation("eager")
    trace = ct.run(lm, PROMPT, attention="all")
    assert torch.equal(trace.logits, plain(lm, trace.ids)), "reading attention changes no number"
    for layer, expected in enumerate(recorded(eager, trace.ids, "attentions")):
        torch.testing.assert_close(trace.attention(layer), expected, **TOLERANCE)
        torch.testing.assert_close(trace.attention(layer, head=2), expected[2], **TOLERANCE)


@pytest.mark.parametrize("family", ATTENDING)
def test_attention_under_a_setup_is_what_plain_attention_gives(family):
    sdpa, eager = lm_of(family), ct.wrap(new_model(family), TOKENIZER)
    eager.model.set_attn_implementation("eager")
    for setup in ("all at once", "window", "slope"):
        one, other = (ct.run(lm, PROMPT, EVERY[setup], attention="all") for lm in (sdpa, eager))
        torch.testing.assert_close(one.logits, other.logits, **TOLERANCE)
        for layer in range(N_LAYERS):
            torch.testing.assert_close(one.attention(layer), other.attention(layer), **TOLERANCE)


@pytest.mark.parametrize("family", ALL)
def test_what_is_read_later_is_what_was_read_at_once(family):
    lm = lm_of(family)
    setups = setups_for(lm)
    for name in {"think", "reread, prepend and steer", "all at once"} & set(setups):
        setup = setups[name]
        attention = "all" if lm.support["attention"] == "yes" else ()
        kept, late = ct.run(lm, PROMPT, setup, attention=attention, residual="all"), ct.run(lm, PROMPT, setup)
        assert torch.equal(kept.logits, late.logits), name
        assert sorted(kept.kept_streams) == [("residual", layer) for layer in range(N_LAYERS + 1)]
        assert not late.kept_streams
        for layer in range(N_LAYERS + 1):
            assert torch.equal(kept.residual(layer), late.residual(layer)), name
        for layer in range(N_LAYERS if attention else 0):
            assert torch.equal(kept.attention(layer), late.attention(layer)), name


@pytest.mark.parametrize(
    ("family", "out"), [("llama", "self_attn.o_proj"), ("gpt2", "attn.c_proj"), ("gpt_neox", "attention.dense")]
)
def test_a_silent_head_is_one_that_the_output_projection_does_not_hear(family, out):
    @dataclass(frozen=True)
    class Silence(ct.Intervention):
        def heads(self, z, enc, layer):
            assert z.shape == (len(enc), N_HEADS, D_MODEL // N_HEADS)
            return torch.cat([z[:, :2], z[:, 2:3] * (layer != 1), z[:, 3:]], dim=1)

    deaf = new_model(family)
    block = ct.wrap(deaf, TOKENIZER).blocks[1]
    weight = block.get_submodule(out).weight
    rows = slice(2 * D_MODEL // N_HEADS, 3 * D_MODEL // N_HEADS)
    with torch.no_grad():
        (weight if family == "gpt2" else weight.T)[rows] = 0
    trace = ct.run(lm_of(family), PROMPT, Silence())
    torch.testing.assert_close(trace.logits, plain(ct.wrap(deaf, TOKENIZER), trace.ids), **TOLERANCE)
    assert not torch.allclose(trace.logits, ct.run(lm_of(family), PROMPT).logits, atol=1e-3)


@pytest.mark.parametrize("family", ALL)
def test_the_streams_are_what_transformers_records(family):
    lm = lm_of(family)
    trace = ct.run(lm, PROMPT, residual="all")
    expected = recorded(lm.model, trace.ids, "hidden_states")
    for layer in range(N_LAYERS):  # the last one recorded is behind the final norm
        torch.testing.assert_close(trace.residual(layer), expected[layer], **TOLERANCE)


def test_steering_shows_also_where_transformers_recorded_before():
    lm = ct.wrap(new_model("llama"), TOKENIZER)
    before = recorded(lm.model, ct.run(lm, PROMPT).ids, "hidden_states")  # leaves recording hooks behind
    steer = Steer(direction(), layers=[1, N_LAYERS])
    trace = ct.run(lm, PROMPT, steer, residual="all")
    moved = trace.residual(1) - before[1]
    torch.testing.assert_close(moved, direction().vector.expand_as(moved), **TOLERANCE)
    last = trace.residual(N_LAYERS) - ct.run(lm, PROMPT, Steer(direction(), layers=[1])).residual(N_LAYERS)
    torch.testing.assert_close(last, direction().vector.expand_as(last), **TOLERANCE)


def test_what_transformers_records_under_steering_shows_the_steering():
    """Our hooks stand before its own: a value recorded during our run is the steered one."""
    lm, seen = ct.wrap(new_model("llama"), TOKENIZER), []
    handles = [lm.blocks[1].register_forward_pre_hook(lambda module, args: seen.append(args[0].clone()))]
    handles.append(lm.blocks[-1].register_forward_hook(lambda module, args, output: seen.append(output.clone())))
    trace = ct.run(lm, PROMPT, Steer(direction(), layers=[1, N_LAYERS]), residual=[1, N_LAYERS])
    for handle in handles:
        handle.remove()
    assert torch.equal(seen[0][0].cpu(), trace.residual(1))
    assert torch.equal(seen[1][0].cpu(), trace.residual(N_LAYERS))


def test_traces_of_a_batch_keep_attention_and_stream_too():
    lm = lm_of("llama")
    texts = ["Ann has a.", "b", "Who has the key?"]
    for trace, text in zip(run_many(lm, texts, Mask("prefix"), attention=[1], residual=[2]), texts, strict=True):
        expected = ct.run(lm, text, Mask("prefix"))
        torch.testing.assert_close(trace.kept_attention[1, 2], expected.attention(1, 2), **TOLERANCE)
        torch.testing.assert_close(trace.kept_streams["residual", 2], expected.residual(2), **TOLERANCE)
        torch.testing.assert_close(trace.attention(0), expected.attention(0), **TOLERANCE)
        assert trace.attention(1).shape == (N_HEADS, len(text), len(text))


@pytest.mark.parametrize("family", STREAM)
def test_through_hooks_attention_is_what_the_model_gives_out(family):
    lm, eager = lm_of(family), new_model(family)
    eager.config._attn_implementation = "eager"  # where it has a choice, as Falcon has
    trace = ct.run(lm, PROMPT, attention="all")
    assert lm.route == "hooks"
    assert torch.equal(trace.logits, plain(lm, trace.ids)), "reading attention changes no number"
    for layer, expected in enumerate(recorded(eager, trace.ids, "attentions")):
        torch.testing.assert_close(trace.attention(layer), expected, **TOLERANCE)


@pytest.mark.parametrize("family", STREAM)
def test_through_hooks_masks_close_and_open(family):
    lm = lm_of(family)
    before, base = left_behind(lm), ct.run(lm, PROMPT)
    cut, opened = ct.run(lm, PROMPT, Knockout("cue", "context")), ct.run(lm, PROMPT, Mask("prefix", until=5))
    cue, context = (base.spans[name] for name in ("cue", "context"))
    for layer in range(N_LAYERS):
        assert not cut.attention(layer)[:, cue, context].any()
        torch.testing.assert_close(cut.attention(layer).sum(-1), torch.ones(N_HEADS, len(base.ids)), **TOLERANCE)
        assert opened.attention(layer)[:, 0, 1:5].any()
        assert not opened.attention(layer)[:, 0, 5:].any()
    torch.testing.assert_close(cut.logits[: cue.start], base.logits[: cue.start], **TOLERANCE)
    assert not torch.allclose(cut.logits[-1], base.logits[-1], atol=1e-3)
    assert not torch.allclose(opened.logits[0], base.logits[0], atol=1e-3)
    for changed in (Slope(), Dim()):
        assert not torch.allclose(ct.run(lm, PROMPT, changed).logits[-1], base.logits[-1], atol=1e-3)
    assert left_behind(lm) == before


def mamba() -> ct.LM:
    torch.manual_seed(0)
    config = MambaConfig(
        vocab_size=VOCAB, hidden_size=32, num_hidden_layers=N_LAYERS, state_size=4, bos_token_id=1, eos_token_id=2
    )
    return ct.wrap(MambaForCausalLM(config).eval(), TOKENIZER)


def test_a_model_without_attention_is_read_without_a_cache_that_lies():
    lm = mamba()
    assert "answers differently when it reads on from a dynamic cache" in lm.support["cache"]
    assert "has no attention" in lm.support["mask"]
    setup = Setup(THROUGH_STREAM["reread, prepend and steer"])
    expected = ct.generate(lm, PROMPT, setup, max_new_tokens=4, cache="none")
    assert ct.generate(lm, PROMPT, setup, max_new_tokens=4).ids == expected.ids
    with pytest.raises(CtkitError) as caught:
        ct.generate(lm, PROMPT, max_new_tokens=4, cache="static")
    assert caught.value.remedy == 'cache="none"'
    assert set(CACHES) == {"dynamic", "static", "none"}
