"""What an intervention is: up to six small pure functions, each changing nothing by default."""

from collections.abc import Iterable
from dataclasses import dataclass
from operator import index
from typing import ClassVar

from jaxtyping import Bool, Float
from torch import Tensor

from ..errors import CtkitError, shown
from ..prompt import Encoding, ModelShape, Prompt


@dataclass(frozen=True)
class Intervention:
    """A change to how a model reads one prompt. Subclass it, make it a frozen dataclass, override what you need.

    Every function speaks of one prompt, in absolute token positions (`enc.span("question")`, `enc.tokens`), and sees
    all positions read so far, also while text is generated with a cache. Each returns a new value and leaves its
    arguments alone. Batches, caches and cleaning up are the engine's work.

    Example: a head of block 1 goes silent.

    >>> @dataclass(frozen=True)
    ... class Silence(Intervention):
    ...     head: int = 0
    ...     def heads(self, z, enc, layer):
    ...         z = z.clone()
    ...         z[:, self.head] = 0
    ...         return z
    >>> Silence(head=2)
    Silence(head=2)
    """

    known: ClassVar[dict[str, type["Intervention"]]] = {}

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        Intervention.known[cls.__name__] = cls

    def check(self, shape: ModelShape) -> None:
        """Raise `CtkitError` where this intervention cannot be carried out on a model of this shape."""

    def edit(self, prompt: Prompt) -> Prompt:
        """The prompt to read instead."""
        return prompt

    def allow(
        self, allowed: Bool[Tensor, "#head query key"], enc: Encoding, layer: int
    ) -> Bool[Tensor, "#head query key"]:
        """Who may attend to whom in a block. `allowed` is what earlier interventions left, at first causal."""
        return allowed

    def bias(self, enc: Encoding, layer: int) -> Float[Tensor, "#head query key"] | None:
        """What to add to the attention scores of a block, before the softmax."""
        return None

    def heads(
        self, z: Float[Tensor, "token head d_head"], enc: Encoding, layer: int
    ) -> Float[Tensor, "token head d_head"]:
        """The heads' outputs of a block, before the output projection."""
        return z

    def mlp(self, y: Float[Tensor, "token d_model"], enc: Encoding, layer: int) -> Float[Tensor, "token d_model"]:
        """What the MLP of a block gives out, before a norm that may follow; it is then added to the stream."""
        return y

    def residual(self, x: Float[Tensor, "token d_model"], enc: Encoding, layer: int) -> Float[Tensor, "token d_model"]:
        """The residual stream entering block `layer` (layer `n_layers`: leaving the last block)."""
        return x

    def segments(self, enc: Encoding) -> tuple[slice, ...]:
        """Parts of the prompt, one after the other, that are to be read as if none of them came first (see `Pine`)."""
        return ()

    def goes_on(self, prompt: Prompt, written: str, ended: bool) -> str | None:
        """What to write in place of what the model has just written, if anything: called after each token with the text
        so far, and with `ended` when the model has ended it. None lets the model have its way."""
        return None

    def keeps(self, prompt: Prompt, written: str, ended: bool) -> str:
        """How much of what is written stays where `goes_on` has something to say: that much from the beginning. The
        token that was just written never does; by default all before it stays."""
        return written

    def touches(self, layer: int) -> bool:
        """Whether `heads`, `mlp` or `residual` may change anything at this layer. Where it says no they are not called,
        which costs less; saying yes is never wrong."""
        return True

    def overrides(self, function: str) -> bool:
        """Whether this intervention has its own version of one of the six functions.

        A field may share a function's name (`Mask(heads=[1])`): a value is no function.
        """
        own = getattr(type(self), function)
        return callable(own) and own is not getattr(Intervention, function)


def check_layers(asked: str, layers: tuple[int, ...] | None, last: int) -> None:
    """Refuse layers outside 0..last, naming them."""
    wrong = [layer for layer in layers or () if not 0 <= layer <= last]
    if wrong:
        raise CtkitError(
            f"{asked} at layer {wrong[0]}", f"layers 0 to {last} in this model", f"layers from 0 to {last}"
        )


def check_heads(asked: str, heads: tuple[int, ...] | None, n_heads: int) -> None:
    """Refuse heads that the model does not have, naming them."""
    wrong = [head for head in heads or () if not 0 <= head < n_heads]
    if wrong:
        raise CtkitError(
            f"{asked} at head {wrong[0]}", f"heads 0 to {n_heads - 1} in this model", f"heads from 0 to {n_heads - 1}"
        )


def as_tuple(value: int | list[int] | tuple[int, ...] | range | None) -> tuple[int, ...] | None:
    """One whole number or several as a tuple; None stays None (= all). Anything else is refused."""
    if value is None:
        return None
    try:
        return (index(value),) if not isinstance(value, Iterable) else tuple(index(v) for v in value)
    except TypeError as err:
        raise CtkitError(
            f"the layers or heads {shown(value)}", "no whole numbers", "3, [0, 2] or range(4); None is all of them"
        ) from err
