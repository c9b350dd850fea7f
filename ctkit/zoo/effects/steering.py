"""Steering with a difference in means, at a stated side effect: the mood of a story, and the language of code.

Side effect: the KL divergence from the model as it is to the steered one, at the next word of neutral texts.
"""

from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from statistics import fmean

import torch
from torch import Tensor

from ...directions import fit_direction
from ...engine.generate import generate_many
from ...engine.lm import LM
from ...engine.run import run_many
from ...interventions import Direction, Setup, Steer
from ...prompt import Prompt
from ...tasks import get
from ...tasks.base import prompt_of
from ...tasks.code import FIRST, language_of, question
from ...tasks.mood import STYLES
from .tables import mean_of, shown, table

STRENGTHS = (-4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0)
FULL = STRENGTHS[-1]  # at which a direction is held against others
RANDOM = 20  # random directions
SHUFFLED = 10  # directions fitted on labels drawn anew
NEUTRAL = 48  # texts for the side effect
FITTED = 64  # texts a side for a direction
APART = 50_000  # from this seed on: prompts for directions
NAMES = {"all": "code", "last": "code, last token"}  # tokens that a direction is fitted over → what the card calls it
LOT = 200  # prompts in memory at a time
PART = 8  # other directions are measured on one prompt in so many

Sides = tuple[list[int], list[int]]  # the tokens whose share is measured, and those against which


def jobs(n: int, seed: int) -> list[tuple[str, tuple]]:
    """Each concept in the stream entering each block; the last token of prompts is at first the same in all."""
    moods = [("mood", (n, seed, layer)) for layer in range(4)]
    coded = [("code", (n, seed, layer, tokens)) for tokens in ("all", "last") for layer in range(4)]
    return [*moods, *(job for job in coded if job[1][2:] != (0, "last"))]


def mood(lm: LM, n: int, seed: int, layer: int) -> dict[str, object]:
    """The share of happy words in the probability of happy and sad ones, after “The room was”."""
    task = get("mood")
    direction = fit_direction(lm, task.texts("happy", FITTED, seed), task.texts("sad", FITTED, seed), layer=layer)
    stories = [task.generate(seed + i, 2).prompt.pieces["context"].rsplit(". ", 2)[0] for i in range(n)]
    prompts = [Prompt(story + ". The room was") for story in stories]
    return swept(lm, "mood", prompts, (words(lm, STYLES["happy"]), words(lm, STYLES["sad"])), direction, seed)


def code(lm: LM, n: int, seed: int, layer: int, tokens: str) -> dict[str, object]:
    """The share of C++ in the probability of either language's first word, where the question names none.

    The direction is fitted over all tokens of code in either language, or over the last token of prompts that name
    either. "written": the share of code that is mostly C++ as the model writes it, greedily.
    """
    task = get("code")
    source = task.texts if tokens == "all" else asking
    pairs = list(zip(*(source(language, FITTED, seed) for language in ("C++", "Python"))))
    fit = partial(fit_direction, lm, layer=layer, tokens=tokens)
    direction = fit(*zip(*pairs))
    prompts = [task.generate(seed + i, 2).prompt for i in range(n)]
    sides = words(lm, [FIRST["C++"]]), words(lm, [FIRST["Python"]])
    report = swept(lm, NAMES[tokens], prompts, sides, direction, seed)
    report["shuffled"] = shuffled(lm, fit, pairs, prompts[::PART], sides, seed)
    report["written"] = {}
    for strength in (s for s in STRENGTHS if s >= 0):
        texts = generate_many(lm, prompts[::PART], Steer(direction, strength=strength), max_new_tokens=32)
        report["written"][str(strength)] = fmean(language_of(each.text) == "C++" for each in texts)
    return report


