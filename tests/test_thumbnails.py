"""Thumbnails: the pooled weights are those of the whole, and never more than one block's weights are held."""

import gc

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

import ctkit as ct
from ctkit import CtkitError

from .engine_fixtures import PROMPT, TOLERANCE
from .families import TOKENIZER, lm_of


@pytest.mark.parametrize("family", ["llama", "gpt2", "gpt_neo", "gpt_oss"])
@pytest.mark.parametrize("size", [1, 5, 22, 64])
def test_thumbnails_are_the_whole_made_small(family, size):
    lm = lm_of(family)
    small, trace = ct.thumbnails(lm, PROMPT, ct.Mask("prefix"), size=size), ct.run(lm, PROMPT, ct.Mask("prefix"))
    assert torch.equal(small.trace.logits, trace.logits)
    assert small.size == min(size, len(trace.ids))
    for layer in range(lm.n_layers):
        whole = trace.attention(layer)
        for i, j in [(0, 0), (small.size - 1, 0), (small.size - 1, small.size - 1)]:
            rows, columns = (slice(small.edges[n], small.edges[n + 1]) for n in (i, j))
            expected = whole[:, rows, columns].sum(-1).mean(-1)
            torch.testing.assert_close(small.weights[layer][:, i, j], expected, **TOLERANCE)
        first = whole[:, : small.edges[1]].sum(-1).mean(-1)  # 1, but for models with sinks
        torch.testing.assert_close(small.weights[layer].sum(-1)[:, 0], first, **TOLERANCE)
    torch.testing.assert_close(small.trace.attention(0), trace.attention(0))


@pytest.mark.parametrize("size", [0, -3, "32", 2.5, True])
def test_an_impossible_size_is_refused(size):
    with pytest.raises(CtkitError, match="thumbnails of size"):
        ct.thumbnails(lm_of("llama"), PROMPT, size=size)


def test_never_more_than_one_blocks_weights_are_held(record_property):
    """Counts, at every block, the square tensors that are alive: of the blocks before, none may be."""
    heads, length, layers = 4, 160, 8
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=259, hidden_size=32, intermediate_size=32, num_hidden_layers=layers, num_attention_heads=heads
    )
    lm = ct.wrap(LlamaForCausalLM(config).eval(), TOKENIZER)
    held: list[int] = []

    def count(args, kwargs):
        gc.collect()
        square = [o for o in gc.get_objects() if type(o) is torch.Tensor and o.shape[-2:] == (length, length)]
        held.append(sum(o.numel() for o in square if o.is_floating_point()) // (heads * length * length))

    from ctkit.engine.hooks import at_entry

    removes = [at_entry(block, count) for block in lm.blocks]
    try:
        ct.thumbnails(lm, "k" * length, size=16)
        assert held == [0] * layers, "each block's weights are gone before the next block begins"
        held.clear()
        ct.run(lm, "k" * length, attention="all")
        assert held == list(range(layers)), "where all is kept, all is held: the count can see it"
    finally:
        for remove in removes:
            remove()
