"""Tiny random models of many architectures, and a tokenizer for which a byte is a token. Nothing is downloaded."""

import os
from functools import cache

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

from ctkit.engine.lm import LM
from ctkit.engine.load import wrap

DEVICE = os.environ.get("CTKIT_TEST_DEVICE", "cpu")  # "cuda": the laws on a GPU
torch.set_num_threads(1)
transformers.logging.set_verbosity_error()

N_LAYERS, N_HEADS, D_MODEL, VOCAB, CONTEXT, WINDOW = 3, 4, 32, 259, 256, 6
PAD, BOS, EOS = 258, 256, 257  # behind the 256 bytes
BASE = {
    "vocab_size": VOCAB,
    "hidden_size": D_MODEL,
    "intermediate_size": 48,
    "num_hidden_layers": N_LAYERS,
    "num_attention_heads": N_HEADS,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": CONTEXT,
    "pad_token_id": PAD,
    "bos_token_id": BOS,
    "eos_token_id": EOS,
}
GPT = {"n_embd": D_MODEL, "n_layer": N_LAYERS, "n_head": N_HEADS}
FULL = {
    "llama": {},
    "gpt2": GPT | {"n_positions": CONTEXT},
    "mistral": {"sliding_window": WINDOW},
    "qwen2": {},
    "qwen3": {},
    "gemma2": {"sliding_window": WINDOW},
    "gemma3_text": {
        "sliding_window": WINDOW,
        "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
    },
    "gpt_neox": {},
    "opt": {"ffn_dim": 48, "word_embed_proj_dim": D_MODEL},
    "phi": {},
    "phi3": {},
    "olmo2": {},
    "gpt_oss": {"num_local_experts": 4, "num_experts_per_tok": 2, "sliding_window": WINDOW},
    "mixtral": {"num_local_experts": 4},
    "stablelm": {},
    "cohere": {},
    "granite": {},
    "starcoder2": {},
    "smollm3": {},
    "glm": {},
}  # name → what its configuration needs beside BASE; these let ctkit change their attention
STREAM = {
    "gpt_neo": {"num_layers": N_LAYERS, "num_heads": N_HEADS, "attention_types": [[["global"], N_LAYERS]]},
    "bloom": {"n_head": N_HEADS, "n_layer": N_LAYERS},
    "gptj": GPT | {"rotary_dim": 4},
    "falcon": {"head_dim": None, "num_key_value_heads": None},
}  # these compute their attention by themselves
WINDOWED = ("mistral", "gemma2", "gemma3_text", "gpt_oss")
SINKS = ("gpt_oss",)
EAGER = ("llama@eager", "gpt2@eager", "mistral@eager")  # families once more, with plain attention instead of sdpa
ATTENDING = (*FULL, *EAGER)
ALL = (*ATTENDING, *STREAM)


def byte_tokenizer(bos: bool = False) -> PreTrainedTokenizerFast:
    """Every byte is a token; with `bos`, one more is set in front of a text."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    raw = Tokenizer(models.BPE(vocab={symbol: i for i, symbol in enumerate(alphabet)}, merges=[]))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, pad_token="<pad>", bos_token="<s>", eos_token="</s>")
    assert (tokenizer.pad_token_id, tokenizer.bos_token_id, tokenizer.eos_token_id) == (PAD, BOS, EOS)
    if bos:
        start = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", BOS)])
        tokenizer.backend_tokenizer.post_processor = start
    return tokenizer


TOKENIZER = byte_tokenizer()


def new_model(family: str, seed: int = 0, dtype: torch.dtype = torch.float32):
    """A random model, with weights large enough for every part to show in the logits."""
    name, _, attention = family.partition("@")
    given = {**BASE, **FULL.get(name, {}), **STREAM.get(name, {})}
    config = AutoConfig.for_model(name, **{key: value for key, value in given.items() if value is not None})
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(config, **({"attn_implementation": attention} if attention else {})).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(0, 0.15)
            else:
                parameter.add_(torch.randn_like(parameter), alpha=0.1)
    return model.to(dtype) if DEVICE == "cpu" else model.to(DEVICE, dtype)  # it may be on "meta"


@cache
def lm_of(family: str) -> LM:
    """The family's model, ready for ctkit; made once."""
    return wrap(new_model(family), TOKENIZER)


def plain(lm: LM, ids: list[int], **more: object) -> torch.Tensor:
    """What transformers says without ctkit: the logits, token by vocabulary. `more`: what else the model is given."""
    with torch.no_grad():
        return lm.model(input_ids=torch.tensor([list(ids)]).to(lm.model.device), **more).logits[0].cpu()


def recorded(model: torch.nn.Module, ids: list[int], what: str) -> list[torch.Tensor]:
    """The "attentions" or "hidden_states" that transformers itself records, block by block."""
    with torch.no_grad():
        output = model(input_ids=torch.tensor([list(ids)]).to(model.device), **{f"output_{what}": True})
    return [values[0].cpu() for values in output[what]]
