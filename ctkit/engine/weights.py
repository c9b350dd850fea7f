"""The numbers of a module's matrix, also where they are kept elsewhere until they are needed, or in a few bits each."""

from typing import Any

import torch
from torch import Tensor, nn

from ..errors import CtkitError


def home(module: nn.Module) -> torch.device:
    """Where a module computes: where its weight is, or is fetched to (accelerate's offload leaves "meta" in place)."""
    hook = getattr(module, "_hf_hook", None)
    places = [getattr(each, "execution_device", None) for each in getattr(hook, "hooks", [hook])]
    fetched = next((place for place in places if place is not None), None)
    return module.weight.device if fetched is None or not module.weight.is_meta else torch.device(fetched)


def numbers(module: nn.Module) -> Tensor:
    """A module's weight as it computes with it; still on "meta" where it was never loaded."""
    if not module.weight.is_meta:
        return module.weight.detach()
    if not hasattr(module, "_hf_hook"):
        return module.weight
    from accelerate.utils import align_module_device

    with align_module_device(module):
        return module.weight.detach().clone()


def matrix(module: nn.Module, dtype: torch.dtype) -> Tensor:
    """The matrix (out, in) of a projection that takes numbers of `dtype`.

    Of a quantised one it is found by giving it each unit vector, as every method keeps its numbers in its own way.
    """
    weight = getattr(module, "weight", None)
    if _is_plain(weight):
        own = numbers(module)
        return own if isinstance(module, nn.Linear) else own.T
    width = getattr(module, "in_features", None)
    if not isinstance(width, int):
        raise CtkitError(
            f"the matrix of a {type(module).__name__}",
            "a projection that does not say how wide it is (quantised, or of a kind of its own)",
            "what goes in and comes out of it (trace.neurons, trace.mlp), or the model with its plain weights",
        )
    device = next((each.device for each in (*module.parameters(), *module.buffers())), torch.device("cpu"))
    with torch.no_grad():
        rows = module(torch.eye(width, dtype=dtype, device=device))
        return (rows - module(torch.zeros(1, width, dtype=dtype, device=device))).mT


def is_quantised(model: nn.Module) -> bool:
    """Whether some projection of a model keeps its matrix in another way than as plain numbers."""
    projections = [module for module in model.modules() if isinstance(getattr(module, "in_features", None), int)]
    return any(not _is_plain(getattr(module, "weight", None)) for module in projections)


def _is_plain(weight: Any) -> bool:
    return type(weight) in (Tensor, nn.Parameter) and weight.is_floating_point() and weight.ndim == 2
