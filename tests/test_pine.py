"""PINE: a list of segments read as a set. What follows is the same in every order, and as a slow reference says."""

from itertools import permutations
from math import inf, sqrt

import pytest
import torch

import ctkit as ct
from ctkit import CtkitError, Emphasize, Knockout, Pine, Prompt, Reread, Setup, Steer
from ctkit.engine.encode import encode
from ctkit.engine.generate import CACHES, generate_many
from ctkit.engine.pine import _importance, _Layout, shifts
from ctkit.engine.plan import Row
from ctkit.engine.run import run_many

from .engine_fixtures import TOLERANCE, direction, left_behind
from .families import TOKENIZER, lm_of, new_model

FACTS = {"a": "Ann has a box.", "b": "Bob.", "c": "Cid is in.", "d": "Dot was.", "e": "Eve too."}  # not of one length
PINE = Pine(["a", "b", "c"])
ROTARY = ["llama", "qwen3", "gpt_neox", "phi", "cohere", "glm", "granite", "mixtral"]


def told(order="abc", facts=FACTS, **more: str) -> Prompt:
    """The facts in some order, with something before and a question behind."""
    return Prompt(head="Say:", **{name: facts[name] for name in order}, question="Who is it?", **more)


def behind(trace) -> torch.Tensor:
    """The logits of what stands behind the facts."""
    return trace.logits[trace.spans["question"]]


def heard(lm, order="abc", *setup, facts=FACTS) -> torch.Tensor:
    """The logits behind the facts told in some order and read without one."""
    return behind(ct.run(lm, told(order, facts), PINE, *setup))


def orders(names="abc") -> list[str]:
    return ["".join(order) for order in permutations(names)]


# --- the promise: no order ---


@pytest.mark.families
@pytest.mark.parametrize("family", ROTARY)
def test_no_order_of_the_segments_changes_what_follows(family):
    lm = lm_of(family)
    expected, plain = heard(lm), behind(ct.run(lm, told()))
    for order in orders():
        torch.testing.assert_close(heard(lm, order), expected, **TOLERANCE)
    assert not torch.allclose(behind(ct.run(lm, told("cba"))), plain, atol=1e-3), "read plainly, the order counts"
    assert not torch.allclose(expected, plain, atol=1e-3)


def test_the_segments_themselves_read_the_same_too():
    lm = lm_of("llama")
    one, other = ct.run(lm, told("abc"), PINE), ct.run(lm, told("bca"), PINE)
    for name in "abc":
        torch.testing.assert_close(one.logits[one.spans[name]], other.logits[other.spans[name]], **TOLERANCE)
    plain = ct.run(lm, told())
    torch.testing.assert_close(one.logits[one.spans["head"]], plain.logits[plain.spans["head"]], **TOLERANCE)


def test_the_order_in_which_pieces_are_named_says_nothing():
    lm = lm_of("llama")
    assert torch.equal(heard(lm), behind(ct.run(lm, told(), Pine(["c", "a", "b"]))))


@pytest.mark.families
@pytest.mark.parametrize("family", ROTARY)
def test_one_segment_is_read_plainly(family):
    lm = lm_of(family)
    before = left_behind(lm)
    assert torch.equal(ct.run(lm, told(), Pine("b")).logits, ct.run(lm, told()).logits)
    assert left_behind(lm) == before


# --- the reference ---


def by_hand(lm, enc, segments: list[range]) -> torch.Tensor:
    """The logits of a Llama under PINE, token by token and head by head, as the paper's code has it."""
    core, scale = lm.model.model, 1 / sqrt(8)
    x = core.embed_tokens(torch.tensor(enc.ids, device=lm.device)).double()
    for block in core.layers:
        y = _normed(x, block.input_layernorm)
        attention = block.self_attn
        q, k, v = ((y @ getattr(attention, f"{name}_proj").weight.double().T).unflatten(-1, (-1, 8)) for name in "qkv")
        joined = torch.zeros_like(q)
        for head in range(q.shape[1]):
            shared = head // (q.shape[1] // k.shape[1])
            joined[:, head] = _read(q[:, head], k[:, shared], v[:, shared], segments, scale)
        x = x + joined.flatten(1) @ attention.o_proj.weight.double().T
        y = _normed(x, block.post_attention_layernorm)
        up, gate, down = (getattr(block.mlp, f"{name}_proj").weight.double() for name in ("up", "gate", "down"))
        x = x + (torch.nn.functional.silu(y @ gate.T) * (y @ up.T)) @ down.T
    return (_normed(x, core.norm) @ lm.model.lm_head.weight.double().T).float().cpu()


