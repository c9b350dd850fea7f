"""Two runs side by side: tokens are matched by piece, word and reading."""

import pytest
import torch

import ctkit as ct
from ctkit.measures.compare import alignment

from .families import lm_of

PROMPT = ct.Prompt(context="ab cd.", question="ef?", cue="A:")


@pytest.fixture(scope="module")
def lm():
    return lm_of("llama")


def test_the_same_run_twice_is_no_difference(lm):
    pair = ct.compare(ct.run(lm, PROMPT), ct.run(lm, PROMPT))
    assert pair.align == pair.fold == tuple(range(len(pair.before.tokens)))
    assert torch.equal(pair.kl, torch.zeros(len(pair.kl)))
    assert torch.equal(pair.attention_difference(1, 2), torch.zeros(len(pair.align), len(pair.align)))
    assert all(before == after for _, before, after in pair.next_tokens)


def test_words_are_matched_to_their_last_reading(lm):
    pair = ct.compare(ct.run(lm, PROMPT), ct.run(lm, PROMPT, ct.Reread()))
    tokens = pair.after.tokens
    assert [tokens[j] for j in pair.align] == pair.before.tokens
    second = pair.after.spans["context (2)"]
    assert pair.align[pair.before.spans["context"].stop - 1] == second.stop - 1
    assert pair.align[-1] == len(tokens) - 1, "the cue is not repeated and stays the last"
    assert all(pair.fold[k] == -1 for k in range(len(tokens))[pair.after.spans["phrase (2)"]])


def test_both_readings_of_a_word_fold_onto_it(lm):
    pair = ct.compare(ct.run(lm, PROMPT), ct.run(lm, PROMPT, ct.Reread(times=3)))
    for k, i in enumerate(pair.fold):
        assert i == -1 or pair.after.tokens[k].strip() == pair.before.tokens[i].strip()
    assert sorted(pair.fold).count(0) == 3


def test_taking_a_reading_away_matches_from_the_last_one(lm):
    twice, once = ct.run(lm, PROMPT, ct.Reread()), ct.run(lm, PROMPT)
    align, fold = alignment(twice.encoding, once.encoding)
    first, second = twice.spans["context"], twice.spans["context (2)"]
    assert all(j == -1 for j in align[first])
    assert align[second.stop - 1] == first.stop - 1 and fold[first.stop - 1] == second.stop - 1


def test_the_difference_by_hand(lm):
    """Weights on all readings of a word count for it; the row is the last reading's; new tokens get the rest."""
    pair = ct.compare(ct.run(lm, PROMPT), ct.run(lm, PROMPT, ct.Reread()))
    after, before = pair.after.attention(1, 0), pair.before.attention(1, 0)
    i, j = 3, 5  # a word reads a later one
    by_hand = sum(after[pair.align[i], k] for k in range(len(pair.fold)) if pair.fold[k] == j) - before[i, j]
    difference = pair.attention_difference(1, 0)
    assert torch.isclose(difference[i, j], by_hand) and difference[i, j] > 0
    assert torch.allclose(difference.sum(-1) + pair.new_weight(1, 0), torch.zeros(len(pair.align)), atol=1e-5)


def test_kl_by_hand(lm):
    pair = ct.compare(ct.run(lm, PROMPT), ct.run(lm, PROMPT, ct.Mask("bidirectional")))
    p, q = (trace.logits[2].double().softmax(-1) for trace in (pair.before, pair.after))
    assert pair.kl[2].item() == pytest.approx(float((p * (p / q).log()).sum()), rel=1e-4)
    assert (pair.kl >= -1e-6).all()


def test_thinking_takes_the_cue_away(lm):
    pair = ct.compare(ct.run(lm, PROMPT), ct.run(lm, PROMPT, ct.Think()))
    cue = pair.before.spans["cue"]
    assert all(pair.align[i] == -1 for i in range(len(pair.align))[cue])
    assert pair.attention_difference(0, 0)[cue].isnan().all()
    assert len(pair.kl) == len(pair.pairs) == cue.start


def test_what_cannot_be_compared_is_refused(lm):
    trace = ct.run(lm, PROMPT)
    with pytest.raises(ct.CtkitError, match="two traces"):
        ct.compare(trace, "after")
    with pytest.raises(ct.CtkitError, match="two runs of one model"):
        ct.compare(trace, ct.run(ct.load(), PROMPT))
