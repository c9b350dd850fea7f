"""Groups of pairs: one group is the difference in means, what the probe must find and must not, and its refinement."""

import pytest
import torch

import ctkit as ct
from ctkit.directions import clusters as g_act
from ctkit.directions.request import read
from ctkit.tasks import get

from .families import lm_of

CPP, PYTHON = (get("code").texts(language, 24) for language in ("C++", "Python"))
ASKED = [text.split("Answer:")[0] + "Answer:" for text in CPP]


@pytest.fixture(scope="module")
def three(lm):
    return ct.fit_clusters(lm, CPP, PYTHON, k=3, layer=2)


def blobs(n: int = 60, k: int = 3, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Groups of states around `k` far points, and the group of each."""
    draw = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % k
    return 5 * torch.eye(k, 6)[labels] + torch.randn(n, 6, generator=draw), labels


@pytest.mark.parametrize("tokens", ["last", "all"])
def test_one_group_is_the_difference_in_means_of_pairs(lm, tokens):
    one = ct.fit_clusters(lm, CPP, PYTHON, k=1, layer=2, tokens=tokens)
    sides = [torch.stack([s.mean(0) for s in read(lm, side, "residual", 2, tokens=tokens)]) for side in (CPP, PYTHON)]
    assert torch.equal(one.directions[0].vector, (sides[0] - sides[1]).mean(0))
    if tokens == "last":  # over all tokens the plain method pools them: long texts weigh more
        means = ct.fit_direction(lm, CPP, PYTHON, layer=2, tokens="last")
        assert torch.allclose(one.directions[0].vector, means.vector, atol=1e-5)
        steered = [ct.run(lm, ASKED[0], s).logits for s in (one.steer(2), ct.Steer(one.directions[0], strength=2))]
        assert torch.equal(*steered)
        assert one.directions[0].accuracy == means.accuracy
    assert (one.labels, one.chance, one.accuracy) == ((0,) * 24, 1.0, 1.0)
    assert one.probes[0].vector.abs().max() == 0


def test_a_group_s_direction_is_the_mean_of_its_pairs_and_groups_are_by_size(lm, three):
    differences = torch.cat(read(lm, CPP, "residual", 2, tokens="last")) - torch.cat(
        read(lm, PYTHON, "residual", 2, tokens="last")
    )
    labels = torch.tensor(three.labels)
    for group, direction in enumerate(three.directions):
        assert torch.allclose(direction.vector, differences[labels == group].mean(0), atol=1e-4)
        assert (direction.method, direction.layer) == ("g-act", 2)
    counts = labels.bincount().tolist()
    assert counts == sorted(counts, reverse=True)
    assert three.chance == counts[0] / 24
    assert ct.fit_direction(lm, CPP, PYTHON, method="g-act", layer=2) == three.directions[0]


def test_like_differences_are_together_whatever_their_length():
    lines = torch.eye(3, 8)[torch.arange(30) % 3]
    lengths = torch.linspace(0.1, 50, 30)[:, None]
    noise = 0.05 * torch.randn(30, 8, generator=torch.Generator().manual_seed(0))
    found = g_act.divided(lengths * (lines + noise), 3)
    assert all(len(found[i::3].unique()) == 1 for i in range(3))
    assert len(found.unique()) == 3
    assert g_act.divided(torch.zeros(5, 8), 3).tolist() == [0] * 5
    assert g_act.divided(lines[:2], 2).sort().values.tolist() == [0, 1]


def test_the_probe_is_read_where_the_pair_begins_to_differ(lm, three):
    states = torch.cat(read(lm, ASKED, "residual", 2, tokens="last"))
    given = ct.fit_clusters(lm, CPP, PYTHON, k=3, layer=2, prompts=ASKED)
    assert given.labels == three.labels
    assert given.predict(states) == three.predict(states)
    agreed = sum(a == b for a, b in zip(three.predict(states), three.labels, strict=True))
    assert agreed / 24 > three.chance, "on the prompts it was fitted on it does better than naming the largest group"


def test_the_intervention_takes_the_group_that_the_probe_predicts(lm, three):
    states = torch.cat(read(lm, ASKED, "residual", 2, tokens="last"))
    chosen = three.predict(states)
    assert len(set(chosen)) > 1
    for prompt, group in list(zip(ASKED, chosen, strict=True))[:6]:
        steered = ct.run(lm, prompt, three.steer(1.5)).logits
        wanted = ct.run(lm, prompt, ct.Steer(three.directions[group], strength=1.5)).logits
        assert torch.allclose(steered, wanted, atol=1e-5, rtol=1e-5)
    assert three.steer(1.5, "generated") == ct.SteerClusters(
        three.directions, three.probes, three.biases, 1.5, "generated"
    )


def test_the_probe_finds_groups_and_not_labels_drawn_at_random():
    states, labels = blobs()
    assert g_act._held_out(states, labels, seed=0) > 0.9
    drawn = []
    for seed in range(10):
        shuffled = labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))]
        drawn.append(g_act._held_out(states, shuffled, seed=0))
    assert abs(sum(drawn) / 10 - 1 / 3) < 0.1
    assert g_act._held_out(states[:3], labels[:3], seed=0) is None
    two, halves = blobs(k=2)
    weights, biases = g_act._fitted(two, halves)
    assert weights.shape == (2, 6)
    assert ((two @ weights.T + biases).argmax(1) == halves).float().mean() > 0.9


def clusters_of(states: torch.Tensor, labels: torch.Tensor) -> g_act.Clusters:
    directions = [ct.Direction(torch.ones(states.shape[1]), 1) for _ in labels.unique()]
    return g_act._with_probe(directions, states, labels, 1, seed=0)


def test_refinement_goes_down_at_every_step_and_learns_a_shift():
    found = clusters_of(*blobs())
    moved, labels = blobs(seed=1)
    moved = moved + torch.tensor([0.0, -6.0, 6.0, 3.0, 0.0, 0.0])
    losses = [
        found.refined(moved, labels.tolist(), steps=n).loss(moved, labels.tolist()) for n in (0, 1, 2, 5, 20, 200)
    ]
    assert losses[0] == found.loss(moved, labels.tolist())
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.5 * losses[0]
    later = found.refined(moved, labels.tolist(), steps=200)
    right = [sum(p == t for p, t in zip(each.predict(moved), labels.tolist(), strict=True)) for each in (found, later)]
    assert right[1] > right[0]
    assert later.directions == found.directions
    again = clusters_of(*blobs())
    assert found.probes == again.probes and found.biases == again.biases, "a value does not change"


def test_a_step_is_the_gradient_s():
    found = clusters_of(*blobs())
    states, labels = blobs(n=9, seed=2)
    weights = torch.stack([p.vector for p in found.probes]).requires_grad_()
    biases = torch.tensor(found.biases, requires_grad=True)
    loss = torch.nn.functional.cross_entropy(states @ weights.T + biases, labels)
    loss.backward()
    assert found.loss(states, labels.tolist()) == pytest.approx(loss.item(), rel=1e-5)
    inputs = torch.cat([states, torch.ones(9, 1)], dim=1)
    step = 0.5 / (0.5 * torch.linalg.matrix_norm(inputs, ord=2) ** 2 / 9)
    later = found.refined(states, labels.tolist(), steps=1, rate=0.5)
    moved = torch.stack([p.vector for p in later.probes])
    assert torch.allclose(moved, (weights - step * weights.grad).detach(), atol=1e-5)
    assert torch.allclose(torch.tensor(later.biases), (biases - step * biases.grad).detach(), atol=1e-5)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"k": 0}, "1 to 2 groups"),
        ({"k": 3}, "1 to 2 groups"),
        ({"k": 1.0}, "1 to 2 groups"),
        ({"prompts": ["q"]}, "1 prompts"),
        ({"positive": "qp", "negative": "rs"}, "no list of texts"),
        ({"positive": [], "negative": []}, "no list of texts"),
        ({"negative": ["q no"]}, "2 positive and 1 negative"),
        ({"negative": ["q no", "else"]}, "do not begin alike"),
    ],
)
def test_wrong_requests_are_refused(options, words):
    given = {"positive": ["q yes", "p yes"], "negative": ["q no", "p no"], "k": 2} | options
    with pytest.raises(ct.CtkitError) as caught:
        ct.fit_clusters(lm_of("llama"), **given)
    assert words in str(caught.value)
    assert caught.value.remedy


def test_pairs_that_begin_differently_need_their_prompts():
    lm = lm_of("llama")
    found = ct.fit_clusters(lm, ["yes", "ja"], ["no", "gar"], k=2, prompts=["one?", "two?"])
    assert len(found) == 2
    assert found.accuracy is None


def test_wrong_refinements_are_refused():
    found = clusters_of(*blobs())
    states, labels = blobs(n=6)
    for wrong in ([0], [0, 1, 2, 3, 0, 1], [], [-1] * 6):
        with pytest.raises(ct.CtkitError, match="a group from 0 to 2"):
            found.refined(states, wrong)
        with pytest.raises(ct.CtkitError, match="a group from 0 to 2"):
            found.loss(states, wrong)
    for options in ({"steps": -1}, {"steps": 1.5}, {"rate": 0}, {"rate": 2}):
        with pytest.raises(ct.CtkitError, match="no way down"):
            found.refined(states, labels.tolist(), **options)
