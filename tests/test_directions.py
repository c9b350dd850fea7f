"""Fitting directions: what the difference in means is, and when it must vanish."""

import pytest
import torch

import ctkit as ct
from ctkit.directions.diffmean import difference_in_means
from ctkit.tasks import get


def test_difference_in_means_by_hand():
    positive, negative = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[0.0, 1.0]])
    assert difference_in_means(positive, negative).tolist() == [2.0, 2.0]


def test_the_direction_is_read_where_it_is_said(lm):
    texts = (["The day was sunny."], ["The day was gloomy and dark."])
    direction = ct.fit_direction(lm, *texts, layer=2)
    streams = [ct.run(lm, text[0]).residual(2)[1:].mean(0) for text in texts]  # [1:]: without the start token
    assert torch.allclose(direction.vector, streams[0] - streams[1], atol=1e-5)
    assert (direction.layer, direction.method) == (2, "diffmean")


def test_the_last_token_alone(lm):
    texts = (["The day was sunny."], ["The day was gloomy and dark."])
    direction = ct.fit_direction(lm, *texts, layer=2, tokens="last")
    streams = [ct.run(lm, text[0]).residual(2)[-1] for text in texts]
    assert torch.allclose(direction.vector, streams[0] - streams[1], atol=1e-5)
    with pytest.raises(ct.CtkitError, match='"all" or "last"'):
        ct.fit_direction(lm, *texts, tokens="first")


def test_the_same_texts_on_both_sides_give_nothing(lm):
    texts = get("mood").texts("happy", 4)
    assert ct.fit_direction(lm, texts, texts).vector.abs().max() == 0


def test_reliability_is_high_for_a_real_contrast_and_not_measured_for_one_text(lm):
    happy, sad = (get("mood").texts(style, 16) for style in ("happy", "sad"))
    assert ct.fit_direction(lm, happy, sad).reliability > 0.5
    mixed = [t for pair in zip(happy, sad, strict=True) for t in pair]
    shuffled = ct.fit_direction(lm, mixed[:8] + mixed[24:], mixed[8:24]).reliability
    assert shuffled < ct.fit_direction(lm, happy, sad).reliability
    assert ct.fit_direction(lm, happy[:1], sad[:1]).reliability is None


def test_wrong_requests_are_refused(lm):
    with pytest.raises(ct.CtkitError, match="diffmean"):
        ct.fit_direction(lm, ["a"], ["b"], method="magic")
    with pytest.raises(ct.CtkitError, match="a list with one text"):
        ct.fit_direction(lm, "happy", ["b"])
    with pytest.raises(ct.CtkitError, match="a list with one text"):
        ct.fit_direction(lm, ["a"], [])
    with pytest.raises(ct.CtkitError, match="layer"):
        ct.fit_direction(lm, ["a"], ["b"], layer=99)
