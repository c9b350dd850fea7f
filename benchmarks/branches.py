"""Texts that share beginnings, beside the same texts read and written one by one. `python benchmarks/branches.py`

On the shipped model: a thought of 12 steps, each asked for behind it in all four ways of the true-thinking score (4
draws), and each broken (4 draws) and written on. Every figure is a ratio of two ways measured in turn.
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable

import torch

import ctkit as ct
from ctkit.engine.branches import Trunks
from ctkit.engine.draft import write_drafted
from ctkit.engine.generate import generate_many
from ctkit.measures.steps.perturb import perturbation
from ctkit.tasks.base import prompt_of
from ctkit.tasks.sums import Line, thought, values_of

DRAWS, CUE, MOST = 4, "Answer:", 96


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    clock = time.perf_counter if options.clock == "wall" else time.process_time
    print(f"torch {torch.__version__}, {options.threads} thread(s), {options.pairs} pairs, {options.clock} time")
    lm = ct.load()
    problem = ct.tasks.get("sums").generate(0, difficulty=5)
    compare("a chain of 12 steps, longer than it has learnt", Job(lm, *chain()), options.pairs, clock)
    compare(
        "a thought as it has learnt them",
        Job(lm, problem.prompt, list(problem.steps), problem.answer),
        options.pairs,
        clock,
    )


def chain(n: int = 11) -> tuple[ct.Prompt, list[str], str]:
    """A sum of `n` lines one after the other, its thought with a check at the end, and the answer."""
    dice = random.Random(0)
    names = dice.sample("bcdefghjkmnpqrstuvwxyz", n)
    lines = [Line(own, before, dice.randint(1, 9)) for before, own in zip([None, *names], names)]
    steps, _ = thought(lines, names[-1])
    told = " ".join(line.told() for line in lines)
    return prompt_of(told, f"What is {names[-1]}?"), list(steps), str(values_of(lines)[names[-1]])


class Job:
    """The texts of one thought, and four ways to work on them."""

    def __init__(self, lm: ct.LM, prompt: ct.Prompt, steps: list[str], answer: str):
        self.lm, self.prompt, self.steps, self.answer = lm, prompt, steps, answer
        self.setup = ct.Setup([ct.Think()])
        numbers, result = perturbation("offset"), perturbation("result")
        dice = random.Random(0)
        self.broken = [[numbers(s, prompt.text, dice) or s for s in steps] for _ in range(DRAWS)]
        self.asked, self.starts, self.guesses = [], [], []
        for i, step in enumerate(steps):
            four = [[[*steps[:i], b[i]], [*b[:i], step], b[: i + 1]] for b in self.broken]
            self.asked += [self.told(few) for few in [steps[: i + 1], *(few for three in four for few in three)]]
            for other in [step, *(result(step, prompt.text, dice) for _ in range(DRAWS))]:
                if other is not None:
                    self.starts.append([*steps[:i], other])
                    self.guesses.append(self.told([*steps[:i], other, *steps[i + 1 :]]))

    def told(self, steps: list[str], rest: str = "", end: bool = True) -> ct.Prompt:
        """The prompt with steps behind it, and the answer."""
        pieces = {f"step {i}": step for i, step in enumerate(steps)} | ({"rest": rest.strip()} if rest.strip() else {})
        return self.prompt.then(**pieces | ({"answer cue": CUE, "answer": self.answer} if end else {}))

    def ended(self, index: int, text: str) -> ct.Prompt:
        """A start with what was written behind it, and the answer."""
        return self.told(self.starts[index], text)

    def read_whole(self) -> list[float]:
        """Each text by itself."""
        found = []
        for trace in ct.run_many(self.lm, self.asked, self.setup):
            span = trace.spans["answer"]
            found.append(float(trace.logits[span.start - 1].softmax(-1)[trace.ids[span.start]]))
        return found

    def read_shared(self) -> list[float]:
        """What they share once."""
        trunks = self.grown()
        return trunks.chances(self.asked)

    def written_plainly(self) -> list[float]:
        """Each start written on token by token, then its answer read."""
        starts = [self.told(steps, end=False) for steps in self.starts]
        written = generate_many(self.lm, starts, self.setup, max_new_tokens=MOST)
        ended = [self.ended(i, generation.text.partition(CUE)[0]) for i, generation in enumerate(written)]
        return [float(chance) for chance in Trunks(self.lm, self.setup).chances(ended)]

    def written_along(self) -> list[float]:
        """Along the old thought."""
        trunks, starts = self.grown(), [self.told(steps, end=False) for steps in self.starts]
        found = write_drafted(trunks, starts, self.guesses, CUE, max_new_tokens=MOST, ending=self.ended)
        self.passes = trunks.passes
        return [one.chance for one in found]

    def grown(self) -> Trunks:
        """The thought, and its broken versions, read."""
        trunks = Trunks(self.lm, self.setup)
        trunks.grow([self.told(steps) for steps in (self.steps, *self.broken)])
        return trunks


def compare(name: str, job: Job, pairs: int, clock: Callable[[], float]) -> None:
    """Print how long the new ways take beside the old ones, once both say the same."""
    print(f"\n{name}: {len(job.steps)} steps")
    for what, new, old, n in (
        ("asked behind every step, sharing / whole", job.read_shared, job.read_whole, len(job.asked)),
        ("written on, along the thought / plainly", job.written_along, job.written_plainly, len(job.starts)),
    ):
        apart = max(abs(a - b) for a, b in zip(new(), old(), strict=True))
        ratios, times = [], []
        for _ in range(pairs):
            times.append(timed(new, clock))
            ratios.append(times[-1] / timed(old, clock))
        print(
            f"  {what} ({n} texts): ×{statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f}), "
            f"{1000 * min(times):.0f} ms at best; chances at most {apart:.0e} apart"
        )
    print(f"  {job.passes} passes along the thought; plainly there are {MOST} a batch")


def timed(call: Callable[[], object], clock: Callable[[], float]) -> float:
    start = clock()
    call()
    return clock() - start


if __name__ == "__main__":
    main()
