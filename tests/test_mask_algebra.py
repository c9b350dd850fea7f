"""Rules as an algebra: they obey the laws of sets, and survive every round trip; each kind means what it says."""

import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import ctkit as ct
from ctkit import CtkitError, Prompt, masks
from ctkit.engine.encode import encode
from ctkit.masks import Rule

from .engine_fixtures import PROMPT
from .families import lm_of

# the type checker of the test runs draws at random from inside the strategies, which Hypothesis remarks on
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module")

ENC = encode(lm_of("llama"), PROMPT)  # context 0–9, question 10–14, cue 15–22
FACTS = encode(lm_of("llama"), Prompt(context="Ann has a. Bob has b.", question="Who?").split("context"))
SEEN = [ENC, ENC.extended((1, 2), ("x", "y")), encode(lm_of("llama"), ct.Reread().edit(PROMPT)), FACTS]
N = len(ENC)
I, J = torch.arange(N)[:, None], torch.arange(N)[None]
TRIL = J <= I

places = st.one_of(
    st.integers(-3, 9),
    st.sampled_from(["all", "prompt", "generated", "reading 2", "context", "question", "every context", "Who"]),
    st.sampled_from(["after context", "before question", "after generated", "has a"]),
    st.lists(st.integers(0, 9) | st.just("question"), max_size=3),
)
pairs = st.tuples(st.integers(-3, 9), st.integers(-3, 9))
squares = st.integers(1, 6).flatmap(
    lambda n: st.lists(st.lists(st.booleans(), min_size=n, max_size=n), min_size=n, max_size=n)
)
anywhere = st.one_of(
    st.builds(masks.causal),
    st.builds(masks.bidirectional),
    st.builds(masks.prefix, st.none() | st.integers(0, 30) | st.sampled_from(["context", "after context"])),
    st.builds(masks.window, st.integers(1, 30)),
    st.builds(masks.sinks, st.integers(0, 30)),
    st.builds(masks.between, places, places),
    st.builds(masks.mutual, places, places),
    st.builds(masks.suppress, places),
    st.sampled_from([masks.parallel(), masks.parallel("context", "question"), masks.parallel(0, (1, 2), "question")]),
    st.builds(masks.cells, pairs, pairs),
)


def joined(some):
    """Rules joined at random."""
    return st.recursive(
        some,
        lambda r: st.one_of(
            r.map(lambda a: ~a), st.builds(lambda a, b: a & b, r, r), st.builds(lambda a, b: a | b, r, r)
        ),
        max_leaves=6,
    )


rules = joined(anywhere)


@settings(max_examples=40, deadline=None)
@given(rules, rules, rules, st.sampled_from(SEEN))
def test_rules_obey_the_laws_of_sets(a, b, c, enc):
    everything = masks.bidirectional()
    equal = {
        "De Morgan for and": (~(a & b), ~a | ~b),
        "De Morgan for or": (~(a | b), ~a & ~b),
        "not twice": (~~a, a),
        "idempotence": (a & a, a | a),
        "order of and": (a & b, b & a),
        "order of or": (a | b, b | a),
        "groups of and": ((a & b) & c, a & (b & c)),
        "groups of or": ((a | b) | c, a | (b | c)),
        "and over or": (a & (b | c), (a & b) | (a & c)),
        "or over and": (a | (b & c), (a | b) & (a | c)),
        "absorption": (a | (a & b), a & (a | b)),
        "everything": (a & everything, a),
        "nothing": (a | ~everything, a),
        "complement": (a | ~a, everything),
    }
    for law, (left, right) in equal.items():
        assert torch.equal(left.matrix(enc), right.matrix(enc)), law


@settings(max_examples=40, deadline=None)
@given(joined(anywhere | st.builds(masks.painted, squares)))
def test_a_rule_is_data(rule):
    again = Rule.from_data(json.loads(json.dumps(rule.to_data())))
    coded = eval(rule.to_code(), {"ct": ct})  # our own text, which a learner will run
    assert again == rule and hash(again) == hash(rule)
    assert Rule.from_data(coded.to_data()).to_code() == coded.to_code()
    setup = ct.Setup([ct.Mask(rule)])
    assert ct.Setup.from_json(setup.to_json()) == setup


@settings(max_examples=30, deadline=None)
@given(rules, st.sampled_from(SEEN))
def test_the_code_of_a_rule_means_the_same(rule, enc):
    coded = eval(rule.to_code(), {"ct": ct})
    assert torch.equal(coded.matrix(enc), rule.matrix(enc))


