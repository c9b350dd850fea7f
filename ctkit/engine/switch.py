"""Putting our attention function in place of a model's stock one, and back."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from ..errors import CtkitError
from .attention import PREFIX
from .lm import ATTENTIONS, LM, text_config, text_part

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
    """The configurations in which the text part's modules look up their attention function: these alone are set, as
    transformers' own way asks every module, of pictures and sound too, and takes longer than a small model to read."""
    owners = [text_part(lm.model), *(module for block in lm.blocks for module in block.modules())]
    configs = [text_config(lm.model), *(module.config for module in owners if hasattr(module, "config"))]
    distinct = {id(config): config for config in configs if getattr(config, NAME, None) in (base, PREFIX + base)}
    return list(distinct.values())
