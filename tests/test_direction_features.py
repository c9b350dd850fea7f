"""Features of neurons: the factorisation's rules, what a feature writes into the stream, and what destroys it."""

import pytest
import torch

import ctkit as ct
from ctkit.directions.features import contrast
from ctkit.directions.snmf import factorise, winners
from ctkit.engine.lm import down_projection
from ctkit.tasks import get

from .families import DEVICE, N_LAYERS, lm_of

HAPPY, SAD = (get("mood").texts(style, 12) for style in ("happy", "sad"))


@pytest.fixture(scope="module")
def activations(lm):
    """The neurons of block 2 over some texts: (neuron, token)."""
    return torch.cat([trace.neurons(2)[1:] for trace in ct.run_many(lm, [*HAPPY, *SAD], neurons=[2])]).T


def made_of(
    features: int = 4, neurons: int = 60, tokens: int = 300, seed: int = 0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Activations that are features of three neurons each, used here and there; and the features."""
    draw = torch.Generator().manual_seed(seed)
    truth = torch.zeros(neurons, features)
    for j in range(features):
        truth[3 * j : 3 * j + 3, j] = torch.randn(3, generator=draw).sign() * (1 + torch.rand(3, generator=draw))
    uses = torch.rand(tokens, features, generator=draw) * (torch.rand(tokens, features, generator=draw) < 0.3)
    return truth @ uses.T, truth


@pytest.mark.parametrize("start", ["random", "kmeans"])
def test_features_that_are_there_are_found(start):
    activations, truth = made_of()
    found = factorise(activations, 4, keep=0.05, start=start)
    cosines = torch.nn.functional.normalize(truth, dim=0).T @ torch.nn.functional.normalize(found.features, dim=0)
    assert cosines.max(1).values.min() > 0.95
    assert found.error < 0.1


def test_the_factors_keep_their_rules_and_the_error_is_theirs(activations):
    for keep, most in ((0.01, 4), (0.1, 38), (1e-9, 1), (1.0, 384)):
        found = factorise(activations, 6, keep=keep, iterations=15)
        assert found.features.count_nonzero(dim=0).max() <= most
        assert (found.uses >= 0).all()
        left = (activations - found.features @ found.uses.T).norm() / activations.norm()
        assert found.error == pytest.approx(float(left), abs=1e-3)
        assert found.error == min(found.errors)
        assert len(found.errors) <= 15


def test_without_sparsity_the_error_falls_and_more_features_leave_less(activations):
    found = factorise(activations, 5, keep=1.0, iterations=60)
    assert all(later <= before + 1e-4 for before, later in zip(found.errors, found.errors[1:], strict=False))
    assert factorise(activations, 20, keep=1.0, iterations=60).error < found.error - 0.02


def test_winners_are_the_largest_in_absolute_value():
    features = torch.tensor([[1.0, -9.0], [-3.0, 2.0], [2.0, 3.0]])
    assert winners(features, 1).tolist() == [[0.0, -9.0], [-3.0, 0.0], [0.0, 0.0]]
    assert winners(features, 2).tolist() == [[0.0, -9.0], [-3.0, 0.0], [2.0, 3.0]]
    assert torch.equal(winners(features, 3), features)


def test_it_stops_when_it_no_longer_gains():
    activations, _ = made_of()
    found = factorise(activations, 4, keep=0.05, iterations=5000, patience=20)
    assert len(found.errors) < 5000
    assert factorise(activations, 4, keep=0.05, seed=1).errors != found.errors
    assert factorise(activations, 4, keep=0.05, iterations=5000, patience=20).errors == found.errors


def test_one_feature_is_the_mean_direction(activations):
    """Where activations share a mean; the best single line through 0 of activations is then close to it."""
    draw = torch.Generator().manual_seed(0)
    mean = torch.randn(40, generator=draw)
    shared = mean[:, None] * (1 + 0.3 * torch.rand(200, generator=draw)) + 0.1 * torch.randn(40, 200, generator=draw)
    one = factorise(shared, 1, keep=1.0)
    assert torch.cosine_similarity(one.features[:, 0], shared.mean(1), dim=0) > 0.999
    trained = factorise(activations, 1, keep=1.0)
    chance = torch.cosine_similarity(trained.features[:, 0], activations.mean(1), dim=0)
    assert chance > 0.8


def test_shuffling_tokens_within_neurons_breaks_it(activations):
    """Each neuron keeps its own values, but no longer at the tokens where the others have theirs."""
    draw = torch.Generator().manual_seed(0)
    mixed = torch.stack([row[torch.randperm(len(row), generator=draw)] for row in activations])
    whole, broken = (factorise(each, 20, iterations=100).error for each in (activations, mixed))
    assert broken > whole + 0.05
    made, _ = made_of()
    mixed = torch.stack([row[torch.randperm(len(row), generator=draw)] for row in made])
    assert factorise(mixed, 4, keep=0.05).error > 0.4


@pytest.mark.parametrize("family", ["llama", "gpt2", "gemma2", "gpt_neox"])
def test_adding_a_feature_to_the_neurons_is_adding_its_direction_to_the_output(family):
    lm = lm_of(family)
    features = ct.fit_features(lm, ["some text", "other words"], layer=1, k=3, keep=0.1, iterations=20)
    column = torch.nn.functional.normalize(features.factors.features[:, 1], dim=0)
    direction = features.direction(1)
    assert torch.allclose(direction.vector, down_projection(lm, 1).float().cpu() @ column, atol=1e-5)
    hook = lm.parts[1].down.register_forward_pre_hook(lambda module, args: (args[0] + 2.5 * column.to(DEVICE),))
    try:
        neurons = ct.run(lm, "some text").mlp(1)
    finally:
        hook.remove()
    plain = ct.run(lm, "some text").mlp(1)
    assert torch.allclose(neurons - plain, (2.5 * direction.vector).expand_as(plain), atol=1e-4)


def test_a_feature_knows_its_tokens(lm):
    features = ct.fit_features(lm, HAPPY + SAD, layer=2, k=20, iterations=100)
    assert len(features) == 20
    assert features.factors.uses.shape == (len(features.tokens), 20)
    assert len(features.text.unique()) == 24
    best = features.top_tokens(3, 5)
    assert [value for _, value in best] == sorted((value for _, value in best), reverse=True)
    assert len({token for token, _ in best}) == 5
    assert features.tokens[int(features.factors.uses[:, 3].argmax())] == best[0][0]
    assert repr(best[0][0]) in features.direction(3).name
    means = features.by_text()
    assert torch.allclose(means[5], features.factors.uses[features.text == 5].mean(0), atol=1e-5)
    assert "20 of block 2" in repr(features)


def test_the_feature_that_tells_texts_apart_points_to_the_positive_ones(lm):
    found = ct.fit_direction(lm, HAPPY, SAD, method="snmf", layer=3)
    assert (found.site, found.method, found.layer) == ("mlp", "snmf", 3)
    features = ct.fit_features(lm, HAPPY + SAD, layer=3, k=20, start="kmeans")
    assert torch.allclose(contrast(features, len(HAPPY)), found.vector, atol=1e-4)
    gap = features.by_text()[:12].mean(0) - features.by_text()[12:].mean(0)
    lines = torch.nn.functional.cosine_similarity(features.written, found.vector[None], dim=1)
    best = int(lines.abs().argmax())
    assert abs(float(lines[best])) == pytest.approx(1, abs=1e-4)
    assert float(lines[best]) * float(gap[best]) > 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"k": 0}, "features of"),
        ({"k": 2.0}, "features of"),
        ({"keep": 0.0}, "no share"),
        ({"keep": 1.5}, "no share"),
        ({"start": "svd"}, '"random" or "kmeans"'),
        ({"layer": N_LAYERS}, f"{N_LAYERS - 1}"),
        ({"texts": []}, "one text or more"),
        ({"texts": "a text"}, "one text or more"),
    ],
)
def test_wrong_requests_are_refused(options, words):
    with pytest.raises(ct.CtkitError) as caught:
        ct.fit_features(lm_of("llama"), **{"texts": ["a text", "b"], "k": 2, "iterations": 2} | options)
    assert words in str(caught.value)
    assert caught.value.remedy
    assert len(ct.fit_features(lm_of("llama"), ["ab"], k=50, iterations=2)) == 2, "no more features than tokens"


def test_a_feature_that_is_not_there_is_refused():
    features = ct.fit_features(lm_of("llama"), ["a text"], k=2, iterations=2)
    for wrong in (2, -1, "0"):
        with pytest.raises(ct.CtkitError, match="a feature from 0 to 1"):
            features.direction(wrong)


@pytest.mark.parametrize("family", ["mixtral", "gpt_oss"])
def test_a_model_of_experts_has_no_neurons_to_group(family):
    with pytest.raises(ct.CtkitError, match="experts"):
        ct.fit_features(lm_of(family), ["some text"])
