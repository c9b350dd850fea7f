"""What directions of each method do to the trained model at one side effect, KL 0.1 nats on the next word of others.

The figures stand in the summary of the run. Not every method moves the behaviour; those that do are asked for more than
random directions of the same place do.
"""

from collections.abc import Callable
from functools import partial
from math import log
from statistics import fmean, stdev

import pytest
import torch

import ctkit as ct
from ctkit.engine.run import run_many
from ctkit.tasks.base import prompt_of
from ctkit.tasks.code import FIRST, question
from ctkit.tasks.mood import STYLES
from ctkit.zoo.effects.steering import divergence, neutral, words

TARGET = 0.1
LAYER = 3
FITTED, ASKED, NEUTRAL, DRAWS = 32, 24, 16, 5
Make = Callable[[float], ct.Intervention]


class Scene:
    """Prompts, the two sides of their next word, and texts on which steering is to do nothing."""

    def __init__(self, lm, prompts, one, other):
        self.lm, self.prompts, self.sides = lm, prompts, (words(lm, one), words(lm, other))
        self.texts = neutral(0)[:NEUTRAL]
        self.clean = self.next_words(self.texts, ct.Setup())
        self.plain = self.share(ct.Setup())

    def next_words(self, prompts, setup) -> torch.Tensor:
        return torch.stack([t.logits[-1].softmax(-1) for t in run_many(self.lm, prompts, setup, last_only=True)])

    def share(self, setup) -> float:
        one, other = (self.next_words(self.prompts, setup)[:, side].sum(-1) for side in self.sides)
        return float((one / (one + other)).mean())

    def cost(self, make: Make, strength: float) -> float:
        return divergence(self.clean, self.next_words(self.texts, make(strength)))

    def strength_at(self, make: Make) -> tuple[float, float]:
        """The strength that costs the target KL, and its cost, by steps that follow how the cost has grown so far (at
        first, with the square); where the target is out of reach, a strength that costs as much as can be."""
        strength, power, before = 1.0, 2.0, None
        for _ in range(10):
            cost = max(self.cost(make, strength), 1e-9)
            if before is not None and strength != before[0]:
                power = log(cost / before[1]) / log(strength / before[0])
            before = strength, cost
            if abs(cost / TARGET - 1) < 0.05:
                break
            strength *= max(0.1, min(10.0, (TARGET / cost) ** (1 / max(0.5, min(8.0, power)))))
        return before

    def moved(self, make: Make) -> tuple[float, float, float]:
        """How far the share moves at the target KL either way (away from each other), and the KL reached."""
        shares, costs = [], []
        for sign in (1, -1):
            strength, cost = self.strength_at(lambda s, sign=sign: make(sign * s))
            costs.append(cost)
            shares.append(self.share(make(sign * strength)))
        return shares[0] - self.plain, shares[1] - self.plain, max(costs)


def steered(direction: ct.Direction) -> Make:
    return lambda strength: ct.Steer(direction, strength=strength)


def told(name: str, scene: Scene, moves: dict[str, tuple[float, float, float]]) -> str:
    rows = [f"  {way:<24}{up:+.3f} {down:+.3f}  KL {cost:.2f}" for way, (up, down, cost) in moves.items()]
    return "\n".join([f"{name}: share {scene.plain:.3f}, moved at KL {TARGET} by + and −", *rows])


@pytest.fixture(scope="module")
def mood(lm):
    task = ct.tasks.get("mood")
    stories = [task.generate(1000 + i, 2).prompt.pieces["context"].rsplit(". ", 2)[0] for i in range(ASKED)]
    return Scene(lm, [ct.Prompt(f"{story}. The room was") for story in stories], STYLES["happy"], STYLES["sad"])


@pytest.fixture(scope="module")
def code(lm):
    prompts = [ct.tasks.get("code").generate(1000 + i, 2).prompt for i in range(ASKED)]
    return Scene(lm, prompts, [FIRST["C++"]], [FIRST["Python"]])


