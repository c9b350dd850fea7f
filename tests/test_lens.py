"""The logit lens: the last layer is the model, every other is read by its own last steps; a token by its text."""

from dataclasses import replace
from math import log

import pytest
import torch

import ctkit as ct
from ctkit import CtkitError, Reread, Steer
from ctkit.engine.unembed import unembed
from ctkit.measures import lens as module
from ctkit.measures.tokens import token_id

from .engine_fixtures import PROMPT, direction
from .families import N_LAYERS, TOKENIZER, VOCAB, lm_of

HUNT = ct.tasks.get("hunt")


@pytest.mark.parametrize("family", ["llama", "gpt2", "gemma2", "bloom"])
def test_each_layer_is_its_stream_read_out(family):
    lm = lm_of(family)
    found = ct.lens(lm, PROMPT, Reread())
    trace = ct.run(lm, PROMPT, Reread())
    assert found.logits.shape == (N_LAYERS + 1, len(trace.ids), VOCAB) and found.tokens == trace.tokens
    assert found.logits[-1].equal(trace.logits), "the last layer is the model itself, bit for bit"
    for layer in range(N_LAYERS):
        torch.testing.assert_close(found.logits[layer], unembed(lm, trace.residual(layer)), atol=1e-5, rtol=1e-5)
    assert not torch.allclose(found.logits[1], found.logits[2], atol=0.1)


def test_some_positions_are_as_all():
    lm = lm_of("llama")
    whole, part = ct.lens(lm, PROMPT), ct.lens(lm, PROMPT, at=("question", -1))
    places = [*range(len(whole.tokens))[whole.trace.spans["question"]], len(whole.tokens) - 1]
    assert list(part.positions) == places
    torch.testing.assert_close(part.logits, whole.logits[:, places], atol=1e-5, rtol=1e-5)
    assert part.next_tokens(3, -1)[2][0][0] == whole.next_tokens(3, -1)[2][0][0]


def test_steering_shows_from_its_layer_on():
    lm = lm_of("llama")
    plain, steered = ct.lens(lm, PROMPT), ct.lens(lm, PROMPT, Steer(direction(layer=2), strength=3))
    torch.testing.assert_close(steered.logits[:2], plain.logits[:2], atol=1e-5, rtol=1e-5)
    assert (steered.logits[2:] - plain.logits[2:]).abs().amax((1, 2)).min() > 0.1
    idle = ct.lens(lm, PROMPT, Steer(direction(layer=2), strength=0))
    assert idle.logits.equal(plain.logits)


@pytest.fixture
def made():
    """Three layers, two positions, four tokens, with numbers of our own."""
    logits = torch.tensor([
        [[3.0, 1, 0, 0], [0, 2, 0, 0]],
        [[0.0, 4, 1, 0], [0, 0, 2, 0]],
        [[0.0, 4, 1, 0], [0, 2, 0, 1]],
    ])  # fmt: skip
    trace = ct.run(lm_of("llama"), "ab")
    return module.Lens(trace, (0, 1), logits, lambda token: int(token))


def test_what_is_read_off_the_logits(made):
    assert made.final.tolist() == [1, 1]
    assert made.settled.tolist() == [1, 2], "the second position had it at first, and lost it on the way"
    p = made.logits.softmax(-1)
    torch.testing.assert_close(made.probability(2), p[..., 2])
    torch.testing.assert_close(made.cross_entropy(), -p[..., 1].log())
    assert made.rank(1).tolist() == [[2, 1], [1, 2], [1, 1]]
    assert made.rank(0)[1].tolist() == [3, 2], "of equals the better place"
    assert made.kl[-1].abs().max() == 0 and made.kl[0].min() > 0
    want = (p[-1, 0] * (p[-1, 0] / p[0, 0]).log()).sum()
    torch.testing.assert_close(made.kl[0, 0], want)
    assert [row[0][1] for row in made.next_tokens(1, 0)] == pytest.approx(p[:, 0].amax(-1).tolist())


def test_a_dead_unembedding_knows_nothing():
    lm = lm_of("llama")
    head = lm.model.get_output_embeddings().weight
    kept = head.detach().clone()
    try:
        head.data.zero_()
        found = ct.lens(lm, PROMPT)
        torch.testing.assert_close(found.cross_entropy(), torch.full_like(found.cross_entropy(), log(VOCAB)))
    finally:
        head.data.copy_(kept)


def test_the_trained_model_goes_from_place_to_place(lm, record_property):
    """Four hops: after two blocks the lens finds the first place, at the end the last."""
    problems = [HUNT.generate(seed, 4) for seed in range(40)]
    first, last = [], []
    for problem in problems:
        found = ct.lens(lm, problem.prompt, at=-1)
        first.append(found.next_tokens(1)[2][0][0].strip() == problem.steps[0].split()[-1][:-1])
        last.append(found.next_tokens(1)[-1][0][0].strip() == problem.answer)
    record_property(
        "measured", f"lens on hunt, 4 hops: hop 1 on top at layer 2 in {sum(first)} of 40, answer {sum(last)}"
    )
    assert sum(first) >= 30 and sum(last) >= 25


def test_it_prints_layer_by_layer(lm):
    found = ct.lens(lm, HUNT.generate(3, 4).prompt, at=-1)
    lines = str(found).splitlines()
    assert len(lines) == lm.n_layers + 2 and "':'" in lines[0]
    token, p = found.next_tokens(1)[-1][0]
    assert f"{token!r} {p:.2f}" in lines[-1]


def test_a_token_by_its_text(lm):
    box = token_id(lm, "box")
    assert lm.tokenizer.decode([box]) == " box" and token_id(lm, box) == box == token_id(lm, " box")
    assert token_id(lm_of("llama"), "b") == TOKENIZER("b")["input_ids"][0], "no token holds a space and the letter"
    with pytest.raises(CtkitError, match=r"(?s)'key'.*3 tokens.*'k', 'e', 'y'.*one of these"):
        token_id(lm_of("llama"), "key")
    for wrong in (True, "", None, 2.5):
        with pytest.raises(CtkitError, match='a word such as "box"'):
            token_id(lm, wrong)
    with pytest.raises(CtkitError, match=rf"token {VOCAB}.*\n.*{VOCAB} tokens.*\n.*0 to {VOCAB - 1}"):
        token_id(lm_of("llama"), VOCAB)


def test_what_has_no_lens_is_refused(monkeypatch):
    lm = lm_of("llama")
    with pytest.raises(CtkitError, match=r"(?s)lens at \(\).*no token there.*context"):
        ct.lens(lm, PROMPT, at=())
    found = ct.lens(lm, PROMPT, at=-1)
    with pytest.raises(CtkitError, match=r"(?s)lens at position 3.*at=\"all\""):
        found.next_tokens(1, at=3)
    without = replace(lm, support={**lm.support, "steer": "it has several streams"})
    with pytest.raises(CtkitError, match="it has several streams"):
        ct.lens(without, PROMPT)
    monkeypatch.setattr(module, "MOST", 5000)
    with pytest.raises(CtkitError, match=r"(?s)4 layers and 259 tokens: more than 2 GiB.*at=-1"):
        ct.lens(lm, PROMPT)
    assert len(ct.lens(lm, PROMPT, at=-1).positions) == 1, "the remedy works"
