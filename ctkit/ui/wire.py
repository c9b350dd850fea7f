"""Many numbers as few bytes: weights as a byte each (of a triangle those that are not 0), masks as a bit each."""

from functools import lru_cache
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor


def packed(values: UInt8[Tensor, "..."], packing: str = "bytes") -> dict[str, Any]:
    """A tensor of bytes as its shape and a buffer."""
    return {
        "shape": list(values.shape),
        "packing": packing,
        "data": memoryview(values.contiguous().numpy().tobytes()),
    }


def packed_weights(weights: Float[Tensor, "*heads query key"]) -> dict[str, Any]:
    """Weights from 0 to 1 in steps of 1/255. Where nothing reads ahead, only the lower triangle is sent, row by row: a
    bit for each of its bytes, then those that are not 0."""
    steps, size = as_bytes(weights), weights.shape[-1]
    if steps.numel() == 0:
        return packed(steps)
    squares = steps.numpy().reshape(-1, size * size)
    triangles = squares.take(_below(size), axis=1).ravel()
    some = triangles != 0
    if np.count_nonzero(some) < np.count_nonzero(squares):  # somebody reads ahead
        return packed(steps)
    data = np.packbits(some, bitorder="little").tobytes() + triangles.compress(some).tobytes()
    return {"shape": list(steps.shape), "packing": "triangle", "data": memoryview(data)}


def packed_mask(allowed: Bool[Tensor, "*heads query key"]) -> dict[str, Any]:
    """Who may attend to whom, eight pairs a byte; the causal mask needs none."""
    causal = torch.ones(allowed.shape[-2:], dtype=torch.bool).tril()
    if bool((allowed == causal).all()):
        return {"shape": list(allowed.shape), "packing": "causal", "data": memoryview(b"")}
    bits = np.packbits(allowed.numpy(), axis=None, bitorder="little")
    return {"shape": list(allowed.shape), "packing": "bits", "data": memoryview(bits.tobytes())}


def packed_differences(values: Float[Tensor, "..."]) -> dict[str, Any]:
    """Differences from −1 to 1 in steps of 1/127; 128 is none."""
    return packed((values.clamp(-1, 1) * 127).round().add(128).to(torch.uint8), "differences")


def as_bytes(weights: Float[Tensor, "..."]) -> UInt8[Tensor, "..."]:
    """Weights from 0 to 1 as bytes, to the nearest step."""
    return (weights * 255).round_().clamp_(0, 255).to(torch.uint8)


@lru_cache(maxsize=2)  # a text before and after, at every flip
def _below(size: int) -> np.ndarray:
    """Where the lower triangle of a square stands in it, row by row."""
    return np.flatnonzero(np.tri(size, dtype=bool))
