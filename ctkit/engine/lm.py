"""Where things are in a model: its blocks, its attention modules, its sizes. The only file that knows architectures."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from ..errors import CtkitError
from ..prompt import ModelShape

ATTENTIONS = ("sdpa", "eager")  # the stock attention functions under ours; flash and flex ignore or break custom masks


@dataclass(frozen=True, eq=False)
class LM:
    """A causal language model with its tokenizer, and where its parts are.

    `support` says for each technique "yes", or why it does not work on this model (checked by running it, when the
    model was loaded).
    """

    model: Any
    tokenizer: Any
    name: str
    shape: ModelShape
    blocks: tuple[nn.Module, ...] = field(repr=False)
    attention_layers: Mapping[int, int] = field(repr=False)  # id of an attention module → its block
    context: int | None = None  # the longest text in tokens, None where the model has no limit of its own
    support: Mapping[str, str] = field(default_factory=dict)
    lock: Any = field(default_factory=threading.RLock, repr=False)
    words: dict[int, str] = field(default_factory=dict, repr=False)  # token id → its text, filled as they come by

    @property
    def n_layers(self) -> int:
        """Number of blocks."""
        return self.shape.n_layers

    @property
    def n_heads(self) -> int:
        """Number of attention heads (query heads) in a block."""
        return self.shape.n_heads

    @property
    def d_model(self) -> int:
        """Width of the residual stream."""
        return self.shape.d_model

    @property
    def n_tokens(self) -> int:
        """Number of token ids that the model has an embedding for."""
        return self.model.get_input_embeddings().weight.shape[0]

    @property
    def device(self) -> str:
        """Where the embedding, and so the input, lives."""
        return str(self.model.get_input_embeddings().weight.device)

    def __repr__(self) -> str:
        return f"LM({self.name!r}: {self.n_layers} layers × {self.n_heads} heads, {self.d_model} wide, {self.device})"


def shape_of(model: Any) -> ModelShape:
    """The sizes of a model, from its configuration."""
    config = text_config(model)
    found = {name: getattr(config, name, None) for name in ("num_hidden_layers", "num_attention_heads", "hidden_size")}
    missing = [name for name, value in found.items() if not isinstance(value, int)]
    if missing:
        raise CtkitError(
            f"the model {type(model).__name__}",
            f"a configuration that does not say {', '.join(missing)}",
            "a decoder-only transformer with attention in its blocks",
        )
    embedding = model.get_input_embeddings().weight
    mean = embedding.detach().float().mean(0).cpu() if embedding.ndim == 2 and not embedding.is_meta else None
    return ModelShape(*found.values(), mean_embedding=mean)


def text_config(model: Any) -> Any:
    """The configuration of the text part (the whole one for a plain language model)."""
    return model.config.get_text_config(decoder=True)


def find_blocks(model: Any, n_layers: int) -> tuple[nn.Module, ...]:
    """The blocks in order: the modules whose outputs transformers records as hidden states."""
    recorded = _recorded(model, "hidden_states")
    blocks = [module for module in model.modules() if isinstance(module, recorded)] if recorded else []
    if len(blocks) != n_layers:  # some classes record nothing, or record other things too: the list of n_layers twins
        lists = [list(m) for m in model.modules() if isinstance(m, nn.ModuleList) and len(m) == n_layers]
        twins = [blocks for blocks in lists if len({type(block) for block in blocks}) == 1]
        blocks = twins[0] if len(twins) == 1 else []
    if len(blocks) != n_layers:
        raise CtkitError(
            f"the blocks of {type(model).__name__}",
            f"{len(blocks)} modules that could be its {n_layers} blocks",
            "a decoder-only model with one list of blocks",
        )
    return tuple(blocks)


def find_attentions(model: Any, blocks: tuple[nn.Module, ...]) -> dict[int, int]:
    """id of an attention module → the index of its block; empty where the model does not say what its attention is."""
    recorded = _recorded(model, "attentions")
    if not recorded:
        return {}
    return {id(m): layer for layer, block in enumerate(blocks) for m in block.modules() if isinstance(m, recorded)}


def context_of(model: Any) -> int | None:
    """The longest text the model was made for, in tokens; None where its configuration does not say."""
    longest = getattr(text_config(model), "max_position_embeddings", None)
    return longest if isinstance(longest, int) and longest > 0 else None


def dispatches_attention(model: Any) -> bool:
    """Whether the model calls its attention through transformers' attention interface, so that ours can stand in."""
    return bool(model._can_set_attn_implementation())


def _recorded(model: Any, what: str) -> tuple[type, ...]:
    """The classes that a model's recorder names for an output; it may be a class, an OutputRecorder or a list."""
    for part in (model.base_model, model):
        entry = (part.can_record_outputs or {}).get(what)
        if entry is not None:
            entries = entry if isinstance(entry, (list, tuple)) else [entry]
            classes = [getattr(e, "target_class", e) for e in entries]
            return tuple(c for c in classes if isinstance(c, type))
    return ()