def test_sinks_and_a_window():
    assert torch.equal(masks.sinks(3).matrix(ENC), TRIL & (J < 3))
    assert torch.equal((masks.sinks(2) | masks.window(4)).matrix(ENC), TRIL & ((J < 2) | (J > I - 4)))
    assert torch.equal((masks.sinks(0) | masks.window(4)).matrix(ENC), masks.window(4).matrix(ENC))
    assert torch.equal((masks.sinks(4) | masks.window(N)).matrix(ENC), TRIL), "a window as long as the text"
    assert torch.equal(masks.sinks(N).matrix(ENC), TRIL)
    assert ct.Mask("sinks", size=16).rule == masks.sinks(4) | masks.window(16), "four sinks, as the paper"
    assert ct.Mask("sinks", size=16, sinks=1).rule == masks.sinks(1) | masks.window(16)


def test_one_span_looks_ahead_at_another():
    ahead = (I < 10) & (J >= 10) & (J < 15)
    rule = masks.causal() | masks.mutual("context", "question")
    assert torch.equal(rule.matrix(ENC), TRIL | ahead)
    assert ct.Mask("mutual", pieces=["context", "question"]).rule == rule
    assert not masks.mutual("question", "context").matrix(ENC).any(), "the question stands behind the context"
    assert not masks.mutual("context", ()).matrix(ENC).any(), "no columns"
    overlapping = masks.mutual("context", "context").matrix(ENC)
    assert torch.equal(overlapping, (I < J) & (J < 10))


def test_segments_side_by_side():
    apart = (I >= 10) & (I < 15) & (J < 10)
    assert torch.equal(masks.parallel("context", "question").matrix(ENC), TRIL & ~apart)
    assert torch.equal(masks.parallel("question", "context").matrix(ENC), TRIL & ~apart), "in any order"
    for alone in (masks.parallel(), masks.parallel("context"), masks.parallel("context", ())):
        assert torch.equal(alone.matrix(ENC), TRIL)
    later = masks.parallel("question", "cue").matrix(ENC)
    assert torch.equal(later, TRIL & ~((I >= 15) & (J >= 10) & (J < 15))), "both see what is in no segment"
    together = masks.parallel(("context", "question"), "cue").matrix(ENC)
    assert torch.equal(together, TRIL & ~((I >= 15) & (J < 15))), "two pieces as one segment"
    assert ct.Mask("parallel", pieces=("context", "cue")).rule == masks.parallel("context", "cue")
    assert ct.Mask("parallel", pieces="context").rule == masks.parallel("context")
    parts = masks.parallel("context 1", "context 2").matrix(FACTS)
    assert torch.equal(masks.parallel("context").matrix(FACTS), parts), "a piece that was split counts as its parts"
    with pytest.raises(CtkitError, match=r"token 3 \(' '\) in two of them"):
        masks.parallel("context", 3).matrix(ENC)


def test_a_span_is_read_and_then_forgotten():
    hidden = (I >= 15) & (J >= 10) & (J < 15)
    assert torch.equal(masks.suppress("question").matrix(ENC), TRIL & ~hidden)
    knocked = ct.Knockout("after question", "question").allow(TRIL[None], ENC, 0)[0]
    assert torch.equal(masks.suppress("question").matrix(ENC), knocked)
    assert torch.equal(masks.suppress(()).matrix(ENC), TRIL), "nothing to forget"
    assert torch.equal(masks.suppress("all").matrix(ENC), TRIL), "nothing behind it"
    assert torch.equal(masks.suppress(("context", "question")).matrix(ENC), TRIL & ~((I >= 15) & (J < 15)))
    two = TRIL & ~((J == 2) & (I > 2)) & ~((J == 5) & (I > 5))
    assert torch.equal(masks.suppress((5, 2)).matrix(ENC), two), "each of two spans behind itself"
    assert ct.Mask("suppress", pieces="question").rule == masks.suppress("question")


