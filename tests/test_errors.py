"""Every mistake a user can make is said in three parts, and what the remedy says works."""

import pickle
import subprocess
import sys

import pytest
import torch

import ctkit as ct
from ctkit import CtkitError, Direction, Knockout, Mask, PrependToken, Prompt, Reread, Steer, Think, masks
from ctkit.errors import shown

from .engine_fixtures import PROMPT, direction
from .families import CONTEXT, D_MODEL, N_HEADS, N_LAYERS, lm_of


@pytest.fixture(scope="module")
def lm():
    return lm_of("llama")


def refused(call, *args, **options) -> CtkitError:
    """The error, with its three parts filled."""
    with pytest.raises(CtkitError) as caught:
        call(*args, **options)
    error = caught.value
    assert all(isinstance(part, str) and part.strip() for part in (error.asked, error.found, error.remedy))
    assert str(error) == f"asked for {error.asked}\n  found: {error.found}\n  try:   {error.remedy}"
    return error


def test_an_error_travels_between_processes():
    error = CtkitError("a", "b", "c")
    again = pickle.loads(pickle.dumps(error))
    assert (again.asked, again.found, again.remedy) == ("a", "b", "c")
    assert shown("x" * 100) == repr("x" * 100)[:59] + "…"
    assert shown(3) == "3"


@pytest.mark.parametrize("prompt", [None, 3, ["Ann"], "", "  \n", b"Ann"])
def test_what_is_no_prompt(lm, prompt):
    for call in (ct.run, ct.generate):
        error = refused(call, lm, prompt)
        assert "ct.Prompt(" in error.remedy
    assert ct.run(lm, Prompt("Where is the key?")).tokens


