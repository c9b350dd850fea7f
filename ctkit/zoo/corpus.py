"""Documents as numbers: token ids and loss weights, in batches whose order never changes."""

from collections.abc import Iterator
from random import Random

import torch
from torch import Tensor

from .documents import Mixture, Segment, document
from .tokenizer import FastEncoder


def encode(segments: list[Segment], encoder: FastEncoder, start: int, end: int) -> tuple[list[int], list[float]]:
    """Token ids with the start token in front, and the loss weight of each."""
    ids, weights = [start], [0.0]
    for text, weight in segments:
        new = encoder(text) if text else [end]
        ids += new
        weights += [weight] * len(new)
    return ids, weights


def batches(
    mixture: Mixture, seed: int, size: int, steps: int, encode_, first: int = 0
) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches first..steps as (ids, weights), padded with id 0 and weight 0; the same for the same seed, always.

    Documents come in pools of 32 batches, sorted by length and cut, so that a batch holds documents of similar length.
    """
    for pool in range(first // 32, -(-steps // 32)):
        random = Random(f"ctkit corpus {seed} {pool}")
        documents = [encode_(document(random, mixture, pool * 32 / steps)) for _ in range(32 * size)]
        documents.sort(key=lambda pair: len(pair[0]))
        order = random.sample(range(32), 32)
        for place, index in enumerate(order):
            if first <= pool * 32 + place < steps:
                yield _padded(documents[index * size : (index + 1) * size])


def _padded(documents: list[tuple[list[int], list[float]]]) -> tuple[Tensor, Tensor]:
    longest = max(len(ids) for ids, _ in documents)
    ids = torch.tensor([row + [0] * (longest - len(row)) for row, _ in documents])
    weights = torch.tensor([row + [0.0] * (longest - len(row)) for _, row in documents])
    return ids, weights
