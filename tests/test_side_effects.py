"""The panel beside steering: idle is nothing, controls are as strong and point elsewhere, numbers are those of runs."""

from dataclasses import dataclass, replace
from math import exp

import pytest
import torch

import ctkit as ct
from ctkit import CtkitError, Direction, Intervention, Mask, Prompt, Reread, Setup, Steer, SteerHeads
from ctkit.measures import side_effects as module
from ctkit.measures.controls import opposite, randomized, steers, unsteered
from ctkit.measures.side_effects import neutral_texts, side_effects

from .engine_fixtures import PROMPT, direction
from .families import D_MODEL, N_LAYERS, lm_of

TEXTS = ["Bob has b.", "Cid is in d."]


@pytest.mark.parametrize("family", ["llama", "gpt2", "bloom"])
def test_no_strength_no_effect(family):
    idle = side_effects(lm_of(family), PROMPT, Steer(direction(), strength=0), metric="a", texts=TEXTS, n_random=3)
    assert idle.effect == 0 and idle.opposite == idle.clean and idle.random_effects == [0, 0, 0]
    assert idle.kl == idle.opposite_kl == 0 and set(idle.random_kl) == {0.0}
    assert idle.cross_entropy[0] == idle.cross_entropy[1] and idle.as_large == 1


@pytest.mark.parametrize("rest", [[], [Reread(), Mask("prefix")]], ids=["alone", "in a setup"])
def test_the_numbers_are_those_of_runs(rest):
    lm, d = lm_of("llama"), direction(3)
    found = side_effects(lm, [PROMPT, "Who?"], *rest, Steer(d, strength=2), metric=("a", "b"), texts=TEXTS, n_random=2)
    a, b = (lm.tokenizer(letter)["input_ids"][0] for letter in "ab")

    def metric(*setup):
        ends = [ct.run(lm, p, *rest, *setup).logits[-1] for p in (PROMPT, "Who?")]
        return sum(float(end[a] - end[b]) for end in ends) / 2

    assert found.clean == pytest.approx(metric(), abs=1e-4)
    assert found.steered == pytest.approx(metric(Steer(d, strength=2)), abs=1e-4)
    assert found.opposite == pytest.approx(metric(Steer(d, strength=-2)), abs=1e-4)
    [drawn] = randomized(Setup([Steer(d, strength=2)]), (0, 1))
    assert found.random[1] == pytest.approx(metric(drawn), abs=1e-4)
    pairs = [(ct.run(lm, t, *rest), ct.run(lm, t, *rest, Steer(d, strength=2))) for t in TEXTS]
    kls = torch.cat([ct.compare(*pair).kl for pair in pairs])
    assert found.kl == pytest.approx(float(kls.mean()), abs=1e-4) and found.kl > 0
    assert [kl for text in found.token_kl for _, kl in text] == pytest.approx(kls.tolist(), abs=1e-4)
    for i in (0, 1):
        traces = [pair[i] for pair in pairs]
        losses = [
            torch.nn.functional.cross_entropy(t.logits[:-1], torch.tensor(t.ids[1:]), reduction="none") for t in traces
        ]
        assert found.cross_entropy[i] == pytest.approx(float(torch.cat(losses).mean()), abs=1e-4)
    assert found.perplexity[1] == pytest.approx(exp(found.cross_entropy[1]))


def test_few_at_a_time_or_all(monkeypatch):
    given = {"metric": "a", "texts": TEXTS, "n_random": 5}
    whole = side_effects(lm_of("llama"), PROMPT, Steer(direction()), **given)
    monkeypatch.setattr(module, "MOST", 1)
    slow = side_effects(lm_of("llama"), PROMPT, Steer(direction()), **given)
    assert slow.random == pytest.approx(whole.random, abs=1e-5) and slow.kl == pytest.approx(whole.kl, abs=1e-5)
    assert slow.random_kl == pytest.approx(whole.random_kl, abs=1e-5)


def test_a_metric_of_ones_own():
    def at_the_start(trace):
        return trace.residual(1)[0].norm()

    found = side_effects(
        lm_of("llama"), PROMPT, Steer(direction(layer=1)), metric=at_the_start, texts=TEXTS, n_random=2
    )
    assert found.metric == "at_the_start" and found.clean > 0 and found.effect != 0


def test_chance_among_the_random_ones():
    """A random direction is one of many: among them its effect takes any place."""
    lm = lm_of("llama")
    places = []
    for seed in range(12):
        one = Steer(direction(seed + 100), strength=1)
        places.append(side_effects(lm, PROMPT, one, metric=("a", "b"), texts=TEXTS, n_random=9, seed=seed).as_large)
    assert 0.3 < sum(places) / len(places) < 0.8 and len(set(places)) > 4
    assert min(places) >= 0.1


