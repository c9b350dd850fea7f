"""The live loop on a GPU with models of real size: what a flip costs beside the bare pass. `python benchmarks/gpu.py`

Weights are random (only sizes matter for time); prompts are the shipped tasks'.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from transformers import AutoConfig, AutoModelForCausalLM

import ctkit as ct

SIZES = {
    "GPT-2 (0.1 B)": ("gpt2", {"vocab_size": 50_257, "n_positions": 2048}, torch.float32),
    "Llama 8 B": (
        "llama",
        {
            "hidden_size": 4096,
            "intermediate_size": 14_336,
            "num_hidden_layers": 32,
            "num_attention_heads": 32,
            "num_key_value_heads": 8,
            "vocab_size": 128_256,
            "max_position_embeddings": 8192,
        },
        torch.bfloat16,
    ),
}  # name → type, sizes, precision


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=10)
    repeats = parser.parse_args().repeats
    if not torch.cuda.is_available():
        raise SystemExit("no GPU on this machine: benchmarks/engine.py measures on a CPU")
    print(f"torch {torch.__version__}, {torch.cuda.get_device_name(0)}, median of {repeats}")
    tokenizer = ct.load().tokenizer
    for name, (kind, sizes, dtype) in SIZES.items():
        lm = random_model(kind, sizes, dtype, tokenizer)
        print(f"\n{name}: {lm.n_layers} layers × {lm.n_heads} heads, {dtype}")
        for words in (1, 5):
            context = " ".join(ct.tasks.get("hunt").generate(seed, 5).prompt.pieces["context"] for seed in range(words))
            measured(lm, ct.Prompt(context=context, question="Where is the key?", cue="Answer:"), repeats)
        thought(lm)


def random_model(kind: str, sizes: dict, dtype: torch.dtype, tokenizer) -> ct.LM:
    """A model with random weights, made on the GPU."""
    torch.manual_seed(0)
    with torch.device("cuda"):
        model = AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **sizes), dtype=dtype)
    return ct.wrap(model.eval(), tokenizer)


def measured(lm: ct.LM, prompt: ct.Prompt, repeats: int) -> None:
    """What a pass costs, and what ctkit's ways of running cost beside it."""
    from ctkit.ui.frame import frame_of
    from ctkit.ui.look import look

    ids = torch.tensor([ct.run(lm, prompt).ids], device="cuda")

    def bare() -> None:
        with torch.no_grad():
            lm.model(input_ids=ids, use_cache=False).logits.float().cpu()

    direction = ct.Direction(torch.randn(lm.d_model), lm.n_layers // 2)
    before = look(lm, prompt, ct.Setup())
    mask = ct.Setup([ct.Mask("prefix")])
    ways: dict[str, Callable[[], object]] = {
        "idle": lambda: ct.run(lm, prompt),
        "a mask in every layer": lambda: ct.run(lm, prompt, mask),
        "steering": lambda: ct.run(lm, prompt, ct.Steer(direction, strength=2)),
        "one head's attention": lambda: ct.run(lm, prompt, attention=[(lm.n_layers // 2, 0)]),
        "a flip of the playground": lambda: frame_of(lm, before, look(lm, prompt, mask, before), mask),
    }
    base = median(bare, repeats)
    print(f"  {ids.shape[1]} tokens: the bare pass and its logits on the CPU take {1000 * base:.1f} ms")
    for name, way in ways.items():
        try:
            found = median(way, repeats)
            print(f"    {name:26s} ×{found / base:.2f} ({1000 * found:.1f} ms)")
        except ct.CtkitError as err:
            print(f"    {name:26s} refused: {err.found}")


def thought(lm: ct.LM) -> None:
    """How long the measures of a thought of 12 steps take."""
    problem = ct.tasks.get("sums").generate(0, 5)
    steps = (list(problem.steps) * 2)[:12]
    for method in ("true-thinking", "mistake"):
        started = time.perf_counter()
        try:
            found = ct.step_effects(lm, problem.prompt, steps, method)
            print(f"  {method}, 12 steps: {time.perf_counter() - started:.2f} s, {found.passes} passes")
        except ct.CtkitError as err:
            print(f"  {method}: {err.found}")


def median(call: Callable[[], object], repeats: int) -> float:
    """Seconds of a call, the GPU's work included."""
    times = []
    for _ in range(repeats + 2):
        torch.cuda.synchronize()
        start = time.perf_counter()
        call()
        torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return statistics.median(times[2:])


if __name__ == "__main__":
    main()
