"""Steering by groups: the probe's choice for each prompt, one group as plain steering, and what is refused."""

from dataclasses import replace

import pytest
import torch

import ctkit as ct
from ctkit import Direction, Setup, Steer, SteerClusters

from .engine_fixtures import EVERY, PROMPT, TOLERANCE, left_behind
from .families import D_MODEL, N_LAYERS, lm_of


def vectors(n: int, seed: int, layer: int = 1) -> tuple[Direction, ...]:
    draw = torch.Generator().manual_seed(seed)
    return tuple(Direction(torch.randn(D_MODEL, generator=draw), layer, name=f"{seed} {i}") for i in range(n))


THREE = SteerClusters(vectors(3, 0), vectors(3, 1), (0.0, 0.1, -0.1))
PROMPTS = ["a", "what?", PROMPT, "a longer prompt than that", "b c d", "Zz"]


@pytest.mark.parametrize("family", ["llama", "gpt2", "falcon"])
def test_each_prompt_gets_the_direction_of_the_best_score(family):
    lm = lm_of(family)
    chosen = []
    for prompt in PROMPTS:
        plain = ct.run(lm, prompt)
        scores = torch.stack([p.vector for p in THREE.probes]) @ plain.residual(1)[-1] + torch.tensor(THREE.biases)
        best = int(scores.argmax())
        chosen.append(best)
        steered = ct.run(lm, prompt, replace(THREE, strength=2.0)).residual(1)
        shift = 2.0 * THREE.directions[best].vector
        assert torch.allclose(steered - plain.residual(1), shift.expand_as(steered), atol=1e-4)
        assert torch.allclose(
            ct.run(lm, prompt, THREE).logits, ct.run(lm, prompt, Steer(THREE.directions[best])).logits, **TOLERANCE
        )
    assert len(set(chosen)) > 1, "these prompts are in more than one group"


def test_a_bias_decides():
    lm = lm_of("llama")
    for group in range(3):
        biases = tuple(1e4 * (i == group) for i in range(3))
        steered = ct.run(lm, PROMPT, replace(THREE, biases=biases)).logits
        assert torch.equal(steered, ct.run(lm, PROMPT, Steer(THREE.directions[group])).logits)


def test_the_choice_hangs_on_the_prompt_s_last_token_whatever_is_written_behind_it():
    enc = ct.run(lm_of("llama"), PROMPT).encoding.extended((1, 2), ("a", "b"))
    x = torch.zeros(len(enc), D_MODEL)
    for group in range(3):
        x[:] = -100 * THREE.probes[group].vector
        x[enc.n_prompt - 1] = 100 * THREE.probes[group].vector
        assert torch.equal(THREE.residual(x, enc, 1) - x, THREE.directions[group].vector + x - x)
        assert THREE.residual(x, enc, 2) is x


def test_one_group_is_plain_steering():
    lm = lm_of("llama")
    one = SteerClusters(vectors(1, 0), vectors(1, 1), (0.0,), strength=1.5, where="question")
    steered = ct.run(lm, PROMPT, one).logits
    assert torch.equal(steered, ct.run(lm, PROMPT, Steer(one.directions[0], strength=1.5, where="question")).logits)


@pytest.mark.parametrize("family", ["llama", "bloom"])
def test_nothing_is_changed_bit_by_bit_at_strength_0(family):
    lm = lm_of(family)
    plain, before = ct.run(lm, PROMPT).logits, left_behind(lm)
    zero = tuple(0 * each for each in THREE.directions)
    for idle in (replace(THREE, strength=0), replace(THREE, directions=zero), replace(THREE, where=())):
        assert torch.equal(ct.run(lm, PROMPT, idle).logits, plain)
    assert not torch.equal(ct.run(lm, PROMPT, THREE).logits, plain)
    assert left_behind(lm) == before


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_cached_uncached_and_batched_are_the_same(family):
    lm = lm_of(family)
    for where in ("all", "generated"):
        setup = Setup([replace(THREE, strength=3.0, where=where)])
        runs = [
            ct.generate(lm, PROMPT, setup, max_new_tokens=5, cache=cache) for cache in ("dynamic", "none", "static")
        ]
        for other in runs[1:]:
            assert other.ids == runs[0].ids
            assert torch.allclose(other.logits, runs[0].logits, **TOLERANCE)
    for prompt, trace in zip(PROMPTS, ct.run_many(lm, PROMPTS, THREE), strict=True):
        assert torch.allclose(trace.logits, ct.run(lm, prompt, THREE).logits, **TOLERANCE)


@pytest.mark.parametrize("name", ["prefix", "prepend", "emphasis"])
def test_it_composes_with_others(name):
    lm = lm_of("llama")
    both = ct.run(lm, PROMPT, *EVERY[name], THREE)
    assert torch.allclose(both.logits, ct.run_many(lm, [PROMPT, PROMPT], *EVERY[name], THREE)[1].logits, **TOLERANCE)
    assert not torch.allclose(both.logits, ct.run(lm, PROMPT, *EVERY[name]).logits, **TOLERANCE)


def test_a_setup_with_it_survives_json_and_code():
    lm = lm_of("llama")
    setup = Setup([replace(THREE, strength=-2.0, where=("question", -1))])
    wanted = ct.run(lm, PROMPT, setup).logits
    for again in (Setup.from_json(setup.to_json()), eval(setup.to_code(), {"ct": ct})):
        assert again == setup
        assert torch.equal(ct.run(lm, PROMPT, again).logits, wanted)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"directions": ()}, "directions that are ()"),
        ({"probes": None}, "probes that are None"),
        ({"biases": ("a", 0.0, 0.0)}, "biases that are"),
        ({"biases": (0.0, 0.0)}, "2 biases"),
        ({"probes": vectors(2, 1)}, "2 probes"),
        ({"probes": vectors(3, 1, layer=2)}, "block 2"),
        ({"probes": tuple(Direction(torch.ones(4), 1) for _ in range(3))}, "4 wide"),
        ({"biases": (0.0, 0.0, float("nan"))}, "no finite number"),
        ({"strength": None}, "no finite number"),
        ({"where": 1.5}, "no place"),
    ],
)
def test_what_does_not_fit_together_is_refused(change, words):
    with pytest.raises(ct.CtkitError) as caught:
        replace(THREE, **change)
    assert words in str(caught.value)
    assert caught.value.remedy


def test_vectors_elsewhere_than_in_the_stream_are_refused():
    at_mlp = tuple(Direction(d.vector, 1, site="mlp") for d in THREE.directions)
    with pytest.raises(ct.CtkitError, match="mlp of block 1"):
        replace(THREE, directions=at_mlp)


def test_what_this_model_does_not_have_is_refused():
    lm = lm_of("llama")
    deep = SteerClusters(vectors(2, 0, N_LAYERS + 1), vectors(2, 1, N_LAYERS + 1), (0.0, 0.0))
    with pytest.raises(ct.CtkitError, match=f"layers 0 to {N_LAYERS}"):
        ct.run(lm, PROMPT, deep)
    narrow = tuple(Direction(torch.ones(4), 1) for _ in range(2))
    with pytest.raises(ct.CtkitError, match="a stream 32 wide"):
        ct.run(lm, PROMPT, SteerClusters(narrow, narrow, (0.0, 0.0)))
