"""Documents as numbers: token ids, what is to be foreseen, and loss weights, in batches whose order never changes."""

from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple

import torch
from torch import Tensor

from .documents import Document, document
from .recipes import Recipe
from .tokenizer import FastEncoder

POOL = 32  # batches
SLOT = 0.3  # loss weight of a target that is not the next token: many in a row, and a causal reader must guess them


class Batch(NamedTuple):
    """`targets` and `weights` speak of what is to be foreseen at a position (usually the token after it).

    `asked`: how many tokens are the prompt's; `parts`: the lengths of the prompt after each of its segments. `leaky`:
    where the target is the next token of the prompt, which a mask that opens the prompt would show. `hints`: what the
    stream entering block 2 shall tell at a position (0 for nothing); `early`: where it can only under an open mask.
    """

    ids: Tensor
    targets: Tensor
    weights: Tensor
    leaky: Tensor
    hints: Tensor
    early: Tensor
    parts: list[list[int]]


class Encoded(NamedTuple):
    """One document of a batch, unpadded."""

    ids: list[int]
    targets: list[int]
    weights: list[float]
    leaky: list[bool]
    hints: list[int]
    early: list[bool]
    parts: list[int]


def encode(text: Document, encoder: FastEncoder, start: int, end: int) -> Encoded:
    """A document as numbers, with the start token in front."""
    ids, weights, own, hints, parts = [start], [0.0], {}, {}, []
    for place, segment in enumerate(text.segments):
        new = encoder(segment.text) if segment.text else [end]
        ids += new
        weights += [segment.weight] * len(new)
        if segment.target:
            own[len(ids) - 1] = encoder(f" {segment.target}")[0]
        if segment.hint:
            hints[len(ids) - 1] = encoder(f" {segment.hint}")[0]
        if place < len(text.asked):
            parts.append(len(ids))
    targets, weights = [*ids[1:], end], [*weights[1:], 0.0]
    for position, target in own.items():
        targets[position], weights[position] = target, SLOT
    last, first = parts[-1] if parts else 0, parts[text.first - 1] if text.first else 0
    return Encoded(
        ids,
        targets,
        weights,
        leaky=[position + 1 < last and position not in own for position in range(len(ids))],
        hints=[hints.get(position, 0) for position in range(len(ids))],
        early=[position < first for position in range(len(ids))],
        parts=parts,
    )


def batches(plan: Recipe, encode_: Callable[[Document], Encoded], first: int = 0) -> Iterator[Batch]:
    """The recipe's batches from `first` on, padded with id 0 and weight 0; the same ones, always.

    Documents come in pools of 32 batches, sorted by length and cut, so that a batch holds documents of similar length.
    """
    for pool in range(first // POOL, -(-plan.steps // POOL)):
        random = Random(f"ctkit corpus {plan.seed} {pool}")
        mixture = next(mixture for start, mixture in reversed(plan.stages) if start <= pool * POOL)
        documents = [encode_(document(random, mixture)) for _ in range(POOL * plan.batch)]
        documents.sort(key=lambda each: len(each.ids))
        order = random.sample(range(POOL), POOL)
        for place, index in enumerate(order):
            if first <= pool * POOL + place < plan.steps:
                yield padded(documents[index * plan.batch : (index + 1) * plan.batch])


def padded(documents: list[Encoded]) -> Batch:
    """Documents of similar length side by side."""
    longest = max(len(each.ids) for each in documents)

    def table(rows: list[list], nothing: object) -> Tensor:
        return torch.tensor([row + [nothing] * (longest - len(row)) for row in rows])

    return Batch(
        table([each.ids for each in documents], 0),
        table([each.targets for each in documents], 0),
        table([each.weights for each in documents], 0.0),
        table([each.leaky for each in documents], False),
        table([each.hints for each in documents], 0),
        table([each.early for each in documents], False),
        [each.parts for each in documents],
    )