def test_a_mood_is_steered_and_chance_is_not(lm, record_property):
    moods = [ct.tasks.get("mood").generate(seed, 1) for seed in range(40)]
    sides = [[p.prompt.pieces["context"] for p in moods if p.answer == answer] for answer in ("happy", "sad")]
    d = ct.fit_direction(lm, *sides, layer=2)
    told = [ct.tasks.get("mood").generate(1000 + seed).prompt for seed in range(8)]
    found = side_effects(lm, told, Steer(d), metric=("happy", "sad"))
    record_property("measured", f"side effects of happy − sad at strength 1:\n{found}")
    low, high = found.random_interval
    assert found.opposite - found.clean < low < 0 < high < found.effect and found.as_large == 1 / 21
    assert 0 < found.kl < 0.2, "on text about other things little changes"
    lines = str(found).splitlines()
    assert lines[0].startswith("logit of 'happy' − 'sad'") and f"({found.effect:+.3f})" in lines[0]
    assert "20 random directions" in lines[2] and f"{found.kl:.3f} nats" in lines[4]


def test_random_directions_are_as_long_and_everyones_own():
    d = replace(direction(1), second=torch.ones(D_MODEL), reliability=0.9)
    rows = Direction(torch.arange(1.0, 1 + 2 * D_MODEL).reshape(2, D_MODEL), 0)
    one, again, other = (
        randomized(Setup([Steer(d), Reread(), Steer(d, layers=[2]), Steer(rows)]), s) for s in (1, 1, 2)
    )
    first, reread, second, third = one
    assert reread == Reread() and first.direction == second.direction and second.layers == (2,)
    assert one == again and one != other
    for new, old in ((first.direction, d), (third.direction, rows)):
        torch.testing.assert_close(new.vector.norm(dim=-1), old.vector.norm(dim=-1))
        assert torch.cosine_similarity(new.vector, old.vector, dim=-1).abs().max() < 0.6
        assert (new.layer, new.name, new.reliability) == (old.layer, "random", None)
    assert float(first.direction.second.norm()) == pytest.approx(D_MODEL**0.5)
    mean = torch.stack([next(iter(randomized(Setup([Steer(d)]), s))).direction.vector for s in range(300)]).mean(0)
    assert mean.norm() < 0.12 * d.vector.norm(), "no way is preferred"


def test_what_steers_is_what_holds_a_direction():
    @dataclass(frozen=True)
    class Named(Intervention):
        direction: str = "left"

    try:
        d = direction()
        of_head = Direction(torch.ones(8), 1, site="heads", head=2, sigma=0.5)
        both = Setup([Reread(), Steer(d), SteerHeads((of_head, of_head)), Named()])
        assert [steers(i) for i in both] == [False, True, True, False]
        assert unsteered(both) == Setup([Reread(), Named()])
        turned = list(opposite(both))
        assert turned[1].direction.vector.equal(-d.vector) and turned[2].directions[1].vector.equal(-torch.ones(8))
        drawn = list(randomized(both, 0))[2].directions
        assert drawn[0] == drawn[1] and (drawn[0].head, drawn[0].sigma) == (2, 0.5)
        found = side_effects(lm_of("llama"), PROMPT, SteerHeads((of_head,)), metric="a", texts=TEXTS, n_random=2)
        assert found.effect != 0 and found.kl > 0
    finally:
        del Intervention.known["Named"]


def test_the_neutral_texts_are_neutral(lm):
    texts = neutral_texts()
    assert len(set(texts)) == 8
    words = {word.strip(".").lower() for text in texts for word in text.split()}
    moods = {word for n in range(30) for word in ct.tasks.get("mood").generate(n, 1).prompt.text.lower().split()}
    assert not words & {"happy", "sad", "lovely", "merry"} and moods & {"lovely", "merry"}


def test_what_has_no_panel_is_refused():
    lm, one = lm_of("llama"), Steer(direction())
    with pytest.raises(CtkitError, match=r"(?s)side effects of steering.*steers nothing.*Reread.*ct.Steer"):
        side_effects(lm, PROMPT, Reread(), metric="a")
    for prompts, texts in (([], TEXTS), (PROMPT, "text"), (PROMPT, []), (PROMPT, Prompt("text"))):
        with pytest.raises(CtkitError, match=r"(?s)no prompt, or no list of neutral texts.*in a list"):
            side_effects(lm, prompts, one, metric="a", texts=texts)
    for few in (1, 2.5):
        with pytest.raises(CtkitError, match=r"(?s)no interval of so few.*n_random=20"):
            side_effects(lm, PROMPT, one, metric="a", n_random=few)
    with pytest.raises(CtkitError, match=r"(?s)a text of one token: 'a'.*two words or more"):
        side_effects(lm, PROMPT, one, metric="a", texts=["a"])
    with pytest.raises(CtkitError, match=r"(?s)the metric \('a', 'b', 'c'\).*3 tokens.*a pair"):
        side_effects(lm, PROMPT, one, metric=("a", "b", "c"), texts=TEXTS)
    with pytest.raises(CtkitError, match="the token 'happy'"):
        side_effects(lm, PROMPT, one, metric="happy", texts=TEXTS)
    with pytest.raises(CtkitError, match="'question'"):
        side_effects(lm, PROMPT, Steer(direction(), where="question"), metric="a", texts=TEXTS, n_random=2)
    named = [Prompt(question=text) for text in TEXTS]
    found = side_effects(lm, PROMPT, Steer(direction(), where="question"), metric="a", texts=named, n_random=2)
    assert found.kl > 0 and N_LAYERS > 1
