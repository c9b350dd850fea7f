"""Quantised weights: a model whose matrices are kept in a few bits keeps the laws, or is refused in words."""

import copy

import pytest
import torch
from torch import Tensor, nn

import ctkit as ct
from ctkit import CtkitError, Knockout, Steer
from ctkit.engine.generate import CACHES
from ctkit.engine.lm import down_projection
from ctkit.engine.run import run_many

from .engine_fixtures import EVERY, IDLE, PROMPT, TECHNIQUES, TOLERANCE, direction_at, left_behind
from .families import D_MODEL, TOKENIZER, lm_of, new_model, plain

pytestmark = pytest.mark.families
FAMILIES = ("llama", "gpt_neo", "gemma2", "mixtral")


class Int8(nn.Module):
    """A stand-in for quantised projections: whole numbers and a scale for each row, and no parameter at all."""

    def __init__(self, own: nn.Linear):
        super().__init__()
        self.in_features, self.out_features = own.in_features, own.out_features
        scale = own.weight.detach().abs().amax(1, keepdim=True) / 127
        self.register_buffer("codes", (own.weight.detach() / scale).round().to(torch.int8))
        self.register_buffer("scale", scale)
        self.register_buffer("bias", None if own.bias is None else own.bias.detach().clone())

    @property
    def matrix(self) -> Tensor:
        """The numbers that it computes with."""
        return self.codes * self.scale

    def forward(self, x):
        return nn.functional.linear(x, self.matrix, self.bias)


class Packed(nn.Module):
    """One that keeps its numbers in a part of its own, gives codes for a weight, and a method instead of a tensor."""

    def __init__(self, own: nn.Linear):
        super().__init__()
        self.in_features, self.out_features, self.inner = own.in_features, own.out_features, Int8(own)

    def weight(self):
        """As torch's own quantised modules have it."""
        return self.inner.codes

    def forward(self, x):
        return self.inner(x)


class Coded(Int8):
    """One whose weight is a matrix of codes, which is not what it computes with (as bitsandbytes has it)."""

    @property
    def weight(self) -> Tensor:
        """The whole numbers, without their scale."""
        return self.codes


class Scaled(Int8):
    """One that also rounds what it reads, with one scale for the whole text: so the last word changes the first."""

    def forward(self, x):
        step = x.square().mean().sqrt() / 2
        return super().forward((x / step).round() * step)


def quantised(family: str, kind: type = Int8):
    """The family's model with every projection of its blocks replaced."""
    model = copy.deepcopy(new_model(family))
    for name, module in list(model.named_modules()):
        for key, child in list(module.named_children()):
            if isinstance(child, nn.Linear) and name:
                setattr(module, key, kind(child))
    return model


@pytest.fixture(
    params=[(family, kind) for family in FAMILIES for kind in (Int8, Packed)] + [("llama", Coded)],
    ids=str,
    scope="module",
)
def lm(request):
    return ct.wrap(quantised(*request.param), TOKENIZER)


def test_what_a_plain_model_can_a_quantised_one_can():
    for family in FAMILIES:
        whole = lm_of(family)
        for kind in (Int8, Packed, Coded):
            lm = ct.wrap(quantised(family, kind), TOKENIZER)
            assert lm.support == whole.support
            assert lm.route == whole.route
            for own, other in zip(lm.parts, whole.parts, strict=True):
                assert [getattr(own, part) is None for part in vars(own)] == [
                    getattr(other, part) is None for part in vars(other)
                ]


def test_idle_and_undo(lm):
    before, ids = left_behind(lm), ct.run(lm, PROMPT).ids
    expected = plain(lm, ids)
    for name, setup in IDLE.items():
        assert torch.equal(ct.run(lm, PROMPT, setup, attention="all", residual="all", mlp="all").logits, expected), name
    for name in ("all at once", "emphasis"):
        ct.generate(lm, PROMPT, EVERY[name], max_new_tokens=2)
    assert left_behind(lm) == before
    assert torch.equal(plain(lm, ids), expected)


