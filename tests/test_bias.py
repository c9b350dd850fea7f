"""A bias on the scores: what the same numbers by hand do, and what the softmax makes of them."""

import pytest
import torch

import ctkit as ct

from .engine_fixtures import PROMPT, TOLERANCE, Slope
from .families import ATTENDING, DEVICE, EAGER, FULL, N_HEADS, WINDOWED, lm_of, plain


@pytest.mark.families
@pytest.mark.parametrize("family", [f for f in (*FULL, *EAGER) if f not in (*WINDOWED, "opt", "mistral@eager")])
def test_a_bias_does_what_the_same_bias_by_hand_does(family):
    lm = lm_of(family)
    trace = ct.run(lm, PROMPT, Slope())
    later = torch.ones(len(trace.ids), len(trace.ids), dtype=torch.bool).triu(1)
    by_hand = Slope().bias(trace.encoding, 0).masked_fill(later, torch.finfo(torch.float32).min)[None]
    expected = plain(lm, trace.ids, attention_mask=by_hand.to(DEVICE))
    torch.testing.assert_close(trace.logits, expected, **TOLERANCE)
    assert not torch.allclose(trace.logits, plain(lm, trace.ids), atol=1e-3)


@pytest.mark.families
@pytest.mark.parametrize("family", ATTENDING)
def test_a_bias_moves_weight_as_the_softmax_says(family):
    """Adding b to a key's score multiplies its weight by exp(b) against the others'; block 0 shows it purely."""
    lm = lm_of(family)
    base, trace = ct.run(lm, PROMPT).attention(0), ct.run(lm, PROMPT, Slope()).attention(0)
    expected = base[:, 1:, 0] / base[:, 1:, 1] * torch.exp(-0.1 * torch.arange(1, N_HEADS + 1))[:, None]
    seen = base[:, 1:, 0] > 0  # inside the model's own window
    torch.testing.assert_close((trace[:, 1:, 0] / trace[:, 1:, 1])[seen], expected[seen], atol=1e-5, rtol=1e-4)
