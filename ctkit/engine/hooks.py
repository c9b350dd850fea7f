"""Listening at a module: what goes in, what comes out. The only file that registers hooks."""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn


def at_entry(module: nn.Module, function: Callable[[tuple, dict], tuple[tuple, dict] | None]) -> Callable[[], None]:
    """Call `function(args, kwargs)` before a module runs; what it returns, if anything, goes in instead.

    It stands before all other hooks, so that what others record is what ctkit has changed. Returns what takes the hook
    away.
    """
    return module.register_forward_pre_hook(
        lambda module, args, kwargs: function(args, kwargs), prepend=True, with_kwargs=True
    ).remove


def at_exit(module: nn.Module, function: Callable[[tuple, dict, Any], Any]) -> Callable[[], None]:
    """Call `function(args, kwargs, output)` after a module ran; what it returns, if anything, comes out instead. It
    stands before all other hooks. Returns what takes the hook away."""
    return module.register_forward_hook(
        lambda module, args, kwargs, output: function(args, kwargs, output), prepend=True, with_kwargs=True
    ).remove


def first_tensor(args: tuple, kwargs: dict) -> Tensor:
    """What a module works on: its first argument, or the first tensor that it is given by name."""
    return args[0] if args else kwargs[_name_of_first(kwargs)]


def with_first(value: Tensor, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """The same arguments with another first tensor."""
    return ((value, *args[1:]), kwargs) if args else (args, kwargs | {_name_of_first(kwargs): value})


def leading(output: Any) -> Any:
    """The tensor that a module gives on: its output, or the first of several."""
    return output[0] if isinstance(output, (tuple, list)) else output


def with_leading(value: Any, output: Any) -> Any:
    """The same output with another leading tensor."""
    return type(output)([value, *output[1:]]) if isinstance(output, (tuple, list)) else value


def _name_of_first(kwargs: dict) -> str:
    return "hidden_states" if "hidden_states" in kwargs else next(k for k, v in kwargs.items() if isinstance(v, Tensor))
