"""Models in pieces on several devices, and in half precision: vectors and masks follow the module, the laws stay."""

from functools import cache

import pytest
import torch

import ctkit as ct
from ctkit import CtkitError, Direction, Knockout, Mask, Noise, PrependToken, Setup, Steer
from ctkit.engine.generate import CACHES
from ctkit.engine.lm import LM, down_projection

from .engine_fixtures import EVERY, IDLE, PROMPT, direction, direction_at, left_behind, techniques_for
from .families import D_MODEL, DEVICE, TOKENIZER, lm_of, new_model, plain

pytestmark = pytest.mark.families

BLOCKS = {
    "llama": "model.layers",
    "gpt2": "transformer.h",
    "gpt_neo": "transformer.h",
    "gemma2": "model.layers",
    "phi": "model.layers",
}
SOME = ("all at once", "emphasis", "a bit of each", "steer heads", "clusters", "pine")


def some_of(lm: LM, all_of_them: bool) -> dict[str, Setup]:
    """Setups that the model can carry out: one for each place in it where something is done, or all there are."""
    known = {name: Setup(found) for name, found in EVERY.items()} | techniques_for(lm)
    return {name: setup for name, setup in known.items() if all_of_them or name in SOME}


@pytest.fixture(scope="module")
def offloaded(tmp_path_factory):
    """A family's model with some of its modules on disk, fetched when they run; its weights are on "meta" till then."""

    @cache
    def load(family, *on_disk):
        folder = tmp_path_factory.mktemp(family)
        model = new_model(family)
        model.save_pretrained(folder)
        TOKENIZER.save_pretrained(folder)
        blocks = BLOCKS[family]
        whole = [f"{blocks}.{i}" for i in range(3)]
        leaves = [name for name, m in model.named_modules() if next(m.children(), None) is None]
        names = [*whole, *(name for name in leaves if not name.startswith(f"{blocks}."))]
        where = {name: "disk" if name in on_disk or name.rpartition(".")[2] in on_disk else DEVICE for name in names}
        return ct.load(str(folder), device_map=where, offload_folder=str(tmp_path_factory.mktemp("disk")))

    return load


@pytest.mark.parametrize("family", ["llama", "gpt2", "gpt_neo", "gemma2"])
def test_a_model_in_pieces_says_what_the_whole_one_says(offloaded, family):
    lm, whole = offloaded(family, f"{BLOCKS[family]}.1"), lm_of(family)
    assert {parameter.device.type for parameter in lm.model.parameters()} == {DEVICE, "meta"}
    assert lm.support == whole.support
    before = left_behind(lm)
    for name, setup in some_of(lm, all_of_them=family == "llama").items():
        sites = dict.fromkeys(("attention", "residual", "heads", "mlp", "neurons"), "all")
        found, expected = ct.run(lm, PROMPT, setup, **sites), ct.run(whole, PROMPT, setup, **sites)
        assert torch.equal(found.logits, expected.logits), name
        assert found.kept_streams.keys() == expected.kept_streams.keys()
        assert all(torch.equal(x, expected.kept_streams[place]) for place, x in found.kept_streams.items()), name
        assert torch.equal(found.attention(1), expected.attention(1)), name
        written = [ct.generate(each, PROMPT, setup, max_new_tokens=2) for each in (lm, whole)]
        assert written[0].ids == written[1].ids, name
    assert left_behind(lm) == before


def test_idle_and_undo_in_pieces(offloaded):
    lm = offloaded("llama", "model.layers.1")
    expected = plain(lm, ct.run(lm, PROMPT).ids)
    for name, setup in IDLE.items():
        assert torch.equal(ct.run(lm, PROMPT, setup, attention="all", residual="all").logits, expected), name


@pytest.mark.parametrize("family", ["llama", "phi"])
def test_the_embedding_may_be_elsewhere_too(offloaded, family):
    lm, whole = offloaded(family, "embed_tokens", f"{BLOCKS[family]}.2"), lm_of(family)
    assert lm.entrance.type == DEVICE, "where its input goes, not where its weight waits"
    assert (lm.n_tokens, lm.shape.embedding_std) == (whole.n_tokens, whole.shape.embedding_std)
    for setup in (PrependToken(1, 3, init="mean"), Noise("context", sigma=1), EVERY["all at once"]):
        assert torch.equal(ct.run(lm, PROMPT, setup).logits, ct.run(whole, PROMPT, setup).logits)
    for layer in range(3):
        assert torch.equal(down_projection(lm, layer), down_projection(whole, layer))


