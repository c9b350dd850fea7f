"""Masks at work in models: each one's effect is gone where it must be, and nothing moves that must not."""

import pytest
import torch

import ctkit as ct
from ctkit import CtkitError, Knockout, Mask, MaskGroups, Prompt, Split, masks
from ctkit.engine.run import run_many

from .engine_fixtures import PROMPT, TOLERANCE, same
from .families import N_HEADS, N_LAYERS, lm_of, plain

N = len(PROMPT.text)
TRIL = torch.ones(N, N, dtype=torch.bool).tril()
SOME = ("llama", "gpt2", "gemma2", "llama@eager")
VANISHED = {
    "sinks and a window as long as the text": Mask("sinks", size=N, sinks=2),
    "a window longer than the text": Mask("window", size=10 * N),
    "no sinks, such a window": Mask(masks.sinks(0) | masks.window(N)),
    "mutual, the question before the context": Mask("mutual", pieces=("question", "context")),
    "mutual without columns": Mask(masks.causal() | masks.mutual("context", ())),
    "mutual with what is not written": Mask("mutual", pieces=("prompt", "generated")),
    "one segment": Mask("parallel", pieces="context"),
    "an empty segment": Mask(masks.parallel("context", ())),
    "nothing suppressed": Mask(masks.suppress(())),
    "the last span suppressed": Mask("suppress", pieces="cue"),
    "the causal mask, painted": Mask(masks.painted(TRIL)),
    "cells painted as they are": Mask(masks.retouched(masks.causal(), [(3, 1, True), (1, 3, False)])),
    "no group": MaskGroups("000"),
    "the causal mask in all groups": MaskGroups("111", "causal"),
    "knocked out in no block": Knockout("cue", "context", layers=masks.around(1, 0)),
    "knocked out in no head": Knockout("cue", "context", heads=[]),
    "no keys": Knockout("cue", ()),
    "no heads": Mask("bidirectional", heads=()),
}
AT_WORK = {
    "sinks": Mask("sinks", size=3, sinks=1),
    "mutual": Mask("mutual", pieces=("context", "question")),
    "parallel": Mask("parallel", pieces=("context", "question"), heads=[0, 2]),
    "suppress": Mask("suppress", pieces="question", layers=[1, 2]),
    "painted": Mask(masks.painted(TRIL | (torch.arange(N)[None] < 4))),
    "groups": MaskGroups("101", "prefix"),
    "single heads": Mask("window", size=2, heads=[(0, 1), (2, 3)]),
    "words": Knockout("cue", "has a", heads=[(1, 0), (1, 1)]),
}


@pytest.mark.parametrize("family", SOME)
@pytest.mark.parametrize("name", VANISHED)
def test_its_effect_is_gone_bit_for_bit(family, name):
    lm = lm_of(family)
    trace = ct.run(lm, PROMPT, VANISHED[name])
    assert torch.equal(trace.logits, plain(lm, trace.ids))


@pytest.mark.parametrize("family", SOME)
@pytest.mark.parametrize("name", AT_WORK)
def test_a_cache_and_a_batch_change_nothing(family, name):
    lm, setup = lm_of(family), ct.Setup([AT_WORK[name]])
    runs = [ct.generate(lm, PROMPT, setup, max_new_tokens=4, cache=cache) for cache in ("dynamic", "static", "none")]
    assert runs[0].ids == runs[1].ids == runs[2].ids
    torch.testing.assert_close(runs[1].logits, runs[2].logits, **TOLERANCE)
    alone = ct.run(lm, PROMPT, setup)
    together = run_many(lm, [Prompt("Another text, a longer one than that."), (PROMPT, setup)])[1]
    torch.testing.assert_close(together.logits, alone.logits, **TOLERANCE)
    assert (alone.logits - plain(lm, alone.ids)).abs().max() > 1e-3
    for again in (ct.Setup.from_json(setup.to_json()), eval(setup.to_code(), {"ct": ct})):
        assert again == setup and torch.equal(ct.run(lm, PROMPT, again).logits, alone.logits)
    composed = ct.run(lm, PROMPT, ct.Reread(), setup) if name != "painted" else alone
    assert composed.logits.isfinite().all()


