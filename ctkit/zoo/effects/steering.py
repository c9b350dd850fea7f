"""Steering with a difference in means, at a stated side effect: the mood of a story, and the language of code.

Side effect: the KL divergence from the model as it is to the steered one, at the next word of neutral texts.
"""

from collections.abc import Sequence
from functools import partial
from random import Random
from statistics import fmean

import torch
from torch import Tensor

from ...directions import fit_direction
from ...engine.generate import generate_many
from ...engine.lm import LM
from ...engine.run import run_many
from ...interventions import Direction, Steer
from ...prompt import Prompt
from ...tasks import get
from ...tasks.code import FIRST, language_of
from ...tasks.mood import STYLES
from .tables import table

STRENGTHS = (-4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0)
RANDOM = 20  # random directions
NEUTRAL = 24  # texts for the side effect


def jobs(n: int, seed: int) -> list[tuple[str, tuple]]:
    """Each concept in the stream entering each block."""
    return [(concept, (-(-n // 8), seed, layer)) for concept in ("mood", "code") for layer in range(4)]


def mood(lm: LM, n: int, seed: int, layer: int) -> dict[str, object]:
    """The share of happy words in the probability of happy and sad ones, after “The room was”."""
    task = get("mood")
    direction = fit_direction(lm, task.texts("happy", 64, seed), task.texts("sad", 64, seed), layer=layer)
    stories = [task.generate(seed + i, 2).prompt.pieces["context"].rsplit(". ", 2)[0] for i in range(n)]
    prompts = [Prompt(story + ". The room was") for story in stories]
    return swept(lm, "mood", prompts, (words(lm, STYLES["happy"]), words(lm, STYLES["sad"])), direction, seed)


def code(lm: LM, n: int, seed: int, layer: int) -> dict[str, object]:
    """The share of C++ in the probability of either language's first word, where the question names none.

    "written": the share of code that is mostly C++ as the model writes it, greedily. "shuffled": the share where the
    direction was fitted on texts whose labels were mixed.
    """
    task = get("code")
    plus, minus = task.texts("C++", 64, seed), task.texts("Python", 64, seed)
    direction = fit_direction(lm, plus, minus, layer=layer)
    prompts = [task.generate(seed + i, 2).prompt for i in range(n)]
    first = words(lm, [FIRST["C++"]]), words(lm, [FIRST["Python"]])
    report = swept(lm, "code", prompts, first, direction, seed)
    mixed = [*plus[::2], *minus[1::2]], [*minus[::2], *plus[1::2]]
    shuffled = fit_direction(lm, *mixed, layer=layer)
    shuffled = Direction(shuffled.vector * direction.vector.norm() / shuffled.vector.norm(), layer)
    report["shuffled"] = share(next_words(lm, prompts, shuffled, 4.0), *first)
    report["written"] = {}
    for strength in (0.0, 1.0, 2.0, 4.0):
        texts = generate_many(lm, prompts[:60], Steer(direction, strength=strength), max_new_tokens=32)
        report["written"][str(strength)] = fmean(language_of(each.text) == "C++" for each in texts)
    return report


def swept(
    lm: LM, concept: str, prompts: Sequence[Prompt], sides: tuple[list[int], list[int]], direction: Direction, seed: int
) -> dict[str, object]:
    """A direction's dose-response and side effect, and random directions at the side effect of strength 4."""
    texts = neutral(seed)
    clean = next_words(lm, texts, direction, 0.0)
    rows = {str(s): share(next_words(lm, prompts, direction, s), *sides) for s in STRENGTHS}
    costs = {str(s): divergence(clean, next_words(lm, texts, direction, s)) for s in STRENGTHS}
    torch.manual_seed(seed)
    moves, reached = [], []
    for _ in range(RANDOM):
        noise = torch.randn_like(direction.vector)
        other = Direction(noise * direction.vector.norm() / noise.norm(), direction.layer)
        strength = strength_at(lm, texts, clean, other, costs["4.0"])
        reached.append(divergence(clean, next_words(lm, texts, other, strength)))
        moves.append(abs(share(next_words(lm, prompts, other, strength), *sides) - rows["0.0"]))
    return {
        "concept": concept,
        "layer": direction.layer,
        "reliability": direction.reliability,
        "n": len(prompts),
        "share": rows,
        "kl": costs,
        "random": fmean(moves),
        "random most": max(moves),
        "random kl": fmean(reached),
    }


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


def next_words(lm: LM, prompts: Sequence[Prompt], direction: Direction, strength: float) -> Tensor:
    """The probabilities of the next token after each prompt."""
    traces = run_many(lm, prompts, Steer(direction, strength=strength))
    return torch.stack([trace.logits[-1].softmax(-1) for trace in traces])


def divergence(clean: Tensor, steered: Tensor) -> float:
    """Mean KL(clean ‖ steered) in nats."""
    return float((clean * (clean.clamp_min(1e-12).log() - steered.clamp_min(1e-12).log())).sum(-1).mean())


def share(chances: Tensor, these: list[int], others: list[int]) -> float:
    """The mean share of some tokens in the probability of these and others."""
    first, second = chances[:, these].sum(-1), chances[:, others].sum(-1)
    return float((first / (first + second)).mean())


def words(lm: LM, texts: Sequence[str]) -> list[int]:
    """The first token of each word, behind a space."""
    encode = partial(lm.tokenizer.encode, add_special_tokens=False)
    return [encode(f" {word}")[0] for word in texts]


def section(results: list[dict]) -> str:
    """What the card says."""
    head = ["concept", "block", *map(str, STRENGTHS), "KL at 4", "random, same KL"]
    rows = [
        [
            each["concept"],
            str(each["layer"]),
            *(f"{value:.2f}" for value in each["share"].values()),
            f"{each['kl']['4.0']:.2f}",
            f"{each['random']:.3f} (at most {each['random most']:.3f}; KL {each['random kl']:.2f})",
        ]
        for each in results
    ]
    code_rows = [
        [str(r["layer"]), *(f"{value:.2f}" for value in r["written"].values()), f"{r['shuffled']:.2f}"]
        for r in results
        if r["concept"] == "code"
    ]
    return f"""## Steering

The share of happy words against sad ones after “The room was”, and of C++ against Python as the first word of code, by
strength of the direction (difference in means) in the stream entering a block. KL: the side effect in nats on the next
word of {NEUTRAL} texts of other tasks. Random: the mean move of {RANDOM} random directions, each about as strong as
costs that KL (the mean KL reached stands beside it). Strength 0 is the model as it is.

{table(head, rows)}

Code as the model writes it, greedily: the share that is mostly C++, by strength; and the share of C++ at the first word
under a direction fitted on mixed labels, at strength 4.

{table(["block", "0", "1", "2", "4", "mixed labels"], code_rows)}
"""
