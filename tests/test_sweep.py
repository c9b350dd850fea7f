"""The sweep of patches: each as the patch made alone, whatever the model, and scores whose ends are known."""

from dataclasses import dataclass

import pytest
import torch

import ctkit as ct
from ctkit import Activation, CtkitError, Intervention, Knockout, Mask, Noise, Patch, Prompt, Reread, Steer
from ctkit.engine import sweep as engine
from ctkit.families.configs import model_of

from .engine_fixtures import TOLERANCE, Halt, direction, left_behind
from .families import N_HEADS, N_LAYERS, TOKENIZER, lm_of

CLEAN, OTHER = Prompt("Ann has a. Who?"), Prompt("Ann had b. Who?")  # as many tokens
FAMILIES = ["llama", "gpt2", "mixtral", "mistral", "gpt_neo", "gpt_oss", "bloom", "falcon", "gemma2"]
SITES = ["residual", "mlp", "heads"]


def alone(lm, found, corrupted, setup=()) -> torch.Tensor:
    """The logits of each patch of a sweep, run by itself."""
    before, prompts = found.clean, []
    n = len(found.corrupted.ids)
    for layer in found.layers:
        for column in found.columns:
            where, head = (tuple(range(n)), column) if found.site == "heads" else ((column,), None)
            prompts.append([*setup, Patch(Activation.of(before, layer, where, found.site, head), where)])
    runs = [ct.run(lm, corrupted, one).logits[-1] for one in prompts]
    return torch.stack(runs).unflatten(0, (len(found.layers), -1))


def grew(lm, site: str) -> bool:
    """Whether the model was found to take a batch that grows."""
    return lm.memory.kept.get("grows", {}).get(("grows", (site,))) in ("short", "full")


@pytest.mark.families
@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_sweep_is_each_patch_made_alone(family, site):
    lm = lm_of(family)
    before = left_behind(lm)
    found = ct.patch_sweep(lm, CLEAN, OTHER, site=site)
    assert left_behind(lm) == before
    close = TOLERANCE | {"msg": lambda m: f"grew: {grew(lm, site)}; {m}"}
    torch.testing.assert_close(found.logits, alone(lm, found, OTHER), **close)
    assert torch.equal(found.clean.logits, ct.run(lm, CLEAN).logits)
    assert torch.equal(found.corrupted.logits, ct.run(lm, OTHER).logits)
    assert found.layers == tuple(range(N_LAYERS))
    assert found.columns == tuple(range(N_HEADS if site == "heads" else len(OTHER.text)))


@pytest.mark.families
@pytest.mark.parametrize("family", ["llama", "gpt2", "mixtral", "gpt_oss"])
def test_batches_grow_where_a_model_takes_them(family):
    """So that the comparison above is one of two ways."""
    lm = lm_of(family)
    for site in SITES:
        ct.patch_sweep(lm, CLEAN, OTHER, site=site, layers=1)
        assert grew(lm, site)


def test_a_batch_that_grows_runs_few_passes(monkeypatch):
    lm = lm_of("llama")
    ct.patch_sweep(lm, CLEAN, OTHER)
    monkeypatch.setattr(engine, "_whole", lambda *_, **how: pytest.fail("whole runs"))
    ct.patch_sweep(lm, CLEAN, OTHER)


@pytest.mark.parametrize("site", SITES)
def test_a_model_whose_batch_cannot_grow_gets_whole_runs(site, monkeypatch):
    lm = ct.wrap(lm_of("llama").model, TOKENIZER)
    true = engine._grown
    monkeypatch.setattr(engine, "_grown", lambda *args, **how: (true(*args, **how)[0], true(*args, **how)[1] + 1.0))
    found = ct.patch_sweep(lm, CLEAN, OTHER, site=site)
    assert not grew(lm, site)
    torch.testing.assert_close(found.logits, alone(lm, found, OTHER), **TOLERANCE)

    def fails(*_, **how):
        raise RuntimeError("no")

    lm = ct.wrap(lm_of("llama").model, TOKENIZER)
    monkeypatch.setattr(engine, "_grown", fails)
    found = ct.patch_sweep(lm, CLEAN, OTHER, site=site)
    torch.testing.assert_close(found.logits, alone(lm, found, OTHER), **TOLERANCE)


@pytest.mark.families
@pytest.mark.parametrize("kind", ["jamba", "bamba", "granitemoehybrid", "qwen3_next"])
def test_models_with_other_blocks_between(kind):
    lm = ct.wrap(model_of(kind), TOKENIZER)
    before = left_behind(lm)
    assert len(lm.attending) < lm.n_layers
    found = ct.patch_sweep(lm, CLEAN, OTHER)
    torch.testing.assert_close(found.logits, alone(lm, found, OTHER), atol=1e-4, rtol=1e-4)
    heads = ct.patch_sweep(lm, CLEAN, OTHER, site="heads", layers=lm.attending)
    torch.testing.assert_close(heads.logits, alone(lm, heads, OTHER), atol=1e-4, rtol=1e-4)
    assert left_behind(lm) == before


