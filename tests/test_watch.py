"""A block's parts, found by watching one pass, are what their families call them."""

import pytest
import torch

import ctkit as ct
from ctkit.engine.watch import probe, with_parts

from .engine_fixtures import left_behind
from .families import ALL, ATTENDING, CONTEXT, EAGER, FULL, STREAM, TOKENIZER, lm_of, new_model

LLAMA = ("self_attn", "self_attn.o_proj", "mlp.down_proj", "mlp.down_proj")
NAMES = dict.fromkeys(FULL, LLAMA) | {
    "gpt2": ("attn", "attn.c_proj", "mlp.c_proj", "mlp.c_proj"),
    "gpt_neox": ("attention", "attention.dense", "mlp.dense_4h_to_h", "mlp.dense_4h_to_h"),
    "opt": ("self_attn", "self_attn.out_proj", "fc2", "fc2"),
    "phi": ("self_attn", "self_attn.dense", "mlp.fc2", "mlp.fc2"),
    "starcoder2": ("self_attn", "self_attn.o_proj", "mlp.c_proj", "mlp.c_proj"),
    "gpt_oss": ("self_attn", "self_attn.o_proj", "mlp", None),  # experts: no one hidden layer
    "mixtral": ("self_attn", "self_attn.o_proj", "mlp", None),
    "gpt_neo": ("attn.attention", "attn.attention.out_proj", "mlp.c_proj", "mlp.c_proj"),
    "bloom": ("self_attention", "self_attention.dense", "mlp.dense_4h_to_h", "mlp.dense_4h_to_h"),
    "gptj": ("attn", "attn.out_proj", "mlp.fc_out", "mlp.fc_out"),
    "falcon": ("self_attention", "self_attention.dense", "mlp.dense_4h_to_h", "mlp.dense_4h_to_h"),
}  # family → its attention, output projection, MLP and down projection, as its authors named them
pytestmark = pytest.mark.families


@pytest.mark.parametrize("family", ALL)
def test_the_parts_are_what_their_names_say(family):
    lm = lm_of(family)
    assert len(lm.parts) == len(lm.blocks)
    for block, parts in zip(lm.blocks, lm.parts, strict=True):
        names = {id(module): name for name, module in block.named_modules()}
        found = [parts.attention, parts.out, parts.mlp, parts.down]
        assert tuple(None if part is None else names[id(part)] for part in found) == NAMES[family.partition("@")[0]]
        assert "Attention" in type(parts.attention).__name__


@pytest.mark.parametrize("family", ALL)
def test_the_way_to_the_attention(family):
    lm = lm_of(family)
    assert lm.route == ("interface" if family in ATTENDING else "hooks")
    assert lm.attention_layers == {id(part.attention): layer for layer, part in enumerate(lm.parts)}
    assert lm.attending == tuple(range(lm.n_layers))
    assert lm.at_once


@pytest.mark.parametrize("family", ["llama", "gpt2", "gpt_neo", "falcon", "mixtral", *EAGER])
def test_watching_leaves_nothing_behind_and_finds_the_same_again(family):
    lm = lm_of(family)
    before = left_behind(lm)
    again = with_parts(lm)
    assert left_behind(lm) == before
    for one, other in zip(again.parts, lm.parts, strict=True):
        assert all(getattr(one, name) is getattr(other, name) for name in ("attention", "out", "mlp", "down"))


def test_watching_needs_no_grad_and_sees_through_a_frozen_model():
    model = new_model("llama").requires_grad_(False)
    assert with_parts(ct.wrap(model, TOKENIZER)).parts[0].out is model.model.layers[0].self_attn.o_proj
    assert torch.is_grad_enabled()


def test_the_probe_is_a_text_that_every_model_can_read():
    for family in ("llama", *STREAM):
        ids = probe(lm_of(family))
        assert 8 <= len(ids) <= CONTEXT and len(set(ids)) == len(ids)
        assert all(0 <= id_ < lm_of(family).n_tokens for id_ in ids)
