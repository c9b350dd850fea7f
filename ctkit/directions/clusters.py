"""Directions for groups of prompts: like differences together, and a probe that chooses for a new prompt (G-ACT)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..engine.lm import LM
from ..errors import CtkitError, shown
from ..interventions import Direction, SteerClusters
from ..masks import Where
from ..prompt import START, Encoding, Prompt
from .plane import unit
from .probe import FOLDS, LEAST, accuracy, cosine, folds
from .request import NAME, Request, check_texts, read, rows, traces

K = 3


@dataclass(frozen=True, eq=False)
class Clusters:
    """Groups of like pairs, a direction for each, and a probe that says from a prompt's last token which to take.

    `labels`: the group of each pair it was fitted on. `accuracy`: the share of prompts whose group a probe finds when
    it has not seen them (None with few), beside `chance`, the share of the largest group. `refined` gives another value
    and leaves this one as it is.
    """

    directions: tuple[Direction, ...]
    probes: tuple[Direction, ...]
    biases: tuple[float, ...]
    labels: tuple[int, ...]
    accuracy: float | None
    chance: float

    def __len__(self) -> int:
        return len(self.directions)

    def steer(self, strength: float = 1.0, where: Where = "all") -> SteerClusters:
        """The intervention that chooses for each prompt."""
        return SteerClusters(self.directions, self.probes, self.biases, strength, where)

    def scores(self, states: Float[Tensor, "prompt d_model"]) -> Float[Tensor, "prompt cluster"]:
        """What the probe gives to each group (before the softmax)."""
        return states @ torch.stack([each.vector for each in self.probes]).T + torch.tensor(self.biases)

    def predict(self, states: Float[Tensor, "prompt d_model"]) -> list[int]:
        """The group that the probe chooses for each prompt, from the stream at its last token."""
        return self.scores(states).argmax(1).tolist()

    def loss(self, states: Float[Tensor, "prompt d_model"], labels: Sequence[int]) -> float:
        """The probe's mean cross-entropy in nats."""
        return float(torch.nn.functional.cross_entropy(self.scores(states), self._checked(states, labels)))

    def refined(
        self, states: Float[Tensor, "prompt d_model"], labels: Sequence[int], steps: int = 10, rate: float = 1.0
    ) -> "Clusters":
        """The same groups with a probe that took gradient steps on further prompts (online refinement).

        `rate` 1 is the longest step that cannot raise the cross-entropy on these prompts, from its greatest curvature.
        """
        wanted = torch.nn.functional.one_hot(self._checked(states, labels), len(self)).float()
        if not isinstance(steps, int) or steps < 0 or not 0 < rate < 2:
            raise CtkitError(
                f"{shown(steps)} steps at rate {shown(rate)}", "no way down", "whole steps from 0 on, at 0 < rate < 2"
            )
        inputs = torch.cat([states, torch.ones(len(states), 1)], dim=1)
        weights = torch.cat([torch.stack([p.vector for p in self.probes]), torch.tensor(self.biases)[:, None]], dim=1)
        step = rate / (0.5 * torch.linalg.matrix_norm(inputs, ord=2) ** 2 / len(inputs))
        for _ in range(steps):
            weights = weights - step * ((inputs @ weights.T).softmax(1) - wanted).T @ inputs / len(inputs)
        probes = tuple(replace(p, vector=row) for p, row in zip(self.probes, weights[:, :-1], strict=True))
        return replace(self, probes=probes, biases=tuple(weights[:, -1].tolist()))

    def _checked(self, states: Tensor, labels: Sequence[int]) -> Int[Tensor, "prompt"]:
        if len(labels) != len(states) or not len(labels) or any(label not in range(len(self)) for label in labels):
            raise CtkitError(
                f"{len(states)} prompts in the groups {shown(list(labels))}",
                f"{len(self)} groups",
                f"for each prompt a group from 0 to {len(self) - 1}",
            )
        return torch.tensor(list(labels))


def fit_clusters(
    lm: LM,
    positive: Sequence[Prompt | str],
    negative: Sequence[Prompt | str],
    k: int = K,
    layer: int | None = None,
    prompts: Sequence[Prompt | str] | None = None,
    tokens: str | int = "last",
    name: str = NAME,
    seed: int = 0,
) -> Clusters:
    """Groups of pairs whose differences in the stream entering block `layer` point the same way (G-ACT; Sharma & Raman,
    arXiv 2506.18887; the paper leaves numbers open, and these choices are ours).

    The differences of pairs, at the last token (or the mean over `tokens`), are divided by k-means on their directions;
    a group's own direction is the mean difference of its pairs, so that one group is the difference in means. A
    multinomial logistic regression tells from the stream at the last token of the prompt which group a pair is in. The
    prompt of a pair is what its two texts begin with, or an entry of `prompts`. At most as many groups as there are
    different differences. For several layers, fit and steer at each.

    >>> import ctkit as ct
    >>> code = ct.tasks.get("code")
    >>> clusters = ct.fit_clusters(ct.load(), code.texts("C++", 12), code.texts("Python", 12), k=2)
    >>> len(clusters), len(clusters.labels)
    (2, 12)
    """
    layer = lm.n_layers // 2 if layer is None else layer
    for texts in (positive, negative):
        check_texts("groups of pairs from", texts)
    request = Request(lm, positive, negative, layer, tokens=tokens, name=name, seed=seed)
    request.paired("g-act")
    if not isinstance(k, int) or not 1 <= k <= len(positive):
        raise CtkitError(
            f"{shown(k)} groups of {len(positive)} pairs", "no such division", f"1 to {len(positive)} groups"
        )
    if prompts is not None and len(prompts) != len(positive):
        raise CtkitError(f"groups of {len(positive)} pairs", f"{len(prompts)} prompts", "a prompt for each pair")
    plus, minus, beginnings = _read(request)
    if prompts is not None:
        beginnings = torch.cat(read(lm, prompts, "residual", layer, tokens="last"))
    elif beginnings is None:
        found = "a pair whose texts do not begin alike"
        raise CtkitError("groups of pairs", found, "prompts=[…], the prompt of each pair, or pairs of one prompt")
    differences = plus - minus
    labels = divided(differences, k, seed)
    directions = [_direction(request, plus, minus, labels == group) for group in range(int(labels.max()) + 1)]
    return _with_probe(directions, beginnings, labels, layer, seed)


