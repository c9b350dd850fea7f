"""Semi-non-negative matrix factorisation: activations as sums of a few groups of neurons, none of them taken off."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import CtkitError, shown

ITERATIONS, PATIENCE, TOLERANCE = 500, 100, 1e-4
KEEP = 0.01  # the share of neurons that a feature may use
TINY = 1e-6


@dataclass(frozen=True, eq=False)
class Factors:
    """Activations A ≈ F Gᵀ: `features` F, a column of neurons for each feature; `uses` G ≥ 0, how much of each a token
    has. The columns of G are one long. `errors`: |A − F Gᵀ| / |A| after each iteration; `error` is the best, that of F
    and G."""

    features: Float[Tensor, "neuron feature"]
    uses: Float[Tensor, "token feature"]
    errors: tuple[float, ...]

    @property
    def error(self) -> float:
        """The share of the activations' length that is left over."""
        return min(self.errors)


def factorise(
    activations: Float[Tensor, "neuron token"],
    k: int,
    keep: float = KEEP,
    iterations: int = ITERATIONS,
    patience: int = PATIENCE,
    tolerance: float = TOLERANCE,
    start: str = "random",
    seed: int = 0,
) -> Factors:
    """Activations as `k` features of neurons (Shafran, Geiger and Geva, arXiv 2506.10920; the rules are of its code).

    F is solved for G, then each feature keeps its largest neurons in absolute value, the share `keep` of all (at least
    one); then G takes a multiplicative step that leaves it non-negative. It ends after `iterations`, or `patience` of
    them without an error smaller by the share `tolerance`; the best F and G are kept. `start`: "random", or "kmeans",
    groups of like tokens. Raises `CtkitError` for more features than tokens, or shares outside 0 to 1.
    """
    neurons, tokens = activations.shape
    if not isinstance(k, int) or not 1 <= k <= tokens:
        raise CtkitError(f"{shown(k)} features of {tokens} tokens", "no such factorisation", f"1 to {tokens} features")
    if not 0 < keep <= 1:
        raise CtkitError(
            f"features of the share {shown(keep)} of neurons", "no share", "above 0, at most 1; 0.01 in SNMF"
        )
    most = max(1, round(keep * neurons))
    length = activations.norm().clamp_min(1e-12)
    best, errors, last = None, [], 0
    for features, uses, loss in _steps(activations, _start(activations, k, start, seed), most, iterations):
        errors.append(float(loss.clamp_min(0).sqrt() / length))
        if best is None or errors[-1] < best[0] * (1 - tolerance):
            last = len(errors)
        if best is None or errors[-1] < best[0]:
            best = errors[-1], features, uses
        if len(errors) - last >= patience:
            break
    return Factors(best[1], best[2], tuple(errors))


def winners(features: Float[Tensor, "neuron feature"], most: int) -> Float[Tensor, "neuron feature"]:
    """Each feature with its `most` largest neurons in absolute value, the others at 0."""
    kept = features.abs().topk(most, dim=0).indices
    return torch.zeros_like(features).scatter(0, kept, features.gather(0, kept))


def _start(activations: Tensor, k: int, start: str, seed: int) -> Float[Tensor, "token feature"]:
    if start == "random":
        return torch.rand(activations.shape[1], k, generator=torch.Generator().manual_seed(seed))
    if start != "kmeans":
        raise CtkitError(f"a factorisation from {shown(start)}", "no such start", '"random" or "kmeans"')
    from sklearn.cluster import KMeans

    labels = KMeans(k, n_init=1, random_state=seed).fit(activations.T.double().numpy()).labels_
    return torch.nn.functional.one_hot(torch.from_numpy(labels).long(), k) + 0.2  # none at 0: from there is no way up


def _steps(activations: Tensor, uses: Tensor, most: int, iterations: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """F, G and the squared error after each iteration."""
    size = activations.square().sum()
    for _ in range(max(1, iterations)):
        ridge = TINY * torch.eye(uses.shape[1])
        features = winners(torch.linalg.solve(uses.T @ uses + ridge, (activations @ uses).T).T, most)
        lengths = uses.norm(dim=0).clamp_min(1e-12)
        uses, features = uses / lengths, features * lengths
        fitting, common = activations.T @ features, features.T @ features
        up = fitting.clamp_min(0) + uses @ (-common).clamp_min(0)
        down = (-fitting).clamp_min(0) + uses @ common.clamp_min(0) + TINY
        uses = uses * (up / down).sqrt()
        yield features, uses, size - 2 * (fitting * uses).sum() + (common * (uses.T @ uses)).sum()
