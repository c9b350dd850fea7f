"""Where things are in a model: its blocks, its attention modules, its sizes. The only file that knows architectures."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from inspect import signature
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import CtkitError
from ..prompt import ModelShape
from .memory import Memory
from .parts import Parts
from .weights import home, matrix, numbers

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
    parts: tuple[Parts, ...] = field(default=(), repr=False)  # of each block
    route: str = "interface"  # how its attention is reached: transformers' "interface", or "hooks" on its modules
    at_once: bool = True  # whether each block computes its heads in one call
    first_position: int | None = 0  # what its positions count from; None where it takes none
    padded: frozenset[str] = frozenset({"none", "dynamic", "static"})  # the caches with which padding changes nothing
    heads_alone: bool = False  # whether its plain attention gives a head's weights without the other heads
    mask_scale: float = 1.0  # by what scores are divided after the mask was added (1 nearly everywhere)
    loaded: Mapping[str, Any] = field(default_factory=dict, repr=False)  # what ct.load was given; empty for ct.wrap
    context: int | None = None  # the longest text in tokens, None where the model has no limit of its own
    support: Mapping[str, str] = field(default_factory=dict)
    lock: Any = field(default_factory=threading.RLock, repr=False)
    strengths: dict[Any, tuple[float, float]] = field(default_factory=dict, repr=False)  # steering by KL, once found
    words: dict[int, str] = field(default_factory=dict, repr=False)  # token id → its text, filled as they come by
    memory: Memory = field(default_factory=Memory, repr=False)
    pieces: Memory = field(default_factory=lambda: Memory(4096), repr=False)  # of prompts, as tokens

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

    @cached_property
    def attending(self) -> tuple[int, ...]:
        """The blocks that have attention: all, but for models that mix it with state-space layers."""
        return tuple(layer for layer, part in enumerate(self.parts) if part.attention is not None)

    @property
    def n_tokens(self) -> int:
        """Number of token ids that the model has an embedding for."""
        return self.model.get_input_embeddings().weight.shape[0]

    @property
    def entrance(self) -> torch.device:
        """Where the embedding lives, and so the input must be."""
        return home(self.model.get_input_embeddings())

    @property
    def device(self) -> str:
        """Where the embedding lives, in words."""
        return str(self.entrance)

    def __repr__(self) -> str:
        return f"LM({self.name!r}: {self.n_layers} layers × {self.n_heads} heads, {self.d_model} wide, {self.device})"


def shape_of(model: Any) -> ModelShape:
    """The sizes of a model, from its configuration."""
    config = text_config(model)
    found = {name: getattr(config, name, None) for name in ("num_hidden_layers", "num_attention_heads", "hidden_size")}
    if found["num_attention_heads"] is None:
        found["num_attention_heads"] = 0  # a state-space model has none
    missing = [name for name, value in found.items() if not isinstance(value, int)]
    if missing:
        raise CtkitError(
            f"the model {type(model).__name__}",
            f"a configuration that does not say {', '.join(missing)}: it is not a stack of blocks over one stream",
            "a decoder-only transformer with attention in its blocks",
        )
    embedding = getattr(model.get_input_embeddings(), "weight", None)
    if not isinstance(embedding, Tensor):
        raise CtkitError(
            f"the model {type(model).__name__}",
            "several tables of embeddings: it reads sound, or something else that is no text",
            "a model that reads text, such as ct.load()",
        )
    own = numbers(model.get_input_embeddings())
    if own.ndim != 2 or own.is_meta:
        return ModelShape(*found.values())
    floats = own.float()
    return ModelShape(*found.values(), mean_embedding=floats.mean(0).cpu(), embedding_std=float(floats.std()))


def text_config(model: Any) -> Any:
    """The configuration of the text part (the whole one for a plain language model)."""
    return model.config.get_text_config(decoder=True)


def text_part(model: Any) -> Any:
    """The part of a model that reads the text; beside it others may see pictures."""
    part = model.get_decoder() if hasattr(model, "get_decoder") else model
    return part if hasattr(part, "config") else model  # some call the matrix that makes logits their decoder


def find_blocks(model: Any, n_layers: int) -> tuple[nn.Module, ...]:
    """The blocks in order: the modules whose outputs transformers records as hidden states."""
    recorded = _recorded(model, "hidden_states")
    text = text_part(model)
    blocks = [module for module in text.modules() if isinstance(module, recorded)] if recorded else []
    if len(blocks) != n_layers:  # some classes record nothing, or record other things too: the list of n_layers blocks
        lists = [list(m) for m in text.modules() if isinstance(m, nn.ModuleList) and len(m) == n_layers]
        twins = [blocks for blocks in lists if len({type(block) for block in blocks}) == 1]
        blocks = twins[0] if len(twins) == 1 else lists[0] if len(lists) == 1 else []
    if len(blocks) != n_layers:
        raise CtkitError(
            f"the blocks of {type(model).__name__}",
            f"{len(blocks)} modules that could be its {n_layers} blocks: it keeps them in a way of its own, or runs "
            "some of them several times",
            "a decoder-only model with one list of blocks",
        )
    return tuple(blocks)


def rotary_modules(model: Any) -> list[nn.Module]:
    """The modules that make the angles of rotary positions."""
    return [module for module in model.modules() if isinstance(getattr(module, "inv_freq", None), Tensor)]


def has_windows(model: Any) -> bool:
    """Whether some layers see only the last so many tokens."""
    config = text_config(model)
    kinds = getattr(config, "layer_types", None) or []
    return any(kind not in ("full_attention", "attention") for kind in kinds) or bool(
        not kinds and getattr(config, "sliding_window", None)
    )


def keys_chosen(model: Any) -> int | None:
    """How many keys a model with an indexer of its own chooses to read; None for all others, which read any."""
    return getattr(text_config(model), "index_topk", None)


def attention_name(model: Any) -> str:
    """The name of the attention function that the text part uses."""
    return text_config(model)._attn_implementation or "eager"


def context_of(model: Any) -> int | None:
    """The longest text the model was made for, in tokens; None where its configuration does not say."""
    longest = getattr(text_config(model), "max_position_embeddings", None)
    return longest if isinstance(longest, int) and longest > 0 else None


def dispatches_attention(model: Any) -> bool:
    """Whether the model calls its attention through transformers' attention interface, so that ours can stand in."""
    return bool(text_part(model)._can_set_attn_implementation())


