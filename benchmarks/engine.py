"""How much a run under ctkit costs beside the bare forward pass, as ratios. `python benchmarks/engine.py`"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from transformers import GPT2Config, GPT2LMHeadModel

import ctkit as ct

TEXT = "The key is in the box. The cup is in the bag. The box is in the car. Where is the key? Answer:"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=40)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"torch {torch.__version__}, {options.threads} thread(s), {options.pairs} pairs")
    print("ratio to the bare forward pass: median (min to max)")
    tiny = ct.load()
    for lm in (tiny, gpt2_sized(tiny)):
        ids = torch.tensor([ct.run(lm, TEXT).ids])

        def bare(lm=lm, ids=ids) -> None:
            with torch.no_grad():
                lm.model(input_ids=ids, use_cache=False)

        cases: dict[str, Callable[[], object]] = {
            "idle": lambda lm=lm: ct.run(lm, TEXT),
            "a mask in every layer": lambda lm=lm: ct.run(lm, TEXT, ct.Mask("window", size=8)),
            "all attention read": lambda lm=lm: ct.run(lm, TEXT, attention="all"),
            "one layer's attention read": lambda lm=lm: ct.run(lm, TEXT, attention=[lm.n_layers // 2]),
        }
        print(f"\n{lm.name}: {lm.n_layers} layers × {lm.n_heads} heads, {lm.d_model} wide, {ids.shape[1]} tokens")
        print(f"  the bare pass takes {1000 * timed(bare):.1f} ms here")
        for name, case in cases.items():
            ratios = paired(case, bare, options.pairs)
            print(f"  {name:28s} ×{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


def gpt2_sized(tiny: ct.LM) -> ct.LM:
    """A random model of GPT-2's size, reading with the shipped tokenizer."""
    torch.manual_seed(0)
    model = GPT2LMHeadModel(GPT2Config(vocab_size=50_257)).eval()
    return ct.wrap(model, tiny.tokenizer)


def timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def paired(case: Callable[[], object], base: Callable[[], object], pairs: int) -> list[float]:
    """Ratios case / base, measured in turn after two warm-ups."""
    for _ in range(2):
        case(), base()
    return [timed(case) / timed(base) for _ in range(pairs)]


if __name__ == "__main__":
    main()
