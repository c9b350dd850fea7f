"""Inference-time intervention: a logistic regression on each head's output says which heads know (ITI)."""

import torch
from jaxtyping import Float
from torch import Tensor

from .probe import probabilities

States = Float[Tensor, "_ place d_head"]  # text by text; a place is a head of a block


def probe(
    train: States, labels: Tensor, check: States, check_labels: Tensor, test: States, seed: int
) -> tuple[Tensor, Tensor]:
    """The chance of "positive" on two sets of states, by a logistic regression for each head (at most 1000 steps)."""
    unseen = torch.cat([check, test])
    chances = [probabilities(train[:, i], labels, unseen[:, i])[:, 1] for i in range(train.shape[1])]
    both = torch.stack(chances, dim=1)
    return both[: len(check)], both[len(check) :]
