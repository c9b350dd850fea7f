"""Directions in heads: which heads a probe can read, what each direction is, and when nothing must be found."""

from random import Random

import pytest
import torch

import ctkit as ct
from ctkit.directions import heads, iti, nl_iti
from ctkit.tasks import get

from .families import D_MODEL, N_HEADS, N_LAYERS, lm_of

HAPPY, SAD = (get("mood").texts(style, 24) for style in ("happy", "sad"))


@pytest.fixture(scope="module")
def fitted(lm):
    return {method: ct.fit_heads(lm, HAPPY, SAD, method=method) for method in ("iti", "nl-iti")}


@pytest.mark.parametrize(("method", "last"), [("iti", 1), ("nl-iti", 2)])
def test_each_direction_is_the_mass_mean_of_its_head(lm, fitted, method, last):
    found = fitted[method]
    for each in (found[0], found[-1]):
        sides = [
            torch.stack([ct.run(lm, text).heads(each.layer)[-last:, each.head].mean(0) for text in side])
            for side in (HAPPY, SAD)
        ]
        gap = sides[0].mean(0) - sides[1].mean(0)
        assert torch.allclose(each.vector, gap, atol=1e-4)
        along = torch.cat(sides) @ (gap / gap.norm())
        assert each.sigma == pytest.approx(float(along.std(correction=0)), rel=1e-3)
        assert (each.method, each.site) == (method, "heads")


@pytest.mark.parametrize("method", ["iti", "nl-iti"])
def test_all_heads_are_ranked_best_first_and_capped_at_what_exists(lm, fitted, method):
    found = fitted[method]
    assert len(found) == lm.n_layers * lm.n_heads == len({(d.layer, d.head) for d in found})
    ranks = [float(found.ranking[found.places.index((d.layer, d.head))]) for d in found]
    assert ranks == sorted(ranks, reverse=True)
    for each in found:
        assert each.accuracy == pytest.approx(float(found.accuracy[found.places.index((each.layer, each.head))]))
    few = ct.fit_heads(lm, HAPPY, SAD, k=3, method=method)
    assert few.directions == found.directions[:3]
    assert "3 of 16 heads" in repr(few)


@pytest.mark.parametrize("method", ["iti", "nl-iti"])
def test_probes_read_the_mood_and_not_a_label_drawn_at_random(lm, fitted, method):
    assert fitted[method].accuracy.max() > 0.8
    texts = [*HAPPY, *SAD]
    means = []
    for seed in range(4):
        Random(seed).shuffle(texts)
        means.append(float(ct.fit_heads(lm, texts[:24], texts[24:], method=method).accuracy.mean()))
    assert abs(sum(means) / len(means) - 0.5) < 0.1  # 4 × 48 texts, though the heads of a text are no independent draws


def test_the_held_out_accuracy_is_not_that_by_which_heads_were_chosen(lm):
    """The best of many heads is good on the validation part by luck too; with labels that say nothing it shows."""
    texts = [*HAPPY, *SAD]
    lucky = []
    for seed in range(4):
        Random(seed).shuffle(texts)
        found = ct.fit_heads(lm, texts[:24], texts[24:], k=1)
        lucky.append((float(found.ranking.max()), found[0].accuracy))
    ranked, held = (sum(column) / len(lucky) for column in zip(*lucky, strict=True))
    assert ranked > 0.6
    assert held < ranked
    assert abs(held - 0.5) < 0.2


def test_one_direction_is_the_best_head_s_of_all_of_a_layer_or_the_one_named(lm):
    whole = ct.fit_heads(lm, HAPPY, SAD, seed=0)
    assert ct.fit_direction(lm, HAPPY, SAD, method="iti") == whole[0]
    third = ct.fit_direction(lm, HAPPY, SAD, method="iti", layer=2)
    assert third == next(d for d in whole if d.layer == 2)
    one = ct.fit_direction(lm, HAPPY, SAD, method="iti", layer=2, head=1)
    assert (one.layer, one.head) == (2, 1)
    assert ct.fit_direction(lm, HAPPY, SAD, method="iti", head=1).head == 1


def test_the_choice_of_layers_and_tokens(lm):
    found = ct.fit_heads(lm, HAPPY, SAD, layers=[1, 3], tokens="all")
    assert {layer for layer, _ in found.places} == {1, 3}
    mean = torch.stack([ct.run(lm, text).heads(found[0].layer)[1:, found[0].head].mean(0) for text in HAPPY]).mean(0)
    other = torch.stack([ct.run(lm, text).heads(found[0].layer)[1:, found[0].head].mean(0) for text in SAD]).mean(0)
    assert torch.allclose(found[0].vector, mean - other, atol=1e-4)
    assert len(ct.fit_heads(lm, HAPPY, SAD, layers=2)) == lm.n_heads