SETUPS = {
    "reread": [Reread()],
    "mask": [Mask("bidirectional")],
    "knock out": [Knockout(-1, 2)],
    "steer": [Steer(direction(), layers=[0, 2], strength=2.0)],
    "reread and steer": [Reread(), Steer(direction(), where="reading 2")],
}


@pytest.mark.parametrize("name", SETUPS)
@pytest.mark.parametrize("site", SITES)
def test_a_setup_holds_in_both_runs(name, site):
    lm, setup = lm_of("llama"), SETUPS[name]
    found = ct.patch_sweep(lm, CLEAN, OTHER, *setup, site=site, layers=[1])
    torch.testing.assert_close(found.clean.logits, ct.run(lm, CLEAN, setup).logits, **TOLERANCE)
    torch.testing.assert_close(found.corrupted.logits, ct.run(lm, OTHER, setup).logits, **TOLERANCE)
    torch.testing.assert_close(found.logits, alone(lm, found, OTHER, setup), **TOLERANCE)


def test_noise_on_the_corrupted_run_alone():
    lm = lm_of("llama")
    found = ct.patch_sweep(lm, CLEAN, (CLEAN, Noise(where=range(4))))
    assert torch.equal(found.clean.logits, ct.run(lm, CLEAN).logits)
    assert torch.equal(found.corrupted.logits, ct.run(lm, CLEAN, Noise(where=range(4))).logits)
    torch.testing.assert_close(found.logits, alone(lm, found, CLEAN, [Noise(where=range(4))]), **TOLERANCE)
    assert (found.logits[0, 4:] - found.corrupted.logits[-1]).abs().max() < 1e-5, "what was not spoilt brings nothing"


# --- where and what ---


def test_some_layers_and_some_places():
    lm = ct.wrap(lm_of("llama").model, TOKENIZER)
    found = ct.patch_sweep(lm, CLEAN, OTHER, layers=[2, 1], where=(-1, 6))
    assert grew(lm, "residual"), "in whatever order they are named"
    whole = ct.patch_sweep(lm, CLEAN, OTHER)
    assert (found.layers, found.columns) == ((2, 1), (14, 6))
    for row, layer in enumerate(found.layers):
        for column, place in enumerate(found.columns):
            torch.testing.assert_close(found.logits[row, column], whole.logits[layer, place], **TOLERANCE)
    heads = ct.patch_sweep(lm, CLEAN, OTHER, site="heads", where=(5, 6))
    expected = ct.run(lm, OTHER, Patch(Activation.of(heads.clean, 1, (5, 6), "heads", 3), (5, 6)))
    torch.testing.assert_close(heads.logits[1, 3], expected.logits[-1], **TOLERANCE)


def test_the_stream_that_leaves_the_last_block():
    lm = lm_of("llama")
    found = ct.patch_sweep(lm, CLEAN, OTHER, layers=[N_LAYERS])
    torch.testing.assert_close(found.logits, alone(lm, found, OTHER), **TOLERANCE)
    scores = found.scores[0]
    assert scores[-1].item() == pytest.approx(1.0, abs=1e-4), "the last position's stream is all that is read"
    assert scores[:-1].abs().max() < 1e-4
    both = ct.patch_sweep(lm, CLEAN, OTHER, layers=[0, N_LAYERS])
    torch.testing.assert_close(both.logits[1], found.logits[0], **TOLERANCE)
    with pytest.raises(CtkitError, match=r"(?s)layer 3.*layers 0 to 2"):
        ct.patch_sweep(lm, CLEAN, OTHER, site="mlp", layers=[N_LAYERS])


def test_nothing_to_patch():
    lm = lm_of("llama")
    for chosen in ({"layers": ()}, {"where": ()}):
        found = ct.patch_sweep(lm, CLEAN, OTHER, **chosen)
        assert found.scores.numel() == 0 and found.top() == []


# --- scores ---


@pytest.mark.families
@pytest.mark.parametrize("family", ["llama", "gpt2", "bloom"])
def test_the_ends_of_the_scores(family):
    """All tokens of the first stream: 1. Tokens that are the same in both: 0."""
    lm = lm_of(family)
    found = ct.patch_sweep(lm, CLEAN, OTHER)
    whole = ct.run(lm, OTHER, Patch(Activation.of(found.clean, 0)))
    assert torch.equal(whole.logits, found.clean.logits)
    same = [i for i, pair in enumerate(zip(found.clean.ids, found.corrupted.ids, strict=True)) if pair[0] == pair[1]]
    assert 0 < len(same) < len(found.columns)
    for metric in ("logit difference", "probability", "kl"):
        assert found.by(metric)[0, same].abs().max() < 1e-3, metric
    assert found.scores[0].abs().max() > 0.01


