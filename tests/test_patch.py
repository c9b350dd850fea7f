"""Patching: what one run computed, put into another. All of it brings that run back; one's own changes nothing."""

import pytest
import torch

import ctkit as ct
from ctkit import Activation, CtkitError, Noise, Patch, Prompt, Reread, Setup, Steer, Swap
from ctkit.engine.generate import CACHES
from ctkit.engine.run import run_many

from .engine_fixtures import TOLERANCE, caches_of, direction, left_behind, same
from .families import ALL, D_MODEL, N_HEADS, N_LAYERS, lm_of, new_model, plain

WIDTH = D_MODEL // N_HEADS
CLEAN = Prompt(context="Ann has a.", question="Who?", cue="Answer:")
OTHER = Prompt(context="Bob has a.", question="Who?", cue="Answer:")
SITES = [("residual", None), ("mlp", None), ("heads", 1), ("heads", N_HEADS - 1)]


def all_of(trace, layer: int, site: str, head: int | None, where="all") -> Patch:
    return Patch(Activation.of(trace, layer, where, site, head), where)


def close(trace, logits) -> None:
    torch.testing.assert_close(trace.logits, logits, **TOLERANCE)


# --- the vanishing tests ---


@pytest.mark.families
@pytest.mark.parametrize("family", ALL)
def test_one_s_own_activations_change_nothing_bit_by_bit(family):
    lm = lm_of(family)
    trace = ct.run(lm, CLEAN)
    before, expected = left_behind(lm), plain(lm, trace.ids)
    patches = [all_of(trace, layer, site, head) for site, head in SITES for layer in range(N_LAYERS)]
    for patch in (*patches, all_of(trace, N_LAYERS, "residual", None)):
        assert torch.equal(ct.run(lm, CLEAN, patch).logits, expected), patch
    assert torch.equal(ct.run(lm, CLEAN, *patches).logits, expected)
    assert left_behind(lm) == before


@pytest.mark.families
@pytest.mark.parametrize("family", ALL)
def test_all_that_enters_a_block_brings_the_clean_run_back(family):
    lm = lm_of(family)
    clean, corrupted = ct.run(lm, CLEAN), ct.run(lm, OTHER)
    if not family.startswith("mistral"):  # its windows do not reach from the end to where the texts differ
        assert not torch.allclose(clean.logits[-1], corrupted.logits[-1], atol=1e-3)
    for layer in range(N_LAYERS + 1):
        assert torch.equal(ct.run(lm, OTHER, all_of(clean, layer, "residual", None)).logits, clean.logits), layer


@pytest.mark.parametrize("family", ["llama", "gpt2", "gpt_neo"])
def test_all_heads_and_all_mlps_and_the_embeddings_are_all_there_is(family):
    lm = lm_of(family)
    clean = ct.run(lm, CLEAN)
    everything = [all_of(clean, 0, "residual", None)]
    everything += [all_of(clean, layer, "mlp", None) for layer in range(N_LAYERS)]
    everything += [all_of(clean, layer, "heads", head) for layer in range(N_LAYERS) for head in range(N_HEADS)]
    close(ct.run(lm, OTHER, everything), clean.logits)
    heads = [patch for patch in everything if patch.activation.site == "heads"]
    assert not torch.allclose(ct.run(lm, OTHER, heads).logits, clean.logits, atol=1e-3)


def test_nothing_patched_is_nothing_changed():
    lm = lm_of("llama")
    nothing = Activation(torch.zeros(0, D_MODEL), layer=1)
    assert torch.equal(ct.run(lm, OTHER, Patch(nothing, ())).logits, ct.run(lm, OTHER).logits)
    assert not Patch(nothing, ()).touches(1)


# --- where it acts ---


