"""Linear layers multiplied by oneDNN, for training on a CPU.

PyTorch multiplies float32 matrices with MKL, which on some processors reaches less than half the speed of oneDNN, a
library that PyTorch holds as well but uses for other things. Same sums in another order: results differ by rounding.
"""

import torch
from torch import Tensor, nn


class OneDNN(torch.autograd.Function):
    """x Wᵀ, and its two derivatives, each as one oneDNN call."""

    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor) -> Tensor:
        """x: (…, in), weight: (out, in)."""
        ctx.save_for_backward(x, weight)
        return multiply(x, weight)

    @staticmethod
    def backward(ctx, slope: Tensor) -> tuple[Tensor, Tensor]:
        """The slopes for x and for the weight."""
        x, weight = ctx.saved_tensors
        rows, inputs = slope.reshape(-1, slope.shape[-1]), x.reshape(-1, x.shape[-1])
        return multiply(slope, weight.t().contiguous()), multiply(rows.t().contiguous(), inputs.t().contiguous())


def multiply(x: Tensor, weight: Tensor) -> Tensor:
    """x Wᵀ."""
    return torch.ops.mkldnn._linear_pointwise(x, weight, None, "none", [], "")


def quicken(model: nn.Module) -> nn.Module:
    """Let a model's linear layers without bias use oneDNN, where this PyTorch offers it and the model is on the CPU."""
    offered = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    if offered and next(model.parameters()).device.type == "cpu":
        for layer in model.modules():
            if isinstance(layer, nn.Linear) and layer.bias is None:
                layer.forward = lambda x, layer=layer: OneDNN.apply(x, layer.weight)
    return model


def slow_again(model: nn.Module) -> nn.Module:
    """Undo `quicken`: a model that is saved or used elsewhere has its own forward functions."""
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            layer.__dict__.pop("forward", None)
    return model
