"""Mask rules as matrices, and masks at work: a forbidden key weighs nothing, and nothing else moves."""

import pytest
import torch

import ctkit as ct
from ctkit import CtkitError, Knockout, Mask, Prompt, Setup, masks
from ctkit.engine.encode import encode
from ctkit.masks import Rule

from .engine_fixtures import PROMPT, THROUGH_ATTENTION, TOLERANCE
from .families import ATTENDING, DEVICE, EAGER, FULL, N_HEADS, N_LAYERS, SINKS, WINDOW, WINDOWED, lm_of, plain

ENC = encode(lm_of("llama"), PROMPT)  # context 0–9, question 10–14, cue 15–22
N = len(ENC)
TRIL = torch.ones(N, N, dtype=torch.bool).tril()
FREE = [family for family in FULL if family not in WINDOWED]


def test_the_rules_say_what_they_say():
    places = torch.arange(N)
    i, j = places[:, None], places[None]
    assert torch.equal(masks.causal().matrix(ENC), j <= i)
    assert masks.bidirectional().matrix(ENC).all()
    assert torch.equal(masks.window(3).matrix(ENC), (j <= i) & (j > i - 3))
    assert torch.equal(masks.window(N).matrix(ENC), masks.causal().matrix(ENC))
    assert masks.prefix().matrix(ENC).all()
    assert torch.equal(masks.prefix(4).matrix(ENC), (j <= i) | ((i < 4) & (j < 4)))
    assert torch.equal(masks.prefix("question").matrix(ENC), (j <= i) | ((i < 15) & (j < 15)))
    assert torch.equal(masks.prefix(1).matrix(ENC), TRIL)
    assert torch.equal(masks.prefix(0).matrix(ENC), TRIL)
    assert torch.equal(masks.prefix(10**6).matrix(ENC), masks.bidirectional().matrix(ENC))
    cut = masks.between("question", (0, -1)).matrix(ENC)
    assert torch.equal(cut, (i >= 10) & (i < 15) & ((j == 0) | (j == N - 1)))


def test_the_prefix_is_the_prompt_without_what_was_written():
    longer = ENC.extended((1, 2), ("x", "y"))
    allowed = masks.prefix().matrix(longer)
    assert allowed[:N, :N].all()
    assert torch.equal(allowed[N:], torch.ones(N + 2, N + 2, dtype=torch.bool).tril()[N:])
    assert masks.positions(longer, "generated") == [N, N + 1]
    assert masks.positions(longer, "prompt") == list(range(N))
    assert masks.positions(longer, -1) == [N - 1], (
        "negative positions count from the prompt's end, whatever was written"
    )


def test_rules_combine_like_sets():
    a, b = masks.causal(), masks.window(4)
    assert torch.equal((a & ~b).matrix(ENC), a.matrix(ENC) & ~b.matrix(ENC))
    assert torch.equal(
        (b | masks.between("cue", "context")).matrix(ENC)[15:, :10], torch.ones(N - 15, 10, dtype=torch.bool)
    )
    assert torch.equal((~(a & b)).matrix(ENC), ((~a) | (~b)).matrix(ENC))
    for rule in (a, ~(a & b), (a | b) & ~masks.between("cue", (1, 2)), a | b | masks.prefix("context"), a & (b & ~a)):
        assert Rule.from_data(rule.to_data()) == rule
        again = eval(rule.to_code(), {"ct": ct})  # our own text, which a learner will run
        assert torch.equal(again.matrix(ENC), rule.matrix(ENC))


def test_places_in_a_prompt():
    twice = encode(lm_of("llama"), ct.Reread().edit(PROMPT))
    second = masks.positions(twice, "reading 2")
    assert "".join(twice.tokens[i] for i in second) == "\nRead the question again: Ann has a. Who?"
    assert "".join(twice.tokens[i] for i in masks.positions(twice, "reading 1")) == "Ann has a. Who?"
    assert masks.positions(ENC, "all") == list(range(N))
    assert masks.positions(ENC, "question") == list(range(10, 15))
    assert masks.positions(ENC, ()) == []
    for wrong in (N, -N - 1, "nowhere", (0, N)):
        with pytest.raises(CtkitError) as caught:
            masks.positions(ENC, wrong)
        assert caught.value.remedy