@pytest.mark.families
@pytest.mark.parametrize("family", ["llama", "gpt2", "mixtral", "gpt_neo", "bloom", "gpt_oss"])
@pytest.mark.parametrize(("site", "head"), SITES[:3])
def test_only_the_place_is_patched(family, site, head):
    lm = lm_of(family)
    values = torch.arange(2.0 * (WIDTH if site == "heads" else D_MODEL)).reshape(2, -1) / 10
    patch = Patch(Activation(values, 1, site, head), (3, -1))
    base, trace = (ct.run(lm, CLEAN, *setup, **{site: "all"}) for setup in ((), (patch,)))
    n = len(base.ids)
    before, after = (t.kept_streams[site, 1] for t in (base, trace))
    assert torch.equal(after[[3, n - 1]] if head is None else after[[3, n - 1], head], values)
    elsewhere = [i for i in range(n) if i not in (3, n - 1)]
    assert torch.equal(after[elsewhere], before[elsewhere])
    if head is not None:
        others = [h for h in range(N_HEADS) if h != head]
        assert torch.equal(after[:, others], before[:, others])
    assert torch.equal(trace.kept_streams[site, 0], base.kept_streams[site, 0])
    assert same(trace.logits[:3], base.logits[:3]), "nothing runs backwards"
    assert not torch.allclose(trace.logits[-1], base.logits[-1], atol=1e-3)


def test_places_of_two_prompts_may_differ():
    lm = lm_of("llama")
    far = Prompt(context="Once more: Bob has a.", question="Who?", cue="Answer:")
    clean = ct.run(lm, CLEAN)
    patch = Patch(Activation.of(clean, 1, "question"), "question")
    trace = ct.run(lm, far, patch)
    assert torch.equal(trace.residual(1)[trace.spans["question"]], clean.residual(1)[clean.spans["question"]])
    assert Patch(Activation.of(clean, 1, (2, 5)), (5, 2)) != Patch(Activation.of(clean, 1, (2, 5)), (2, 5))
    swapped = ct.run(lm, far, Patch(Activation.of(clean, 1, (2, 5)), (5, 2))).residual(1)
    assert torch.equal(swapped[[5, 2]], clean.residual(1)[[2, 5]])


@pytest.mark.families
@pytest.mark.parametrize("family", ["llama", "gpt2", "bloom"])
def test_what_is_written_is_not_patched_and_a_cache_changes_nothing(family):
    lm = lm_of(family)
    clean = ct.run(lm, CLEAN)
    patches = [
        all_of(clean, 1, "residual", None),
        all_of(clean, 0, "heads", 2),
        all_of(clean, 2, "mlp", None, "context"),
    ]
    runs = [ct.generate(lm, OTHER, patches, max_new_tokens=5, cache=cache) for cache in caches_of(lm)]
    for run in runs:
        assert run.ids == runs[0].ids
        torch.testing.assert_close(run.logits, runs[0].logits, **TOLERANCE)
    torch.testing.assert_close(runs[0].trace.logits[-1 - runs[0].n_written : -1], runs[0].logits, **TOLERANCE)


def test_a_batch_changes_nothing():
    lm = lm_of("llama")
    clean = ct.run(lm, CLEAN)
    entries = [(OTHER, all_of(clean, layer, site, head)) for layer in range(N_LAYERS) for site, head in SITES]
    entries += [("b", Setup()), (Prompt("Longer than all of the others by far."), Setup())]
    for trace, (prompt, setup) in zip(run_many(lm, entries), entries, strict=True):
        close(trace, ct.run(lm, prompt, setup).logits)


def test_it_acts_in_its_turn():
    lm = lm_of("llama")
    clean, steer = ct.run(lm, CLEAN), Steer(direction(), strength=2.0)
    patch = all_of(clean, 1, "residual", None)
    close(ct.run(lm, OTHER, steer, patch), clean.logits)
    close(ct.run(lm, OTHER, patch, steer), ct.run(lm, CLEAN, steer).logits)
    reread = ct.run(lm, CLEAN, Reread())
    close(ct.run(lm, OTHER, Reread(), all_of(reread, 2, "residual", None)), reread.logits)


# --- the activation ---


def test_an_activation_is_what_the_trace_says():
    trace = ct.run(lm_of("llama"), CLEAN)
    assert torch.equal(Activation.of(trace, 2).values, trace.residual(2))
    assert torch.equal(Activation.of(trace, 2, "cue", "mlp").values, trace.mlp(2)[trace.spans["cue"]])
    one = Activation.of(trace, 0, -1, "heads", 3)
    assert torch.equal(one.values, trace.heads(0)[-1:, 3])
    assert (one.layer, one.site, one.head) == (0, "heads", 3)
    assert repr(one) == "Activation(1 tokens, head 3, layer 0)"


