"""The self-test at load: it runs the model, believes nothing, and leaves nothing behind."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn
from transformers import DynamicCache

import ctkit as ct
from ctkit import CtkitError, Mask, Steer
from ctkit.engine import attention, fallback, selftest_attention, selftest_batch
from ctkit.engine.selftest import examined

from .engine_fixtures import PROMPT, left_behind
from .families import ALL, STREAM, TOKENIZER, VOCAB, lm_of, new_model, plain

TECHNIQUES = {
    *("reread", "think", "prepend", "steer", "patch", "mask", "knockout", "emphasize", "attention", "heads"),
    *("per head", "mlp", "neurons", "cache", "static", "batch", "pine"),
}


PARTICULAR = {"pine", "neurons", "static"}  # need rotary positions, plain MLPs, a cache of fixed size


def said_of_most(lm) -> set[str]:
    """What is said of the techniques that every family with attention has."""
    return {word for technique, word in lm.support.items() if technique not in PARTICULAR}


@pytest.mark.families
@pytest.mark.parametrize("family", ALL)
def test_what_works_is_found_out(family):
    lm = lm_of(family)
    before, expected = left_behind(lm), plain(lm, [1, 2, 3])
    support = examined(lm).support
    assert set(support) == TECHNIQUES
    assert support == lm.support
    no = {technique for technique, word in support.items() if word != "yes"}
    assert no <= PARTICULAR
    assert lm.route == ("hooks" if family in STREAM else "interface")
    assert left_behind(lm) == before
    assert torch.equal(plain(lm, [1, 2, 3]), expected)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("family", ["llama", "gpt2", "gemma2", "mixtral", "gpt_oss"])
def test_half_precision_passes(family, dtype):
    assert said_of_most(ct.wrap(new_model(family, dtype=dtype), TOKENIZER)) == {"yes"}


@pytest.mark.parametrize("family", ["llama", "mixtral", "olmo2", "cohere"])
def test_models_as_they_begin_training_pass(family):
    """With very small weights every effect is small: a threshold in absolute numbers would refuse them."""
    model = new_model(family)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(0.1)
    assert said_of_most(ct.wrap(model, TOKENIZER)) == {"yes"}


def test_a_model_that_reads_ahead_is_refused():
    model = new_model("llama")
    model.config.is_causal = False
    with pytest.raises(CtkitError, match="its first tokens know the last one") as caught:
        ct.wrap(model, TOKENIZER)
    assert "LlamaForCausalLM" in caught.value.asked
    model.config.is_causal = True
    assert ct.wrap(model, TOKENIZER).support["mask"] == "yes"


def test_a_model_that_drops_the_mask_is_noticed(monkeypatch):
    for module in (attention, fallback):
        monkeypatch.setattr(module, "edited_mask", lambda edit, *rest, **more: attention.native(*rest, **more))
    assert "does not follow a changed mask" in examined(lm_of("llama")).support["mask"]


def test_an_attention_that_changes_numbers_is_noticed(monkeypatch):
    lm = ct.wrap(new_model("llama"), TOKENIZER)
    own = attention.ALL_ATTENTION_FUNCTIONS.get_interface

    class Off:
        def get_interface(self, name, default):
            stock = own(name, default)
            return lambda *args, **kw: (lambda out, w: (out * 1.0001, w))(*stock(*args, **kw))

    monkeypatch.setattr(attention, "ALL_ATTENTION_FUNCTIONS", Off())
    there = examined(lm)
    assert there.route == "hooks", "the other way to its attention, which does not go through the changed function"
    assert there.support["mask"] == there.support["steer"] == "yes"
    monkeypatch.setattr(selftest_attention, "dispatches_attention", lambda model: True)
    monkeypatch.setattr(fallback, "edited_mask", lambda edit, *rest, **more: attention.native(*rest, **more))
    assert "gives other numbers" in examined(lm).support["mask"], "the reason is that of the first way"


def test_a_block_that_ignores_its_stream_is_noticed():
    model = new_model("llama")
    lm = ct.wrap(model, TOKENIZER)
    memory = {}

    def remember(module, args, output):
        return memory.setdefault(args[0].shape if args else 0, output)

    handle = model.model.layers[1].register_forward_hook(remember)
    support = examined(lm).support
    handle.remove()
    assert "does not react to a change of its stream" in support["steer"]
    assert support["prepend"] == support["steer"]
    assert examined(lm).support["steer"] == "yes"


def test_a_model_whose_cache_forgets_is_noticed(monkeypatch):
    lm = ct.wrap(new_model("llama"), TOKENIZER)
    monkeypatch.setattr(selftest_batch, "new_cache", lambda lm, kind, horizon: Forgetful())
    assert "answers differently when it reads on from a dynamic cache" in examined(lm).support["cache"]
    monkeypatch.setattr(selftest_batch, "new_cache", lambda lm, kind, horizon: "no cache at all")
    assert "cannot read on from a dynamic cache" in examined(lm).support["cache"]


class Forgetful(DynamicCache):
    """A cache that keeps nothing."""

    def update(self, key, value, layer, *args, **kwargs):
        return key, value


def test_a_remote_attention_is_refused_for_masks_only():
    lm = ct.wrap(new_model("llama"), TOKENIZER)
    lm.model.config._attn_implementation = "flex_attention"
    with pytest.raises(CtkitError) as caught:
        ct.run(lm, PROMPT, Mask("prefix"))
    assert 'model.set_attn_implementation("sdpa")' in caught.value.remedy
    lm.model.set_attn_implementation("sdpa")
    assert ct.run(lm, PROMPT, Mask("prefix")).attention(0).shape[0] == lm.n_heads


def test_a_model_without_a_list_of_blocks_is_refused():
    model = new_model("gpt2")
    model.transformer.h.append(nn.Identity())
    model.config.n_layer = 7
    with pytest.raises(CtkitError, match="modules that could be its 7 blocks") as caught:
        ct.wrap(model, TOKENIZER)
    assert caught.value.remedy


def test_a_model_that_does_not_say_its_sizes_is_refused(monkeypatch):
    model = new_model("llama")
    monkeypatch.setattr("ctkit.engine.lm.text_config", lambda model: SimpleNamespace(num_hidden_layers=3))
    with pytest.raises(CtkitError, match="a configuration that does not say hidden_size") as caught:
        ct.wrap(model, TOKENIZER)
    assert "decoder-only transformer" in caught.value.remedy


def test_a_model_without_attention_says_so_before_it_runs():
    from transformers import MambaConfig, MambaForCausalLM

    torch.manual_seed(0)
    config = MambaConfig(vocab_size=VOCAB, hidden_size=32, num_hidden_layers=2, state_size=4)
    lm = ct.wrap(MambaForCausalLM(config).eval(), TOKENIZER)
    assert lm.n_heads == 0
    assert lm.attending == ()
    for technique in ("mask", "knockout", "emphasize", "attention", "heads", "pine"):
        assert "has no attention" in lm.support[technique]
    for refused in (Mask("prefix"), ct.Emphasize("context")):
        with pytest.raises(CtkitError, match="has no attention"):
            ct.run(lm, PROMPT, refused)
    with pytest.raises(CtkitError):
        ct.run(lm, PROMPT).attention(0)
    steer = ct.Direction(torch.ones(32), 1)
    assert not torch.equal(ct.run(lm, PROMPT, Steer(steer)).logits, ct.run(lm, PROMPT).logits)


def test_a_model_that_needs_more_than_tokens_is_refused(monkeypatch):
    model = new_model("llama")
    monkeypatch.setattr(model, "forward", lambda **told: model.a_picture)
    with pytest.raises(CtkitError, match="cannot read a text of tokens alone") as caught:
        ct.wrap(model, TOKENIZER)
    assert caught.value.remedy


def test_a_model_that_chooses_its_keys_is_left_its_choice():
    """Its indexer works under the stock functions' names only: under ours it would read other keys, and not say so."""
    from ctkit.families.configs import model_of

    lm = ct.wrap(model_of("deepseek_v32"), TOKENIZER)
    short, long = "k" * 40, "The key. " * (lm.model.config.index_topk // 9 + 1)
    assert not torch.equal(ct.run(lm, short, Mask("window", size=4)).logits, ct.run(lm, short).logits)
    trace = ct.run(lm, long)
    assert torch.equal(trace.logits, plain(lm, trace.ids)), "nothing changed, nothing read: its own attention runs"
    for asked in (lambda: ct.run(lm, long, Mask("window", size=4)), lambda: trace.attention(0)):
        with pytest.raises(CtkitError, match="keys of its own choice") as caught:
            asked()
        assert f"at most {lm.model.config.index_topk} tokens" in caught.value.remedy
