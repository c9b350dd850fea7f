"""A random model whose vocabulary is hostile: markup, marks that turn text around, unseen signs, one endless token."""

import re

import torch
from tokenizers import Regex, Tokenizer, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

import ctkit as ct

MARKUP = (
    "</script><script>window.pwned=1</script>",
    "<img src=x onerror=window.pwned=1>",
    "</svg>",
    "]]>",
    "&lt;b&gt;",
)
SIGNS = ("\u202eright to left\u202c", "\u2067", "\u200b", "\x00", "👩‍👩‍👧", "\"'`${x}\\")
ENDLESS = "w" * 10_000
VOCABULARY = (*MARKUP, *SIGNS, ENDLESS, "\n")
TEXT = "".join(VOCABULARY[:-1])


def hostile_lm() -> ct.LM:
    """The model, made for ctkit; each part of `TEXT` is one token."""
    raw = Tokenizer(models.WordLevel({word: i for i, word in enumerate(VOCABULARY)}, unk_token="]]>"))
    raw.pre_tokenizer = pre_tokenizers.Split(Regex("|".join(map(re.escape, VOCABULARY))), "isolated")
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="\n", clean_up_tokenization_spaces=False)
    torch.manual_seed(0)
    small = GPT2Config(vocab_size=len(VOCABULARY), n_positions=512, n_embd=16, n_layer=2, n_head=2)
    return ct.wrap(GPT2LMHeadModel(small).eval(), tokenizer)
