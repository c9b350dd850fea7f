"""Steering as strongly as a side effect allows: the KL asked for is reached, on each model by a strength of its own."""

from dataclasses import replace

import pytest
import torch

import ctkit as ct
from ctkit import CtkitError, Direction, Prompt, Reread, Setup, Steer
from ctkit.engine import strength
from ctkit.engine.generate import generate_many
from ctkit.engine.run import run_many

from .engine_fixtures import PROMPT, TOLERANCE, direction, left_behind
from .families import D_MODEL, N_HEADS, TOKENIZER, lm_of, new_model

TARGET = Steer(direction(), kl=0.25)
HEAD = Direction(torch.randn(D_MODEL // N_HEADS, generator=torch.Generator().manual_seed(3)), 1, site="heads", head=1)


def kl_of(lm, steer: Steer) -> float:
    """KL(plain ‖ steered) of the token after the neutral text, in double precision."""
    plain, steered = (
        ct.run(lm, "I think that", *setup).logits[-1].double().log_softmax(-1) for setup in ((), (steer,))
    )
    return float((plain.exp() * (plain - steered)).sum())


@pytest.mark.families
@pytest.mark.parametrize("family", ["llama", "gpt2", "bloom"])
@pytest.mark.parametrize("kl", [0.025, 0.1, 0.25])
def test_the_kl_asked_for_is_reached(family, kl):
    lm = lm_of(family)
    before = left_behind(lm)
    strengths = []
    for steer in (TARGET, replace(TARGET, op="relative"), replace(TARGET, direction=replace(direction(), site="mlp"))):
        for sign in (1.0, -1.0):
            asked = replace(steer, kl=kl, strength=sign)
            found, reached = strength.strength_for(lm, asked)
            given = ct.run(lm, PROMPT, asked).setup.interventions[0]
            assert given == replace(asked, kl=None, strength=sign * found)
            assert kl_of(lm, given) == pytest.approx(kl, rel=0.02)
            assert reached == pytest.approx(kl, rel=0.02)
            strengths.append(given.strength)
    assert len(set(strengths)) == len(strengths)
    assert left_behind(lm) == before


def test_more_side_effect_takes_more_strength():
    lm = lm_of("llama")
    found = [strength.strength_for(lm, replace(TARGET, kl=kl))[0] for kl in (0.025, 0.05, 0.1, 0.25)]
    assert found == sorted(found) and found[0] > 0
    twice = strength.strength_for(lm, replace(TARGET, direction=2 * direction()))[0]
    assert twice == pytest.approx(strength.strength_for(lm, TARGET)[0] / 2, rel=0.02)
    kept = {op: ct.run(lm, PROMPT, replace(TARGET, op=op)).setup.interventions[0].strength for op in ("add", "unit")}
    assert kept["unit"] == pytest.approx(kept["add"] * float(direction().vector.norm()), rel=0.02)


def test_a_peak_between_two_strengths_that_are_tried_is_found():
    """With the strength, the side effect rises, falls a little and stays."""
    lm, high = lm_of("llama"), replace(TARGET, kl=0.508)
    tried = torch.logspace(-4, 4, strength.GRID).tolist()
    assert max(strength._kl(lm, high, tried)) < 0.98 * 0.508, "none of the first strengths comes near"
    found = ct.run(lm, PROMPT, high).setup.interventions[0]
    assert 1.0 < found.strength < 2.0
    assert kl_of(lm, found) == pytest.approx(0.508, rel=0.02)


def test_other_places_have_strengths_of_their_own():
    lm = lm_of("llama")
    layers = [
        ct.run(lm, PROMPT, replace(TARGET, layers=(layer,))).setup.interventions[0].strength for layer in range(4)
    ]
    assert len({round(s, 2) for s in layers}) == 4
    for where in ("prompt", "question", "generated"):
        assert ct.run(lm, PROMPT, replace(TARGET, where=where)).setup.interventions[0].strength == pytest.approx(
            layers[1], rel=1e-6
        )


def test_each_model_is_asked_once(monkeypatch):
    lm, other = (ct.wrap(new_model("llama", seed), TOKENIZER) for seed in (0, 1))
    asked, true = [], strength._search

    def counted(model, steer):
        asked.append((model.name, steer))
        return true(model, steer)

    monkeypatch.setattr(strength, "_search", counted)
    for _ in range(3):
        ct.run(lm, PROMPT, replace(TARGET))
    assert len(asked) == 1
    again = Setup.from_json(Setup([TARGET]).to_json())
    one, two = (
        ct.run(lm, PROMPT, again).setup.interventions[0].strength,
        ct.run(other, PROMPT, TARGET).setup.interventions[0].strength,
    )
    assert len(asked) == 2 and one != two
    ct.run(lm, PROMPT, replace(TARGET, kl=0.1))
    ct.run(lm, PROMPT, replace(TARGET, strength=-1.0))
    assert len(asked) == 4, "another target, another way"


def test_every_way_to_run_asks():
    lm = lm_of("llama")
    given = ct.run(lm, PROMPT, TARGET).setup
    assert given.interventions[0].kl is None and given.interventions[0].strength > 0
    expected = ct.run(lm, PROMPT, given).logits
    assert torch.equal(ct.run(lm, PROMPT, TARGET).logits, expected)
    many = run_many(lm, [PROMPT, (PROMPT, replace(TARGET, strength=-1.0)), "b"], TARGET)
    torch.testing.assert_close(many[0].logits, expected, **TOLERANCE)
    assert [trace.setup.interventions[-1] for trace in many] == [given.interventions[0]] * 3
    assert many[1].setup.interventions[0].strength < 0
    written = ct.generate(lm, PROMPT, TARGET, max_new_tokens=3)
    assert written.setup == given
    assert written.ids == ct.generate(lm, PROMPT, given, max_new_tokens=3).ids
    assert generate_many(lm, [PROMPT], TARGET, max_new_tokens=3)[0].ids == written.ids
    mixed = ct.run(lm, PROMPT, Reread(), TARGET).setup
    assert list(mixed) == [Reread(), given.interventions[0]], "the neutral text is read plainly"
    sweep = ct.patch_sweep(lm, PROMPT, Prompt("Bob has a. Who? Answer:"), TARGET, layers=[2])
    torch.testing.assert_close(sweep.clean.logits, expected, **TOLERANCE)


def test_a_population_is_steered_by_it(lm):
    steer = Steer(Direction(torch.randn(lm.d_model, generator=torch.Generator().manual_seed(0)), 2), kl=0.25)
    found = ct.effect(lm, ct.tasks.get("copy"), steer, n=6)
    given = ct.effect(lm, ct.tasks.get("copy"), ct.run(lm, "a", steer).setup, n=6)
    assert (found.edited, found.baseline) == (given.edited, given.baseline)


def test_out_of_reach_is_said_with_what_was_reached():
    lm = lm_of("llama")
    most = Steer(HEAD, kl=50.0)
    with pytest.raises(CtkitError, match=r"(?s)as far as KL 50.*KL \d.*at strength \d.*another target") as caught:
        ct.run(lm, PROMPT, most)
    words = caught.value.found.split()
    reached, tried = float(words[1]), float(words[4].rstrip(","))
    assert kl_of(lm, Steer(HEAD, strength=tried)) == pytest.approx(reached, rel=0.05)
    with pytest.raises(CtkitError, match="KL 0 at strength 0"):
        ct.generate(lm, PROMPT, Steer(0 * direction(), kl=0.1), max_new_tokens=1)
    with pytest.raises(CtkitError, match="nothing nearer"):
        run_many(lm, [("b", Steer(0 * direction(), kl=0.1))])


def test_strength_0_changes_nothing_and_asks_nobody(monkeypatch):
    lm = lm_of("llama")
    monkeypatch.setattr(strength, "_search", lambda *_: pytest.fail("it was asked"))
    idle = ct.run(lm, PROMPT, replace(TARGET, strength=0.0))
    assert torch.equal(idle.logits, ct.run(lm, PROMPT).logits)


def test_a_setup_keeps_what_was_asked():
    setup = Setup([TARGET])
    ct.run(lm_of("llama"), PROMPT, setup)
    assert setup.interventions[0].kl == 0.25 and setup.interventions[0].strength == 1.0, (
        "the setup is nobody's to change"
    )
    assert '"kl": 0.25' in setup.to_json() or '"kl":0.25' in setup.to_json()
    for copy in (Setup.from_json(setup.to_json()), eval(setup.to_code(), {"ct": ct})):
        assert copy == setup
        assert torch.equal(ct.run(lm_of("llama"), PROMPT, copy).logits, ct.run(lm_of("llama"), PROMPT, setup).logits)


def test_it_must_be_asked_of_a_model():
    with pytest.raises(CtkitError, match=r"(?s)kl=0.25.*ct\.run"):
        TARGET.residual(torch.zeros(2, D_MODEL), ct.run(lm_of("llama"), "ab").encoding, 1)