def test_a_prompt_longer_than_the_context(lm):
    error = refused(ct.run, lm, "x" * (CONTEXT + 1))
    assert (error.asked, error.remedy) == (f"a prompt of {CONTEXT + 1} tokens", "a shorter prompt")
    assert str(CONTEXT) in error.found
    assert len(ct.run(lm, "x" * CONTEXT).tokens) == CONTEXT
    refused(ct.run, lm, "x" * (CONTEXT // 2), Reread())
    refused(ct.generate, lm, "x" * (CONTEXT + 1))


def test_masks(lm):
    error = refused(Mask, "casual")
    for kind in ("causal", "bidirectional", "prefix"):
        assert kind in error.remedy
        assert ct.run(lm, PROMPT, Mask(kind)).logits.isfinite().all()
    assert "size=4" in refused(Mask, "window").remedy
    assert ct.run(lm, PROMPT, Mask("window", size=4)).logits.isfinite().all()
    for size in (0, -1, 2.5, "4"):
        assert "1 (only itself)" in refused(Mask, "window", size=size).remedy
        refused(masks.window, size)
    for until in (-1, 1.5, [1]):
        refused(Mask, "prefix", until=until)
        refused(masks.prefix, until)
    error = refused(ct.run, lm, PROMPT, Mask("prefix", until="answer"))
    assert "context, question, cue" in error.found
    for wrong in (None, 3, ["causal"], {"kind": "causal"}):
        refused(Mask, wrong)
    for place in (None, 1.5, {"a": 1}, [[1]]):
        refused(masks.between, place, 0)
        refused(Knockout, place, 0)
        refused(Knockout, 0, place)


@pytest.mark.parametrize(
    ("intervention", "last"),
    [
        (lambda at: Mask("prefix", layers=at), N_LAYERS - 1),
        (lambda at: Knockout(3, 0, layers=at), N_LAYERS - 1),
        (lambda at: Steer(direction(), layers=at), N_LAYERS),
        (lambda at: Steer(Direction(torch.ones(D_MODEL), max(at, 0))), N_LAYERS),
        (lambda at: PrependToken(0, max(at, 1)), N_LAYERS),
    ],
)
def test_layers_out_of_range(lm, intervention, last):
    error = refused(ct.run, lm, PROMPT, intervention(last + 1))
    assert f"layer {last + 1}" in error.asked
    assert error.remedy == f"layers from 0 to {last}"
    assert ct.run(lm, PROMPT, intervention(last)).logits.isfinite().all()
    assert ct.run(lm, PROMPT, intervention(0)).logits.isfinite().all()


def test_layers_and_heads_to_read(lm):
    trace = ct.run(lm, PROMPT)
    for layer in (N_LAYERS, -1, "1", None, 1.0):
        assert refused(trace.attention, layer).remedy == f"a layer from 0 to {N_LAYERS - 1}"
    for layer in (N_LAYERS + 1, -1, "1", None):
        assert refused(trace.residual, layer).remedy == f"a layer from 0 to {N_LAYERS}"
    for head in (N_HEADS, -1, "1", 1.0):
        assert refused(trace.attention, 0, head).remedy == f"a head from 0 to {N_HEADS - 1}"
    assert trace.attention(N_LAYERS - 1, N_HEADS - 1).shape == (len(trace.tokens),) * 2
    assert trace.residual(N_LAYERS).shape == (len(trace.tokens), D_MODEL)
    for wanted in ("every", [N_LAYERS], [-1], N_LAYERS, "0", [0.5]):
        refused(ct.run, lm, PROMPT, attention=wanted)
    refused(ct.run, lm, PROMPT, residual=[N_LAYERS + 1])
    kept = ct.run(lm, PROMPT, attention=1, residual=N_LAYERS)
    assert (list(kept.kept_attention), list(kept.kept_streams)) == (
        [(1, head) for head in range(N_HEADS)],
        [("residual", N_LAYERS)],
    )
    one = ct.run(lm, PROMPT, attention=[(1, 2), (0, 3)])
    assert sorted(one.kept_attention) == [(0, 3), (1, 2)]
    assert torch.equal(one.attention(1, 2), kept.attention(1, 2))
    for pairs in ([(N_LAYERS, 0)], [(0, N_HEADS)], [(0, "1")], [(0, 1, 2)]):
        refused(ct.run, lm, PROMPT, attention=pairs)
    for heads in (N_HEADS, -1):
        assert refused(ct.run, lm, PROMPT, Mask("prefix", heads=heads)).remedy == f"heads from 0 to {N_HEADS - 1}"
        assert refused(ct.run, lm, PROMPT, Knockout(3, 0, heads=heads)).remedy == f"heads from 0 to {N_HEADS - 1}"
    for layers in ("all", [0.5], ["a"], [[0]], 1.5):
        assert "range(4)" in refused(Mask, "prefix", layers=layers).remedy
    assert Mask("prefix", layers=range(2)).layers == (0, 1)


def test_next_tokens(lm):
    trace = ct.run(lm, PROMPT)
    for at in (len(trace.tokens), -len(trace.tokens) - 1, "x"):
        assert "-1 is the last" in refused(trace.next_tokens, at=at).remedy
    best = trace.next_tokens(3)
    assert [p for _, p in best] == sorted((p for _, p in best), reverse=True)
    for k in (0, "5", 2.0):
        with pytest.raises(CtkitError, match="the next tokens, k="):
            trace.next_tokens(k)
    assert len(trace.next_tokens(k=10**6)) == trace.logits.shape[-1]
    assert abs(sum(p for _, p in trace.next_tokens(k=10**6)) - 1) < 1e-4


def test_steering(lm):
    for width in (D_MODEL - 1, 1, 4 * D_MODEL):
        error = refused(ct.run, lm, PROMPT, Steer(Direction(torch.ones(width), 1)))
        assert str(width) in error.asked
        assert str(D_MODEL) in error.found
        assert "ct.fit_direction" in error.remedy
    for wrong in (None, torch.ones(D_MODEL), [1.0], "joy"):
        assert "ct.Direction(vector, layer)" in refused(Steer, wrong).remedy
    for strength in (float("nan"), float("inf"), None, "2"):
        refused(Steer, direction(), strength=strength)
    assert "relative" in refused(Steer, direction(), op="multiply").remedy
    refused(ct.run, lm, PROMPT, Steer(direction(), where="nowhere"))
    refused(ct.run, lm, PROMPT, Steer(direction(), where=10**6))


def test_rereading_prepending_thinking(lm):
    for times in (0, -1, 1.5, "2", None, 10**9):
        assert "1 (no change), 2 or 3" in refused(Reread, times).remedy
    for phrase in (None, 3):
        refused(Reread, phrase=phrase)
    only_cue = Prompt(cue="Answer:")
    assert refused(ct.run, lm, only_cue, Reread()).remedy == refused(ct.run, lm, only_cue, PrependToken()).remedy
    assert ct.run(lm, only_cue, Reread(times=1), PrependToken(2, 2)).logits.isfinite().all()
    for start, exit_ in ((-1, 2), (3, 2), ("1", 2), (0.5, 2), (None, 2)):
        refused(PrependToken, start, exit_)
    refused(PrependToken, init="zeros")
    refused(PrependToken, source="first")
    refused(PrependToken, seed="x")
    assert "one PrependToken" in refused(ct.run, lm, PROMPT, PrependToken(), PrependToken()).remedy
    refused(ct.run, lm, PROMPT, PrependToken(before="nowhere"))
    for on in (None, "false", 1):
        refused(Think, on)
    refused(Think, phrase=None)


WITHOUT_THE_TYPE_CHECKER = """
import torch, ctkit as ct
for wrong in ([1.0, 2.0], None, torch.ones(2, 2, 2), torch.ones(0), torch.tensor(1.0), torch.tensor([1, 2])):
    try:
        ct.Direction(wrong, 1)
    except ct.CtkitError as err:
        assert err.asked and err.found and err.remedy
    else:
        raise AssertionError(wrong)
assert ct.Prompt(text="a piece called text").pieces == {"text": "a piece called text"}
try:
    ct.Prompt("x", text="y")
except ct.CtkitError as err:
    print(err.found)
"""


def test_what_the_type_checker_of_these_tests_would_catch_first():
    out = subprocess.run([sys.executable, "-c", WITHOUT_THE_TYPE_CHECKER], capture_output=True, text=True, check=False)
    assert out.returncode == 0, out.stderr