def test_mood(lm, mood, record_property):
    texts = [ct.tasks.get("mood").texts(style, FITTED) for style in ("happy", "sad")]
    asked = [ct.tasks.get("mood").generate(5000 + i, 2).prompt.text for i in range(FITTED)]
    answers = [[f"{text} {word}" for text in asked] for word in ("happy", "sad")]
    fit = partial(ct.fit_direction, lm, layer=LAYER)
    means = fit(*texts)
    heads = {method: ct.fit_heads(lm, *texts, method=method) for method in ("iti", "nl-iti")}
    makes = {
        "diffmean": steered(means),
        "diffmean, last token": steered(fit(*texts, tokens="last")),
        "diffmean, MLP": steered(fit(*texts, site="mlp")),
        "pca": steered(fit(*texts, method="pca")),
        "caa": steered(fit(*answers, method="caa")),
        "actadd": steered(fit(["happy"], ["sad"], method="actadd")),
        "snmf": steered(fit(*texts, method="snmf")),
        "iti, 4 heads": lambda s: ct.SteerHeads(heads["iti"][:4], s),
        "iti, 16 heads": lambda s: ct.SteerHeads(heads["iti"], s),
        "nl-iti, 4 heads": lambda s: ct.SteerHeads(heads["nl-iti"][:4], s),
        "nl-iti, 16 heads": lambda s: ct.SteerHeads(heads["nl-iti"], s),
    } | {f"random {i}": steered(ct.random_direction(means, i)) for i in range(DRAWS)}
    moves = {name: mood.moved(make) for name, make in makes.items()}
    record_property("measured", told("mood, happy against sad", mood, moves))
    beats_chance(moves, ["diffmean", "pca", "iti, 16 heads"])


def test_code(lm, code, record_property):
    problems = [ct.tasks.get("code").generate(5000 + i, 2) for i in range(FITTED)]
    contexts = [problem.prompt.pieces["context"] for problem in problems]
    naming = [[prompt_of(context, question(language)) for context in contexts] for language in ("C++", "Python")]
    answers = [[f"{problem.prompt.text} {word}" for problem in problems] for word in ("int", "def")]
    written = [ct.tasks.get("code").texts(language, FITTED) for language in ("C++", "Python")]
    fit = partial(ct.fit_direction, lm, layer=LAYER)
    means = fit(*naming, tokens="last")
    groups = {
        k: ct.fit_clusters(lm, *naming, k=k, layer=LAYER, prompts=[problem.prompt for problem in problems])
        for k in (1, 3)
    }
    heads = ct.fit_heads(lm, *naming)
    makes = {
        "diffmean, last token": steered(means),
        "diffmean of code": steered(fit(*written)),
        "pca, last token": steered(fit(*naming, method="pca", tokens="last")),
        "caa": steered(fit(*answers, method="caa")),
        "actadd": steered(fit(["int"], ["def"], method="actadd")),
        "snmf of code": steered(fit(*written, method="snmf")),
        "g-act, 1 group": groups[1].steer,
        "g-act, 3 groups": groups[3].steer,
        "iti, 4 heads": lambda s: ct.SteerHeads(heads[:4], s),
        "iti, 16 heads": lambda s: ct.SteerHeads(heads, s),
    } | {f"random {i}": steered(ct.random_direction(means, i)) for i in range(DRAWS)}
    moves = {name: code.moved(make) for name, make in makes.items()}
    record_property("measured", told("code, C++ against Python", code, moves))
    beats_chance(moves, ["diffmean, last token", "pca, last token", "g-act, 1 group", "iti, 16 heads"])
    assert moves["g-act, 1 group"][:2] == pytest.approx(moves["diffmean, last token"][:2], abs=1e-3)


def beats_chance(moves: dict[str, tuple[float, float, float]], names: list[str]) -> None:
    """The named methods move the share up and down, and further than random directions do."""
    random = [(up - down) / 2 for name, (up, down, _) in moves.items() if name.startswith("random")]
    assert abs(fmean(random)) < 3 * stdev(random) / len(random) ** 0.5 + 0.05
    for name in names:
        up, down, cost = moves[name]
        assert up > 0 > down, name
        assert (up - down) / 2 > max(map(abs, random)), name
        assert cost == pytest.approx(TARGET, rel=0.3)