def test_cells_of_a_rule():
    rule = masks.retouched(masks.causal(), [(3, 5, True), (4, 0, False), (4, 0, True), (6, 1, False), (-1, 0, False)])
    expected = TRIL.clone()
    expected[3, 5], expected[6, 1], expected[N - 1, 0] = True, False, False
    assert torch.equal(rule.matrix(ENC), expected)
    assert masks.retouched(masks.window(3), []) == masks.window(3)
    assert not masks.cells().matrix(ENC).any()


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.floats(0, 1), st.integers(0, 2**31))
def test_a_painted_matrix_is_kept_to_the_cell(n, share, seed):
    matrix = torch.rand(n, n, generator=torch.Generator().manual_seed(seed)) < share
    rule = masks.painted(matrix)
    enc = encode(lm_of("llama"), Prompt("x" * n))
    assert torch.equal(rule.matrix(enc), matrix)
    assert masks.painted(matrix.tolist()) == masks.painted(matrix.float()) == masks.painted(rule.args[0]) == rule
    longer = rule.matrix(enc.extended((1, 2), ("a", "b")))
    assert torch.equal(longer[:n, :n], matrix)
    assert torch.equal(longer[n:], torch.ones(n + 2, n + 2, dtype=torch.bool).tril()[n:]), "generated tokens are causal"
    assert not longer[:n, n:].any()


def test_a_painted_mask_fits_one_length():
    rule = masks.painted(TRIL)
    assert rule == masks.painted(f"{N}:{N * N}"), "the causal mask is a short text"
    longer = encode(lm_of("llama"), PROMPT.then(thought="b."))
    assert torch.equal(rule.matrix(longer), torch.ones(len(longer), len(longer), dtype=torch.bool).tril())
    whole = masks.painted(torch.ones(len(longer), len(longer)))
    assert whole.matrix(longer).all(), "with what was written behind it"
    for n, enc in ((N - 1, ENC), (N + 1, SEEN[1])):  # shorter; and no longer than what will be generated
        with pytest.raises(CtkitError, match=f"(?s)painted for {n} tokens.*a prompt of {N} tokens"):
            masks.painted(torch.ones(n, n)).matrix(enc)
    for other in (PROMPT.then(thought="b"), Prompt("x" * (N + 1)), Prompt("x")):
        with pytest.raises(CtkitError, match=r"(?s)painted for 26 tokens.*a prompt of \d+ tokens.*names its pieces"):
            whole.matrix(encode(lm_of("llama"), other))


LAYOUT = tuple((name, span.stop - span.start) for name, span in ENC.spans.items())


def test_paint_that_knows_its_pieces_fits_any_prompt():
    paint = TRIL.clone()
    paint[10:15, :10], paint[0, 12] = False, True  # the question no longer sees the context, "A" sees the question
    rule = masks.painted(paint, LAYOUT)
    assert torch.equal(rule.matrix(ENC), paint) and masks.resting(rule, ENC) == ()
    twice = encode(lm_of("llama"), ct.Reread().edit(PROMPT))
    matrix, second = rule.matrix(twice), twice.span("phrase (2)").start
    assert torch.equal(matrix[:15, :15], paint[:15, :15]), "the first reading keeps its paint"
    again = slice(second, twice.span("cue").start)
    assert torch.equal(matrix[again], torch.ones_like(matrix).tril()[again]), "the second one was not painted"
    other = encode(lm_of("llama"), Prompt(**{**PROMPT.pieces, "context": "Another text."}))
    assert masks.resting(rule, other) == ("context",)
    n = len(other)
    assert torch.equal(rule.matrix(other), torch.ones(n, n, dtype=torch.bool).tril()), "its paint rests"
    assert Rule.from_data(json.loads(json.dumps(rule.to_data()))) == rule == eval(rule.to_code(), {"ct": ct})
    assert masks.resting(masks.causal(), ENC) == ()


def test_a_painted_token_whose_keys_are_gone_sees_itself():
    paint = TRIL.clone()
    paint[-1, :10], paint[-1, 15:] = False, False  # the last token sees the question only
    rule = masks.painted(paint, LAYOUT)
    less = encode(lm_of("llama"), Prompt(**{name: text for name, text in PROMPT.pieces.items() if name != "question"}))
    assert masks.resting(rule, less) == ("question",)
    assert rule.matrix(less)[-1].nonzero().flatten().tolist() == [len(less) - 1]


def test_blocks_around_one():
    assert masks.around(6, 1) == (6,)
    assert masks.around(6, 0) == ()
    assert masks.around(6, 4) == (4, 5, 6, 7)
    assert masks.around(0, 9) == (0, 1, 2, 3, 4)
    assert masks.around(3, 9, n_layers=4) == (0, 1, 2, 3)
    assert [len(masks.around(20, width)) for width in range(12)] == list(range(12))
    assert ct.Knockout("cue", "context", layers=masks.around(1, 3)).layers == (0, 1, 2)


