"""The card's section on masks: what must be exactly so is so, and attention to later words is counted right."""

from functools import cache

import pytest
import torch

import ctkit as ct
from ctkit.tasks import get
from ctkit.zoo.effects import masks


@cache
def results(lm):
    return [getattr(masks, name)(lm, *arguments) for name, arguments in masks.jobs(4, 10_000)]


def test_masks_that_change_nothing_change_nothing(lm):
    found = results(lm)[0]["differences"]
    assert found.pop(masks.AFTER) > 0.01
    assert set(found) == {*masks.CONTROLS, masks.BEFORE} and set(found.values()) == {0.0}


def test_the_future_is_counted_behind_each_word(lm):
    trace = ct.run(lm, get("hunt").generate(0, 1).prompt, ct.Mask("bidirectional"))
    weights, span = trace.attention(1), trace.spans["context"]
    slow = [sum(float(weights[2, i, j]) for j in range(i + 1, len(trace.tokens))) for i in range(span.start, span.stop)]
    assert float(masks.looking_ahead(trace, 1)[2]) == pytest.approx(sum(slow) / len(slow), abs=1e-5)


def test_the_causal_mask_gives_nothing_to_the_future(lm):
    trace = ct.run(lm, get("hunt").generate(0, 1).prompt)
    assert torch.equal(masks.looking_ahead(trace, 0), torch.zeros(lm.n_heads))


def test_attention_spread_evenly_is_the_share_of_later_places(lm):
    found = masks.ahead(lm, 3, 0, 2)
    length = len(ct.run(lm, get("hunt").generate(0, 2).prompt).tokens)
    assert 0.4 < found["even"] < 1 - 1 / length
    assert all(block["mean"] <= most for block, most in zip(found["blocks"], found["most"]))


def test_the_section_has_every_block_and_control(lm):
    text = masks.section(results(lm))
    for name, value in results(lm)[0]["differences"].items():
        assert f"| {name} | {value:.2g} |" in text
    for each in results(lm)[1:]:
        assert f"| {each['difficulty']} | {each['n']} | {100 * each['blocks'][0]['mean']:.1f} ±" in text
    assert f"block {lm.n_layers - 1} |" in text
