"""Rotary positions: turning queries and keys on by some places, with a model's own functions."""

import sys
from inspect import signature
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from .lm import LM, rotary_modules


def turned(
    lm: LM, module: nn.Module, x: Float[Tensor, "batch token d_head"], by: Int[Tensor, "batch token"]
) -> Float[Tensor, "batch token d_head"]:
    """Queries or keys as they would be `by` places further on (RoPE: Su et al., arXiv 2104.09864). Turning twice adds
    up, and turning by 0 changes nothing."""
    cos, sin = _angles(lm, module, x, by)
    width = cos.shape[-1]
    apply = sys.modules[type(module).__module__].apply_rotary_pos_emb
    part = x[:, None, :, :width]
    return torch.cat([apply(part, part, cos, sin)[0][:, 0], x[..., width:]], dim=-1)


def _angles(lm: LM, module: nn.Module, x: Tensor, by: Tensor) -> tuple[Tensor, Tensor]:
    rotary = rotary_modules(lm.model)[0]
    options: dict[str, Any] = {}
    if "layer_type" in signature(type(rotary).forward).parameters:
        options["layer_type"] = module.layer_type
    cos, sin = rotary(x, by.to(x.device), **options)
    scale = float(getattr(rotary, "attention_scaling", 1.0))  # some models lengthen what they turn, once
    return cos / scale, sin / scale