def unchanged_before(lm, prompt, setup, row: int) -> bool:
    """Whether every block's stream and the logits are as without the setup, before a row; and not behind it."""
    base, trace = ct.run(lm, prompt, residual="all"), ct.run(lm, prompt, setup, residual="all")
    streams = [(base.residual(layer), trace.residual(layer)) for layer in range(lm.n_layers + 1)]
    as_it_was = all(same(one[:row], other[:row]) for one, other in [*streams, (base.logits, trace.logits)])
    return as_it_was and not torch.allclose(base.logits[row:], trace.logits[row:], atol=1e-4)


@pytest.mark.parametrize("family", SOME)
def test_rows_before_the_edit_are_unchanged_in_every_block(family):
    lm = lm_of(family)
    for row, setup in (
        (10, Mask("mutual", pieces=("question", "cue"))),
        (6, Mask(masks.causal() | masks.mutual(6, "question"))),
        (10, Mask("parallel", pieces=("context", "question"))),
        (15, Mask("suppress", pieces="question")),
        (6, Mask("suppress", pieces=(4, 5))),
        (4, Mask("sinks", size=3, sinks=1)),
        (8, Mask(masks.retouched(masks.causal(), [(8, 20, True)]))),
        (9, Mask(masks.retouched(masks.causal(), [(9, 3, False)]))),
    ):
        assert unchanged_before(lm, PROMPT, setup, row), setup


def test_segments_side_by_side_do_not_hear_of_each_other():
    lm, kept = lm_of("llama"), Mask("parallel", pieces="context")
    one, other = (Prompt(context=f"Ann has {x}. Bob has b.", question="Who?") for x in "ac")
    for setup, hears in (([Split("context"), kept], False), ([Split("context")], True)):
        a, b = (ct.run(lm, prompt, setup, residual="all") for prompt in (one, other))
        second, question = a.spans["context 2"], a.spans["question"]
        moved = [(a.residual(layer) - b.residual(layer)).abs() for layer in range(N_LAYERS + 1)]
        assert all(bool((m[second] > 0).any()) == hears for m in moved[1:])
        assert all((m[question] > 0).any() for m in moved[1:]), "the question hears of both"
        assert torch.equal(moved[0][second], torch.zeros_like(moved[0][second]))


def test_a_suppressed_span_is_read_but_not_remembered():
    lm = lm_of("llama")
    one, other = (Prompt(context="Ann has a.", hint=f"It is {x}.", question="Who?") for x in "ac")
    forgot = Mask("suppress", pieces="hint")
    a, b = (ct.run(lm, prompt, forgot) for prompt in (one, other))
    hint = a.spans["hint"]
    assert torch.equal(a.logits[hint.stop :], b.logits[hint.stop :])
    assert not torch.allclose(a.logits[hint], b.logits[hint], atol=1e-3)
    assert same(a.logits[: hint.stop], ct.run(lm, one).logits[: hint.stop]), "inside and before: as it was"


def test_what_is_not_written_cannot_be_seen():
    lm = lm_of("llama")
    base = ct.generate(lm, PROMPT, max_new_tokens=5)
    for rule in (
        masks.causal() | masks.mutual("prompt", "generated"),
        masks.causal() | masks.mutual("generated", "generated"),
        masks.causal() | masks.between("all", "after cue"),
    ):
        for cache in ("dynamic", "none"):
            leaky = ct.generate(lm, PROMPT, Mask(rule), max_new_tokens=5, cache=cache)
            assert leaky.ids == base.ids
            torch.testing.assert_close(leaky.logits, base.logits, **TOLERANCE)
    told = PROMPT.then(answer="b.")
    assert torch.equal(ct.run(lm, told, Mask("mutual", pieces=("prompt", "answer"))).logits, ct.run(lm, told).logits), (
        "an answer that is written already is as hidden as one to come"
    )


def test_sixteen_configurations():
    lm, prompt = ct.load(), Prompt("The key is in the box. Where is the key?")
    expected = plain(lm, ct.run(lm, prompt).ids)
    found = {}
    for code in masks.codes():
        trace = ct.run(lm, prompt, MaskGroups(code), attention="all")
        ahead = [bool(trace.attention(layer).triu(1).any()) for layer in range(lm.n_layers)]
        assert ahead == [bit == "1" for bit in code], "four blocks, four groups"
        by_hand = Mask("bidirectional", layers=masks.groups(code, lm.n_layers))
        assert torch.equal(trace.logits, ct.run(lm, prompt, by_hand).logits)
        found[code] = trace.logits
    assert torch.equal(found["0000"], expected)
    assert torch.equal(found["1111"], ct.run(lm, prompt, Mask("bidirectional")).logits)
    assert len({tuple(logits.flatten().tolist()) for logits in found.values()}) == 16