@pytest.mark.families
@pytest.mark.parametrize("family", ATTENDING)
def test_a_forbidden_key_weighs_nothing_and_rows_sum_to_one(family):
    lm = lm_of(family)
    for name, interventions in THROUGH_ATTENTION.items():
        setup = Setup(interventions)
        trace = ct.run(lm, PROMPT, setup, attention="all")
        n = len(trace.tokens)
        for layer in range(N_LAYERS):
            causal = torch.ones(1, n, n, dtype=torch.bool).tril()
            allowed = setup.allow(causal, trace.encoding, layer).expand(N_HEADS, n, n)
            weights = trace.attention(layer)
            assert (weights[~allowed] == 0).all(), name
            assert (weights >= 0).all()
            sums = weights.sum(-1)
            if family in SINKS:
                assert (sums < 1 + 1e-5).all()
                assert (sums < 1 - 1e-5).any()
            else:
                torch.testing.assert_close(sums, torch.ones_like(sums), **TOLERANCE)
            if family.partition("@")[0] in WINDOWED:
                assert within_own_window(lm, layer, weights), name


def within_own_window(lm, layer: int, weights: torch.Tensor) -> bool:
    """Whether a block that has a sliding window keeps to it."""
    kinds = getattr(lm.model.config, "layer_types", None) or ["sliding_attention"] * N_LAYERS
    if kinds[layer] != "sliding_attention":
        return True
    places = torch.arange(weights.shape[-1])
    far = (places[:, None] - places[None]).abs() >= WINDOW
    return bool((weights[:, far] == 0).all())


@pytest.mark.families
@pytest.mark.parametrize("family", ATTENDING)
def test_opening_leaves_what_stands_before_unchanged(family):
    lm, start = lm_of(family), 7
    base = ct.run(lm, PROMPT, residual="all")
    opened = Mask(masks.causal() | masks.between(tuple(range(start, N)), tuple(range(start, N))))
    edits = {
        "opening": opened,
        "cutting": Knockout(tuple(range(start, N)), (0, 3)),
        "a layer": Knockout(start, 5, layers=[1]),
    }
    for name, edit in edits.items():
        trace = ct.run(lm, PROMPT, edit, residual="all")
        exact = family not in ("mixtral", "gpt_oss") and DEVICE == "cpu"  # experts' batches, a GPU's kernels change
        close = {"atol": 0, "rtol": 0} if exact else TOLERANCE
        torch.testing.assert_close(trace.logits[:start], base.logits[:start], **close)
        assert not torch.allclose(trace.logits[start:], base.logits[start:], atol=1e-4), name
        for layer in range(N_LAYERS + 1):
            torch.testing.assert_close(trace.residual(layer)[:start], base.residual(layer)[:start], **close)


@pytest.mark.families
@pytest.mark.parametrize("family", ATTENDING)
def test_a_prefix_of_one_token_is_causal_bit_for_bit(family):
    lm = lm_of(family)
    expected = plain(lm, ct.run(lm, PROMPT).ids)
    assert torch.equal(ct.run(lm, PROMPT, Mask("prefix", until=1)).logits, expected)
    assert torch.equal(ct.run(lm, PROMPT, Mask(masks.prefix(1), heads=[0])).logits, expected)
    assert torch.equal(ct.run(lm, PROMPT, Mask("bidirectional"), Mask("causal")).logits, expected), (
        "the last mask counts"
    )


@pytest.mark.families
@pytest.mark.parametrize("family", [*FREE, "llama@eager", "gpt2@eager"])
def test_bidirectional_is_what_transformers_calls_not_causal(family):
    lm = lm_of(family)
    trace = ct.run(lm, PROMPT, Mask("bidirectional"))
    expected = plain(lm, trace.ids, is_causal=False)
    ignored = torch.equal(expected, plain(lm, trace.ids))
    assert ignored == (family == "stablelm"), "transformers ignores the flag there"
    if not ignored:
        torch.testing.assert_close(trace.logits, expected, **TOLERANCE)


