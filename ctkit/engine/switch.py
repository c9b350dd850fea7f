"""Putting our attention function in place of a model's stock one, and back."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from ..errors import CtkitError
from .attention import PREFIX
from .lm import ATTENTIONS, LM

NAME = "_attn_implementation_internal"  # where a configuration keeps the name of its attention function


@contextmanager
def attention_in_place(lm: LM, base: str) -> Iterator[None]:
    """Our attention function instead of the stock one, for as long as this lasts."""
    if base not in ATTENTIONS:
        raise CtkitError(
            f"a mask or attention weights with attention {base!r}",
            "an attention that leaves custom masks out",
            'model.set_attn_implementation("sdpa") before ct.wrap',
        )
    switched = lm.memory.recall(("switched", base), lambda: _switched(lm, base))
    with ExitStack() as stack:
        for config in switched:
            stack.callback(setattr, config, NAME, getattr(config, NAME))
            setattr(config, NAME, PREFIX + base)
        yield


def _switched(lm: LM, base: str) -> list[Any]:
    """The configurations that change when a model is told to use our function.

    It is told once, in transformers' own way, which asks every module and takes longer than a small model takes to
    read. From then on these are set."""
    configs = {id(module.config): module.config for module in lm.model.modules() if hasattr(module, "config")}
    before = {key: getattr(config, NAME) for key, config in configs.items() if hasattr(config, NAME)}
    try:
        lm.model.set_attn_implementation(PREFIX + base)
        return [configs[key] for key, name in before.items() if getattr(configs[key], NAME) != name]
    finally:
        for key, name in before.items():
            setattr(configs[key], NAME, name)