def _normed(x, norm):
    return x / (x.square().mean(-1, keepdim=True) + norm.variance_epsilon).sqrt() * norm.weight.double()


def _turn(x, place: int):
    """Rotary position: pairs (i, i + 4) of a head's 8 numbers as complex numbers, each turned at its own speed."""
    speed = 10000.0 ** (-torch.arange(4, dtype=torch.float64, device=x.device) / 4)
    turned = torch.complex(x[:4], x[4:]) * torch.exp(1j * place * speed)
    return torch.cat([turned.real, turned.imag])


def _read(q, k, v, segments, scale):
    """One head. Every segment ends where the last ends; what a query cares for stands nearest."""
    n, end = len(q), segments[-1].stop
    owner = [next((s for s, own in enumerate(segments) if i in own), None) for i in range(n)]
    base = [i if s is None else end - len(segments[s]) + i - segments[s].start for i, s in enumerate(owner)]
    region = [j for j in range(n) if owner[j] is not None]
    own_importance = []
    for i in range(n):
        seen = [j for j in region if owner[j] != owner[i]]
        weights = (k[seen] @ q[i] * scale).softmax(0).tolist()
        each = [0.0] * len(segments)
        for j, weight in zip(seen, weights, strict=True):
            each[owner[j]] += weight / len(segments[owner[j]])
        own_importance.append(each)
    rows = []
    for i in range(n):
        place = list(base)
        if i >= segments[0].start:
            asking = [i] if owner[i] is None else segments[owner[i]]
            matters = [sum(own_importance[a][s] for a in asking) for s in range(len(segments))]
            matters = [inf if s == owner[i] else matters[s] for s in range(len(segments))]
            moved = 0
            for s in sorted(range(len(segments)), key=lambda s: -matters[s]):
                for j in segments[s]:
                    place[j] = base[j] - moved
                moved += len(segments[s])
        between = owner[i] is not None
        seen = [j for j in range(n) if (place[j] <= place[i] if between and owner[j] is not None else j <= i)]
        scores = torch.stack([_turn(q[i], place[i]) @ _turn(k[j], place[j]) * scale for j in seen])
        rows.append(scores.softmax(0) @ v[seen])
    return torch.stack(rows)


@pytest.mark.parametrize("order", ["ba", "cab", "edbca"])
def test_it_is_what_the_paper_says(order):
    lm = lm_of("llama")
    trace = ct.run(lm, told(order), Pine(list(order)))
    segments = [range(trace.spans[name].start, trace.spans[name].stop) for name in order]
    with torch.no_grad():
        expected = by_hand(lm, trace.encoding, segments)
    torch.testing.assert_close(trace.logits, expected, **TOLERANCE)


def test_the_reference_with_one_segment_is_the_model():
    lm = lm_of("llama")
    trace = ct.run(lm, told())
    span = trace.spans["b"]
    with torch.no_grad():
        torch.testing.assert_close(
            by_hand(lm, trace.encoding, [range(span.start, span.stop)]), trace.logits, **TOLERANCE
        )


# --- equals are told apart by what they say ---


def layout(order: str, facts: dict[str, str]) -> _Layout:
    enc = encode(lm_of("llama"), told(order, facts))
    return _Layout(Row(enc, Setup([PINE])), len(enc), 0, len(enc))


def test_ties_are_broken_by_content():
    facts = {"a": "Ann.", "b": "Bob!", "c": "Cid, too."}
    for order in orders():
        at = layout(order, facts)
        moved = shifts(torch.ones(1, at.n_queries, 3, dtype=torch.float64), at)[0, -1]
        assert {name: int(moved[order.index(name)]) for name in "abc"} == {"a": 0, "b": 5, "c": 10}


