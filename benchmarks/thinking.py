"""What thinking is worth on the model in the box, and which steps count: `python benchmarks/thinking.py [part …]`

Parts: time, hints, resample, receivers, engagement (left out: all). Problems are fresh ones (seeds from 10,000). Every
figure that is told of these measures on `tiny` is printed here; on two quiet cores all of it takes about 20 minutes.
"""

import sys
from collections.abc import Callable
from statistics import fmean, stdev

import torch

import ctkit as ct
from ctkit.measures.intervals import auc

SEED, TESTED = 10_000, 20_000  # what directions are fitted on, and what they are tested on
SUMS = ct.tasks.get("sums")


def main() -> None:
    parts: dict[str, Callable[[ct.LM], None]] = {
        "time": time,
        "hints": hints,
        "resample": resample,
        "receivers": receivers,
        "engagement": engagement,
    }
    asked = sys.argv[1:] or list(parts)
    if set(asked) - set(parts):
        raise SystemExit(f"no such part: {', '.join(set(asked) - set(parts))}; there are {', '.join(parts)}")
    lm = ct.load()
    for name in asked:
        print(f"\n# {name}", flush=True)
        parts[name](lm)


def time(lm: ct.LM) -> None:
    """Accuracy against tokens: more thoughts, shorter and longer ones."""
    told(lm, "sums", "self-consistency", 3, temperature=2.0)
    told(lm, "sums", "best-of-n", 3, temperature=2.0)
    told(lm, "sums", "budget", 5, settings=[0, 8, 16, 24, 32, 40, 48, 64])
    told(lm, "sums", "waits", 5)
    told(lm, "signs", "self-consistency", 4, temperature=1.0)
    told(lm, "signs", "best-of-n", 4, temperature=1.0)
    told(lm, "because", "self-consistency", 3, temperature=1.0)


def hints(lm: ct.LM) -> None:
    """Hint marginalisation, by a model that never read a hint in training."""
    told(lm, "sums", "hints", 3, temperature=2.0)


def told(lm: ct.LM, task: str, method: str, difficulty: int, **options) -> None:
    """One method on 200 problems, with the difference between its first and last setting."""
    found = ct.thinking_time(lm, task, method, n=200, seed=SEED, difficulty=difficulty, **options)
    first, last = found.points[0].setting, found.points[-1].setting
    differences = ", ".join(
        "{} → {}: {:+.1%} ({:+.1%} to {:+.1%})".format(before, last, *found.difference(before, last))
        for before in ("greedy", first)
    )
    print(found, differences, sep="\n", flush=True)


def resample(lm: ct.LM) -> None:
    """Steps drawn anew, hot enough for other steps to come."""
    options = {"temperature": 2.0, "rollouts": 16}
    scores, missing = {}, 0
    for problem in (SUMS.generate(SEED + i, 3) for i in range(40)):
        effects = ct.step_effects(lm, problem, problem.steps, "resample", options=options)
        missing += by_label(scores, effects.scores, problem.labels)
    print(f"40 thoughts of sums 3, 16 rollouts at temperature 2; {missing} steps not measurable")
    labels(scores)


def receivers(lm: ct.LM) -> None:
    """Which heads they are, how surely, and what they look at."""
    for skip in (1, 2, 4):
        found = ct.receiver_heads(lm, [SUMS.generate(SEED + i, 5) for i in range(200)], ct.Think(), skip=skip)
        print(f"skip {skip}: {found}", flush=True)
    thoughts = [SUMS.generate(SEED + i, 5) for i in range(100)]
    options = {"skip": 1, "heads": ct.receiver_heads(lm, thoughts, ct.Think(), skip=1).top()}
    scores: dict[str, list[float]] = {}
    for problem in (SUMS.generate(SEED + 1000 + i, 5) for i in range(100)):
        effects = ct.step_effects(lm, problem, problem.steps, "receiver", options=options)
        by_label(scores, effects.scores, problem.labels)
    print(f"100 other thoughts, heads {options['heads']}")
    labels(scores)


def engagement(lm: ct.LM) -> None:
    """The direction from steps without to steps with an effect, and what steering along it flips."""
    directions = ct.thinking_directions(lm, [SUMS.generate(SEED + i, 5) for i in range(100)])
    print(*directions, sep="\n")
    print(ct.engagement(lm, [SUMS.generate(TESTED + i, 5) for i in range(60)], directions), flush=True)


def by_label(scores: dict[str, list[float]], found: list[float], own: tuple[str, ...]) -> int:
    """Put a thought's scores to their labels; how many there were none of."""
    for score, label in zip(found, own, strict=True):
        if score == score:
            scores.setdefault(label, []).append(score)
    return sum(score != score for score in found)


def labels(scores: dict[str, list[float]]) -> None:
    """The mean of each label with its 95 % interval, and how often a true step scores above a decoy."""
    for label, values in scores.items():
        half = 1.96 * stdev(values) / len(values) ** 0.5
        print(f"{label:>6} {fmean(values):.4f} ± {half:.4f} ({len(values)} steps)")
    both = torch.tensor([*scores["true"], *scores["decoy"]])
    value, low, high = auc(both, torch.arange(len(both)) < len(scores["true"]))
    print(f"AUC true/decoy {value:.2f} ({low:.2f} to {high:.2f}), steps taken as independent", flush=True)


if __name__ == "__main__":
    main()
