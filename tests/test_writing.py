"""What a written text keeps: how it was read, where it was stopped, and what was put into the model's mouth."""

import signal
import threading
from dataclasses import dataclass

import pytest
import torch

import ctkit as ct
from ctkit import Intervention, Prompt, Setup, Steer, Think
from ctkit.engine import batch
from ctkit.engine.generate import CACHES, Interrupted, generate_many

from .engine_fixtures import PROMPT, TOLERANCE, caches_of, direction, left_behind, setups_for
from .families import EOS, N_HEADS, N_LAYERS, TOKENIZER, lm_of, recorded

WAIT, CUE, XYZ, (STOP,) = (TOKENIZER(text)["input_ids"] for text in (" Wait", " Answer:", "xyz", "."))


@pytest.fixture(autouse=True)
def interruptible():
    """Interrupts raise KeyboardInterrupt here, also where the tests were started in the background and ignore them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, handler)


@dataclass(frozen=True)
class Ends(Intervention):
    """Writes full stops, and ends wherever so many tokens, or a multiple of them, were written."""

    every: int = 4

    def residual(self, x, enc, layer):
        written = len(enc) - enc.n_prompt
        if layer != enc.shape.n_layers:
            return x
        x = x.clone()
        x[-1] = stream_of(EOS if written and written % self.every == 0 else STOP)
        return x


def stream_of(id_: int) -> torch.Tensor:
    """A last stream from which the Llama says this token."""
    model = lm_of("llama").model
    wanted = torch.linalg.pinv(model.get_output_embeddings().weight.detach())[:, id_]
    return wanted / model.model.norm.weight.detach()


@dataclass(frozen=True)
class Says(Intervention):
    """Puts words there as soon as so much is written, once."""

    words: str = "xyz"
    after: int = 2

    def goes_on(self, prompt, written, ended):
        return self.words if len(written) > self.after and self.words not in written else None


# --- how it was read ---


@pytest.mark.families
@pytest.mark.parametrize("family", ["llama", "gpt2", "mistral", "gpt_neo", "bloom", "gpt_oss"])
def test_a_written_text_can_be_looked_into(family):
    lm = lm_of(family)
    before = left_behind(lm)
    for name, setup in setups_for(lm).items():
        for cache in ("dynamic", "none"):
            written = ct.generate(lm, PROMPT, setup, max_new_tokens=4, cache=cache)
            trace, n = written.trace, written.encoding.n_prompt
            assert trace.tokens[n:] == written.tokens and trace.ids == list(written.encoding.ids)
            assert trace.spans["generated"] == slice(n, n + written.n_written)
            rows = trace.logits[n - 1 : -1]
            torch.testing.assert_close(rows, written.logits, **TOLERANCE, msg=lambda m, w=name: f"{w}: {m}")
            weights = written.attention(1)
            assert weights.shape == (N_HEADS, len(trace.ids), len(trace.ids))
            assert torch.equal(weights[2], written.attention(1, 2))
            assert torch.equal(weights, trace.attention(1))
            assert trace.residual(N_LAYERS).shape[0] == len(trace.ids)
    assert left_behind(lm) == before


def test_written_tokens_attend_as_transformers_says():
    lm = lm_of("llama@eager")
    written = ct.generate(lm, PROMPT, max_new_tokens=5)
    expected = recorded(lm.model, written.encoding.ids, "attentions")
    for layer in range(N_LAYERS):
        torch.testing.assert_close(written.attention(layer), expected[layer], **TOLERANCE)
    cut = ct.generate(lm, PROMPT, ct.Knockout("generated", "context"), max_new_tokens=5)
    n = cut.encoding.n_prompt
    assert cut.attention(0)[:, n:, cut.spans["context"]].eq(0).all()
    assert cut.attention(0)[:, n - 1, cut.spans["context"]].gt(0).all()


def test_it_is_read_once_and_only_where_it_is_asked_for():
    lm, passes = lm_of("llama"), []
    hook = lm.model.register_forward_pre_hook(lambda *_: passes.append(1))
    try:
        written = ct.generate(lm, PROMPT, max_new_tokens=3)
        n = len(passes)
        assert written.trace is written.trace and len(passes) == n + 1
        written.attention(0), written.attention(0, 1)
        assert len(passes) == n + 2
    finally:
        hook.remove()


def test_of_many_each_is_looked_into_alone():
    lm = lm_of("llama")
    entries = [(PROMPT, Steer(direction(), strength=3.0)), "b", "Who has it?"]
    for written, entry in zip(generate_many(lm, entries, max_new_tokens=4), entries, strict=True):
        prompt, setup = entry if isinstance(entry, tuple) else (entry, Setup())
        alone = ct.generate(lm, prompt, setup, max_new_tokens=4)
        assert written.trace.ids == alone.trace.ids
        torch.testing.assert_close(written.attention(2), alone.attention(2), **TOLERANCE)
        torch.testing.assert_close(written.trace.mlp(1), alone.trace.mlp(1), **TOLERANCE)


def test_where_the_end_or_a_listener_stopped_it():
    lm = lm_of("llama")
    ended = ct.generate(lm, PROMPT, Ends(), max_new_tokens=9)
    assert (ended.stopped, ended.n_written) == ("end", 4)
    asked = ct.generate(lm, PROMPT, max_new_tokens=9, on_token=lambda token: False)
    for written in (ended, asked):
        assert written.trace.tokens[len(PROMPT.text) :] == written.tokens
        assert len(written.logits) == written.n_written
        assert EOS not in written.trace.ids
    nothing = ct.generate(lm, "x" * 256, max_new_tokens=3)
    assert (nothing.n_written, nothing.tokens, len(nothing.trace.ids)) == (0, [], 256)


# --- where it was interrupted ---


def stops_at(number: int, how):
    """A listener that interrupts at its `number`-th token."""
    heard = []

    def on_token(*token):
        heard.append(token)
        if len(heard) == number:
            how()

    return on_token


def raised():
    raise KeyboardInterrupt


HOW = {"signal": lambda: signal.raise_signal(signal.SIGINT), "raised": raised}


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("family", ["llama", "bloom"])
@pytest.mark.parametrize("setup", [(), (Steer(direction()),)], ids=["plain", "steered"])
def test_an_interrupt_keeps_what_is_there(family, how, setup):
    lm = lm_of(family)
    before, whole = left_behind(lm), ct.generate(lm, PROMPT, setup, max_new_tokens=8)
    with pytest.raises(Interrupted) as caught:
        ct.generate(lm, PROMPT, setup, max_new_tokens=8, on_token=stops_at(3, HOW[how]))
    part = caught.value.generation
    assert isinstance(caught.value, KeyboardInterrupt)
    assert part.ids == whole.ids[:3] and part.stopped == "interrupted"
    assert (part.n_written, len(part.logits), len(part.tokens)) == (3, 3, 3)
    assert torch.equal(part.logits, whole.logits[:3])
    assert part.text == TOKENIZER.decode(part.ids)
    assert "token 3 of at most 8" in str(caught.value)
    assert left_behind(lm) == before
    torch.testing.assert_close(part.trace.logits[-4:-1], part.logits, **TOLERANCE)
    assert caught.value.generations == [part]


def test_an_interrupt_before_the_first_token():
    class Halts(Intervention):
        """Interrupts the reading of the prompt."""

        def residual(self, x, enc, layer):
            raise KeyboardInterrupt

    lm = lm_of("llama")
    before = left_behind(lm)
    with pytest.raises(Interrupted) as caught:
        ct.generate(lm, PROMPT, Halts(), max_new_tokens=8)
    part = caught.value.generation
    assert (part.n_written, part.text, part.stopped, len(part.logits)) == (0, "", "interrupted", 0)
    assert "token 0 of at most 8" in str(caught.value)
    assert left_behind(lm) == before


@pytest.mark.parametrize("how", HOW)
def test_an_interrupt_among_many(how, monkeypatch):
    """Two short texts go first, the longer ones after them: one batch is done, one begun, one not."""
    monkeypatch.setattr(batch, "BATCH_TOKENS", 40)
    lm = lm_of("llama")
    prompts = ["x" * 15, "ab", "cd", "y" * 30]
    whole = generate_many(lm, prompts, max_new_tokens=6)
    with pytest.raises(Interrupted) as caught:
        generate_many(lm, prompts, max_new_tokens=6, on_token=stops_at(2 * 6 + 2, HOW[how]))
    found = caught.value.generations
    assert found[1].ids == whole[1].ids and found[2].ids == whole[2].ids
    assert [None if g is None else g.stopped for g in found] == ["interrupted", "length", "length", None]
    assert found[0].ids == whole[0].ids[:2]
    assert caught.value.generation is found[0]
    assert "token 2 of at most 6 of text 1 of 4" in str(caught.value)


def test_in_a_batch_each_text_keeps_its_own():
    lm = lm_of("llama")
    whole = generate_many(lm, ["ab", "cd"], max_new_tokens=6)
    with pytest.raises(Interrupted) as caught:
        generate_many(lm, ["ab", ("cd", Ends(1))], max_new_tokens=6, on_token=stops_at(4, raised))
    first, second = caught.value.generations
    assert first.ids == whole[0].ids[: first.n_written] and first.stopped == "interrupted"
    assert second.stopped == "end" and second.n_written == 1, "it had ended before"


# --- what is put into its mouth ---


def test_words_put_there_are_tokens_like_others():
    lm, heard = lm_of("llama"), []
    plain = ct.generate(lm, PROMPT, max_new_tokens=8)
    told = ct.generate(lm, PROMPT, Says(), max_new_tokens=8, on_token=heard.append)
    at = next(i for i in range(8) if told.ids[i : i + 3] == XYZ)
    assert told.tokens[at : at + 3] == ["x", "y", "z"] and heard == told.tokens
    assert told.ids[:at] == plain.ids[:at] and 0 < at < 5
    assert len(told.logits) == told.n_written == 8
    torch.testing.assert_close(told.logits, told.trace.logits[len(PROMPT.text) - 1 : -1], **TOLERANCE)
    assert told.logits[at].argmax() == plain.ids[at], "the scores are still the model's own"
    free = [i for i in range(8) if not at <= i < at + 3]
    assert [told.ids[i] for i in free] == told.logits[free].argmax(-1).tolist()
    runs = [ct.generate(lm, PROMPT, Says(), max_new_tokens=8, cache=cache) for cache in CACHES]
    for run in runs:
        assert run.ids == told.ids
        torch.testing.assert_close(run.logits, told.logits, **TOLERANCE)
    cut = ct.generate(lm, PROMPT, Says(), max_new_tokens=at + 2)
    assert cut.ids == told.ids[: at + 2], "the words are cut where the room ends"
    stopped = ct.generate(lm, PROMPT, Says(), max_new_tokens=8, on_token=lambda token: token != "y")
    assert (stopped.stopped, stopped.tokens[-1]) == ("asked", "y")


def test_waiting_in_place_of_the_end():
    lm = lm_of("llama")
    plain = ct.generate(lm, PROMPT, Think(), Ends(), max_new_tokens=30)
    assert (plain.stopped, plain.n_written) == ("end", 4)
    idle = ct.generate(lm, PROMPT, Think(waits=0), Ends(), max_new_tokens=30)
    assert idle.ids == plain.ids and torch.equal(idle.logits, plain.logits)
    more = ct.generate(lm, PROMPT, Think(waits=1), Ends(), max_new_tokens=30)
    assert (plain.text, more.text) == ("....", ".... Wait...")
    assert more.ids[:9] == plain.ids + WAIT and (more.stopped, more.n_written) == ("end", 12)
    assert EOS not in more.ids and more.logits[4].argmax() == EOS, "the end was what the model wanted"
    torch.testing.assert_close(more.logits[:4], plain.logits, **TOLERANCE)
    two = ct.generate(lm, PROMPT, Think(waits=2, wait="Hm"), Ends(), max_new_tokens=40)
    assert two.text.count(" Hm") == 2 and two.stopped == "end"
    assert ct.generate(lm, PROMPT, Think(on=False, waits=2), Ends(), max_new_tokens=30).stopped == "end"


def test_a_budget_of_no_words_is_the_cue_at_once():
    lm = lm_of("llama")
    cut = ct.generate(lm, PROMPT, Think(budget=0), max_new_tokens=12)
    assert cut.ids[: len(CUE)] == CUE and cut.n_written == 12
    answered = ct.generate(lm, Think().edit(PROMPT).then(x="Answer:"), max_new_tokens=4)
    assert cut.ids[len(CUE) :] == answered.ids, "then it writes as behind its own cue"


@pytest.mark.families
@pytest.mark.parametrize("family", ["llama", "gpt2", "bloom"])
def test_a_cache_and_a_batch_change_nothing(family):
    lm = lm_of(family)
    entries = [
        (PROMPT, Setup([Think(budget=0)])),
        (PROMPT, Setup([Think(waits=2), Ends(5)] if family == "llama" else [Think(waits=2)])),
        (PROMPT, Setup([Think()])),
        ("b", Setup([Says("later", 3)])),
        (Prompt("A longer one."), Setup([Steer(direction()), Think(budget=1, cue="So:")])),
        ("b", Setup()),
    ]
    for cache in caches_of(lm):
        for written, (prompt, setup) in zip(
            generate_many(lm, entries, max_new_tokens=14, cache=cache), entries, strict=True
        ):
            alone = ct.generate(lm, prompt, setup, max_new_tokens=14, cache="none")
            assert (written.ids, written.stopped) == (alone.ids, alone.stopped), (cache, setup)
            torch.testing.assert_close(written.logits, alone.logits, **TOLERANCE)


def test_the_teaching_model_is_made_to_go_on(lm):
    problem = ct.tasks.get("hunt").generate(1, 3)
    prompts = [(problem.prompt, Think(**more)) for more in ({}, {"waits": 1}, {"budget": 4})]
    plain, more, less = generate_many(lm, prompts, max_new_tokens=70)
    thought = plain.text.partition("Answer:")[0].strip()
    assert more.text.strip().startswith(f"{thought} Wait")
    assert less.text.partition("Answer:")[0].split() == thought.split()[:4]
    for written in (more, less):
        torch.testing.assert_close(
            written.trace.logits[written.encoding.n_prompt - 1 : -1], written.logits, atol=1e-4, rtol=1e-4
        )
