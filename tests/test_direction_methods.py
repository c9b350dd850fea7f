"""Methods of fitting a direction: what each is by hand, where it is read, and when it must vanish."""

from random import Random

import pytest
import torch

import ctkit as ct
from ctkit.directions import caa, diffmean, pca, plane, probe
from ctkit.directions.fit import METHODS
from ctkit.directions.request import Request, read
from ctkit.engine.encode import encode
from ctkit.prompt import Piece, Prompt
from ctkit.tasks import get

from .families import lm_of

HAPPY, SAD = (get("mood").texts(style, 16) for style in ("happy", "sad"))
QUESTIONS = [get("mood").generate(seed, 2).prompt.text for seed in range(16)]
PAIRS = [(f"{question} happy", f"{question} sad") for question in QUESTIONS]


@pytest.fixture(scope="module")
def llama():
    return lm_of("llama")


@pytest.mark.parametrize("method", METHODS)
def test_the_same_texts_on_both_sides_give_nothing(lm, method):
    texts = HAPPY[:1] if method == "actadd" else HAPPY
    direction = ct.fit_direction(lm, texts, texts, method=method)
    size = ct.fit_direction(lm, texts, SAD[: len(texts)], site=direction.site, head=direction.head).vector.norm()
    if method == "snmf":  # its factors are fitted on both sides at once, by steps that round
        assert direction.vector.norm() < 1e-3 * size
    else:
        assert direction.vector.abs().max() == 0
    if direction.accuracy is not None:
        assert direction.accuracy <= 0.5


@pytest.mark.parametrize("method", [m for m in METHODS if m != "actadd"])
def test_every_direction_comes_with_what_was_measured(lm, method):
    texts = zip(*PAIRS, strict=True) if method in ("caa", "g-act") else (HAPPY, SAD)
    direction = ct.fit_direction(lm, *texts, method=method, name="joy")
    assert (direction.method, direction.name) == (method, "joy")
    assert -1.001 <= direction.reliability <= 1.001
    assert 0 <= direction.accuracy <= 1
    assert direction.vector.norm() > 0


@pytest.mark.parametrize("method", ["diffmean", "pca", "caa", "random", "plane"])
def test_with_few_texts_less_is_measured(llama, method):
    two, three = (["an a", "be a", "do a"][:n] for n in (1, 3))
    other = ["an b", "be b", "do b"]
    alone, few = (ct.fit_direction(llama, texts, other[: len(texts)], method=method) for texts in (two, three))
    assert (alone.reliability, alone.accuracy, few.accuracy) == (None, None, None)
    assert few.reliability is not None


@pytest.mark.parametrize("family", ["llama", "gpt2"])
@pytest.mark.parametrize("method", ["diffmean", "pca", "random"])
def test_the_site_is_where_it_is_read(family, method):
    lm = lm_of(family)
    traces = [ct.run(lm, text) for text in ("one", "two!")]
    places = {
        ("residual", None): [trace.residual(1) for trace in traces],
        ("mlp", None): [trace.mlp(1) for trace in traces],
        ("heads", 2): [trace.heads(1)[:, 2] for trace in traces],
    }
    for (site, head), states in places.items():
        found = ct.fit_direction(lm, ["one"], ["two!"], method=method, layer=1, site=site, head=head)
        wanted = states[0].mean(0) - states[1].mean(0)
        assert (found.site, found.head, found.layer, found.vector.shape) == (site, head, 1, wanted.shape)
        if method == "random":
            assert found.vector.norm() == pytest.approx(wanted.norm().item(), rel=1e-4)
        else:  # of one pair there is one line
            assert torch.allclose(found.vector, wanted, atol=1e-4)


def test_so_many_of_the_last_tokens(lm):
    states = read(lm, [HAPPY[0]], "residual", 2)[0]
    for tokens, part in ((1, states[-1:]), ("last", states[-1:]), (3, states[-3:]), (10**6, states), ("all", states)):
        assert torch.equal(read(lm, [HAPPY[0]], "residual", 2, tokens=tokens)[0], part)


def test_the_probe_tells_a_contrast_and_not_a_label_drawn_at_random(lm):
    assert ct.fit_direction(lm, HAPPY, SAD).accuracy > 0.8
    drawn = []
    for seed in range(8):
        texts = [*HAPPY, *SAD]
        Random(seed).shuffle(texts)
        drawn.append(ct.fit_direction(lm, texts[:16], texts[16:]).accuracy)
    assert abs(sum(drawn) / len(drawn) - 0.5) < 0.15  # five standard errors of a coin over 8 × 32 texts are 0.16
    assert max(drawn) < 0.9


