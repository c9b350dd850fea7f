"""Steps on a model of twelve layers that writes no thought to its end: what mistakes cost, and an interrupt in them."""

import math
import signal
from functools import cache

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

import ctkit as ct
from ctkit.measures.steps import StepsInterrupted, Thought, effects_of

from .engine_fixtures import left_behind

PROMPT = ct.Prompt(context="b = 0. c = 1. d = 2.", question="What is c?", cue="Answer:")


@cache
def deep():
    """A random model of 12 layers with the words of the shipped one."""
    torch.manual_seed(0)
    tokenizer = ct.load("tiny").tokenizer
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 12, "num_attention_heads": 4}
    config = LlamaConfig(vocab_size=len(tokenizer), max_position_embeddings=2048, **sizes)
    return ct.wrap(LlamaForCausalLM(config).eval(), tokenizer)


def steps(n: int) -> list[str]:
    """A thought of so many steps."""
    return [f"{'bcdefghjk'[i % 9]} = {i % 10} + {i % 7} = {(i % 10 + i % 7) % 10}." for i in range(n)]


def test_an_interrupt_among_mistakes(monkeypatch):
    """Ctrl-C in the middle of a pass: the steps measured so far are there, and the model is as it was."""
    monkeypatch.setattr("ctkit.measures.steps.lots.WORK", 1)
    lm, seen = deep(), []
    before, plain = left_behind(lm), ct.run(lm, PROMPT).logits
    thought = Thought.of(lm, PROMPT, steps(6))

    def stops(*_):
        if len(seen) == 2:
            seen.append("stopped")
            signal.raise_signal(signal.SIGINT)

    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    hook = lm.blocks[7].register_forward_pre_hook(stops)
    try:
        with pytest.raises(StepsInterrupted, match="stopped after 2 of 6 steps by mistake") as caught:
            effects_of(thought, "mistake", draws=1, on_step=seen.append)
    finally:
        hook.remove()
        signal.signal(signal.SIGINT, handler)
    effects = caught.value.effects
    assert seen[-1] == "stopped" and effects is seen[-2]
    assert [math.isnan(score) for score in effects.scores] == [False] * 2 + [True] * 4
    assert left_behind(lm) == before and torch.equal(ct.run(lm, PROMPT).logits, plain)
    whole = effects_of(Thought.of(lm, PROMPT, steps(6)), "mistake", draws=1)
    assert whole.scores[:2] == pytest.approx(effects.scores[:2], abs=1e-5) and whole.done == 6


def passes(n: int) -> int:
    """What mistakes in a thought of so many steps cost."""
    return effects_of(Thought.of(deep(), PROMPT, steps(n)), "mistake", draws=1).passes


def test_the_passes_of_mistakes_grow_as_the_steps():
    """Tokens grow as their square: as many texts as there are steps, each as long as the rest of the thought."""
    few, more, many = passes(6), passes(12), passes(24)
    assert many <= 2.2 * more <= 2.2 * 2.2 * few


def test_what_is_written_on_has_its_bounds():
    """Half as long again as what is left of the thought, 16 tokens, and the answer."""
    thought = Thought.of(deep(), PROMPT, steps(8))
    length = len(deep().tokenizer(" " + thought.steps.text)["input_ids"])
    written = thought.written_on([thought.steps.first(n) for n in (1, 4, 8)])
    assert [one.stopped for one in written] == ["length"] * 3
    first, half, last = (one.n_written for one in written)
    assert first > half > last >= 16 and first <= 1.5 * length + 16 + 30
    assert first - last == pytest.approx(1.5 * (length - length / 8), abs=6)
