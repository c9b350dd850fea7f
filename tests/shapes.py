"""The type checker of the test runs: the shapes of tensors, and what comes back; other arguments are left alone.

What a user passes wrongly is ctkit's own to refuse, in its own words, and tests of those words must reach it. So an
argument is checked only where its annotation names a tensor's shape; a returned value always.
"""

from collections.abc import Callable
from typing import Any, TypeVar, get_args

from beartype import beartype
from jaxtyping import AbstractArray

F = TypeVar("F", bound=Callable)


def checked(function: F) -> F:
    """`function` as beartype checks it, with every argument that is not a tensor of a named shape let through."""
    hints = getattr(function, "__annotations__", {})
    function.__annotations__ = {n: h if n == "return" or names_a_shape(h) else Any for n, h in hints.items()}
    return beartype(function)


def names_a_shape(hint: Any) -> bool:
    """Whether a jaxtyping shape stands anywhere in the annotation."""
    if isinstance(hint, type) and issubclass(hint, AbstractArray):
        return True
    return any(names_a_shape(part) for part in get_args(hint))
