"""Whether a model's keys can be moved: its positions must be rotations of queries and keys, and nothing else."""

from typing import Any

import torch
from torch import Tensor, nn

from ..interventions.setup import Setup
from ..prompt import Encoding
from .attention import as_current
from .batch import parameters
from .lm import LM, has_windows, rotary_modules
from .plan import Row
from .rope import turned
from .session import Session


def why_no_pine(lm: LM, enc: Encoding) -> str:
    """ "yes" where a model's positions are rotations of its queries and keys in every layer, else why not."""
    name = type(lm.model).__name__
    rotary = rotary_modules(lm.model)
    if not rotary or "position_ids" not in parameters(type(lm.model)):
        return f"{name} has no rotary positions: its places are learned, or of another kind, and cannot be re-assigned"
    if has_windows(lm.model):
        return f"{name} reads through a sliding window, for which the order of segments counts"
    if lm.route != "interface":
        return f"{name} computes its attention by itself, where keys cannot be moved"
    return "yes" if _turns(lm, enc) else f"{name} does not place its tokens by turning queries and keys alone"


def _turns(lm: LM, enc: Encoding, by: int = 3) -> bool:
    """Whether reading everything `by` places further on turns every layer's keys by that much, and changes no more."""
    read: list[dict[nn.Module, Tensor]] = []

    def note(module: nn.Module, query: Tensor, key: Tensor, start: int, told: dict[str, Any]) -> Tensor:
        read[-1][module] = key[0].float()
        return query.new_zeros(1, 1, query.shape[2], key.shape[2])

    session = Session(lm, [Row(enc, Setup())], len(enc))
    session.now.extra = note
    places = torch.arange(len(enc), device=lm.device)[None]
    with session.installed():
        for shift in (0, by):
            read.append({})
            with as_current(session.now):
                ids = torch.tensor([enc.ids], device=lm.device)
                lm.model(input_ids=ids, position_ids=places + shift, use_cache=False)
    tolerance = 1e-3 if lm.model.dtype == torch.float32 else 0.05
    try:
        pairs = [(turned(lm, m, k, torch.full(k.shape[:2], by)), read[1][m]) for m, k in read[0].items()]
    except (AttributeError, TypeError, ValueError, RuntimeError, IndexError):
        return False  # angles of another kind than cos and sin of one module
    return all(torch.allclose(a, b, atol=tolerance * float(b.abs().max()), rtol=tolerance) for a, b in pairs)
