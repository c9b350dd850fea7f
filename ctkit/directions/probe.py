"""How far a direction can be relied on: the same from two halves of the texts, and texts told apart unseen."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

FOLDS = 5
LEAST = 4  # texts a side for a held-out probe

Fit = Callable[[list, list], Tensor]  # states of both sides → a vector


def folds(plus: int, minus: int, k: int, seed: int) -> list[tuple[list[int], list[int]]]:
    """`k` divisions of `plus` positive texts and the `minus` negative ones behind them into some to fit and some to
    test on. Each side is divided evenly; with as many on both, a text and the one it is paired with stay together."""
    divisions = []
    places = [torch.randperm(n, generator=torch.Generator().manual_seed(seed)).tolist() for n in (plus, minus)]
    for fold in range(k):
        held = {i for i in range(plus) if places[0][i] % k == fold}
        held |= {plus + i for i in range(minus) if places[1][i] % k == fold}
        divisions.append(([i for i in range(plus + minus) if i not in held], sorted(held)))
    return divisions


def accuracy(
    plus: Sequence[Float[Tensor, "_ width"]], minus: Sequence[Float[Tensor, "_ width"]], seed: int = 0
) -> float | None:
    """The share of texts that a logistic regression on their mean states tells apart when it was fitted on others (by
    cross-validation; 0.5 is chance where both sides are as many). None with fewer than four texts a side."""
    least = min(len(plus), len(minus))
    if least < LEAST:
        return None
    states = torch.stack([state.mean(0) for state in (*plus, *minus)])
    labels = torch.tensor([1] * len(plus) + [0] * len(minus))
    right = 0
    for train, test in folds(len(plus), len(minus), min(FOLDS, least), seed):
        right += int((probabilities(states[train], labels[train], states[test])[:, 1].round() == labels[test]).sum())
    return right / len(labels)


def probabilities(
    train: Float[Tensor, "text width"], labels: Int[Tensor, "text"], test: Float[Tensor, "other width"]
) -> Float[Tensor, "other label"]:
    """What a logistic regression fitted on some states gives to each label on others; labels count from 0."""
    from sklearn.linear_model import LogisticRegression

    found = torch.zeros(len(test), int(labels.max()) + 1)
    if len(labels.unique()) == 1:  # nothing to tell apart
        found[:, labels[0]] = 1.0
        return found
    probe = LogisticRegression(max_iter=1000).fit(train.double().numpy(), labels.numpy())
    found[:, torch.from_numpy(probe.classes_).long()] = torch.from_numpy(
        probe.predict_proba(test.double().numpy())
    ).float()
    return found


def reliability(fit: Fit, plus: Sequence, minus: Sequence) -> float | None:
    """The cosine between the directions of the odd and of the even texts; None with fewer than two a side."""
    if min(len(plus), len(minus)) < 2:
        return None
    return cosine(*(fit(plus[i::2], minus[i::2]) for i in (0, 1)))


def cosine(one: Float[Tensor, "width"], other: Float[Tensor, "width"]) -> float:
    """The cosine between two vectors; 0 where one of them is 0."""
    return float(torch.cosine_similarity(one, other, dim=0))