@pytest.mark.parametrize(("site", "head"), SITES[:3])
def test_it_survives_its_round_trip(site, head):
    lm = lm_of("llama")
    clean = ct.run(lm, CLEAN)
    activation = Activation.of(clean, 1, "question", site, head)
    again = Activation.from_data(activation.to_data())
    assert torch.equal(again.values, activation.values) and again == activation and hash(again) == hash(activation)
    setup = Setup([Patch(activation, "question")])
    read = Setup.from_json(setup.to_json())
    coded = eval(setup.to_code(), {"ct": ct})
    expected = ct.run(lm, OTHER, setup).logits
    for copy in (read, coded):
        assert copy == setup
        assert torch.equal(ct.run(lm, OTHER, copy).logits, expected)


def test_activations_of_half_precision_are_carried_exactly():
    lm = ct.wrap(new_model("llama", dtype=torch.bfloat16), lm_of("llama").tokenizer)
    clean = ct.run(lm, CLEAN)
    back = ct.run(lm, OTHER, all_of(clean, 1, "residual", None))
    assert torch.equal(back.logits, clean.logits)


@pytest.mark.parametrize(
    ("values", "more", "why"),
    [
        (torch.zeros(3), {}, "token by width"),
        ([[1.0]], {}, "token by width"),
        (torch.tensor([[float("nan")]]), {}, "finite"),
        (torch.zeros(1, 4), {"site": "neurons"}, "residual, heads, mlp"),
        (torch.zeros(1, 4), {"site": "heads"}, "a head for heads"),
        (torch.zeros(1, 4), {"head": 1}, "only for them"),
    ],
)
def test_what_is_no_activation_is_refused(values, more, why):
    with pytest.raises((CtkitError, TypeError)) as caught:
        Activation(values, 0, **more)
    assert why in str(caught.value) or "values" in str(caught.value)


@pytest.mark.parametrize(
    "damage",
    [
        {"values": "???"},
        {"values": None},
        {"tokens": 7},
        {"tokens": "x"},
        {"layer": None},
        {"site": "x"},
        {"head": "x"},
    ],
)
def test_damaged_data_is_refused(damage):
    data = Activation(torch.ones(2, 4), 0, "heads", 1).to_data()
    with pytest.raises(CtkitError):
        Activation.from_data(data | damage)
    with pytest.raises(CtkitError, match=r"KeyError.*'values'"):
        Activation.from_data({key: value for key, value in data.items() if key != "values"})


def test_what_does_not_fit_is_refused_in_words():
    lm = lm_of("llama")
    clean = ct.run(lm, CLEAN)
    wrong = {
        r"(?s)a patch of 3 tokens.*10 tokens at 'context'": Patch(Activation(torch.ones(3, D_MODEL), 1), "context"),
        r"(?s)a patch 5 wide.*a stream 32 wide": Patch(Activation(torch.ones(1, 5), 1), 0),
        r"(?s)a patch 5 wide.*activations 8 wide": Patch(Activation(torch.ones(1, 5), 1, "heads", 0), 0),
        r"(?s)layer 3.*layers 0 to 2": Patch(Activation(torch.ones(1, D_MODEL), 3, "mlp"), 0),
        r"(?s)layer 4.*layers 0 to 3": Patch(Activation(torch.ones(1, D_MODEL), 4), 0),
        r"(?s)head 4.*heads 0 to 3": Patch(Activation(torch.ones(1, WIDTH), 1, "heads", 4), 0),
    }
    for words, patch in wrong.items():
        with pytest.raises(CtkitError, match=words):
            ct.run(lm, CLEAN, patch)
    with pytest.raises(CtkitError, match=r"ct\.Activation\.of"):
        Patch(clean.residual(1))
    with pytest.raises(CtkitError, match=r"(?s)'neurons'.*residual, heads, mlp"):
        Activation.of(clean, 1, "all", "neurons")


