"""How long the measures of a thought take: 12 steps on the shipped model, 60 on a random one of 12 layers.

`python benchmarks/steps.py` (`--long` for the second alone, `--short` for the first).
"""

import argparse
import resource
import statistics
import time
from random import Random

import torch
from transformers import LlamaConfig, LlamaForCausalLM

import ctkit as ct
from ctkit.measures.steps import Thought, effects_of
from ctkit.tasks.sums import draw_lines

METHODS = ("true-thinking", "early", "mistake", "suppress")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--thoughts", type=int, default=12)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--long", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"torch {torch.__version__}, {options.threads} thread(s)")
    if not options.long:
        short(ct.load(), options.thoughts)
    if not options.short:
        long(ct.load().tokenizer)


def twelve(lm: ct.LM, n: int) -> list[Thought]:
    """Thoughts of twelve steps that the model writes itself, on chains of sums longer than any it was trained on."""
    found = []
    for seed in range(50 * n):
        lines, asked = draw_lines(Random(seed), 7)
        context = " ".join(line.told() for line in lines)
        one = Thought.of(lm, ct.Prompt(context=context, question=f"What is {asked}?", cue="Answer:"))
        found += [one] if len(one.steps) == 12 else []
        if len(found) == n:
            break
    return found


def short(lm: ct.LM, thoughts: int) -> None:
    """Twelve steps that the model writes itself: all four measures of one thought together, and each alone."""
    own = twelve(lm, thoughts)
    for draws in (4, 2, 1):
        for methods in (METHODS, *((name,) for name in METHODS)):
            times, passes = [], []
            for same in own:
                started = time.perf_counter()
                one = Thought.of(lm, same.prompt, same.steps)
                found = effects_of(one, list(methods), draws=draws)
                times.append(1000 * (time.perf_counter() - started))
                passes.append(max(effects.passes for effects in found.values()))
            told_by = " + ".join(methods)
            spread = f"{statistics.median(times):.0f} ms ({min(times):.0f} to {max(times):.0f})"
            print(f"  12 steps, {draws} draws, {told_by}: {spread}, {statistics.median(passes):.0f} passes")


def long(tokenizer) -> None:
    """Fifteen, thirty and sixty steps on a random model: passes, tokens, memory."""
    torch.manual_seed(0)
    sizes = {"hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 12, "num_attention_heads": 8}
    config = LlamaConfig(vocab_size=len(tokenizer), max_position_embeddings=2048, **sizes)
    lm = ct.wrap(LlamaForCausalLM(config).eval(), tokenizer)
    for n in (15, 30, 60):
        context = " ".join(f"{name} = {i % 10}." for i, name in enumerate("bcdefghjk"))
        steps = [f"{'bcdefghjk'[i % 9]} = {i % 10} + {i % 7} = {(i % 10 + i % 7) % 10}." for i in range(n)]
        for method in ("true-thinking", "early", "suppress"):  # it writes no thought to its end: mistakes take minutes
            started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            one = Thought.of(lm, ct.Prompt(context=context, question="What is c?", cue="Answer:"), steps)
            found = effects_of(one, method, draws=1)
            grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
            seconds = time.perf_counter() - started
            said = f"{found.passes} passes, {found.tokens} tokens, {seconds:.1f} s, peak +{grown:.0f} MB"
            print(f"  {n} steps, {method}: {said}")


if __name__ == "__main__":
    main()