def test_a_sweep_thumbnails_and_a_target_in_pieces(offloaded):
    lm, whole = offloaded("llama", "model.layers.1"), lm_of("llama")
    clean, corrupted = "Ann has a. Who?", "Bob has a. Who?"
    for site in ("residual", "heads", "mlp"):
        sweeps = [ct.patch_sweep(each, clean, corrupted, site=site, where=(0, 5)) for each in (lm, whole)]
        assert torch.equal(sweeps[0].logits, sweeps[1].logits)
    small = [ct.thumbnails(each, PROMPT, size=4).weights for each in (lm, whole)]
    assert all(torch.equal(small[0][layer], small[1][layer]) for layer in range(3))
    steered = [ct.run(each, PROMPT, Steer(direction(), kl=0.1)).logits for each in (lm, whole)]
    assert torch.equal(*steered)


def test_weights_that_were_never_loaded_are_refused():
    from transformers import AutoModelForCausalLM

    config = new_model("llama").config
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    with pytest.raises(CtkitError, match="meta") as caught:
        ct.wrap(model, TOKENIZER)
    assert "from_pretrained" in caught.value.remedy
    assert ct.run(ct.wrap(new_model("llama"), TOKENIZER), PROMPT).logits.isfinite().all()


def test_vectors_of_another_precision_or_with_gradients_follow():
    lm = lm_of("llama")
    own = direction()
    expected = ct.run(lm, PROMPT, Steer(own)).logits
    for vector in (own.vector.double(), own.vector.clone().requires_grad_()):
        given = Direction(vector, own.layer)
        assert torch.equal(ct.run(lm, PROMPT, Steer(given)).logits, expected)


# --- half precision: what the families' table does not look at ---

HALF = ("llama", "gpt2", "gemma2", "gpt_neox", "mixtral", "phi", "gpt_neo", "bloom")
WITHIN = {torch.float16: 0.005, torch.bfloat16: 0.04}  # of the largest logit: as the table of families states


@pytest.mark.parametrize("dtype", WITHIN, ids=str)
@pytest.mark.parametrize("family", HALF)
def test_every_technique_in_half_precision(family, dtype):
    """With a cache, without one, and read again: the same within 0.5 or 4 % of the largest logit."""
    lm = ct.wrap(new_model(family, dtype=dtype), TOKENIZER)
    expected = plain(lm, ct.run(lm, PROMPT).ids).float()
    for name, setup in IDLE.items():
        assert torch.equal(ct.run(lm, PROMPT, setup).logits, expected), name
    for name, setup in some_of(lm, all_of_them=(family, dtype) == ("llama", torch.bfloat16)).items():
        trace = ct.run(lm, PROMPT, setup)
        assert trace.logits.isfinite().all(), name
        assert trace.logits.dtype == torch.float32
        same = trace.logits.shape == expected.shape and torch.equal(trace.logits, expected)
        assert not same or name == "steer what is written", name
        able = [kind for kind in CACHES if kind != "static" or lm.support["static"] == "yes"]
        for written in (ct.generate(lm, PROMPT, setup, max_new_tokens=2, cache=kind) for kind in able):
            again = torch.cat([trace.logits[-1:], written.trace.logits[len(trace.logits) :]])[: written.n_written]
            assert ((written.logits - again).abs() <= WITHIN[dtype] * trace.logits.abs().max()).all(), name
    assert torch.equal(plain(lm, ct.run(lm, PROMPT).ids).float(), expected)


@pytest.mark.parametrize("dtype", WITHIN, ids=str)
@pytest.mark.parametrize("family", ["llama", "gpt_neo"])
def test_steering_and_masks_show_exactly_in_half_precision(family, dtype):
    lm = ct.wrap(new_model(family, dtype=dtype), TOKENIZER)
    sites = {"residual": [1], "heads": [1], "mlp": [1]}
    before = ct.run(lm, PROMPT, **sites)
    for site, head in (("residual", None), ("heads", 2), ("mlp", None)):
        own = direction_at(site, head)
        after = getattr(ct.run(lm, PROMPT, Steer(own), **{site: [1]}), site)(1)
        moved = getattr(before, site)(1).clone()
        part = moved if head is None else moved[:, head]
        part += own.vector.to(dtype).float()
        assert torch.equal(after, moved.to(dtype).float()), site
    trace = ct.run(lm, PROMPT, Knockout("cue", "context"), attention="all")
    for layer in range(3):
        assert (trace.attention(layer)[:, trace.spans["cue"], trace.spans["context"]] == 0).all()
    opened = ct.run(lm, PROMPT, Mask("bidirectional"), attention="all")
    assert (opened.attention(0)[:, 0, -1] > 0).all()
    assert down_projection(lm, 0).shape[0] == D_MODEL