def test_a_patch_of_another_length_names_both():
    lm = lm_of("llama")
    longer = ct.run(lm, Prompt(context="Zacharias has a.", question="Who?", cue="Answer:"))
    with pytest.raises(CtkitError, match=r"(?s)29 tokens.*23 tokens|two prompts of the same length"):
        ct.run(lm, OTHER, all_of(longer, 1, "residual", None))


# --- what spoils a run ---


def test_noise_is_as_wide_as_it_says_and_only_where_it_says():
    lm = lm_of("llama")
    base = ct.run(lm, CLEAN).residual(0)
    loud = Prompt("x" * 200)
    change = ct.run(lm, loud, Noise(sigma=2.0)).residual(0) - ct.run(lm, loud).residual(0)
    assert float(change.std()) == pytest.approx(2.0 * lm.shape.embedding_std, rel=0.03)
    trace = ct.run(lm, CLEAN, Noise("question"))
    moved = (trace.residual(0) - base).abs().amax(-1)
    span = trace.spans["question"]
    assert (moved[span] > 0.01).all() and moved[: span.start].eq(0).all() and moved[span.stop :].eq(0).all()
    whole = ct.run(lm, CLEAN, Noise()).residual(0)
    assert torch.equal(whole[span], trace.residual(0)[span]), "a position's noise is its own"
    assert not torch.equal(ct.run(lm, CLEAN, Noise(seed=1)).logits, ct.run(lm, CLEAN, Noise()).logits)


def test_no_noise_changes_nothing_and_what_is_written_stays_clean():
    lm = lm_of("llama")
    assert torch.equal(ct.run(lm, CLEAN, Noise(sigma=0)).logits, ct.run(lm, CLEAN).logits)
    assert torch.equal(ct.run(lm, CLEAN, Noise("generated")).logits, ct.run(lm, CLEAN).logits)
    runs = [ct.generate(lm, CLEAN, Noise(), max_new_tokens=4, cache=cache) for cache in CACHES]
    assert len({tuple(run.ids) for run in runs}) == 1
    n = len(CLEAN.text)
    written = runs[0].trace.residual(0)[n:]
    torch.testing.assert_close(written, lm.model.get_input_embeddings().weight[runs[0].ids].detach().cpu())


def test_other_words_everywhere():
    swap = Swap("Ann", "Bob")
    assert swap.edit(CLEAN) == OTHER
    assert Swap("a", "the").edit(CLEAN).text == "Ann has the. Who? Answer:", "whole words only"
    assert Swap("Ann", r"\1").edit(CLEAN).text.startswith(r"\1 has"), "a word is no pattern"
    assert Swap("Who?", "When?").edit(CLEAN).text == "Ann has a. When? Answer:"
    twice = Swap("Ann", "Bob").edit(Reread().edit(CLEAN))
    assert "Ann" not in twice.text and twice.text.count("Bob") == 2
    kept = swap.edit(CLEAN.then(thought="Ann."))
    assert kept.text == "Bob has a. Who? Answer: Ann.", "what the model wrote is left alone"
    lm = lm_of("llama")
    assert torch.equal(ct.run(lm, CLEAN, swap).logits, ct.run(lm, OTHER).logits)
    with pytest.raises(CtkitError, match=r"(?s)'Cid'.*Ann has a"):
        ct.run(lm, CLEAN, Swap("Cid", "Bob"))
    for wrong in (("", "b"), ("a", " "), (1, "b")):
        with pytest.raises(CtkitError, match=r'ct\.Swap\("box", "car"\)'):
            Swap(*wrong)


@pytest.mark.parametrize("wrong", [{"sigma": -1}, {"sigma": float("nan")}, {"sigma": "x"}, {"sigma": True}])
def test_no_width_of_a_noise(wrong):
    with pytest.raises(CtkitError, match=r"Noise\(sigma="):
        Noise(**wrong)
    with pytest.raises(CtkitError, match="a whole number"):
        Noise(seed="x")


def test_what_spoils_survives_its_round_trip():
    setup = Setup([Noise("context", 2.5, seed=3), Swap("Ann", "Bob")])
    assert Setup.from_json(setup.to_json()) == setup == eval(setup.to_code(), {"ct": ct})