def fit(request: Request) -> Direction:
    """The direction of the largest group."""
    found = fit_clusters(
        request.lm,
        request.positive,
        request.negative,
        min(K, len(request.positive)),
        request.layer,
        tokens=request.tokens,
        name=request.name,
        seed=request.seed,
    )
    return found.directions[0]


def divided(differences: Float[Tensor, "pair d_model"], k: int, seed: int = 0) -> Int[Tensor, "pair"]:
    """The group of each difference by k-means on their directions; the largest group is 0."""
    from sklearn.cluster import KMeans

    units = unit(differences)
    k = min(k, len(units.unique(dim=0)))
    if k == 1:
        return torch.zeros(len(units), dtype=torch.long)
    found = torch.from_numpy(KMeans(k, n_init=10, random_state=seed).fit(units.double().numpy()).labels_).long()
    order = found.bincount(minlength=k).argsort(descending=True, stable=True)
    return order.argsort()[found]


def _direction(request: Request, plus: Tensor, minus: Tensor, chosen: Tensor) -> Direction:
    mine = (plus - minus)[chosen]
    again = cosine(mine[::2].mean(0), mine[1::2].mean(0)) if len(mine) > 1 else None
    told = accuracy(list(plus[chosen][:, None]), list(minus[chosen][:, None]), request.seed)
    return request.direction(mine.mean(0), "g-act", reliability=again, accuracy=told)


def _read(request: Request) -> tuple[Tensor, Tensor, Tensor | None]:
    """The states of both texts of each pair, and of the last token with which they begin alike (None without one)."""
    plus, minus, beginnings = [], [], []
    sides = [traces(request.lm, texts, residual=[request.layer]) for texts in request.sides]
    for one, other in zip(*sides, strict=True):
        for trace, states in ((one, plus), (other, minus)):
            states.append(trace.residual(request.layer)[rows(trace.encoding, request.tokens)].mean(0))
        alike = _alike(one.encoding, other.encoding)
        if alike and one.encoding.places[alike - 1][0] != START:
            beginnings.append(one.residual(request.layer)[alike - 1])
    whole = len(beginnings) == len(plus)
    return torch.stack(plus), torch.stack(minus), torch.stack(beginnings) if whole else None


def _alike(one: Encoding, other: Encoding) -> int:
    """With how many tokens two texts begin alike."""
    pairs = list(zip(one.ids, other.ids, strict=False))
    return next((i for i, (a, b) in enumerate(pairs) if a != b), len(pairs))


def _with_probe(directions: list[Direction], states: Tensor, labels: Tensor, layer: int, seed: int) -> Clusters:
    counts = labels.bincount()
    weights, biases = _fitted(states, labels)
    probes = [Direction(row, layer, "probe", f"which group: {i}") for i, row in enumerate(weights)]
    told = _held_out(states, labels, seed)
    chance = int(counts.max()) / len(labels)
    return Clusters(tuple(directions), tuple(probes), tuple(biases.tolist()), tuple(labels.tolist()), told, chance)


def _fitted(states: Tensor, labels: Tensor) -> tuple[Float[Tensor, "cluster d_model"], Float[Tensor, "cluster"]]:
    """The weights and biases of a multinomial logistic regression; zeros for one group."""
    from sklearn.linear_model import LogisticRegression

    k = int(labels.max()) + 1
    if k == 1:
        return torch.zeros(1, states.shape[1]), torch.zeros(1)
    probe = LogisticRegression(max_iter=1000).fit(states.double().numpy(), labels.numpy())
    weights, biases = torch.from_numpy(probe.coef_).float(), torch.from_numpy(probe.intercept_).float()
    if k == 2:  # one row says both: half its score to each
        weights, biases = torch.cat([-weights, weights]) / 2, torch.cat([-biases, biases]) / 2
    return weights, biases


def _held_out(states: Tensor, labels: Tensor, seed: int) -> float | None:
    if len(labels) < LEAST:
        return None
    right = 0
    for train, test in folds(len(labels), 0, min(FOLDS, len(labels)), seed):
        seen, known = labels[train].unique(return_inverse=True)
        weights, biases = _fitted(states[train], known)
        right += int((seen[(states[test] @ weights.T + biases).argmax(1)] == labels[test]).sum())
    return right / len(labels)
