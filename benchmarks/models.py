"""How fast the teaching models are: a run of 64 tokens, 200 problems before and after. `python benchmarks/models.py`"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch

import ctkit as ct

SWITCHES = {
    "hunt 2, mask lifted": ("hunt", 2, ct.Mask("bidirectional")),
    "hunt 3, read again": ("hunt", 3, ct.Reread()),
    "crowd 5, read again": ("crowd", 5, ct.Reread()),
    "sums 4, thinking": ("sums", 4, ct.Think()),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="tiny")
    parser.add_argument("--threads", type=int, default=1, help="for the single run; effects use twice as many")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    lm = ct.load(options.model)
    text = text_of(64, lm)
    torch.set_num_threads(options.threads)
    print(f"torch {torch.__version__}, {options.model}, median of {options.rounds} rounds (fastest to slowest)")
    found = timed(lambda: ct.run(lm, text), 20 * options.rounds)
    print(f"  run, {len(ct.run(lm, text).tokens)} tokens, {options.threads} thread(s): {told(found, 1000)} ms")
    torch.set_num_threads(2 * options.threads)
    for name, (task, difficulty, switch) in SWITCHES.items():
        found = timed(lambda: ct.effect(lm, task, switch, n=200, difficulty=difficulty), options.rounds)  # noqa: B023
        print(f"  effect, 200 problems of {name}, {2 * options.threads} threads: {told(found, 1)} s")


def text_of(length: int, lm: ct.LM) -> str:
    """A text of so many tokens, the start token included."""
    words = " ".join(["The key is in the box."] * length)
    ids = lm.tokenizer.encode(words)[1:length]
    return lm.tokenizer.decode(ids)


def timed(call: Callable[[], object], rounds: int) -> list[float]:
    """Seconds of each of several calls, after one to warm up."""
    call()
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return seconds


def told(seconds: list[float], scale: float) -> str:
    """The median and the extremes."""
    return f"{scale * statistics.median(seconds):.2f} ({scale * min(seconds):.2f} to {scale * max(seconds):.2f})"


if __name__ == "__main__":
    main()
