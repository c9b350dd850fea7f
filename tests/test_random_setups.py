"""The laws under setups drawn at random: whichever techniques come together, each law holds, or they are refused."""

import re
from collections import Counter
from functools import cache

import pytest
import torch
from hypothesis import HealthCheck, given, settings

import ctkit as ct
from ctkit import CtkitError, Intervention, Prompt, Setup
from ctkit.engine.generate import CACHES
from ctkit.engine.lm import LM
from ctkit.engine.run import run_many

from . import engine_fixtures
from .engine_fixtures import left_behind, techniques_for
from .families import lm_of, plain
from .random_setups import IDLE, PROMPT, WITHOUT_IDLE, idle, setups, setups_with, techniques

# the type checker of the test runs draws at random from inside the strategies, which Hypothesis remarks on
pytestmark = [pytest.mark.families, pytest.mark.filterwarnings("ignore:Do not use the `random` module")]
NEIGHBOURS = [("Who has the key that was in the box?", ct.Reread()), ("b", ct.Setup())]
FAMILIES = {"llama": 3, "gpt2": 2, "gpt_neo": 2, "mixtral": 2}  # how many setups for each technique


def quick(examples: int) -> settings:
    """So many setups, the same ones every time."""
    every = list(HealthCheck)
    return settings(max_examples=examples, deadline=None, derandomize=True, database=None, suppress_health_check=every)


def close(found: torch.Tensor, expected: torch.Tensor) -> None:
    """The same to float rounding; large logits (of a strong steering) round more coarsely."""
    largest = max([1.0, *expected.abs().flatten().tolist()])
    torch.testing.assert_close(found, expected, atol=1e-5 * largest, rtol=1e-5)


@cache
def undisturbed(lm: LM) -> list[torch.Tensor]:
    """What the neighbours say when they are alone."""
    return [ct.run(lm, *entry).logits for entry in NEIGHBOURS]


def survives_its_round_trip(lm: LM, prompt: Prompt, setup: Setup, trace: ct.Trace) -> None:
    again = Setup.from_json(setup.to_json())
    coded = eval(setup.to_code(), {"ct": ct})  # our own text, which a learner will run
    assert again == setup == coded
    assert again.to_json() == setup.to_json()
    assert torch.equal(ct.run(lm, prompt, coded).logits, trace.logits)


def knows_no_neighbours(lm: LM, prompt: Prompt, setup: Setup, trace: ct.Trace) -> None:
    alone, *others = run_many(lm, [(prompt, setup), *NEIGHBOURS])
    assert alone.tokens == trace.tokens
    close(alone.logits, trace.logits)
    for other, expected in zip(others, undisturbed(lm), strict=True):
        close(other.logits, expected)


def needs_no_cache(lm: LM, prompt: Prompt, setup: Setup, trace: ct.Trace) -> None:
    able = [cache for cache in CACHES if cache != "static" or lm.support["static"] == "yes"]
    runs = [ct.generate(lm, prompt, setup, max_new_tokens=2, cache=cache) for cache in able]
    if runs[-1].n_written:
        close(runs[-1].logits[0], trace.logits[-1])
    for run in runs[:-1]:
        assert run.ids == runs[-1].ids
        close(run.logits, runs[-1].logits)


def looks_where_it_may(lm: LM, prompt: Prompt, setup: Setup, trace: ct.Trace) -> None:
    for layer in range(lm.n_layers):
        weights = trace.attention(layer)
        assert (weights[~trace.allowed(layer).expand_as(weights)] == 0).all()
        close(weights.sum(-1), torch.ones_like(weights[..., 0]))


def can_be_idle(lm: LM, prompt: Prompt, setup: Setup, trace: ct.Trace) -> None:
    silent = Setup([found for each in setup if (found := idle(each)) is not None])
    try:
        logits = ct.run(lm, prompt, silent, attention="all", residual="all").logits
    except CtkitError:
        return  # a place that other interventions made is not there without them
    assert torch.equal(logits, plain(lm, ct.run(lm, prompt).ids))


LAWS = (survives_its_round_trip, knows_no_neighbours, needs_no_cache, looks_where_it_may, can_be_idle)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_laws_hold_under_random_setups(family):
    lm = lm_of(family)
    before, ids = left_behind(lm), ct.run(lm, PROMPT).ids
    expected, kept, refused = plain(lm, ids), Counter(), Counter()

    def laws(setup):
        names = {type(each).__name__ for each in setup}
        try:
            trace = ct.run(lm, PROMPT, setup, attention="all")
        except CtkitError:
            refused.update([*names, "setups"])
        else:
            kept.update([*names, "setups"])
            for law in LAWS:
                law(lm, PROMPT, setup, trace)
        assert left_behind(lm) == before
        assert torch.equal(plain(lm, ids), expected)

    for technique in techniques:
        quick(FAMILIES[family])(given(setups_with(technique))(laws))()
    assert kept["setups"] > refused["setups"], "most of what is drawn can be run"
    never = {name for name in techniques if not kept[name]}
    assert never == (set() if lm.support["pine"] == "yes" else {"Pine"} & never), (kept, refused)


@pytest.mark.parametrize("family", ["gemma2", "qwen3", "bloom"])
def test_the_laws_hold_under_each_technique(family):
    lm = lm_of(family)
    before, ids = left_behind(lm), ct.run(lm, engine_fixtures.PROMPT).ids
    expected = plain(lm, ids)
    for name, setup in techniques_for(lm).items():
        trace = ct.run(lm, engine_fixtures.PROMPT, setup, attention="all")
        assert trace.logits.shape != expected.shape or not torch.allclose(trace.logits, expected, atol=1e-3), name
        for law in LAWS:
            law(lm, engine_fixtures.PROMPT, setup, trace)
    assert left_behind(lm) == before
    assert torch.equal(plain(lm, ids), expected)


def test_every_technique_is_drawn():
    ours = {name for name in Intervention.known if hasattr(ct, name)}  # others are some test's, or an example's
    assert set(techniques) == ours
    assert {kind.__name__ for kind in [*IDLE, *WITHOUT_IDLE]} == ours


def test_what_is_refused_alone_is_refused_in_a_batch():
    """In the same words, and nothing of the batch is left on the model."""
    lm, told = lm_of("gpt2"), []
    before = left_behind(lm)

    @quick(60)
    @given(setups)
    def law(setup):
        try:
            ct.run(lm, PROMPT, setup)
        except CtkitError as alone:
            told.append(str(alone))
            with pytest.raises(CtkitError, match=f"^{re.escape(told[-1])}$"):
                run_many(lm, [PROMPT, (PROMPT, setup)])
        assert left_behind(lm) == before

    law()
    assert len(told) > 5
