"""Residual cross-entropy: the same numbers as the lens; what tells right from wrong vanishes when it is dealt out."""

from dataclasses import replace
from math import log

import pytest
import torch

import ctkit as ct
from ctkit import CtkitError, Mask, Reread, Think
from ctkit.measures import uncertainty
from ctkit.measures.uncertainty import ResidualCrossEntropy, residual_cross_entropy

from .families import N_LAYERS, VOCAB, lm_of

HUNT = ct.tasks.get("hunt")
FOUR = [HUNT.generate(seed, 4) for seed in range(240)]


@pytest.fixture(scope="module")
def found(lm):
    return residual_cross_entropy(lm, FOUR)


def test_a_curve_is_what_the_lens_says(lm, found):
    for i in (0, 7):
        lens = ct.lens(lm, FOUR[i].prompt, at=-1)
        torch.testing.assert_close(found.curves[i], lens.cross_entropy()[:, 0], atol=1e-4, rtol=1e-4)
        assert found.tokens[i] == lens.next_tokens(1)[-1][0][0]
        other = residual_cross_entropy(lm, FOUR[i : i + 1], Reread(), target="answer")
        want = ct.lens(lm, FOUR[i].prompt, Reread(), at=-1).cross_entropy(FOUR[i].answer)[:, 0]
        torch.testing.assert_close(other.curves[0], want, atol=1e-4, rtol=1e-4)


def test_right_and_wrong_are_those_of_effect(lm, found):
    effect = ct.effect(lm, "hunt", Mask("causal"), n=40, difficulty=4)
    assert found.right[:40].tolist() == [outcome.right_before for outcome in effect.outcomes]
    assert found.accuracy == pytest.approx(float(found.right.float().mean()))


def test_batches_do_not_show(monkeypatch, lm, found):
    monkeypatch.setattr(uncertainty, "TOGETHER", 7)
    heard = []
    some = residual_cross_entropy(lm, FOUR[:20], on_progress=lambda done, of: heard.append((done, of)))
    torch.testing.assert_close(some.curves, found.curves[:20], atol=1e-4, rtol=1e-4)
    assert heard == [(7, 20), (14, 20), (20, 20)]


def test_being_sure_is_what_tells(found, record_property):
    """The trained model: the last layer alone, which is its confidence, tells best; the way there adds nothing."""
    record_property("measured", f"residual cross-entropy, hunt with 4 hops:\n{found}")
    value, low, _ = found.auc[-1]
    assert value > 0.75 and low > 0.6
    assert all(earlier[0] < value for earlier in found.auc[:-1])
    gain, low, high = found.gain
    assert low < gain < high and gain < 0.05


def test_dealt_out_by_chance_nothing_tells(found):
    dealt = [found.shuffled(seed) for seed in range(40)]
    assert all(d.accuracy == found.accuracy for d in dealt) and not dealt[0].right.equal(found.right)
    for layer in range(found.curves.shape[1]):
        assert sum(d.auc[layer][0] for d in dealt) / 40 == pytest.approx(0.5, abs=0.04)
        assert sum(low <= 0.5 <= high for d in dealt for _, low, high in [d.auc[layer]]) >= 34
    assert sum(d.gain[1] <= 0 <= d.gain[2] for d in dealt[:10]) >= 8


def test_a_planted_early_sign_is_found():
    """Wrong answers that only an earlier layer gives away: the last alone is at chance, all layers together are not."""
    source = torch.Generator().manual_seed(0)
    right = torch.rand(200, generator=source) > 0.4
    curves = torch.rand(200, 4, generator=source)
    curves[:, 1] -= 0.8 * right
    planted = ResidualCrossEntropy(curves, right, ("a",) * 200, "written")
    assert planted.auc[1][0] > 0.9 and planted.auc[3][1] < 0.5 < planted.auc[3][2]
    assert planted.gain[1] > 0.2


def test_a_dead_unembedding_is_flat():
    lm = lm_of("llama")
    head = lm.model.get_output_embeddings().weight
    kept = head.detach().clone()
    try:
        head.data.zero_()
        flat = residual_cross_entropy(lm, FOUR[:3])
        torch.testing.assert_close(flat.curves, torch.full((3, N_LAYERS + 1), log(VOCAB)))
    finally:
        head.data.copy_(kept)


def test_another_answers_token_is_no_null(lm):
    """A model that is sure gives other tokens less: a wrong target is lower where the answer is wrong."""
    other = residual_cross_entropy(lm, FOUR, target="random", seed=1)
    assert sorted(other.tokens) == sorted(residual_cross_entropy(lm, FOUR, target="answer").tokens)
    assert other.auc[-1][2] < 0.5


def test_it_prints(found):
    lines = str(found).splitlines()
    assert f"240 problems, {found.accuracy:.0%} right" in lines[0] and len(lines) == 2 + found.curves.shape[1] + 1
    assert f"AUC {found.auc[-1][0]:.2f}" in lines[-2] and "all layers − last alone" in lines[-1]
    one = replace(found, right=torch.ones_like(found.right))
    assert "wrong" not in str(one) and "AUC" not in str(one)


def test_what_has_no_curve_is_refused(lm, found):
    with pytest.raises(CtkitError, match=r"(?s)residual cross-entropy.*no problems.*hunt"):
        residual_cross_entropy(lm, [])
    with pytest.raises(CtkitError, match=r"(?s)residual cross-entropy.*a str.*hunt"):
        residual_cross_entropy(lm, ["Where?"])
    with pytest.raises(CtkitError, match=r"(?s)token 'best'.*written, answer, random"):
        residual_cross_entropy(lm, FOUR[:2], target="best")
    with pytest.raises(CtkitError, match=r"(?s)under ct.Think.*without thinking"):
        residual_cross_entropy(lm, FOUR[:2], Think())
    one = replace(found, right=torch.ones_like(found.right))
    for name in ("auc", "gain"):
        with pytest.raises(CtkitError, match=r"(?s)240 right and 0 wrong.*another difficulty"):
            getattr(one, name)
    few = torch.arange(240) > 2
    assert 0 <= replace(found, right=few).auc[0][0] <= 1
    with pytest.raises(CtkitError, match=r"(?s)237 right and 3 wrong: 5 of each"):
        _ = replace(found, right=few).gain
