"""Attention rolled out over the blocks: a product of mixtures whose rows sum to 1, with nothing from ahead."""

import pytest
import torch

import ctkit as ct
from ctkit import CtkitError, Mask
from ctkit.measures.rollout import rollout

from .engine_fixtures import PROMPT
from .families import N_LAYERS, SINKS, lm_of


@pytest.mark.parametrize("family", ["llama", "gpt2", "mistral", *SINKS])
def test_rows_sum_to_one_and_nothing_comes_from_ahead(family):
    trace = ct.run(lm_of(family), PROMPT, attention="all")
    rolled = rollout(trace)
    n = len(trace.ids)
    assert rolled.shape == (N_LAYERS, n, n) and rolled.min() >= 0
    torch.testing.assert_close(rolled.sum(-1), torch.ones(N_LAYERS, n), atol=1e-5, rtol=0)
    assert rolled.triu(1).abs().max() == 0


def test_it_is_the_product_of_the_mixtures():
    trace = ct.run(lm_of("llama"), PROMPT)
    n, rolled = len(trace.ids), rollout(trace)
    mixed = [0.5 * trace.attention(layer).mean(0) + 0.5 * torch.eye(n) for layer in range(N_LAYERS)]
    torch.testing.assert_close(rolled[0], mixed[0], atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(rolled[1], mixed[1] @ mixed[0], atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(rolled[2], mixed[2] @ mixed[1] @ mixed[0], atol=1e-6, rtol=1e-5)
    assert not torch.allclose(mixed[0] @ mixed[1], mixed[1] @ mixed[0], atol=1e-3), "the order of the blocks matters"


def test_the_share_of_the_residual_connection():
    trace = ct.run(lm_of("llama"), PROMPT, attention="all")
    n = len(trace.ids)
    assert rollout(trace, share=1).equal(torch.eye(n).expand(N_LAYERS, n, n)), "nothing is mixed"
    torch.testing.assert_close(rollout(trace, share=0.0)[0], trace.attention(0).mean(0), atol=1e-6, rtol=1e-5)
    assert rollout(trace, 0.8)[-1].diagonal().mean() > rollout(trace, 0.2)[-1].diagonal().mean()


def test_a_lifted_mask_lets_later_words_in():
    trace = ct.run(lm_of("llama"), PROMPT, Mask("bidirectional", layers=[1]), attention="all")
    rolled = rollout(trace)
    assert rolled[0].triu(1).max() == 0 < rolled[1].triu(1).max()
    window = rollout(ct.run(lm_of("llama"), PROMPT, Mask("window", size=2)))
    assert window[-1].tril(-N_LAYERS - 1).abs().max() == 0, "a step back in each block, no further"
    assert window[-1].tril(-N_LAYERS).max() > 0


def test_what_cannot_be_rolled_out_is_refused():
    trace = ct.run(lm_of("llama"), "ab")
    with pytest.raises(CtkitError, match=r"(?s)rollout of 'ab'.*a str.*ct.run"):
        rollout("ab")
    for share in (-0.1, 1.5, "half"):
        with pytest.raises(CtkitError, match=r"(?s)no share.*from 0 to 1"):
            rollout(trace, share=share)