@pytest.mark.parametrize("family", ["llama", "gpt2", "gemma2"])
def test_the_width_of_a_head_is_read_from_its_output(family):
    """Code for NL-ITI has 128 written in; and a head need not be d_model / n_heads wide."""
    from transformers import AutoConfig, AutoModelForCausalLM

    from ctkit.engine.load import wrap

    from .families import BASE, FULL, GPT, TOKENIZER

    wide = {} if family == "gpt2" else {"head_dim": 16}
    torch.manual_seed(0)
    config = AutoConfig.for_model(family, **{**BASE, **(GPT if family == "gpt2" else {}), **FULL[family], **wide})
    lm = wrap(AutoModelForCausalLM.from_config(config).eval(), TOKENIZER)
    texts = [f"text {i}" for i in range(4)], [f"word {i}!" for i in range(4)]
    for method in ("iti", "nl-iti"):
        found = ct.fit_heads(lm, *texts, method=method)
        assert len(found) == N_LAYERS * N_HEADS
        assert {d.width for d in found} == {16 if wide else D_MODEL // N_HEADS}


def test_networks_of_heads_do_not_hear_of_each_other():
    draw = torch.Generator().manual_seed(0)
    states, labels = torch.randn(40, 3, 8, generator=draw), torch.arange(40) % 2
    states[:, 1, 0] += 4.0 * labels  # the middle head knows
    parts = states[:24], labels[:24], states[24:32], labels[24:32], states[32:], 0
    together = nl_iti.probe(*parts)
    assert ((together[1][:, 1] > 0.5) == (labels[32:] == 1)).float().mean() > 0.8
    changed = states.clone()
    changed[:, 0] = 100 * torch.randn(40, 8, generator=draw)
    again = nl_iti.probe(changed[:24], labels[:24], changed[24:32], labels[24:32], changed[32:], 0)
    assert torch.allclose(together[1][:, 1:], again[1][:, 1:], atol=1e-5)
    linear = iti.probe(*parts)
    assert ((linear[1][:, 1] > 0.5) == (labels[32:] == 1)).float().mean() > 0.8


def test_a_network_is_taken_from_its_best_epoch():
    """Against labels turned round it gets worse the longer it learns: what counts is the epoch that was best."""
    draw = torch.Generator().manual_seed(0)
    states, labels = torch.randn(80, 1, 8, generator=draw), torch.arange(80) % 2
    states[:, 0, 0] += 4.0 * labels
    turned = 1 - labels[40:]
    learned, kept = (
        nl_iti.probe(states[:40], labels[:40], states[40:], told, states[40:], 0)[0] for told in (labels[40:], turned)
    )
    right = [
        float(((each[:, 0] > 0.5) == (told == 1)).float().mean()) for each, told in ((learned, turned), (kept, turned))
    ]
    assert right[0] < 0.2
    assert right[1] > right[0] + 0.1


def test_a_network_reads_what_no_line_can():
    draw = torch.Generator().manual_seed(0)
    states = torch.randn(400, 1, 4, generator=draw)
    labels = (states[:, 0, 0].abs() > 0.67).long()
    parts = states[:240], labels[:240], states[240:320], labels[240:320], states[320:], 0
    right = [
        float(((probe(*parts)[1][:, 0] > 0.5) == (labels[320:] == 1)).float().mean())
        for probe in (iti.probe, nl_iti.probe)
    ]
    assert right[0] < 0.6
    assert right[1] > 0.65


def test_a_chance_of_one_half_is_half_right():
    assert heads._right(torch.tensor([[0.5, 0.9], [0.5, 0.2]]), torch.tensor([1, 1])).tolist() == [0.5, 0.5]


def test_spread_of_nothing_is_nothing():
    assert heads.spread(torch.ones(3, 2), torch.zeros(2)) == 0.0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"k": 0}, "1 or more"),
        ({"k": 1.5}, "1 or more"),
        ({"folds": 1}, "2 folds or more"),
        ({"folds": 3}, "6 texts or more"),
        ({"method": "diffmean"}, "one of iti, nl-iti"),
        ({"layers": [N_LAYERS]}, f"layers 0 to {N_LAYERS - 1}"),
        ({"layers": ()}, "no block whose heads"),
    ],
)
def test_wrong_requests_are_refused(options, words):
    with pytest.raises(ct.CtkitError) as caught:
        ct.fit_heads(lm_of("llama"), ["a", "b", "c", "d"], ["e", "f", "g", "h"], **options)
    assert words in str(caught.value)
    assert caught.value.remedy


def test_no_lists_of_texts_are_refused():
    for sides in (("text", ["b"] * 4), (["a"] * 4, ct.Prompt("b"))):
        with pytest.raises(ct.CtkitError, match="one text"):
            ct.fit_heads(lm_of("llama"), *sides)
