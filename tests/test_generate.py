"""Writing token by token: greedy or with shared dice, stopped for a reason that is told."""

import math

import pytest
import torch

import ctkit as ct
from ctkit import CtkitError, Mask, Prompt, Reread, Steer
from ctkit.engine.generate import generate_many

from .engine_fixtures import EVERY, PROMPT, TOLERANCE, direction
from .families import CONTEXT, DEVICE, EOS, TOKENIZER, lm_of, new_model


@pytest.fixture(scope="module")
def lm():
    return lm_of("llama")


def test_greedy_is_what_transformers_writes(lm):
    for family in ("llama", "gpt2", "gemma2", "bloom"):
        lm = lm_of(family)
        written = ct.generate(lm, PROMPT, max_new_tokens=10)
        ids = torch.tensor([ct.run(lm, PROMPT).ids]).to(DEVICE)
        with torch.no_grad():
            expected = lm.model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=10, do_sample=False)
        assert written.ids == expected[0, ids.shape[1] :].tolist()[: written.n_written]
        assert written.n_written == 10 or written.stopped == "end"


def test_each_token_is_the_likeliest(lm):
    written = ct.generate(lm, PROMPT, max_new_tokens=5)
    assert written.ids == written.logits.argmax(-1).tolist()
    assert written.n_written == len(written.ids) == len(written.tokens) == 5
    assert written.stopped == "length"
    assert written.text == TOKENIZER.decode(written.ids)
    n = len(PROMPT.text)
    assert written.spans["generated"] == slice(n, n + 5)
    assert written.encoding.n_prompt == n
    assert written.setup == ct.Setup()


def test_the_dice_are_shared_by_seed_and_place(lm):
    texts = [ct.generate(lm, PROMPT, max_new_tokens=12, temperature=1.0, seed=seed).ids for seed in (0, 0, 1, 2)]
    assert texts[0] == texts[1]
    assert len({tuple(ids) for ids in texts}) == 3
    assert texts[0] != ct.generate(lm, PROMPT, max_new_tokens=12).ids
    cold = ct.generate(lm, PROMPT, max_new_tokens=12, temperature=1e-6, seed=3).ids
    assert cold == ct.generate(lm, PROMPT, max_new_tokens=12).ids
    nudged = ct.generate(lm, PROMPT, Steer(direction(), strength=1e-6), max_new_tokens=12, temperature=1.0, seed=0).ids
    assert nudged == texts[0], "a change too small to matter changes no throw"


def test_the_dice_are_fair(lm):
    """Over many seeds, a token comes as often as its probability says."""
    written = [ct.generate(lm, Prompt("Ann"), max_new_tokens=1, temperature=1.0, seed=seed) for seed in range(400)]
    p = written[0].logits[0].softmax(-1)
    top = int(p.argmax())
    share = sum(w.ids == [top] for w in written) / len(written)
    assert abs(share - p[top]) < 4 * math.sqrt(p[top] * (1 - p[top]) / len(written))
    sharper = (written[0].logits[0] / 0.5).softmax(-1)
    share = (
        sum(ct.generate(lm, Prompt("Ann"), max_new_tokens=1, temperature=0.5, seed=s).ids == [top] for s in range(200))
        / 200
    )
    assert abs(share - sharper[top]) < 4 * math.sqrt(sharper[top] * (1 - sharper[top]) / 200) + 1e-3


def test_the_dice_do_not_know_their_neighbours(lm):
    entries = [PROMPT, (PROMPT, Reread()), "b", "Who has it?"]
    many = generate_many(lm, entries, max_new_tokens=8, temperature=1.0, seed=5)
    for written, entry in zip(many, entries, strict=True):
        prompt, setup = entry if isinstance(entry, tuple) else (entry, ())
        assert written.ids == ct.generate(lm, prompt, setup, max_new_tokens=8, temperature=1.0, seed=5).ids


def test_every_prompt_can_have_dice_of_its_own(lm):
    options = {"max_new_tokens": 8, "temperature": 1.0}
    many = generate_many(lm, [PROMPT, "b", PROMPT, PROMPT], seed=[3, 4, 5, 3], **options)
    assert [m.ids for m in many] == [
        ct.generate(lm, prompt, seed=seed, **options).ids
        for prompt, seed in ((PROMPT, 3), ("b", 4), (PROMPT, 5), (PROMPT, 3))
    ]
    assert many[0].ids == many[3].ids != many[2].ids
    with pytest.raises(CtkitError, match="2 seeds for 3 prompts"):
        generate_many(lm, [PROMPT] * 3, seed=[1, 2])
    with pytest.raises(CtkitError, match="seed=-1"):
        generate_many(lm, [PROMPT] * 2, seed=[1, -1])


