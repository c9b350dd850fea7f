"""What a block consists of, as far as ctkit reads and changes it."""

from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True, eq=False)
class Parts:
    """Where the parts of one block are; None where it has none, or none that can be told apart from the rest.

    The input of `out` are the heads' outputs side by side; where there is no such projection the attention's own output
    is. `mlp` is the module whose output the MLP adds to the stream; the input of `down` is its hidden layer; `whole` is
    all of the MLP.
    """

    attention: nn.Module | None = None
    out: nn.Module | None = None
    mlp: nn.Module | None = None
    down: nn.Module | None = None
    whole: nn.Module | None = None