def is_projection(module: nn.Module) -> bool:
    """Whether a module is one matrix (a Linear, GPT-2's Conv1D, a quantised one)."""
    weight = getattr(module, "weight", None)
    leaf = next(module.children(), None) is None
    if all(isinstance(getattr(module, name, None), int) for name in ("in_features", "out_features")):
        return True  # some quantised ones keep their numbers under other names, or in parts
    return leaf and isinstance(weight, Tensor) and weight.ndim == 2 and not isinstance(module, nn.Embedding)


def is_mixer(module: nn.Module) -> bool:
    """Whether a module mixes tokens by a convolution and a state (Mamba and its kin): no attention, and no MLP."""
    return any(isinstance(part, nn.Conv1d) for part in module.modules())


@cache
def _mask_place(kind: type) -> tuple[str, int] | None:
    """The name and the place (self not counted) of the mask among what a module's forward is told."""
    names = list(signature(kind.forward).parameters)[1:]
    return next(((name, names.index(name)) for name in ("attention_mask", "mask") if name in names), None)


def takes_mask(module: nn.Module) -> bool:
    """Whether a module is told who may attend to whom."""
    return _mask_place(type(module)) is not None


def mask_argument(module: nn.Module, args: tuple) -> tuple[str, int | None]:
    """The name of the mask that a module is told, and its place among `args` where it is told by place."""
    name, place = _mask_place(type(module))
    return name, place if place < len(args) else None


def causal_triangles(module: nn.Module) -> dict[str, Tensor]:
    """The causal masks that an attention module keeps to itself: its square buffers without an upper half."""
    found = {}
    for name, buffer in module.named_buffers(recurse=False):
        square = buffer is not None and buffer.ndim == 4 and buffer.shape[-1] == buffer.shape[-2] > 1
        if square and bool(buffer[0, 0, 0, 0]) and not bool(buffer[..., 0, 1:].any()):
            found[name] = buffer
    return found


def down_projection(lm: "LM", layer: int) -> Tensor:
    """The matrix (d_model, d_mlp) by which a block's MLP writes its hidden layer into the stream.

    Raises `CtkitError` where a block has no single one (experts, state-space blocks).
    """
    down = lm.parts[layer].down
    if down is None:
        raise CtkitError(
            f"the hidden layer of the MLP in block {layer} of {lm.name}",
            "a block without a single MLP (experts, or a state-space layer)",
            "the MLP's output, or the residual stream; or a model with plain MLPs, such as ct.load()",
        )
    with lm.lock:
        return matrix(down, lm.model.dtype)


def _recorded(model: Any, what: str) -> tuple[type, ...]:
    """The classes that a model's recorder names for an output; it may be a class, an OutputRecorder or a list."""
    for part in (model.base_model, model):
        entry = (part.can_record_outputs or {}).get(what)
        if entry is not None:
            entries = entry if isinstance(entry, (list, tuple)) else [entry]
            classes = [getattr(e, "target_class", e) for e in entries]
            return tuple(c for c in classes if isinstance(c, type))
    return ()