def test_a_listener_hears_every_token_and_may_stop(lm):
    heard = []
    written = ct.generate(lm, PROMPT, max_new_tokens=6, on_token=heard.append)
    assert heard == written.tokens
    stopped = ct.generate(lm, PROMPT, max_new_tokens=6, on_token=lambda token: len(heard) and False)
    assert stopped.stopped == "asked"
    assert stopped.ids == written.ids[:1]
    counts = {0: 0, 1: 0}

    def on_token(index, token):
        counts[index] += 1
        return not (index == 0 and counts[0] == 2)

    many = generate_many(lm, [PROMPT, "b"], max_new_tokens=6, on_token=on_token)
    assert [w.n_written for w in many] == [2, 6]
    assert [w.stopped for w in many] == ["asked", "length"]
    assert counts == {0: 2, 1: 6}


def test_the_end_token_ends_the_text(lm):
    class Silent(ct.Intervention):
        """The end token wins from the third written position on."""

        def residual(self, x, enc, layer):
            if layer == lm.n_layers and len(enc) >= enc.n_prompt + 2:
                x = x.clone()
                x[-1] = 100 * lm.model.get_output_embeddings().weight[EOS]
            return x

    assert ct.generate(lm, "b", max_new_tokens=5).stopped == "length"
    written = ct.generate(lm, "b", Silent(), max_new_tokens=5)
    assert (written.stopped, written.n_written, len(written.logits)) == ("end", 2, 2)
    assert EOS not in written.ids
    many = generate_many(lm, [("b", Silent()), "b"], max_new_tokens=5)
    assert [w.stopped for w in many] == ["end", "length"]
    assert many[1].ids == ct.generate(lm, "b", max_new_tokens=5).ids


@pytest.mark.parametrize("family", ["llama", "gpt2", "mistral"])
def test_the_context_ends_the_text_but_only_ones_own(family):
    lm = lm_of(family)
    almost, full, short = "x" * (CONTEXT - 3), "x" * CONTEXT, "xyz"
    written = ct.generate(lm, almost, max_new_tokens=10)
    assert (written.n_written, written.stopped) == (3, "context")
    nothing = ct.generate(lm, full, max_new_tokens=10)
    assert (nothing.n_written, nothing.text, nothing.stopped, len(nothing.logits)) == (0, "", "context", 0)
    exactly = ct.generate(lm, almost, max_new_tokens=3)
    assert (exactly.n_written, exactly.stopped) == (3, "length")
    for cache in ("dynamic", "static"):
        many = generate_many(lm, [short, almost, full, short + "y"], max_new_tokens=10, cache=cache)
        assert [w.n_written for w in many] == [10, 3, 0, 10]
        assert many[0].ids == ct.generate(lm, short, max_new_tokens=10, cache="none").ids
        assert many[1].ids == written.ids


def test_many_report_their_progress(lm):
    told = []
    generate_many(lm, ["a", "b", "c"], max_new_tokens=1, on_progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (3, 3)
    assert generate_many(lm, [], max_new_tokens=1) == []


def test_a_thought_comes_in_steps(lm):
    from dataclasses import replace

    written = replace(ct.generate(lm, PROMPT, max_new_tokens=2), text="a = 3. So b = 4. Answer: 7")
    assert written.steps == ["a = 3.", "So b = 4.", "Answer: 7"]


def test_what_was_already_written_is_gone_on_with(lm):
    whole = ct.generate(lm, PROMPT, EVERY["prefix"], max_new_tokens=6)
    head = whole.text[:3] if whole.text.isascii() and not whole.text[:1].isspace() else "abc"
    prompt = PROMPT.then(thought=head)
    on = ct.generate(lm, prompt, EVERY["prefix"], max_new_tokens=2)
    row = ct.run(lm, prompt, EVERY["prefix"])
    torch.testing.assert_close(on.logits[0], row.logits[-1], **TOLERANCE)
    assert on.spans["generated"].start == len(PROMPT.text), "all that was written is one piece"


@pytest.mark.parametrize(
    ("wishes", "remedy"),
    [
        ({"cache": "big"}, {"cache": "static"}),
        ({"cache": None}, {"cache": "none"}),
        ({"max_new_tokens": 0}, {"max_new_tokens": 1}),
        ({"max_new_tokens": 2.5}, {"max_new_tokens": 1}),
        ({"temperature": -1}, {"temperature": 0.8}),
        ({"temperature": float("nan")}, {"temperature": 0}),
        ({"temperature": "hot"}, {"temperature": 0}),
        ({"seed": -1}, {"seed": 0}),
        ({"seed": "x"}, {"seed": 1}),
    ],
)
def test_impossible_wishes_are_refused_and_the_remedy_works(lm, wishes, remedy):
    with pytest.raises(CtkitError) as caught:
        ct.generate(lm, PROMPT, **wishes)
    name, value = next(iter(remedy.items()))
    assert name in caught.value.asked
    assert ct.generate(lm, PROMPT, Mask("prefix"), **{"max_new_tokens": 1, name: value}).n_written == 1


def test_a_model_in_training_mode_is_not_a_surprise():
    model = new_model("gpt2").train()
    lm = ct.wrap(model, TOKENIZER)
    assert torch.equal(ct.run(lm, PROMPT).logits, ct.run(lm, PROMPT).logits)
