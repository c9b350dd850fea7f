"""The peak of attention and the order it chooses: right sums, and no gain where order does nothing."""

from math import factorial

import pytest
import torch

import ctkit as ct
from ctkit import CtkitError, Knockout, Prompt
from ctkit.measures import peak as module
from ctkit.measures.order_selection import OrderSelection, order_selection
from ctkit.measures.peak import BestOrder, best_order, best_orders, peak_attention

from .families import N_LAYERS, lm_of

HUNT = ct.tasks.get("hunt")
PROMPT = Prompt(context="A is b. C is d. E is f.", question="A?")
NAMES = ("context 1", "context 2", "context 3")


def test_contributions_add_up_over_layers_and_average_over_heads():
    trace = ct.run(lm_of("llama"), PROMPT.split("context").then(answer="bd"), attention="all")
    found = peak_attention(trace, NAMES)
    answer = range(len(trace.ids))[trace.spans["answer"]]
    for d, name in enumerate(NAMES):
        of_layers = [trace.attention(layer)[:, answer, trace.spans[name]].sum(-1).mean() for layer in range(N_LAYERS)]
        torch.testing.assert_close(found.accumulated[:, d], torch.stack(of_layers).cumsum(0), atol=1e-6, rtol=1e-5)
    assert found.peak == pytest.approx(float(found.accumulated[-1].max())) and 0 < found.peak < N_LAYERS
    assert found.document == NAMES[int(found.accumulated[-1].argmax())]
    turned = peak_attention(trace, NAMES[::-1])
    assert turned.peak == found.peak and turned.document == found.document


def test_a_document_that_is_cut_off_gives_nothing():
    prompt = PROMPT.split("context").then(answer="b")
    cut = ct.run(lm_of("llama"), prompt, Knockout("answer", "context 2"), attention="all")
    assert peak_attention(cut, NAMES).contributions[..., 1].max() == 0
    assert peak_attention(cut, NAMES, "question").contributions[..., 1].min() > 0, "the question still sees it"


def test_all_orders_are_tried_where_they_are_few():
    lm = lm_of("llama")
    found = best_order(lm, PROMPT, "context", k=6)
    assert len(set(found.orders)) == len(found.orders) == factorial(3)
    assert found.best == max(range(6), key=found.peaks.__getitem__)
    assert (found.order, found.answer) == (found.orders[found.best], found.answers[found.best])
    four = best_order(lm, PROMPT, "context", k=4, seed=1)
    assert len(set(four.orders)) == 4 and set(four.orders) < set(found.orders)
    assert best_order(lm, PROMPT, "context", k=4, seed=1) == four
    assert best_order(lm, PROMPT.split("context"), NAMES, k=6).peaks == found.peaks, "named or cut, the same documents"


@pytest.mark.parametrize(("looking", "back"), [("answer", 0), ("writing", 1)])
def test_each_order_is_answered_and_read_as_alone(lm, looking, back):
    problem = HUNT.generate(1, 2)
    found = best_order(lm, problem.prompt, "context", k=3, looking=looking)
    for order, answer, peak in zip(found.orders, found.answers, found.peaks, strict=True):
        prompt = ct.Permute("context", order).edit(problem.prompt)
        assert prompt.text != problem.prompt.text and sorted(prompt.text) == sorted(problem.prompt.text)
        written = ct.generate(lm, prompt, max_new_tokens=8)
        assert answer == written.text.strip().split(".")[0].split("\n")[0].strip()
        trace = ct.run(lm, prompt.then(answer=answer), attention="all")
        span = trace.spans["answer"]
        place = range(span.start - back, span.stop - back)
        assert peak == pytest.approx(peak_attention(trace, order, place).peak, abs=1e-5)


def test_batches_do_not_show(monkeypatch, lm):
    asked = [(HUNT.generate(seed, 2).prompt, "context") for seed in range(3)]
    whole = best_orders(lm, asked, ct.Setup(), k=4)
    monkeypatch.setattr(module, "AT_ONCE", 5)
    for one, other in zip(whole, best_orders(lm, asked, ct.Setup(), k=4), strict=True):
        assert one.answers == other.answers and one.peaks == pytest.approx(other.peaks, abs=1e-5)


