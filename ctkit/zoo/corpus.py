"""Documents as numbers: token ids and loss weights, in batches whose order never changes."""

from collections.abc import Callable, Iterator
from random import Random

import torch
from torch import Tensor

from .documents import Segment, document
from .recipes import Recipe
from .tokenizer import FastEncoder

POOL = 32  # batches


def encode(segments: list[Segment], encoder: FastEncoder, start: int, end: int) -> tuple[list[int], list[float]]:
    """Token ids with the start token in front, and the loss weight of each."""
    ids, weights = [start], [0.0]
    for text, weight in segments:
        new = encoder(text) if text else [end]
        ids += new
        weights += [weight] * len(new)
    return ids, weights


def batches(plan: Recipe, encode_: Callable, first: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
    """The recipe's batches from `first` on, as (ids, weights), padded with id 0 and weight 0; the same ones, always.

    Documents come in pools of 32 batches, sorted by length and cut, so that a batch holds documents of similar length.
    """
    for pool in range(first // POOL, -(-plan.steps // POOL)):
        random = Random(f"ctkit corpus {plan.seed} {pool}")
        mixture = next(mixture for start, mixture in reversed(plan.stages) if start <= pool * POOL)
        progress = pool * POOL / plan.horizon
        documents = [encode_(document(random, mixture, progress)) for _ in range(POOL * plan.batch)]
        documents.sort(key=lambda pair: len(pair[0]))
        order = random.sample(range(POOL), POOL)
        for place, index in enumerate(order):
            if first <= pool * POOL + place < plan.steps:
                yield _padded(documents[index * plan.batch : (index + 1) * plan.batch])


def _padded(documents: list[tuple[list[int], list[float]]]) -> tuple[Tensor, Tensor]:
    longest = max(len(ids) for ids, _ in documents)
    ids = torch.tensor([row + [0] * (longest - len(row)) for row, _ in documents])
    weights = torch.tensor([row + [0.0] * (longest - len(row)) for _, row in documents])
    return ids, weights