def test_importance_is_the_mean_weight_on_another_segment():
    """A segment's tokens speak together, and their own segment has no part in it."""
    at = layout("abc", FACTS)
    spans = [range(at.n_keys)[at.row.enc.span(name)] for name in "abc"]
    scores = 4 * torch.randn(2, at.n_queries, at.n_keys, generator=torch.Generator().manual_seed(0))
    found = _importance(scores, at)
    for head in range(2):
        for asking in (*spans, [at.n_queries - 1]):
            expected = [0.0] * 3
            for i in asking:
                keys = [j for span in spans for j in span if span is not asking]
                weights = dict(zip(keys, scores[head, i, keys].double().softmax(0).tolist(), strict=True))
                for s, span in enumerate(spans):
                    expected[s] += sum(weights.get(j, 0.0) for j in span) / len(span)
            expected = [inf if span is asking else e for span, e in zip(spans, expected, strict=True)]
            for i in asking:
                assert found[head, i].tolist() == pytest.approx(expected)


def test_shifts_put_what_matters_most_nearest():
    at = layout("abc", FACTS)
    importance = torch.tensor([0.1, 0.5, 0.3], dtype=torch.float64).expand(1, at.n_queries, 3)
    moved = shifts(importance, at)[0]
    assert moved[-1].tolist() == [5 + 11, 0, 5]
    assert moved[: at.row.enc.span("head").stop].eq(0).all(), "what stands before the segments sees none of them"


def same_keys():
    """A model in which all keys are alike before they are turned: each segment matters as much as the next."""
    model = new_model("qwen2")
    with torch.no_grad():
        for block in model.model.layers:
            block.self_attn.k_proj.weight.zero_()
            bias = block.self_attn.k_proj.bias
            bias.copy_(2.0 * torch.randn(bias.shape, generator=torch.Generator().manual_seed(1)))
    return ct.wrap(model, TOKENIZER)


@pytest.mark.parametrize(
    "facts",
    [
        {"a": "Ann has it.", "b": "Bob was in.", "c": "Cid is out."},  # as long as each other
        {"a": "Ann has it.", "b": "Ann has it.", "c": "Cid is out."},  # one told twice
        FACTS,
    ],
)
def test_segments_that_matter_equally_have_no_order_either(facts):
    lm = same_keys()
    expected = heard(lm, facts=facts)
    for order in orders():
        torch.testing.assert_close(heard(lm, order, facts=facts), expected, **TOLERANCE)


@pytest.mark.families
@pytest.mark.parametrize("family", ROTARY)
def test_a_segment_told_twice(family):
    lm, facts = lm_of(family), FACTS | {"b": FACTS["a"]}
    expected = heard(lm, facts=facts)
    for order in ("abc", "acb", "cab"):
        torch.testing.assert_close(heard(lm, order, facts=facts), expected, **TOLERANCE)


# --- with a cache, in a batch, with other techniques ---


@pytest.mark.families
@pytest.mark.parametrize("family", ["llama", "gpt_neox", "cohere", "mixtral"])
def test_a_cache_changes_nothing(family):
    lm = lm_of(family)
    runs = {cache: ct.generate(lm, told(), PINE, max_new_tokens=6, cache=cache) for cache in CACHES}
    reordered = ct.generate(lm, told("cab"), PINE, max_new_tokens=6)
    for run in (*runs.values(), reordered):
        assert run.ids == runs["none"].ids
        torch.testing.assert_close(run.logits, runs["none"].logits, **TOLERANCE)
    last = ct.run(lm, told(), PINE).logits[-1]
    torch.testing.assert_close(runs["dynamic"].logits[0], last, **TOLERANCE)


def test_a_batch_changes_nothing():
    lm = lm_of("llama")
    longer = told("bca", FACTS | {"a": "Ann has a box and a key in it."})
    entries = [(told(), PINE), (longer, PINE), ("No facts at all.", Setup()), (told("ab"), Pine(["b", "a"])), told()]
    for trace, entry in zip(run_many(lm, entries), entries, strict=True):
        prompt, setup = entry if isinstance(entry, tuple) else (entry, Setup())
        torch.testing.assert_close(trace.logits, ct.run(lm, prompt, setup).logits, **TOLERANCE)
    for cache in ("dynamic", "static"):
        for many, entry in zip(generate_many(lm, entries, max_new_tokens=4, cache=cache), entries, strict=True):
            prompt, setup = entry if isinstance(entry, tuple) else (entry, Setup())
            one = ct.generate(lm, prompt, setup, max_new_tokens=4, cache="none")
            assert many.ids == one.ids
            torch.testing.assert_close(many.logits, one.logits, **TOLERANCE)