def test_scores_are_what_they_say():
    lm = lm_of("llama")
    found = ct.patch_sweep(lm, CLEAN, OTHER, layers=[1, 2])
    a, b = int(found.clean.logits[-1].argmax()), int(found.corrupted.logits[-1].argmax())
    assert (found.answer, found.other) == (a, b)
    clean, corrupted = found.clean.logits[-1].double(), found.corrupted.logits[-1].double()
    p, q = clean.softmax(-1), corrupted.softmax(-1)
    for row in range(2):
        for column in range(len(found.columns)):
            patched = found.logits[row, column].double()
            r = patched.softmax(-1)
            expected = {
                "logit difference": (patched[a] - patched[b] - corrupted[a] + corrupted[b])
                / (clean[a] - clean[b] - corrupted[a] + corrupted[b]),
                "probability": (r[a] - q[a]) / (p[a] - q[a]),
                "kl": 1 - (p * (p / r).log()).sum() / (p * (p / q).log()).sum(),
            }
            for metric, value in expected.items():
                assert found.by(metric)[row, column].item() == pytest.approx(value.item(), abs=1e-3), metric
    assert torch.equal(found.scores, found.by("logit difference"))


def test_words_of_one_s_own(lm):
    facts = "The key is in the box. The cup is in the bag. Where is the key? Answer:"
    found = ct.patch_sweep(lm, facts, facts.replace("box", "car"), layers=[0, 2], answer="box", other="car")
    assert lm.tokenizer.decode([found.answer]).strip() == "box"
    assert lm.tokenizer.decode([found.other]).strip() == "car"
    usual = ct.patch_sweep(lm, facts, facts.replace("box", "car"), layers=[0, 2])
    assert (usual.answer, usual.other) == (found.answer, found.other), "what the model says in the two runs"
    place = found.clean.tokens.index(" box")
    assert found.scores[0, place].item() == pytest.approx(1.0, abs=1e-4), "the one word that differs"
    assert found.top(1)[0] == (0, place, pytest.approx(1.0, abs=1e-4))
    assert "patching residual to turn ' car' into ' box'" in str(found) and "' car': 1.00" in str(found)
    with pytest.raises(CtkitError, match="no token"):
        ct.patch_sweep(lm, facts, facts.replace("box", "car"), layers=[0], answer="")


def test_the_best_places_in_order():
    found = ct.patch_sweep(lm_of("llama"), CLEAN, OTHER, layers=[2, 0], site="heads")
    top = found.top(100)
    assert len(top) == 2 * N_HEADS
    assert [score for *_, score in top] == sorted(found.scores.flatten().tolist(), reverse=True)
    for layer, head, score in top:
        assert found.scores[found.layers.index(layer), head].item() == score
    assert "patching heads" in str(found) and "token" not in str(found)


def test_two_runs_that_hardly_differ_have_no_scores():
    lm = lm_of("llama")
    found = ct.patch_sweep(lm, CLEAN, CLEAN, layers=[0])
    for metric in ("logit difference", "probability", "kl"):
        with pytest.raises(CtkitError, match=r"(?s)share of the.*differ by.*answers differently"):
            found.by(metric)
    with pytest.raises(CtkitError, match=r"(?s)'accuracy'.*logit difference, probability, kl"):
        found.by("accuracy")


def test_what_cannot_be_patched_is_refused():
    lm = lm_of("llama")
    with pytest.raises(CtkitError, match=r"(?s)15 tokens and 16.*ct\.Swap"):
        ct.patch_sweep(lm, CLEAN, "Anna has a. Who?")
    with pytest.raises(CtkitError, match=r"(?s)'neurons'.*residual, heads, mlp"):
        ct.patch_sweep(lm, CLEAN, OTHER, site="neurons")
    with pytest.raises(CtkitError, match="'nowhere'"):
        ct.patch_sweep(lm, CLEAN, OTHER, where="nowhere")


# --- undo ---


@pytest.mark.parametrize("error", [Halt, KeyboardInterrupt])
@pytest.mark.parametrize("family", ["llama", "bloom"])
@pytest.mark.parametrize("site", SITES)
def test_undo_is_exact_where_a_sweep_breaks_off(family, site, error, monkeypatch):
    lm = lm_of(family)
    ct.patch_sweep(lm, CLEAN, OTHER, site=site)
    before, calls = left_behind(lm), []

    def patched(self, layer, x, where, first):
        calls.append(layer)
        if len(calls) == 2:
            raise error
        return x

    monkeypatch.setattr(engine._Growing, "_patched", patched)
    broken = [Breaks(error)] if not grew(lm, site) else []
    with pytest.raises(error):
        ct.patch_sweep(lm, CLEAN, OTHER, *broken, site=site)
    assert left_behind(lm) == before
    assert torch.is_grad_enabled()
    monkeypatch.undo()
    found = ct.patch_sweep(lm, CLEAN, OTHER, site=site, layers=[1])
    torch.testing.assert_close(found.logits, alone(lm, found, OTHER), **TOLERANCE)


@dataclass(frozen=True)
class Breaks(Intervention):
    """Raises in the middle of a run."""

    error: type = Halt

    def residual(self, x, enc, layer):
        if layer == 1:
            raise self.error
        return x
