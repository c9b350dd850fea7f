"""A plane to turn in: the difference in means at one block, and what the differences at all blocks vary by."""

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from ..interventions import Direction
from . import diffmean
from .pca import first_component
from .probe import accuracy, reliability
from .request import Request, rows, traces


def fit(request: Request) -> Direction:
    """The difference in means with a `second` vector: the first component of the differences, one long each, of the
    streams entering all blocks, less its part along the direction (as the code of angular steering does; Vu & Nguyen
    2025). Without a layer: the one whose difference is most like the others'."""
    layers = range(request.lm.n_layers)
    sides = []
    for texts in request.sides:
        read = [
            [trace.residual(layer)[rows(trace.encoding, request.tokens)] for layer in layers]
            for trace in traces(request.lm, texts, residual=layers)
        ]
        sides.append([list(streams) for streams in zip(*read, strict=True)])  # layer → text → tokens
    vectors = torch.stack([diffmean.of_texts(plus, minus) for plus, minus in zip(*sides, strict=True)])
    units = unit(vectors)
    if request.layer is None:
        request = replace(request, layer=int((units @ units.T).sum(1).argmax()))
    if request.layer < len(vectors):
        plus, minus = (side[request.layer] for side in sides)
    else:  # the stream leaving the last block
        plus, minus = request.states()
    vector = diffmean.of_texts(plus, minus)
    found = request.direction(
        vector,
        "plane",
        reliability=reliability(diffmean.of_texts, plus, minus),
        accuracy=accuracy(plus, minus, request.seed),
    )
    return replace(found, second=across(first_component(units), vector))


def across(second: Float[Tensor, "width"], first: Float[Tensor, "width"]) -> Float[Tensor, "width"]:
    """The part of one vector that is at right angles to another, one long; 0 where there is none."""
    line = unit(first)
    rest = second - (second @ line) * line
    return unit(rest) if rest.norm() > 1e-6 * second.norm() else torch.zeros_like(rest)


def unit(vectors: Float[Tensor, "*many width"]) -> Float[Tensor, "*many width"]:
    """Vectors scaled to length 1; a vector of zeros stays one."""
    lengths = vectors.norm(dim=-1, keepdim=True)
    return vectors / lengths.where(lengths > 0, torch.ones_like(lengths))