def test_groups_go_by_the_models_own_depth():
    two = ct.run(lm_of("llama"), PROMPT, MaskGroups("10"), attention="all")
    assert [bool(two.attention(layer).triu(1).any()) for layer in range(N_LAYERS)] == [True, True, False]
    with pytest.raises(CtkitError, match=f"(?s)4 groups of blocks.*{N_LAYERS} blocks"):
        ct.run(lm_of("llama"), PROMPT, MaskGroups("0001"))


def test_single_heads_of_single_blocks():
    lm = lm_of("llama")
    trace = ct.run(lm, PROMPT, Mask("bidirectional", heads=[(0, 1), (2, 3)]), attention="all")
    ahead = [[bool(trace.attention(n, h).triu(1).any()) for h in range(N_HEADS)] for n in range(N_LAYERS)]
    assert [(n, h) for n in range(N_LAYERS) for h in range(N_HEADS) if ahead[n][h]] == [(0, 1), (2, 3)]
    cut = ct.run(lm, PROMPT, Knockout("cue", "context", heads=[(1, 2)]), attention="all")
    cue, context = cut.spans["cue"], cut.spans["context"]
    weight = [[float(cut.attention(n, h)[cue, context].sum()) for h in range(N_HEADS)] for n in range(N_LAYERS)]
    assert [(n, h) for n in range(N_LAYERS) for h in range(N_HEADS) if weight[n][h] == 0] == [(1, 2)]
    apart = [Knockout("cue", "context", layers=[1], heads=[2])]
    assert torch.equal(cut.logits, ct.run(lm, PROMPT, apart).logits)
    for wrong, found in (([(N_LAYERS, 0)], f"layer {N_LAYERS}"), ([(0, N_HEADS)], f"head {N_HEADS}")):
        for setup in (Mask("window", size=2, heads=wrong), Knockout("cue", "context", heads=wrong)):
            with pytest.raises(CtkitError, match=found):
                ct.run(lm, PROMPT, setup)
    with pytest.raises(CtkitError, match=r"(?s)Mask\(heads=.*pairs alone"):
        Mask("causal", heads=[(0, 1)], layers=[0])


def test_what_is_kept_for_the_next_block_is_not_handed_out():
    enc = ct.run(lm_of("llama"), PROMPT).encoding
    for setup in (Mask("window", size=3), MaskGroups("111", "prefix"), Knockout("cue", "context")):
        first = setup.allow(TRIL[None], enc, 0)
        copy = first.clone()
        first[:] = False  # a careless intervention behind it
        assert torch.equal(setup.allow(TRIL[None].clone(), enc, 1), copy)
        assert TRIL.any()
    positions = masks.positions(enc, "has a")
    positions.clear()
    assert masks.positions(enc, "has a")


def test_a_row_left_empty_is_named():
    empty = {
        masks.sinks(0): r"token 0 \('A'\)",
        masks.causal() & ~masks.sinks(5): r"token 0 \('A'\)",
        masks.mutual("context", "question"): r"token 10 \(' '\)",
        masks.cells((0, 0), (1, 1)): r"token 2 \('n'\)",
        masks.retouched(masks.window(1), [(7, 7, False)]): r"token 7 \(' '\)",
        masks.parallel("context", "question") & ~masks.between("question", "question"): r"token 10 \(' '\)",
        masks.suppress("context") & ~masks.between(2, "all"): r"token 2 \('n'\)",
        masks.painted(TRIL & (torch.arange(N)[:, None] != 6)): r"token 6 \('s'\)",
    }
    for rule, row in empty.items():
        with pytest.raises(CtkitError, match=row + " nothing to attend to"):
            ct.run(lm_of("llama"), PROMPT, Mask(rule))
    with pytest.raises(CtkitError, match=r"token 0 \('A'\) nothing"):
        ct.run(lm_of("llama"), PROMPT, MaskGroups("001", masks.sinks(0)))