def test_equal_documents_leave_nothing_to_choose():
    same = Prompt(context="A is b. A is b. A is b.", question="A?")
    found = best_order(lm_of("llama"), same, "context")
    assert len(set(found.answers)) == 1 and max(found.peaks) - min(found.peaks) < 1e-6


def selection(peaks: torch.Tensor, right: torch.Tensor) -> OrderSelection:
    """Problems with given peaks and outcomes."""
    found = tuple(BestOrder((("a", "b"),) * len(p), ("x",) * len(p), tuple(p)) for p in peaks.tolist())
    return OrderSelection(found, tuple(tuple(row) for row in right.tolist()))


def test_a_peak_that_knows_nothing_gains_nothing():
    source = torch.Generator().manual_seed(0)
    held = 0
    for _ in range(200):
        peaks, right = torch.rand(60, 8, generator=source), torch.rand(60, 8, generator=source) < 0.4
        low, high = selection(peaks, right).interval
        held += low <= 0 <= high
    assert 0.9 <= held / 200 <= 0.99
    informed = selection(peaks + 0.5 * right, right)
    assert informed.interval[0] > 0.2 and informed.peaks[0] > informed.peaks[1]
    assert informed.possible >= informed.chosen > informed.random == pytest.approx(float(right.float().mean()))


def test_where_order_does_nothing_the_difference_is_nothing():
    source = torch.Generator().manual_seed(1)
    every = (torch.rand(50, 1, generator=source) < 0.4).expand(50, 8)
    found = selection(torch.rand(50, 8, generator=source), every)
    assert found.difference == 0 and found.interval == (0, 0) and found.chosen == found.random == found.possible


def test_one_hop_is_answered_in_any_order(lm):
    found = order_selection(lm, [HUNT.generate(seed, 1) for seed in range(12)], k=4)
    assert found.n == 12 and all(len(own) == 4 for own in found.right)
    assert found.random == found.chosen == 1 and found.difference == 0 and found.peaks[1] != found.peaks[1]
    assert "12 problems: largest peak 100.0%, random order 100.0%, +0.0 points" in str(found)


def test_whose_attention_counts_decides(lm, record_property):
    """Four hops: in this model the place that writes points the right way, the written token the wrong way."""
    problems = [HUNT.generate(seed, 4) for seed in range(40)]
    said = {}
    for looking in ("answer", "writing"):
        said[looking] = order_selection(lm, problems, k=10, looking=looking)
        record_property("measured", f"orders of hunt with 4 hops, attention of the {looking}: {said[looking]}")
    assert said["answer"].interval[1] < 0 < said["writing"].difference
    assert said["answer"].right == said["writing"].right


def test_what_cannot_be_ordered_is_refused(lm):
    one = Prompt(context="A is b.", question="A?")
    with pytest.raises(CtkitError, match=r"(?s)orders of the documents 'context'.*1 of them.*two pieces or more"):
        best_order(lm, one, "context")
    with pytest.raises(CtkitError, match=r"(?s)2 of them.*each once"):
        best_order(lm, PROMPT.split("context"), ["context 1", "context 1"])
    with pytest.raises(CtkitError, match="the piece 'story'"):
        best_order(lm, PROMPT, "story")
    for k in (0, 2.5):
        with pytest.raises(CtkitError, match=r"(?s)nothing to choose from.*k=20"):
            best_order(lm, PROMPT, "context", k=k)
    with pytest.raises(CtkitError, match=r"(?s)attention of 'cue'.*answer, writing"):
        best_order(lm, PROMPT, "context", looking="cue")
    with pytest.raises(CtkitError, match=r"(?s)choice of orders.*no problems.*hunt"):
        order_selection(lm, [])
    with pytest.raises(CtkitError, match=r"(?s)choice of orders.*a Prompt.*hunt"):
        order_selection(lm, [PROMPT])
    trace = ct.run(lm_of("llama"), PROMPT.then(answer="b"))
    with pytest.raises(CtkitError, match=r"(?s)peak of attention.*no documents"):
        peak_attention(trace, [])