def four_d(lm, matrix: torch.Tensor):
    """A (head, query, key) matrix as the mask that a user would hand to a plain model, own sliding windows included."""
    places = torch.arange(matrix.shape[-1])
    near = (places[:, None] - places[None]).abs() < WINDOW
    kinds = getattr(lm.model.config, "layer_types", None)
    both = {"full_attention": matrix, "sliding_attention": matrix & near}
    additive = {
        kind: torch.zeros(m.shape)[None].masked_fill(~m[None], torch.finfo(torch.float32).min).to(DEVICE)
        for kind, m in both.items()
    }
    if kinds is None or len(set(kinds)) == 1:
        windowed = lm.model.config.model_type in WINDOWED
        return additive["sliding_attention" if windowed else "full_attention"]
    return additive


@pytest.mark.families
@pytest.mark.parametrize("family", [f for f in (*FULL, *EAGER) if f != "opt"])  # opt counts positions from a 2D mask
@pytest.mark.parametrize("kind", ["prefix", "per head", "window", "hole"])
def test_a_mask_does_what_the_same_mask_by_hand_does(family, kind):
    lm = lm_of(family)
    setup = {
        "prefix": [Mask("prefix", until="question")],
        "per head": [Mask("bidirectional", heads=[1]), Knockout("cue", "context", heads=[0, 3])],
        "window": [Mask("window", size=3)],
        "hole": [Mask(masks.causal() & ~masks.between("cue", "question"))],
    }[kind]
    trace = ct.run(lm, PROMPT, setup)
    matrix = Setup(setup).allow(TRIL[None], trace.encoding, 0).expand(N_HEADS, N, N)
    expected = plain(lm, trace.ids, attention_mask=four_d(lm, matrix))
    torch.testing.assert_close(trace.logits, expected, **TOLERANCE)
    assert not torch.allclose(trace.logits, plain(lm, trace.ids), atol=1e-3)


@pytest.mark.families
@pytest.mark.parametrize("family", ["llama", "gpt2", "mistral", "gemma2", "gpt_oss"])
def test_a_mask_in_one_layer_and_head_touches_no_other(family):
    lm = lm_of(family)
    base = ct.run(lm, PROMPT, attention="all", residual="all")
    trace = ct.run(lm, PROMPT, Mask("window", size=2, layers=[1], heads=[2]), attention="all", residual="all")
    assert torch.equal(trace.attention(0), base.attention(0))
    assert torch.equal(trace.residual(1), base.residual(1))
    others = [0, 1, 3]
    torch.testing.assert_close(trace.attention(1)[others], base.attention(1)[others], **TOLERANCE)
    assert (trace.attention(1, 2).tril(-2) == 0).all()
    assert not torch.allclose(trace.residual(2), base.residual(2), atol=1e-4)


def test_a_row_keeps_itself_or_the_setup_is_refused():
    lm = lm_of("llama")
    own = torch.eye(N, dtype=torch.bool)
    assert masks.causal().matrix(ENC)[own].all()
    kept = Knockout("all", "all").allow(TRIL[None], ENC, 0)
    assert torch.equal(kept[0], own)
    with pytest.raises(CtkitError, match=r"token 9 \('\.'\) nothing to attend to") as caught:
        ct.run(lm, PROMPT, Mask(masks.causal() & ~masks.between(9, "all")))
    assert "masks.window(1)" in caught.value.remedy
    mended = Mask(masks.causal() & ~masks.between(9, "all") | masks.window(1))
    assert (ct.run(lm, PROMPT, mended).attention(0)[:, 9, :9] == 0).all()


def test_a_setup_that_leaves_nothing_in_the_models_own_window_is_refused():
    far = Mask(masks.causal() & ~masks.between(N - 1, tuple(range(N - WINDOW, N))))
    assert ct.run(lm_of("llama"), PROMPT, far).logits.isfinite().all()
    for family in ("mistral", "mistral@eager", "gemma2"):
        with pytest.raises(CtkitError, match="the model's own mask and the setup together"):
            ct.run(lm_of(family), PROMPT, far)


def test_edges_between_words_of_one_piece_are_cut_both_from_and_to():
    trace = ct.run(lm_of("llama"), Prompt(a="one", b="two"), Knockout("b", "a"))
    a, b = trace.spans["a"], trace.spans["b"]
    for layer in range(N_LAYERS):
        assert (trace.attention(layer)[:, b, a] == 0).all()
        assert (trace.attention(layer)[:, b, b].sum(-1) - 1).abs().max() < 1e-5