def test_folds_hold_out_each_text_once_and_keep_pairs_together():
    found = probe.folds(10, 10, 5, seed=3)
    assert sorted(i for _, test in found for i in test) == list(range(20))
    for train, test in found:
        assert sorted(train + test) == list(range(20))
        assert {i + 10 for i in test if i < 10} == {i for i in test if i >= 10}
    uneven = probe.folds(7, 4, 3, seed=0)
    assert sorted(i for _, test in uneven for i in test) == list(range(11))
    assert all(any(i < 7 for i in test) and any(i >= 7 for i in test) for _, test in uneven)
    assert probe.folds(10, 10, 5, seed=4) != found


def test_probabilities_of_one_label_and_of_missing_ones():
    states = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
    one = probe.probabilities(states, torch.full((6,), 1), states)
    assert one.tolist() == [[0.0, 1.0]] * 6
    three = probe.probabilities(states, torch.tensor([0, 2, 0, 2, 0, 2]), states)
    assert three[:, 1].tolist() == [0.0] * 6
    assert torch.allclose(three.sum(1), torch.ones(6))


def test_the_first_component_is_the_line_of_most_variance():
    line = torch.tensor([0.6, 0.8, 0.0])
    rows = torch.outer(torch.linspace(-2, 5, 9), line) + 7
    assert abs(float(pca.first_component(rows) @ line)) == pytest.approx(1, abs=1e-5)
    assert pca.first_component(torch.ones(4, 3)).tolist() == [0.0] * 3


def test_pca_points_to_the_positive_texts_with_pairs_and_without(lm):
    means = {}
    for negative in (SAD, SAD[:-1]):  # as many: pairs; fewer: all pooled
        found = ct.fit_direction(lm, HAPPY, negative, method="pca")
        plus, minus = ([state.mean(0) for state in read(lm, side, "residual", 2)] for side in (HAPPY, negative))
        gap = torch.stack(plus).mean(0) - torch.stack(minus).mean(0)
        assert found.vector @ gap > 0
        assert (found.vector @ gap).item() == pytest.approx(found.vector.norm().item() ** 2, rel=1e-3)
        means[len(negative)] = torch.cosine_similarity(found.vector, gap, dim=0)
        assert torch.allclose(-found.vector, ct.fit_direction(lm, negative, HAPPY, method="pca").vector, atol=1e-4)
    assert means[16] > 0.8, "what the two texts of a pair share is taken out"


def test_pca_of_pairs_does_not_see_what_they_share():
    shared = 100 * torch.randn(12, 5, generator=torch.Generator().manual_seed(0))
    line = torch.tensor([0.0, 0.0, 1.0, 0.0, 0.0])
    plus, minus = ([row[None] + sign * line for row in shared] for sign in (1, -1))
    assert torch.allclose(pca.of_texts(plus, minus), 2 * line, atol=1e-3)
    assert torch.cosine_similarity(pca.of_texts(plus, minus[:-1]), line, dim=0) < 0.9


def test_random_directions_are_as_long_and_the_seed_s(lm):
    like = ct.fit_direction(lm, HAPPY, SAD)
    drawn = [ct.random_direction(like, seed) for seed in range(20)]
    assert all(each.vector.norm().item() == pytest.approx(like.vector.norm().item(), rel=1e-5) for each in drawn)
    assert len({each.vector[0].item() for each in drawn}) == 20
    cosines = [abs(float(torch.cosine_similarity(each.vector, like.vector, dim=0))) for each in drawn]
    assert sum(cosines) / 20 < 0.15  # in 128 dimensions about 0.07
    fitted = [ct.fit_direction(lm, HAPPY, SAD, method="random", seed=seed) for seed in (3, 3, 4)]
    assert fitted[0] == fitted[1] != fitted[2]
    assert torch.equal(fitted[0].vector, ct.random_direction(like, 3).vector)
    assert abs(fitted[0].reliability) < 0.4
    head = ct.Direction(torch.ones(8), 1, site="heads", head=3, sigma=2.0)
    assert (ct.random_direction(head).place, ct.random_direction(head).sigma) == ("head 3", None)
    rows = ct.Direction(torch.ones(2, 8), 1)
    assert ct.random_direction(rows).vector.shape == (2, 8)
    assert ct.random_direction(0 * rows).vector.abs().max() == 0