@pytest.mark.parametrize(
    "more",
    [
        Steer(direction(), strength=2.0),
        Steer(direction(), where="b", strength=3.0),
        Emphasize("a", alpha=0.1),
        Knockout("question", "c", layers=[1]),
    ],
    ids=["steer", "steer one", "emphasize", "knock out"],
)
def test_other_techniques_go_along(more):
    lm = lm_of("llama")
    expected = heard(lm, "abc", more)
    assert not torch.allclose(expected, heard(lm), atol=1e-3), "they are there"
    for order in orders():
        torch.testing.assert_close(heard(lm, order, more), expected, **TOLERANCE)


def test_rereading_goes_along():
    """Segments without an order in the first reading; the second reading tells them in one."""
    lm = lm_of("llama")
    head, a, b, c, *rest = Reread().edit(told()).parts
    expected = ct.run(lm, told(), Reread(), PINE)
    assert torch.equal(expected.logits, ct.run(lm, Prompt.of([head, a, b, c, *rest]), PINE).logits)
    for order in permutations([a, b, c]):
        trace = ct.run(lm, Prompt.of([head, *order, *rest]), PINE)
        torch.testing.assert_close(trace.logits[expected.spans["question"]], behind(expected), **TOLERANCE)
        torch.testing.assert_close(trace.logits[-1], expected.logits[-1], **TOLERANCE)
    second = ct.run(lm, told(), Reread(), Pine(["a (2)", "b (2)", "c (2)"]))
    assert not torch.allclose(second.logits[-1], expected.logits[-1], atol=1e-4)


def test_weights_are_those_of_the_moved_keys():
    lm = lm_of("llama")
    one, other = ct.run(lm, told("abc"), PINE, attention="all"), ct.run(lm, told("cab"), PINE)
    assert torch.equal(one.logits, ct.run(lm, told(), PINE).logits)
    for name in ("head", "a", "b", "c", "question"):
        mine = one.attention(1)[:, -1, one.spans[name]]
        torch.testing.assert_close(mine, other.attention(1)[:, -1, other.spans[name]], **TOLERANCE)
    torch.testing.assert_close(one.attention(0).sum(-1), torch.ones(4, len(one.ids)), **TOLERANCE)
    assert (one.attention(0)[:, one.spans["a"], one.spans["c"]] > 0).all(), "the first sees the last"
    assert (one.attention(0)[:, one.spans["head"], one.spans["head"].stop :] == 0).all()


# --- no, in words ---


@pytest.mark.families
@pytest.mark.parametrize(
    ("family", "why"),
    [
        ("gpt2", "no rotary positions"),
        ("opt", "no rotary positions"),
        ("mistral", "sliding window"),
        ("gemma2", "sliding window"),
        ("gpt_neo", "no rotary positions"),
        ("bloom", "no rotary positions"),
    ],
)
def test_models_that_cannot_are_refused_and_the_remedy_works(family, why):
    lm = lm_of(family)
    with pytest.raises(CtkitError, match=rf"(?s)segments without an order.*{why}.*ct\.load\(\)"):
        ct.run(lm, told(), PINE)
    with pytest.raises(CtkitError, match=why):
        ct.generate(lm, told(), PINE, max_new_tokens=1)
    assert why in lm.support["pine"]
    assert torch.equal(ct.run(lm, told(), Pine("a")).logits, ct.run(lm, told()).logits), "one has no order anyway"


def test_the_teaching_model_can(lm):
    assert lm.support["pine"] == "yes"
    torch.testing.assert_close(heard(lm, "cba"), heard(lm), **TOLERANCE)


def test_segments_must_be_there_and_follow_each_other():
    lm = lm_of("llama")
    with pytest.raises(CtkitError, match=r"(?s)\['a', 'c'\].*tokens between them.*follow each other directly"):
        ct.run(lm, told(), Pine(["a", "c"]))
    with pytest.raises(CtkitError, match=r"(?s)piece 'd'.*'a', 'b', 'c'"):
        ct.run(lm, told(), Pine(["a", "d"]))
    with pytest.raises(CtkitError, match="named twice"):
        Pine(["a", "b", "a"])
    for wrong in ([], [1, 2], None, 3):
        with pytest.raises(CtkitError, match=r"(?s)no names of pieces.*ct\.Pine\("):
            Pine(wrong)


def test_it_survives_its_round_trip():
    setup = Setup([PINE])
    assert Setup.from_json(setup.to_json()) == setup == eval(setup.to_code(), {"ct": ct})
