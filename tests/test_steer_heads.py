"""Steering heads: what is added and where, that nothing is at strength 0, and what does not fit is refused."""

from dataclasses import replace

import pytest
import torch

import ctkit as ct
from ctkit import Direction, Setup, SteerHeads

from .engine_fixtures import EVERY, PROMPT, TOLERANCE, left_behind
from .families import D_MODEL, N_HEADS, N_LAYERS, lm_of

WIDTH = D_MODEL // N_HEADS


def directions(*places: tuple[int, int], sigma: float = 0.5) -> tuple[Direction, ...]:
    draws = [torch.Generator().manual_seed(10 * layer + head) for layer, head in places]
    return tuple(
        Direction(3 * torch.randn(WIDTH, generator=draw), layer, site="heads", head=head, sigma=sigma)
        for draw, (layer, head) in zip(draws, places, strict=True)
    )


PLACES = ((1, 2), (0, 1), (1, 3))
HEADS = directions(*PLACES)


@pytest.mark.parametrize("family", ["llama", "gpt2", "qwen3", "gpt_neox"])
def test_strength_times_sigma_is_added_along_the_unit_vector_of_each_head(family):
    lm = lm_of(family)
    one = HEADS[0]
    plain, steered = (ct.run(lm, PROMPT, SteerHeads((one,), strength=s, where="all")).heads(1) for s in (0, 2.0))
    added = steered - plain
    shift = 2.0 * 0.5 * one.vector / one.vector.norm()
    assert torch.allclose(added[:, 2], shift.expand_as(added[:, 2]), atol=1e-5)
    others = [head for head in range(N_HEADS) if head != 2]
    assert added[:, others].abs().max() == 0
    assert added.norm(dim=-1).max().item() == pytest.approx(1.0, abs=1e-4), "α σ long, whatever the vector's own length"


def test_by_default_the_prompt_s_last_token_and_what_is_written():
    lm = lm_of("llama")
    plain, steered = (ct.run(lm, PROMPT, SteerHeads(HEADS[:1], strength=s)).heads(1) for s in (0, 15.0))
    changed = (plain != steered).any(-1).any(-1).nonzero().flatten().tolist()
    assert changed == [len(plain) - 1]
    every = SteerHeads(HEADS).heads
    enc = ct.run(lm, PROMPT).encoding
    longer = enc.extended((1, 2), ("a", "b"))
    z = torch.zeros(len(longer), N_HEADS, WIDTH)
    at = every(z, longer, 1).abs().sum((1, 2)).nonzero().flatten().tolist()
    assert at == [len(enc) - 1, len(enc), len(enc) + 1]


@pytest.mark.parametrize("family", ["llama", "gpt2", "bloom"])
def test_nothing_is_changed_bit_by_bit_at_strength_0(family):
    lm = lm_of(family)
    plain = ct.run(lm, PROMPT).logits
    before = left_behind(lm)
    zero = replace(HEADS[0], vector=torch.zeros(WIDTH))
    still = replace(HEADS[0], sigma=0.0)
    idle = [SteerHeads(HEADS, strength=0), SteerHeads((zero,)), SteerHeads((still,)), SteerHeads(HEADS, where=())]
    for setup in idle:
        assert torch.equal(ct.run(lm, PROMPT, setup).logits, plain)
    assert not torch.equal(ct.run(lm, PROMPT, SteerHeads(HEADS)).logits, plain)
    assert left_behind(lm) == before


def test_two_directions_of_one_head_add_up():
    lm = lm_of("llama")
    other = replace(HEADS[0], vector=HEADS[0].vector.flip(0))
    both = ct.run(lm, PROMPT, SteerHeads((HEADS[0], other), strength=2)).logits
    one_by_one = ct.run(lm, PROMPT, SteerHeads(HEADS[:1], strength=2), SteerHeads((other,), strength=2)).logits
    assert torch.allclose(both, one_by_one, **TOLERANCE)


@pytest.mark.parametrize("family", ["llama", "gpt2", "gemma2"])
def test_cached_uncached_and_batched_are_the_same(family):
    lm = lm_of(family)
    setup = Setup([SteerHeads(HEADS, strength=4)])
    written = [ct.generate(lm, PROMPT, setup, max_new_tokens=5, cache=cache) for cache in ("dynamic", "none", "static")]
    for other in written[1:]:
        assert other.ids == written[0].ids
        assert torch.allclose(other.logits, written[0].logits, **TOLERANCE)
    prompts = ["a", PROMPT, "a longer prompt than that"]
    for prompt, trace in zip(prompts, ct.run_many(lm, prompts, setup), strict=True):
        assert torch.allclose(trace.logits, ct.run(lm, prompt, setup).logits, **TOLERANCE)


@pytest.mark.parametrize("name", ["prefix", "steer", "reread"])
def test_it_composes_with_others(name):
    lm = lm_of("llama")
    both = Setup([*EVERY[name], SteerHeads(HEADS)])
    assert torch.allclose(*(t.logits for t in ct.run_many(lm, [PROMPT, PROMPT], both)), **TOLERANCE)
    plain, steered = (ct.run(lm, PROMPT, *EVERY[name], *more).logits for more in ([], [SteerHeads(HEADS)]))
    assert torch.allclose(plain[:-1], steered[:-1], **TOLERANCE), "only the last token is steered"
    assert not torch.allclose(plain[-1], steered[-1], **TOLERANCE)


def test_a_setup_with_it_survives_json_and_code():
    lm = lm_of("llama")
    setup = Setup([SteerHeads(HEADS, strength=-3, where="all")])
    wanted = ct.run(lm, PROMPT, setup).logits
    for again in (Setup.from_json(setup.to_json()), eval(setup.to_code(), {"ct": ct})):
        assert again == setup
        assert torch.equal(ct.run(lm, PROMPT, again).logits, wanted)


def test_heads_fitted_are_taken_as_they_come(lm):
    mood = ct.tasks.get("mood")
    found = ct.fit_heads(lm, mood.texts("happy", 8), mood.texts("sad", 8), k=5)
    assert SteerHeads(found) == SteerHeads(found.directions) == SteerHeads(list(found))
    assert SteerHeads(found[0]).directions == (found[0],)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ((), "no directions"),
        (None, "no directions"),
        ("heads", "no directions"),
        ([HEADS[0], "b"], "something else"),
        ([Direction(torch.ones(D_MODEL), 1)], "at residual"),
        ([Direction(torch.ones(WIDTH), 1, site="heads", head=1)], "without a sigma"),
    ],
)
def test_what_is_no_direction_in_a_head_is_refused(wrong, words):
    with pytest.raises(ct.CtkitError) as caught:
        SteerHeads(wrong)
    assert words in caught.value.found
    assert "ct.fit_heads" in caught.value.remedy


def test_what_this_model_does_not_have_is_refused():
    lm = lm_of("llama")
    for places, words in ((((N_LAYERS, 0),), "layers 0 to 2"), (((0, N_HEADS),), "heads 0 to 3")):
        with pytest.raises(ct.CtkitError, match=words):
            ct.run(lm, PROMPT, SteerHeads(directions(*places)))
    wide = Direction(torch.ones(WIDTH + 1), 1, site="heads", head=0, sigma=1.0)
    with pytest.raises(ct.CtkitError, match=f"heads {WIDTH} wide"):
        ct.run(lm, PROMPT, SteerHeads(wide))
    for strength in (None, "1", float("nan"), True):
        with pytest.raises(ct.CtkitError, match="no finite number"):
            SteerHeads(HEADS, strength=strength)
    with pytest.raises(ct.CtkitError, match="no place"):
        SteerHeads(HEADS, where=1.5)