@given(st.integers(1, 12), st.integers(0, 90))
def test_groups_share_out_all_blocks(n_groups, more):
    n_layers = n_groups + more
    alone = [masks.groups("0" * i + "1" + "0" * (n_groups - 1 - i), n_layers) for i in range(n_groups)]
    assert [layer for group in alone for layer in group] == list(range(n_layers)), "consecutive, each block once"
    sizes = [len(group) for group in alone]
    assert max(sizes) - min(sizes) <= 1 and sizes == sorted(sizes, reverse=True)
    assert masks.groups("1" * n_groups, n_layers) == tuple(range(n_layers))
    assert masks.groups("0" * n_groups, n_layers) == ()


def test_there_are_sixteen_codes_of_four_groups():
    codes = masks.codes()
    assert len(set(codes)) == 16 and codes[0] == "0000" and codes[8] == "1000" and codes[-1] == "1111"
    assert masks.groups("1001", 32) == (*range(8), *range(24, 32)), "as the paper: eight blocks a group"


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (lambda: masks.sinks(-1), "-1 attention sinks"),
        (lambda: masks.sinks("4"), "'4' attention sinks"),
        (lambda: masks.cells((1, 2, 3)), r"cell \(1, 2, 3\)"),
        (lambda: masks.cells(4), "the cell 4"),
        (lambda: masks.cells(("a", 2)), "no pair of a query and a key"),
        (lambda: masks.retouched(masks.causal(), [(1, 2)]), r"painted cell \(1, 2\)"),
        (lambda: masks.painted(torch.ones(2, 3)), r"shape \(2, 3\)"),
        (lambda: masks.painted(torch.ones(2)), r"shape \(2,\)"),
        (lambda: masks.painted([]), r"(?s)shape \(0,\).*no square"),
        (lambda: masks.painted([[1, 0], [1]]), "rows of zeros and ones"),
        (lambda: masks.painted([["a"]]), "rows of zeros and ones"),
        (lambda: masks.painted(None), "rows of zeros and ones"),
        (lambda: masks.painted("2:4", [("text", 3)]), r"(?s)pieces .*a mask of 2 tokens"),
        (lambda: masks.painted("2:4", [("a", 1), ("a", 1)]), "each piece once"),
        (lambda: masks.painted("2:4", [("a", -1), ("b", 3)]), "each piece once"),
        (lambda: masks.painted("2:4", 7), "each piece once"),
        (lambda: masks.painted("2:4", [[1, 2]]), "each piece once"),
        (lambda: masks.painted("2"), "no .size:runs"),
        (lambda: masks.painted("0:0"), "0 cells for 0"),
        (lambda: masks.painted("2:1,2"), "3 cells for 2 × 2"),
        (lambda: masks.painted("9999:99980001"), "cells for 9999 × 9999"),
        (lambda: masks.painted("2:" + "1" * 99), "no .size:runs"),
        (lambda: masks.around(-1, 3), "around block -1"),
        (lambda: masks.around(2, -3), "-3 blocks"),
        (lambda: masks.around(4, 3, n_layers=4), "blocks 0 to 3"),
        (lambda: masks.around("2", 3), "around block '?-?"),
        (lambda: masks.groups("0120", 8), "zeros and ones"),
        (lambda: masks.groups("", 8), "zeros and ones"),
        (lambda: masks.groups(1000, 8), "groups of blocks 1000"),
        (lambda: masks.groups("0000", 3), "(?s)4 groups.*3 blocks"),
        (lambda: masks.codes(0), "0 groups"),
        (lambda: masks.codes(99), "99 groups"),
        (lambda: masks.mutual("context", None), "the place None"),
        (lambda: masks.parallel(2.5), "the place 2.5"),
        (lambda: ct.Mask("sinks"), r"(?s)Mask\(\"sinks\"\).*no size"),
        (lambda: ct.Mask("sinks", size=4, sinks=-2), "-2 attention sinks"),
        (lambda: ct.Mask("mutual"), r"(?s)Mask\(\"mutual\"\).*no pieces"),
        (lambda: ct.Mask("mutual", pieces="context"), "(?s)not two pieces.*who looks ahead"),
        (lambda: ct.Mask("parallel", pieces=4.5), "the place 4.5"),
        (lambda: ct.MaskGroups("12"), "zeros and ones"),
        (lambda: ct.MaskGroups("10", "window"), "no size"),
        (lambda: ct.MaskGroups("10", "lifted"), "no mask of that name"),
    ],
)
def test_what_is_no_rule_is_refused(make, found):
    with pytest.raises(CtkitError, match=found) as caught:
        make()
    assert caught.value.remedy
