"""Attention between groups: the mean over queries of the sum over keys."""

import pytest
import torch

import ctkit as ct
from ctkit import CtkitError, Knockout
from ctkit.measures.grouped import grouped_attention

from .engine_fixtures import PROMPT
from .families import N_HEADS, N_LAYERS, lm_of


@pytest.mark.parametrize("family", ["llama", "gpt2", "mistral"])
def test_pieces_that_hold_every_token_share_everything(family):
    trace = ct.run(lm_of(family), PROMPT, attention="all")
    grouped = grouped_attention(trace)
    assert grouped.queries == grouped.keys == ("context", "question", "cue")
    assert grouped.weights.shape == (N_LAYERS, N_HEADS, 3, 3)
    torch.testing.assert_close(grouped.weights.sum(-1), torch.ones(N_LAYERS, N_HEADS, 3), atol=1e-5, rtol=0)
    assert grouped.weights[..., 0, 1:].max() == 0, "the first piece cannot see the others"


def test_mean_over_queries_sum_over_keys():
    trace = ct.run(lm_of("llama"), PROMPT, attention="all")
    grouped = grouped_attention(trace, ["cue", 5], ["context", (0, 2, 2)])
    context, cue = trace.spans["context"], trace.spans["cue"]
    for layer in range(N_LAYERS):
        weights = trace.attention(layer)
        torch.testing.assert_close(grouped.weights[layer, :, 0, 0], weights[:, cue, context].sum(-1).mean(-1))
        torch.testing.assert_close(grouped.weights[layer, :, 1, 1], weights[:, 5, [0, 2]].sum(-1))


def test_single_tokens_are_the_attention_itself():
    trace = ct.run(lm_of("gpt2"), "abc", attention="all")
    grouped = grouped_attention(trace, range(3), range(3))
    torch.testing.assert_close(grouped.weights[1], trace.attention(1))


def test_what_is_cut_gives_nothing():
    trace = ct.run(lm_of("llama"), PROMPT, Knockout("cue", "context", layers=[1]), attention="all")
    given = grouped_attention(trace, ["cue"], ["context"]).weights[:, :, 0, 0]
    assert given[1].max() == 0 < given[[0, 2]].min()


def test_what_is_no_group_is_refused():
    trace = ct.run(lm_of("llama"), PROMPT)
    with pytest.raises(CtkitError, match=r"(?s)grouped attention of 'ab'.*ct.run"):
        grouped_attention("ab")
    with pytest.raises(CtkitError, match=r"(?s)groups 'context'.*one place.*a list"):
        grouped_attention(trace, "context")
    with pytest.raises(CtkitError, match=r"(?s)group \(\).*no token there.*context"):
        grouped_attention(trace, [()])
    with pytest.raises(CtkitError, match="'answer'"):
        grouped_attention(trace, ["answer"])
