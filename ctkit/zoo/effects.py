"""What a model's card says, measured: accuracy by form, effects with intervals, and the controls beside them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import sqrt
from statistics import fmean

import torch

from ..directions import fit_direction
from ..engine.lm import LM
from ..engine.run import run_many
from ..interventions import Knockout, Mask, Reread, Setup, Steer, Think
from ..interventions.direction import Direction
from ..measures.effect import paired_interval
from ..measures.score import answers, is_right
from ..measures.steps import step_effects
from ..prompt import Prompt
from ..tasks import Problem, get
from ..tasks.mood import STYLES

SETUPS: dict[str, Setup] = {
    "direct": Setup(),
    "re-read": Setup([Reread()]),
    "re-read, second reading blind": Setup([Reread(), Knockout("reading 2", "reading 1")]),
    "thinking": Setup([Think()]),
    "mask lifted": Setup([Mask("bidirectional")]),
}
FORMS = {
    "crowd": ("direct", "re-read", "re-read, second reading blind", "thinking", "mask lifted"),
    "hunt": ("direct", "re-read", "re-read, second reading blind", "thinking", "mask lifted"),
    "sums": ("direct", "re-read", "thinking"),
    "mood": ("direct", "re-read"),
}


@dataclass(frozen=True)
class Population:
    """The same problems answered in several forms: one row of right and wrong per form."""

    task: str
    difficulty: int
    order: str
    right: dict[str, list[bool]]
    shortcuts: dict[str, float]

    def accuracy(self, form: str) -> dict[str, str | int | float]:
        """Share right, with the 95 % interval (Wilson)."""
        row = self.right[form]
        low, high = wilson(sum(row), len(row))
        return {"form": form, "n": len(row), "accuracy": fmean(row), "low": low, "high": high}

    def effect(self, form: str, base: str = "direct") -> dict[str, str | float]:
        """The paired difference between two forms, with its 95 % interval."""
        pairs = list(zip(self.right[base], self.right[form]))
        mended, broken = sum(b > a for a, b in pairs), sum(a > b for a, b in pairs)
        low, high = paired_interval(mended, broken, len(pairs))
        return {"form": form, "base": base, "difference": (mended - broken) / len(pairs), "low": low, "high": high}


def population(lm: LM, problems: Sequence[Problem], forms: Sequence[str]) -> Population:
    """The model's answers to these problems in these forms, and what shortcuts would score."""
    prompts, expected = [p.prompt for p in problems], [p.answer for p in problems]
    right = {}
    for form in forms:
        given = answers(lm, prompts, expected, SETUPS[form])
        right[form] = [is_right(a, e) for a, e in zip(given, expected)]
    first = problems[0]
    return Population(first.task, first.difficulty, first.order, right, shortcuts(problems))


def shortcuts(problems: Sequence[Problem]) -> dict[str, float]:
    """The accuracy of each shortcut; one that leaves several answers open guesses among them."""
    task = get(problems[0].task)
    found: dict[str, list[float]] = {}
    for problem in problems:
        for name, guess in task.baselines(problem).items():
            guesses = (guess,) if isinstance(guess, str) else guess
            found.setdefault(name, []).append((problem.answer in guesses) / len(guesses))
    return {name: fmean(rows) for name, rows in found.items()}


def rows() -> list[tuple[str, int, str]]:
    """(task, difficulty, order) of all populations: every task and difficulty, and hunts with their facts in order."""
    plain = [(name, difficulty, "") for name in FORMS for difficulty in get(name).difficulties]
    return plain + [("hunt", hops, order) for order in ("forward", "backward") for hops in (3, 4)]


def cell(lm: LM, task: str, difficulty: int, order: str, n: int, seed: int) -> Population:
    """The population of one row: problems seed..seed + n - 1 in the task's forms."""
    if order:
        problems = [get("hunt").generate(seed + i, difficulty, order=order) for i in range(n)]
        return population(lm, problems, ("direct", "re-read"))
    return population(lm, [get(task).generate(seed + i, difficulty) for i in range(n)], FORMS[task])


def steps_report(lm: LM, n: int, seed: int, method: str, difficulty: int = 4) -> dict[str, object]:
    """Mean effect of breaking a step, by its label, and how well the scores tell true steps from the others (AUC)."""
    by_label: dict[str, list[float]] = {"true": [], "decoy": [], "check": []}
    control = 0.0
    for i in range(n):
        problem = get("sums").generate(seed + i, difficulty)
        effects = step_effects(lm, problem.prompt, problem.steps, method, draws=2)
        for score, label in zip(effects.scores, problem.labels):
            by_label[label].append(score)
        control = max(control, *map(abs, effects.control))
    decoys = by_label["decoy"]
    wins = [(t > d) + 0.5 * (t == d) for t in by_label["true"] for d in decoys]
    means = {label: fmean(scores) for label, scores in by_label.items()}
    return {"method": method, "difficulty": difficulty, "n": n, "mean": means, "auc": fmean(wins), "control": control}


def steering_report(lm: LM, n: int, seed: int, layer: int | None = None) -> dict[str, object]:
    """How far a mood direction moves the weight of happy words against sad ones, beside random directions.

    "share": strength → share of happy words; "random": the mean move of 20 random directions of its norm at strength 2.
    """
    mood = get("mood")
    direction = fit_direction(lm, mood.texts("happy", 64, seed), mood.texts("sad", 64, seed), layer=layer)
    problems = [mood.generate(seed + i, 2) for i in range(n)]
    prompts = [Prompt(p.prompt.pieces["context"].rsplit(". ", 2)[0] + ". The room was") for p in problems]
    rows = {str(s): share(lm, prompts, direction, s) for s in (-4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0)}
    torch.manual_seed(seed)
    chance = []
    for _ in range(20):
        noise = torch.randn_like(direction.vector)
        other = Direction(noise * direction.vector.norm() / noise.norm(), direction.layer)
        chance.append(abs(share(lm, prompts, other, 2.0) - rows["0.0"]))
    return {
        "layer": direction.layer,
        "reliability": direction.reliability,
        "n": n,
        "share": rows,
        "random": fmean(chance),
    }


def share(lm: LM, prompts: Sequence[Prompt], direction: Direction, strength: float) -> float:
    """The mean share of happy words in the probability of happy and sad words, at the next word."""
    encode = partial(lm.tokenizer.encode, add_special_tokens=False)
    ids = {style: [encode(f" {word}")[0] for word in words] for style, words in STYLES.items()}
    found = []
    for trace in run_many(lm, prompts, Steer(direction, strength=strength)):
        chances = trace.logits[-1].softmax(-1)
        happy, sad = float(chances[ids["happy"]].sum()), float(chances[ids["sad"]].sum())
        found.append(happy / (happy + sad))
    return fmean(found)


def wilson(right: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927)."""
    p = right / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, centre - half), min(1.0, centre + half)