def test_masks_and_steering_show(lm):
    cut = ct.run(lm, PROMPT, Knockout("cue", "context"), attention="all")
    assert all((cut.attention(l)[:, cut.spans["cue"], cut.spans["context"]] == 0).all() for l in range(3))
    before = ct.run(lm, PROMPT, residual=[1], heads=[1], mlp=[1])
    for site, head in (("residual", None), ("heads", 2), ("mlp", None)):
        own = direction_at(site, head)
        steered = ct.run(lm, PROMPT, Steer(own), **{site: [1]})
        moved = getattr(before, site)(1).clone()
        part = moved if head is None else moved[:, head]
        part += own.vector
        torch.testing.assert_close(getattr(steered, site)(1), moved, **TOLERANCE)
        assert not torch.allclose(steered.logits, before.logits, atol=1e-3)


def test_heads_are_what_goes_into_the_output_projection(lm):
    """Not what comes out of it, also where attention is reached through hooks."""
    read = []
    handle = lm.parts[1].out.register_forward_pre_hook(lambda module, args: read.append(args[0][0].cpu()))
    trace = ct.run(lm, PROMPT, heads=[1])
    handle.remove()
    assert torch.equal(trace.heads(1).flatten(1), read[0])


def test_cache_and_batch_change_nothing(lm):
    for name in ("all at once", "emphasis", "steer what is written"):
        able = [kind for kind in CACHES if kind != "static" or lm.support["static"] == "yes"]
        runs = [ct.generate(lm, PROMPT, EVERY[name], max_new_tokens=3, cache=kind) for kind in able]
        assert all(run.ids == runs[-1].ids for run in runs)
    entries = [(PROMPT, TECHNIQUES["a bit of each"]), ("Who?", ct.Setup()), (PROMPT, EVERY["prefix"])]
    for found, entry in zip(run_many(lm, entries), entries, strict=True):
        torch.testing.assert_close(found.logits, ct.run(lm, *entry).logits, **TOLERANCE)


def test_neurons_times_their_matrix_are_what_the_mlp_adds(lm):
    if lm.support["neurons"] != "yes":
        with pytest.raises(CtkitError, match="experts"):
            down_projection(lm, 1)
        return
    trace, down = ct.run(lm, PROMPT, neurons=[1], mlp=[1]), down_projection(lm, 1).cpu()
    assert down.shape == (D_MODEL, trace.neurons(1).shape[1])
    assert type(down) is Tensor
    module = lm.parts[1].down
    bias = getattr(module, "inner", module).bias
    added = trace.neurons(1) @ down.T + (0 if bias is None else bias.cpu())
    torch.testing.assert_close(added, trace.mlp(1), **TOLERANCE)


def test_a_kind_that_lets_the_last_word_change_the_first_is_refused():
    with pytest.raises(CtkitError, match="quantised parts scale what they read by the whole text") as caught:
        ct.wrap(quantised("llama", Scaled), TOKENIZER)
    assert "weights alone" in caught.value.remedy
    assert ct.wrap(quantised("llama", Int8), TOKENIZER).support["mask"] == "yes"


def test_a_matrix_that_nobody_can_know_is_refused():
    lm = ct.wrap(quantised("llama"), TOKENIZER)
    del lm.parts[1].down.in_features
    with pytest.raises(CtkitError, match="does not say how wide it is"):
        down_projection(lm, 1)
    assert ct.run(lm, PROMPT, neurons=[1], mlp=[1]).neurons(1).isfinite().all()


@pytest.mark.parametrize("bits", [8, 4])
def test_torchao_weights(tmp_path, bits):
    """The real thing, where it is installed: transformers loads it, the laws hold."""
    pytest.importorskip("torchao")
    from torchao.quantization import Int8WeightOnlyConfig, IntxWeightOnlyConfig
    from torchao.quantization.granularity import PerGroup
    from transformers import TorchAoConfig

    new_model("llama").save_pretrained(tmp_path)
    TOKENIZER.save_pretrained(tmp_path)
    four = IntxWeightOnlyConfig(weight_dtype=torch.int4, granularity=PerGroup(16))
    lm = ct.load(str(tmp_path), quantization_config=TorchAoConfig(Int8WeightOnlyConfig() if bits == 8 else four))
    assert "yes" == lm.support["mask"] == lm.support["neurons"]
    test_idle_and_undo(lm)
    test_masks_and_steering_show(lm)
    test_cache_and_batch_change_nothing(lm)
    trace = ct.run(lm, PROMPT, neurons=[1], mlp=[1])
    torch.testing.assert_close(trace.neurons(1) @ down_projection(lm, 1).T, trace.mlp(1), **TOLERANCE)
