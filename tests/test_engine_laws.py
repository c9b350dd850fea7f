"""The laws of the engine, on every family: idle is identity, undo is exact, a cache and a batch change nothing."""

import pytest
import torch

import ctkit as ct
from ctkit import Knockout, Mask, Setup
from ctkit.engine.generate import generate_many
from ctkit.engine.lm import LM
from ctkit.engine.run import run_many

from .engine_fixtures import IDLE, PROMPT, THROUGH_STREAM, TOLERANCE, caches_of, setups_for
from .families import ALL, lm_of, new_model, plain

pytestmark = pytest.mark.families
TEXTS = ["Ann has a.", "b", "Who has the key that was in the box?"]


def idle_for(lm: LM) -> dict[str, Setup]:
    """The idle setups that the model can be given."""
    needs_attention = ("mask", "rule", "knockout", "emphasis")
    able = lm.support["mask"] == "yes"
    return {name: Setup(i) for name, i in IDLE.items() if able or not name.startswith(needs_attention)}


@pytest.mark.parametrize("family", ALL)
def test_idle_is_identity(family):
    lm = lm_of(family)
    expected = plain(lm, ct.run(lm, PROMPT).ids)
    for name, setup in idle_for(lm).items():
        assert torch.equal(ct.run(lm, PROMPT, setup).logits, expected), name
        residual = ct.run(lm, PROMPT, setup, residual="all")
        assert torch.equal(residual.logits, expected), name
        if lm.support["attention"] == "yes":
            assert torch.equal(ct.run(lm, PROMPT, setup, attention="all").logits, expected), name
    together = [i for setup in idle_for(lm).values() for i in setup]
    assert torch.equal(ct.run(lm, PROMPT, together).logits, expected)


@pytest.mark.parametrize("family", ["llama", "gpt2", "gemma2", "gpt_neo"])
def test_idle_is_identity_in_bfloat16(family):
    lm = ct.wrap(new_model(family, dtype=torch.bfloat16), lm_of(family).tokenizer)
    expected = plain(lm, ct.run(lm, PROMPT).ids).float()
    for name, setup in idle_for(lm).items():
        assert torch.equal(ct.run(lm, PROMPT, setup).logits, expected), name
    moved = ct.run(lm, PROMPT, setups_for(lm)["reread, prepend and steer"])
    assert moved.logits.isfinite().all()
    if lm.support["mask"] == "yes":
        assert not torch.equal(ct.run(lm, PROMPT, Mask("bidirectional")).logits, expected)
        assert ct.run(lm, PROMPT, setups_for(lm)["all at once"]).logits.isfinite().all()


def test_float16_runs():
    lm = ct.wrap(new_model("llama", dtype=torch.float16), lm_of("llama").tokenizer)
    expected = plain(lm, ct.run(lm, PROMPT).ids).float()
    assert torch.equal(ct.run(lm, PROMPT, Mask("causal")).logits, expected)
    trace = ct.run(lm, PROMPT, Knockout("cue", "context"))
    assert trace.logits.isfinite().all()
    assert (trace.attention(0)[:, trace.spans["cue"], trace.spans["context"]] == 0).all()


@pytest.mark.parametrize("family", ALL)
def test_a_cache_changes_nothing(family):
    lm = lm_of(family)
    for name, setup in setups_for(lm).items():
        runs = {cache: ct.generate(lm, PROMPT, setup, max_new_tokens=6, cache=cache) for cache in caches_of(lm)}
        expected = runs["none"]
        assert expected.n_written == 6 or expected.stopped == "end"
        for cache, run in runs.items():
            assert run.ids == expected.ids, (name, cache)
            torch.testing.assert_close(
                run.logits, expected.logits, **TOLERANCE, msg=lambda m, n=name, c=cache: f"{n}, {c}: {m}"
            )


@pytest.mark.parametrize("family", ALL)
def test_what_is_written_is_what_a_run_over_it_says(family):
    lm = lm_of(family)
    for name, setup in setups_for(lm).items():
        written = ct.generate(lm, PROMPT, setup, max_new_tokens=4)
        if not written.n_written:
            continue
        again = ct.run(lm, PROMPT.then(thought=written.text), setup) if written.text.isascii() else None
        if again is None or again.ids != list(written.encoding.ids):
            continue  # bytes that are no text, or spaces that a prompt would add: nothing to compare
        rows = again.logits[-written.n_written - 1 : -1]
        torch.testing.assert_close(rows, written.logits, **TOLERANCE, msg=lambda m, n=name: f"{n}: {m}")


@pytest.mark.parametrize("family", ALL)
def test_a_batch_changes_nothing(family):
    lm = lm_of(family)
    for name, setup in setups_for(lm).items():
        if name in ("prefix", "knockout", "emphasis", "all at once"):
            continue  # these name pieces, which the texts do not have; the mixed batch below has them
        for trace, text in zip(run_many(lm, TEXTS, setup), TEXTS, strict=True):
            expected = ct.run(lm, text, setup)
            assert trace.tokens == expected.tokens
            torch.testing.assert_close(trace.logits, expected.logits, **TOLERANCE, msg=lambda m, n=name: f"{n}: {m}")


@pytest.mark.parametrize("family", ALL)
def test_a_batch_of_different_setups_changes_nothing(family):
    lm = lm_of(family)
    setups = list(setups_for(lm).values())
    entries = [(PROMPT.then(thought="abcdefghijk"[:i]) if i % 3 else PROMPT, setup) for i, setup in enumerate(setups)]
    common = Setup(THROUGH_STREAM["steer"])
    traces = run_many(lm, [*entries, "no setup"], common)
    for trace, (prompt, setup) in zip(traces, [*entries, ("no setup", Setup())], strict=True):
        expected = ct.run(lm, prompt, setup, common)
        torch.testing.assert_close(trace.logits, expected.logits, **TOLERANCE, msg=lambda m, s=setup: f"{s}: {m}")


@pytest.mark.parametrize("family", ALL)
def test_a_batch_writes_what_one_by_one_writes(family):
    lm = lm_of(family)
    entries = [(PROMPT, setup) for setup in setups_for(lm).values()] + [(text, Setup()) for text in TEXTS]
    for cache in caches_of(lm)[:-1]:
        many = generate_many(lm, entries, max_new_tokens=4, cache=cache)
        for written, (prompt, setup) in zip(many, entries, strict=True):
            expected = ct.generate(lm, prompt, setup, max_new_tokens=4, cache="none")
            assert written.ids == expected.ids, (cache, setup)
            torch.testing.assert_close(written.logits, expected.logits, **TOLERANCE)
