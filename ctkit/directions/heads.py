"""Directions in heads: a probe for every head says which of them tell two sets of texts apart (ITI and NL-ITI)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..engine.lm import LM
from ..errors import CtkitError, shown
from ..interventions import Direction
from ..interventions.base import as_tuple, check_layers
from ..prompt import Prompt
from . import iti, nl_iti
from .iti import States
from .probe import cosine, folds
from .request import NAME, Request, rows, traces

K = 48  # heads steered (ITI, NL-ITI)
FOLDS = 2
SEED = 42
VALIDATION = 5  # one in so many texts of a fold's development part ranks the heads

# (train, its labels, validation, its labels, test, seed) → the chance of "positive" on validation and on test
Probe = Callable[[States, Tensor, States, Tensor, States, int], tuple[Tensor, Tensor]]


@dataclass(frozen=True, eq=False)
class HeadDirections:
    """Directions in heads, the best first; steer with them by `ct.SteerHeads(heads)`.

    `places`: the block and the head of every head probed. `ranking`: by which they are ranked, the accuracy of each
    one's probe on the validation part, averaged over folds. `accuracy`: on texts that neither fitted nor ranked it.
    """

    directions: tuple[Direction, ...]
    places: tuple[tuple[int, int], ...]
    ranking: Float[Tensor, "place"]
    accuracy: Float[Tensor, "place"]

    def __len__(self) -> int:
        return len(self.directions)

    def __iter__(self) -> Iterator[Direction]:
        return iter(self.directions)

    def __getitem__(self, index: int | slice) -> Direction | tuple[Direction, ...]:
        return self.directions[index]

    def __repr__(self) -> str:
        best = ", ".join(f"block {d.layer} head {d.head} ({d.accuracy:.2f})" for d in self.directions[:4])
        return f"HeadDirections({len(self)} of {len(self.places)} heads: {best}{', …' if len(self) > 4 else ''})"


def fit_heads(
    lm: LM,
    positive: Sequence[Prompt | str],
    negative: Sequence[Prompt | str],
    k: int = K,
    method: str = "iti",
    layers: int | Sequence[int] | None = None,
    folds: int = FOLDS,
    tokens: str | int | None = None,
    name: str = NAME,
    seed: int = SEED,
) -> HeadDirections:
    """The `k` heads (or all, where there are fewer) by which a probe tells two sets of texts apart best, each with a
    direction.

    `method`: "iti", a logistic regression on a head's output at the last token (Li et al., NeurIPS 2023, arXiv
    2306.03341); "nl-iti", a small network on its mean over the last two (Hoscilowicz et al., arXiv 2403.18680).
    `tokens` takes another choice: "all", "last" or how many of the last. In each of the `folds`, one part of the texts
    is held out; of the rest a fifth ranks the heads and the others fit the probes. A tie goes to the surer probe.

    Each direction is the difference of the mean outputs on all texts, with `sigma`, the standard deviation of the
    outputs along it, and the held-out `accuracy` of the head's probe (0.5 is chance). Raises `CtkitError` for an
    unknown method, too few texts, or a model whose heads cannot be told apart.

    >>> import ctkit as ct
    >>> mood = ct.tasks.get("mood")
    >>> heads = ct.fit_heads(ct.load(), mood.texts("happy", 8), mood.texts("sad", 8), k=3)
    >>> len(heads), heads[0].site
    (3, 'heads')
    """
    ways = {"iti": (iti.probe, "last"), "nl-iti": (nl_iti.probe, nl_iti.LAST)}
    if method not in ways:
        raise CtkitError(
            f"heads by the method {shown(method)}", "no such way to rank them", f"one of {', '.join(ways)}"
        )
    _check_numbers(k, folds, positive, negative)
    probe, own = ways[method]
    tokens = own if tokens is None else tokens
    places, plus = _outputs(lm, positive, layers, tokens)
    _, minus = _outputs(lm, negative, layers, tokens)
    ranking, certainty, accuracy = _ranked(probe, plus, minus, folds, seed)
    order = sorted(range(len(places)), key=lambda i: (-float(ranking[i]), -float(certainty[i]), i))
    found = [_direction(plus[:, i], minus[:, i], places[i], method, name, float(accuracy[i])) for i in order[:k]]
    return HeadDirections(tuple(found), tuple(places), ranking, accuracy)


def mass_mean(plus: Float[Tensor, "text d_head"], minus: Float[Tensor, "other d_head"]) -> Float[Tensor, "d_head"]:
    """The mean output on positive texts minus the mean output on negative ones."""
    return plus.mean(0) - minus.mean(0)


def spread(states: Float[Tensor, "text d_head"], vector: Float[Tensor, "d_head"]) -> float:
    """The standard deviation of states along a vector (0 for a vector of zeros)."""
    length = vector.norm()
    return float((states @ (vector / length)).std(correction=0)) if length > 0 else 0.0


def best_head(request: Request, method: str) -> Direction:
    """The direction of the head that a method reads best: of all, of the request's layer, or the one head it names."""
    k = K if request.head is None else request.lm.n_heads * request.lm.n_layers
    found = fit_heads(
        request.lm,
        request.positive,
        request.negative,
        k=k,
        method=method,
        layers=request.layer,
        tokens=request.tokens,
        name=request.name,
        seed=request.seed,
    )
    return next(each for each in found if request.head in (None, each.head))


