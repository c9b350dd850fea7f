"""A model and a prompt that every library gets, and what plain transformers and plain hooks say of them."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

import ctkit as ct

N_TOKENS, N_NEW, N_LAYERS = 64, 24, 12


@dataclass(frozen=True, eq=False)
class Case:
    """What is read, where it is steered, patched and looked at. `reference` answers each job without any library."""

    name: str
    model: Any = field(repr=False)
    tokenizer: Any = field(repr=False)
    text: str
    corrupted: str  # as many tokens, of which one differs
    vector: Tensor = field(repr=False)
    layer: int = 6  # entering this block the stream is steered
    other: int = 9  # where the second setup steers
    looked_at: tuple[int, int] = (6, 3)  # block and head
    positions: tuple[int, ...] = (16, 28, 44, 63)

    def copy(self) -> Any:
        """The same model for a library that may change it."""
        return copy.deepcopy(self.model)

    @cached_property
    def ids(self) -> Tensor:
        """The prompt's tokens (1, token)."""
        return torch.tensor([self.tokenizer(self.text)["input_ids"]])

    @cached_property
    def corrupted_ids(self) -> Tensor:
        """The corrupted prompt's tokens."""
        return torch.tensor([self.tokenizer(self.corrupted)["input_ids"]])

    def plain(self) -> Tensor:
        """The bare forward pass: sdpa, no cache, no gradient. What every ratio is a ratio to."""
        with torch.no_grad():
            return self.model(input_ids=self.ids, use_cache=False).logits

    def written(self) -> Tensor:
        """Plain greedy generation."""
        return self.model.generate(self.ids, attention_mask=torch.ones_like(self.ids), **GREEDY)[0, N_TOKENS:]

    @cached_property
    def logits(self) -> Tensor:
        """Plain logits (token, vocab)."""
        return self.plain()[0]

    @cached_property
    def target(self) -> int:
        """The token whose logit after the last position is patched towards."""
        return int(self.logits[-1].argmax())


GREEDY = {"max_new_tokens": N_NEW, "do_sample": False}


def blocks(model: Any) -> nn.ModuleList:
    """The blocks of one of the models below."""
    return model.model.layers if hasattr(model, "model") else model.transformer.h


def attention(block: nn.Module) -> nn.Module:
    """The attention module of a block."""
    return block.self_attn if hasattr(block, "self_attn") else block.attn


def block_path(model: Any) -> str:
    """Where the blocks are, as a name."""
    return "model.layers" if hasattr(model, "model") else "transformer.h"


@contextmanager
def changed(block: nn.Module, change) -> Iterator[None]:
    """While this lasts, the stream that enters a block is `change` of what it was."""

    def hook(module, args, kwargs):
        if args:
            return (change(args[0]), *args[1:]), kwargs
        return args, kwargs | {"hidden_states": change(kwargs["hidden_states"])}

    handle = block.register_forward_pre_hook(hook, prepend=True, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()


def cases() -> Iterator[tuple[Case, int]]:
    """The models, each with the share of the pairs that it gets (1 in n)."""
    tokenizer = ct.load().tokenizer
    text, corrupted = _texts(tokenizer)
    torch.manual_seed(0)
    small = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=128,
            intermediate_size=512,
            num_hidden_layers=N_LAYERS,
            num_attention_heads=8,
            max_position_embeddings=512,
            initializer_range=0.1,  # far from uniform attention, so that a wrong head or layer shows
        )
    )
    yield _case("Llama, 12 layers × 8 heads, 128 wide", small, tokenizer, text, corrupted), 1
    torch.manual_seed(0)
    large = GPT2LMHeadModel(GPT2Config(initializer_range=0.05))
    yield _case("GPT-2's size, 12 layers × 12 heads, 768 wide", large, tokenizer, text, corrupted), 4


def _case(name: str, model: Any, tokenizer: Any, text: str, corrupted: str) -> Case:
    model.eval()
    model.generation_config.eos_token_id = None  # every library writes to the end
    model.generation_config.pad_token_id = 0
    width = model.config.hidden_size
    return Case(name, model, tokenizer, text, corrupted, torch.randn(width, generator=torch.Generator().manual_seed(1)))


def _texts(tokenizer: Any) -> tuple[str, str]:
    """Two texts of `N_TOKENS` tokens that differ in the fifteenth."""
    ids = tokenizer(" ".join(["The key is in the box. The cup is in the bag."] * N_TOKENS))["input_ids"][:N_TOKENS]
    other = [*ids[:14], *tokenizer(" car", add_special_tokens=False)["input_ids"][:1], *ids[15:]]
    texts = [tokenizer.decode(i[1:]) for i in (ids, other)]
    for i, text in zip((ids, other), texts, strict=True):
        if tokenizer(text)["input_ids"] != i:
            raise RuntimeError(f"the text does not tokenize back: {text}")
    return texts[0], texts[1]