def test_caa_is_the_mean_difference_at_the_answer(lm):
    pairs = [(f"{question} (happy) .", f"{question} (sad) .") for question in QUESTIONS[:4]]
    found = ct.fit_direction(lm, *zip(*pairs, strict=True), method="caa", layer=2)
    differences = []
    for pair in pairs:
        traces = [ct.run(lm, text) for text in pair]
        places = [
            trace.tokens.index(next(t for t in trace.tokens[::-1] if word in t))
            for trace, word in zip(traces, ("happy", "sad"), strict=True)
        ]
        differences.append(traces[0].residual(2)[places[0]] - traces[1].residual(2)[places[1]])
    assert torch.allclose(found.vector, torch.stack(differences).mean(0), atol=1e-4)
    assert "happy" in found.name and "sad" in found.name, "it says which token"
    assert ct.fit_direction(lm, *zip(*pairs, strict=True), method="caa", name="mine").name == "mine"


def test_the_answer_is_before_the_shared_ending(llama):
    at = lambda one, other: caa.answer_places(encode(llama, one), encode(llama, other))  # noqa: E731
    assert at("q (A)", "q (B)") == (3, 3)
    assert at("q (A", "q (B") == (3, 3)
    assert at("q yes!", "q no!") == (4, 3)
    assert at("q A", "q A") == (2, 2)
    assert at("A", "B") == (0, 0)


def test_halves_of_caa_are_not_letters(llama):
    """Where letters take turns, the odd pairs say A and the even ones B: they must not be held against each other."""
    pairs = [(f"is {i} so? ({'AB'[i % 2]})", f"is {i} so? ({'BA'[i % 2]})") for i in range(16)]
    found = ct.fit_direction(llama, *zip(*pairs, strict=True), method="caa")
    odd, even = (ct.fit_direction(llama, *zip(*pairs[i::2], strict=True), method="caa").vector for i in (0, 1))
    assert torch.cosine_similarity(odd, even, dim=0) < -0.9
    assert found.reliability > -0.6


def test_caa_with_labels_shuffled_within_pairs_is_nearly_nothing(lm):
    whole = ct.fit_direction(lm, *zip(*PAIRS, strict=True), method="caa")
    states = [read(lm, side, "residual", 2, tokens="last") for side in zip(*PAIRS, strict=True)]
    lengths = torch.stack([(one - other).norm() for one, other in zip(*states, strict=True)])
    error = float((lengths.square().mean() / len(PAIRS)).sqrt())  # of a mean over pairs with signs drawn at random
    norms = []
    for seed in range(4):
        swapped = set(Random(seed).sample(range(16), 8))
        mixed = [pair[::-1] if i in swapped else pair for i, pair in enumerate(PAIRS)]
        norms.append(float(ct.fit_direction(lm, *zip(*mixed, strict=True), method="caa").vector.norm()))
    assert max(norms) <= error
    assert whole.vector.norm() > 3 * error


def test_caa_adds_its_vector_once(lm):
    """An early file of CAA added it at later positions and then again at all."""
    direction = ct.fit_direction(lm, *zip(*PAIRS, strict=True), method="caa", layer=2)
    plain, steered = (ct.run(lm, QUESTIONS[0], ct.Steer(direction, strength=s)).residual(2) for s in (0, 1))
    assert torch.allclose(steered - plain, direction.vector.expand_as(plain), atol=1e-4)


def test_actadd_is_the_difference_position_by_position(lm):
    found = ct.fit_direction(lm, ["The day was sad"], ["The day was happy and warm"], method="actadd", layer=1)
    one, other = (ct.run(lm, text) for text in ("The day was sad", "The day was happy and warm"))
    padded = ct.run(lm, "The day was sad" + " " * (len(other.tokens) - len(one.tokens)))
    assert len(padded.tokens) == len(other.tokens) > len(one.tokens)
    assert torch.allclose(found.vector, padded.residual(1) - other.residual(1), atol=1e-5)
    assert found.vector[0].abs().max() == 0, "the token in front is the same in both"
    assert found.vector[-1].abs().max() > 0
    assert found.name == "'The day was sad' − 'The day was happy and warm'"
    pieces = Prompt.of([Piece("context", "The day was"), Piece("question", "sad")])
    again = ct.fit_direction(lm, [pieces], ["The day was happy and warm"], method="actadd", layer=1)
    assert torch.equal(again.vector, found.vector)