def shuffled(
    lm: LM, fit: Callable[..., Direction], pairs: Sequence, prompts: Sequence[Prompt], sides: Sides, seed: int
) -> dict[str, int | float]:
    """How far the share moves at full strength under directions fitted on labels that say nothing.

    In half of the pairs, drawn at random, the two texts change sides: each side then has as much of either language.
    """
    random, moves = Random(f"labels {seed}"), []
    for _ in range(SHUFFLED):
        swapped = set(random.sample(range(len(pairs)), len(pairs) // 2))
        direction = fit(*zip(*(pair[::-1] if i in swapped else pair for i, pair in enumerate(pairs))))
        plain, moved = (fmean(shares(lm, prompts, direction, strength, sides)) for strength in (0.0, FULL))
        moves.append(abs(moved - plain))
    return {"n": len(prompts), "draws": SHUFFLED, "mean": fmean(moves), "most": max(moves)}


def asking(language: str, n: int, seed: int) -> list[Prompt]:
    """Prompts that name a language, without the code; the same jobs in either."""
    problems = [get("code").generate(seed + APART + i, 2) for i in range(n)]
    return [prompt_of(problem.prompt.pieces["context"], question(language)) for problem in problems]


def swept(
    lm: LM, concept: str, prompts: Sequence[Prompt], sides: Sides, direction: Direction, seed: int
) -> dict[str, object]:
    """A direction's dose-response and side effect, and random directions at the side effect of the full strength.

    "control": the largest change of a probability at strength 0.
    """
    texts, some = neutral(seed), prompts[::PART]
    clean = next_words(lm, texts, direction, 0.0)
    rows = {str(s): mean_of(shares(lm, prompts, direction, s, sides)) for s in STRENGTHS}
    costs = {str(s): divergence(clean, next_words(lm, texts, direction, s)) for s in STRENGTHS}
    plain, random = fmean(shares(lm, some, direction, 0.0, sides)), torch.Generator().manual_seed(seed)
    moves, reached = [], []
    for _ in range(RANDOM):
        other = as_long(torch.randn(direction.vector.shape, generator=random), direction)
        strength = strength_at(lm, texts, clean, other, costs[str(FULL)])
        reached.append(divergence(clean, next_words(lm, texts, other, strength)))
        moves.append(abs(fmean(shares(lm, some, other, strength, sides)) - plain))
    return {
        "concept": concept,
        "layer": direction.layer,
        "reliability": direction.reliability,
        "n": len(prompts),
        "share": rows,
        "kl": costs,
        "random": {"n": len(some), "draws": RANDOM, "mean": fmean(moves), "most": max(moves), "kl": fmean(reached)},
        "control": float((clean - next_words(lm, texts, None)).abs().max()),
    }


def as_long(vector: Tensor, direction: Direction) -> Direction:
    """Another vector, as long as the direction's and at its block."""
    return Direction(vector * direction.vector.norm() / vector.norm(), direction.layer)


def neutral(seed: int) -> list[Prompt]:
    """Beginnings of texts of other tasks, for the side effect."""
    random = Random(f"neutral {seed}")
    texts = [get(name).generate(seed + i).prompt.text.split() for i in range(NEUTRAL // 3) for name in TASKS]
    return [Prompt(" ".join(words[: random.randint(4, len(words))])) for words in texts]


TASKS = ("hunt", "copy", "because")


def strength_at(lm: LM, texts: Sequence[Prompt], clean: Tensor, direction: Direction, target: float) -> float:
    """The strength at which a direction costs about `target`: the divergence grows with the square of small ones."""
    strength = 4.0
    for _ in range(4):
        cost = divergence(clean, next_words(lm, texts, direction, strength))
        strength *= max(0.25, min(4.0, (target / max(cost, 1e-9)) ** 0.5))
    return strength


def next_words(lm: LM, prompts: Sequence[Prompt], direction: Direction | None, strength: float = 0.0) -> Tensor:
    """The probabilities of the next token after each prompt; no direction: of the plain model."""
    setup = Steer(direction, strength=strength) if direction else Setup()
    found = []
    for first in range(0, len(prompts), LOT):
        traces = run_many(lm, prompts[first : first + LOT], setup, last_only=True)
        found += [trace.logits[-1].softmax(-1) for trace in traces]
    return torch.stack(found)


def divergence(clean: Tensor, steered: Tensor) -> float:
    """Mean KL(clean ‖ steered) in nats."""
    return float((clean * (clean.clamp_min(1e-12).log() - steered.clamp_min(1e-12).log())).sum(-1).mean())


def shares(lm: LM, prompts: Sequence[Prompt], direction: Direction, strength: float, sides: Sides) -> list[float]:
    """Prompt by prompt, the share of the one side's tokens in the probability of both."""
    chances = next_words(lm, prompts, direction, strength)
    one, other = (chances[:, tokens].sum(-1) for tokens in sides)
    return (one / (one + other)).tolist()


def words(lm: LM, texts: Sequence[str]) -> list[int]:
    """The first token of each word, behind a space."""
    encode = partial(lm.tokenizer.encode, add_special_tokens=False)
    return [encode(f" {word}")[0] for word in texts]


def section(results: list[dict]) -> str:
    """What the card says."""
    head = ["concept", "block", *map(str, STRENGTHS), "KL at 1, 2, 4", "random, same KL as 4"]
    rows = [
        [
            each["concept"],
            str(each["layer"]),
            *(shown(figure, "mean") for figure in each["share"].values()),
            ", ".join(f"{each['kl'][strength]:.2f}" for strength in ("1.0", "2.0", "4.0")),
            f"{each['random']['mean']:.3f} (most {each['random']['most']:.3f}; KL {each['random']['kl']:.2f})",
        ]
        for each in results
    ]
    coded = [each for each in results if "written" in each]
    code_rows = [
        [
            each["concept"],
            str(each["layer"]),
            *(f"{value:.2f}" for value in each["written"].values()),
            f"{each['shuffled']['mean']:.3f} (most {each['shuffled']['most']:.3f})",
        ]
        for each in coded
    ]
    return f"""## Steering

The share of happy words against sad ones after “The room was”, and of C++ against Python as the first word of code, by
strength of the direction (difference in means) in the stream entering a block; means over {results[0]["n"]} prompts
with 95 % intervals. “Code”: fitted over all tokens of code in either language; “last token”: over the last token of
prompts that name either. KL: the side effect in nats on the next word of {NEUTRAL} texts of other tasks. Random: how
far {RANDOM} random directions move that share, each about as strong as costs that KL (the mean KL reached stands beside
it), on {results[0]["random"]["n"]} of the prompts. Strength 0: the largest change of a probability is
{max(each["control"] for each in results):.1g}.

{table(head, rows)}

Code as the model writes it, greedily, by strength: the share of {coded[0]["shuffled"]["n"]} that is mostly C++.
Shuffled, the control: how far the share of C++ at the first word moves at strength {FULL:.0f} when in half of the
pairs of texts, drawn at random, the two change sides before the direction is fitted ({SHUFFLED} draws).

{table(["concept", "block", *coded[0]["written"], "shuffled"], code_rows)}
"""
