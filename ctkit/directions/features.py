"""Features of an MLP's neurons over many texts: what each writes into the stream, and the tokens that have it."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..engine.lm import LM, down_projection
from ..errors import CtkitError, shown
from ..interventions import Direction
from ..interventions.base import as_tuple, check_layers
from ..prompt import Prompt
from .plane import unit
from .probe import accuracy, reliability
from .request import Request, check_texts, rows, traces
from .snmf import ITERATIONS, KEEP, Factors, factorise

K = 100
CONTRASTED = 20  # features among which `fit_direction` looks: it fits three times, once for each half


@dataclass(frozen=True, eq=False)
class Features:
    """Groups of neurons that are active together (SNMF; Shafran et al., arXiv 2506.10920).

    `factors`: the neurons of each feature, and how much of it each token has. `written`: what a feature of length 1
    adds to the MLP's output. `tokens` and `text`: each token read, and the number of its text.
    """

    factors: Factors
    written: Float[Tensor, "feature d_model"]
    tokens: tuple[str, ...]
    text: Int[Tensor, "token"]
    layer: int

    def __len__(self) -> int:
        return len(self.written)

    def __repr__(self) -> str:
        return f"Features({len(self)} of block {self.layer}, {len(self.tokens)} tokens, error {self.factors.error:.2f})"

    def direction(self, feature: int) -> Direction:
        """A feature as a direction at the MLP's output: adding α of it is adding α of the feature, one long, to the
        neurons."""
        if not isinstance(feature, int) or not 0 <= feature < len(self):
            raise CtkitError(
                f"feature {shown(feature)}", f"{len(self)} features", f"a feature from 0 to {len(self) - 1}"
            )
        name = f"feature {feature}: {', '.join(repr(token) for token, _ in self.top_tokens(feature, 3))}"
        return Direction(self.written[feature], self.layer, "snmf", name, site="mlp")

    def top_tokens(self, feature: int, k: int = 10) -> list[tuple[str, float]]:
        """The tokens that have most of a feature, each word once, with how much the token that has most of it has."""
        order = self.factors.uses[:, feature].argsort(descending=True).tolist()
        words: dict[str, float] = {}
        for i in order:
            words.setdefault(self.tokens[i], float(self.factors.uses[i, feature]))
            if len(words) == k:
                break
        return list(words.items())

    def by_text(self) -> Float[Tensor, "text feature"]:
        """How much of each feature each text has, averaged over its tokens."""
        counts = self.text.bincount()
        sums = torch.zeros(len(counts), len(self)).index_add(0, self.text, self.factors.uses)
        return sums / counts[:, None]


def fit_features(
    lm: LM,
    texts: Sequence[Prompt | str],
    layer: int | None = None,
    k: int = K,
    keep: float = KEEP,
    iterations: int = ITERATIONS,
    start: str = "random",
    seed: int = 0,
) -> Features:
    """`k` features (or as many as there are tokens) of the MLP's neurons in block `layer`, over all tokens of texts.

    Each uses the share `keep` of all neurons. Raises `CtkitError` where a block has no single hidden layer (experts).

    >>> import ctkit as ct
    >>> features = ct.fit_features(ct.load(), ct.tasks.get("mood").texts("happy", 4), layer=1, k=5, iterations=20)
    >>> len(features), features.direction(0).site
    (5, 'mlp')
    """
    check_texts("features of", texts)
    layer = lm.n_layers // 2 if layer is None else layer
    check_layers("features", as_tuple(layer), lm.n_layers - 1)
    down = down_projection(lm, layer).float().cpu()
    read, tokens, text = [], [], []
    for number, trace in enumerate(traces(lm, texts, neurons=[layer])):
        chosen = rows(trace.encoding, "all")
        read.append(trace.neurons(layer)[chosen])
        tokens += [trace.tokens[i] for i in chosen]
        text += [number] * len(chosen)
    activations = torch.cat(read).T
    factors = factorise(activations, min(k, len(tokens)), keep, iterations, start=start, seed=seed)
    written = unit(factors.features.T) @ down.T
    return Features(factors, written, tuple(tokens), torch.tensor(text), layer)


def fit(request: Request) -> Direction:
    """The feature whose use differs most between the texts of the two sides, counted in standard deviations, as long as
    that difference; it is pushed through the down projection, so it belongs to the MLP's output."""

    def found(plus: Sequence, minus: Sequence) -> Tensor:
        texts = [*plus, *minus]
        features = fit_features(request.lm, texts, request.layer, CONTRASTED, start="kmeans", seed=request.seed)
        return contrast(features, len(plus))

    sides = request.sides
    told = accuracy(*request.states(), request.seed)
    return request.direction(found(*sides), "snmf", reliability=reliability(found, *sides), accuracy=told)


def contrast(features: Features, plus: int) -> Float[Tensor, "d_model"]:
    """What the feature writes whose use tells the first `plus` texts from the others best, times the difference."""
    uses = features.by_text()
    gap = uses[:plus].mean(0) - uses[plus:].mean(0)
    best = int((gap / (uses.std(0, correction=0) + 1e-6 * uses.max())).abs().argmax())
    return gap[best] * features.written[best] * features.factors.features[:, best].norm()