def test_a_plane_has_a_second_vector_at_right_angles(lm):
    found = ct.fit_direction(lm, HAPPY, SAD, method="plane", layer=1)
    assert torch.equal(found.vector, ct.fit_direction(lm, HAPPY, SAD, layer=1).vector)
    assert found.second.norm().item() == pytest.approx(1, abs=1e-5)
    assert abs(float(torch.cosine_similarity(found.second, found.vector, dim=0))) < 1e-4
    fits = [ct.fit_direction(lm, HAPPY, SAD, layer=layer).vector for layer in range(lm.n_layers)]
    units = torch.stack([vector / vector.norm() for vector in fits])
    chosen = ct.fit_direction(lm, HAPPY, SAD, method="plane")
    assert chosen.layer == int((units @ units.T).mean(1).argmax())
    last = ct.fit_direction(lm, HAPPY, SAD, method="plane", layer=lm.n_layers)
    assert torch.equal(last.vector, ct.fit_direction(lm, HAPPY, SAD, layer=lm.n_layers).vector)
    assert plane.across(torch.ones(3), torch.ones(3)).abs().max() == 0


def test_halves_that_differ_are_not_relied_on():
    plus = [torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])] * 2
    minus = [torch.zeros(1, 2)] * 4
    assert probe.reliability(diffmean.of_texts, plus, minus) == 0
    assert probe.reliability(diffmean.of_texts, plus[::2], minus[:2]) == pytest.approx(1)
    assert probe.accuracy(plus[:3], minus[:3]) is None


@pytest.mark.parametrize(
    ("positive", "negative", "options", "words"),
    [
        (["a"], ["b"], {"method": "magic"}, "diffmean, actadd, caa"),
        (["a", "b"], ["c"], {"method": "caa"}, "2 positive and 1 negative"),
        (["a", "b"], ["c"], {"method": "g-act"}, "2 positive and 1 negative"),
        (["a word more"], ["a bird"], {"method": "caa"}, "differ in 'word more' and 'bird'"),
        (["a word"], ["a word x"], {"method": "caa"}, "differ in '' and 'x'"),
        (["a", "b"], ["c", "d"], {"method": "actadd"}, "2 texts on a side"),
        (["a"], ["b"], {"method": "iti"}, "4 texts or more"),
        (["a"] * 4, ["b"] * 3, {"method": "nl-iti"}, "4 texts or more"),
        (["a"], ["b"], {"method": "iti", "site": "mlp"}, "one of ['heads']"),
        (["a"], ["b"], {"method": "actadd", "site": "heads", "head": 0}, "one of ['residual']"),
        (["a"], ["b"], {"site": "neurons"}, "one of ['residual', 'heads', 'mlp']"),
        (["a"], ["b"], {"site": "heads"}, "no head named"),
        (["a"], ["b"], {"site": "heads", "head": 4}, "heads 0 to 3"),
        (["a"], ["b"], {"site": "heads", "head": "1"}, "no whole numbers"),
        (["a"], ["b"], {"head": 1}, "a site without heads"),
        (["a"], ["b"], {"tokens": 0}, "how many of the last"),
        (["a"], ["b"], {"tokens": True}, "how many of the last"),
        (["a"], ["b"], {"method": "caa", "tokens": "last"}, "chooses them itself"),
        (["a"], ["b"], {"method": "actadd", "tokens": "all"}, "chooses them itself"),
        (["a"], ["b"], {"site": "mlp", "layer": 3}, "0 to 2"),
        (["a"], ["b"], {"site": "heads", "head": 0, "layer": -1}, "0 to 2"),
        ("text", ["b"], {}, "a list with one text"),
        (ct.Prompt("a"), ["b"], {}, "a list with one text"),
        (["a"], iter("b"), {}, "a list with one text"),
    ],
)
def test_wrong_requests_are_refused(llama, positive, negative, options, words):
    with pytest.raises(ct.CtkitError) as caught:
        ct.fit_direction(llama, positive, negative, **options)
    assert words in str(caught.value)
    assert caught.value.remedy


def test_an_empty_text_is_refused(lm):
    with pytest.raises(ct.CtkitError, match="an empty prompt"):
        ct.fit_direction(lm, [""], ["sad"])


def test_prompts_that_cannot_be_filled_up_are_refused(lm, monkeypatch):
    from ctkit.directions import actadd

    monkeypatch.setattr(actadd, "FILLERS", ("",))
    with pytest.raises(ct.CtkitError, match="same number of tokens"):
        ct.fit_direction(lm, ["happy"], ["sad and dark"], method="actadd")


@pytest.mark.parametrize("family", ["gpt_oss", "mixtral"])
def test_a_model_of_experts_has_no_neurons_to_group(family):
    with pytest.raises(ct.CtkitError) as caught:
        ct.fit_direction(lm_of(family), ["one", "two"], ["tee", "for"], method="snmf")
    assert caught.value.remedy


def test_a_request_knows_its_sides(llama):
    request = Request(llama, ["a"], ["b"], 1)
    assert request.sides == (["a"], ["b"])
    assert [len(side) for side in request.states()] == [1, 1]