def _direction(
    plus: Tensor, minus: Tensor, place: tuple[int, int], method: str, name: str, accuracy: float
) -> Direction:
    vector = mass_mean(plus, minus)
    again = cosine(*(mass_mean(plus[i::2], minus[i::2]) for i in (0, 1)))
    sigma = spread(torch.cat([plus, minus]), vector)
    return Direction(vector, place[0], method, name, again, "heads", place[1], sigma=sigma, accuracy=accuracy)


def _outputs(lm: LM, texts: Sequence[Prompt | str], layers: object, tokens: str | int) -> tuple[list, States]:
    """The heads probed, and each one's output on each text, averaged over the tokens chosen."""
    chosen = as_tuple(layers) if layers is not None else lm.attending
    if not chosen:
        raise CtkitError(
            f"directions in the heads of {lm.name}", "no block whose heads can be told apart", 'site="residual"'
        )
    check_layers("directions in heads", chosen, lm.n_layers - 1)
    read = [
        torch.cat([trace.heads(layer)[rows(trace.encoding, tokens)].mean(0) for layer in chosen])
        for trace in traces(lm, texts, heads=chosen)
    ]
    n_heads = len(read[0]) // len(chosen)
    return [(layer, head) for layer in chosen for head in range(n_heads)], torch.stack(read)


def _ranked(probe: Probe, plus: States, minus: States, k: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """For each head: accuracy on validation, mean log-probability there, accuracy on the texts held out."""
    states = torch.cat([plus, minus])
    labels = torch.tensor([1] * len(plus) + [0] * len(minus))
    totals: list[Tensor] = []
    for development, test in folds(len(plus), len(minus), k, seed):
        train, check = _divided(development, labels, seed)
        on_check, on_test = probe(states[train], labels[train], states[check], labels[check], states[test], seed)
        sure = on_check.where(labels[check, None] == 1, 1 - on_check).clamp_min(1e-12).log()
        totals.append(torch.stack([_right(on_check, labels[check]), sure.mean(0), _right(on_test, labels[test])]))
    return tuple(torch.stack(totals).mean(0))


def _divided(development: list[int], labels: Int[Tensor, "text"], seed: int) -> tuple[list[int], list[int]]:
    """The texts that fit the probes and those that rank them, each side in the same proportion."""
    sides = [[i for i in development if labels[i] == label] for label in (1, 0)]
    train, check = folds(len(sides[0]), len(sides[1]), min(VALIDATION, *map(len, sides)), seed)[0]
    both = sides[0] + sides[1]
    return [both[i] for i in train], [both[i] for i in check]


def _right(chances: Float[Tensor, "text place"], labels: Int[Tensor, "text"]) -> Float[Tensor, "place"]:
    """The share of texts that each head's probe gets right; one half for a chance of exactly one half."""
    sides = (chances - 0.5).sign() * (2 * labels[:, None] - 1)
    return ((sides + 1) / 2).mean(0)


def _check_numbers(k: int, n_folds: int, positive: Sequence, negative: Sequence) -> None:
    if not isinstance(k, int) or k < 1:
        raise CtkitError(f"{shown(k)} heads", "no number of heads", "1 or more; 48 as in the paper")
    if not isinstance(n_folds, int) or n_folds < 2:
        raise CtkitError(f"{shown(n_folds)} folds", "nothing held out", "2 folds or more")
    for side, texts in (("positive", positive), ("negative", negative)):
        if isinstance(texts, (str, Prompt)) or len(texts) < 2 * n_folds:
            found = "one text" if isinstance(texts, (str, Prompt)) else f"{len(texts)} texts"
            remedy = f"a list of {2 * n_folds} texts or more on each side, for {n_folds} folds"
            raise CtkitError(f"directions in heads from the {side} texts", found, remedy)
