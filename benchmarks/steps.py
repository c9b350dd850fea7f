"""How long the measures of a thought take: 12 steps on the shipped model, 60 on a random one of 12 layers.

`python benchmarks/steps.py` (`--long` for the second alone, `--short` for the first). Mistakes on the second take
longest: it writes no thought to its end.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import time
from random import Random

import torch
from transformers import LlamaConfig, LlamaForCausalLM

import ctkit as ct
from ctkit.measures.steps import Thought, effects_of
from ctkit.tasks.sums import draw_lines, thought

DEFAULT, SEEDS = 4, 60  # draws; so many chains are tried
METHODS = ("true-thinking", "early", "mistake", "suppress")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--thoughts", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--one", nargs=2, metavar=("STEPS", "METHOD"), help="one figure of --long, in this process")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.one:
        return long(int(options.one[0]), options.one[1])
    print(f"torch {torch.__version__}, {options.threads} thread(s)")
    if not options.long:
        short(ct.load(), options.thoughts, options.repeats)
    if not options.short:
        for method in METHODS:
            for n in (15, 30, 60):  # each in a process of its own: the peak of memory never falls
                one = ["--one", str(n), method, "--threads", str(options.threads)]
                subprocess.run([sys.executable, __file__, *one], check=True)


def chain(seed: int) -> tuple[ct.Prompt, list[str]]:
    """A chain of sums longer than any the model was trained on, and its true thought: twelve steps."""
    lines, asked = draw_lines(Random(seed), 7)
    context = " ".join(line.told() for line in lines)
    return ct.Prompt(context=context, question=f"What is {asked}?", cue="Answer:"), list(thought(lines, asked)[0])


def own(lm: ct.LM, n: int) -> dict[int, Thought]:
    """Thoughts of twelve steps that the model writes itself, by the seed of their chain."""
    found = {}
    for seed in range(SEEDS):
        one = Thought.of(lm, chain(seed)[0])
        if len(one.steps) == 12:
            found[seed] = one
        if len(found) == n:
            break
    return found


def short(lm: ct.LM, n: int, repeats: int) -> None:
    """Twelve steps: all four measures of one thought together, and each alone."""
    timed(f"the model's own (of {SEEDS} chains)", lm, own(lm, n), repeats)
    timed("given: the true thoughts, which it would not write", lm, given(lm, n), repeats)


def given(lm: ct.LM, n: int) -> dict[int, Thought]:
    """True thoughts of twelve steps, by the seed of their chain."""
    return {seed: Thought.of(lm, *chain(seed)) for seed in range(n)}


def timed(name: str, lm: ct.LM, thoughts: dict[int, Thought], repeats: int) -> None:
    """Print how long some thoughts take, each several times over."""
    print(f"  thoughts of 12 steps, {name}: {len(thoughts)}, seeds {list(thoughts)}")
    for draws in (DEFAULT, 2, 1) if thoughts else ():
        for methods in (METHODS, *((name,) for name in METHODS)):
            times, cpu, passes = [], [], []
            for same in [one for one in thoughts.values() for _ in range(repeats)]:
                lm.pieces.kept.clear()  # a thought that is measured for the first time
                lm.memory.kept.pop("encoding", None)
                started, spent = time.perf_counter(), time.process_time()
                found = effects_of(Thought.of(lm, same.prompt, same.steps), list(methods), draws=draws)
                times.append(1000 * (time.perf_counter() - started))
                cpu.append(1000 * (time.process_time() - spent))
                passes.append(max(effects.passes for effects in found.values()))
            told_by = "four methods together" if methods == METHODS else methods[0]
            default = " (the default)" if draws == DEFAULT else ""
            spread = f"median {statistics.median(times):.0f} ms ({min(times):.0f} to {max(times):.0f})"
            print(
                f"    {draws} draws{default}, {told_by}: {spread}, processors' time {min(cpu):.0f} ms at best, "
                f"at most {max(passes)} passes a method"
            )


def long(n: int, method: str) -> None:
    """A thought of n steps on a random model: passes, tokens, memory."""
    torch.manual_seed(0)
    tokenizer = ct.load().tokenizer
    sizes = {"hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 12, "num_attention_heads": 8}
    config = LlamaConfig(vocab_size=len(tokenizer), max_position_embeddings=2048, **sizes)
    lm = ct.wrap(LlamaForCausalLM(config).eval(), tokenizer)
    context = " ".join(f"{name} = {i % 10}." for i, name in enumerate("bcdefghjk"))
    steps = [f"{'bcdefghjk'[i % 9]} = {i % 10} + {i % 7} = {(i % 10 + i % 7) % 10}." for i in range(n)]
    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    one = Thought.of(lm, ct.Prompt(context=context, question="What is c?", cue="Answer:"), steps)
    found = effects_of(one, method, draws=1)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    seconds = time.perf_counter() - started
    said = f"{found.passes} passes, {found.tokens} tokens, {seconds:.1f} s, peak +{grown:.0f} MB"
    print(f"  {n} steps, {method}: {said}", flush=True)


if __name__ == "__main__":
    main()
