"""A tokenizer for which a byte is a token: what the tiny models of any class can read. Nothing is downloaded."""

from functools import cache
from typing import Any

PAD, BOS, EOS, SIZE = 258, 256, 257, 259  # behind the 256 bytes


@cache
def byte_tokenizer() -> Any:
    """Every byte is a token; three more mark padding, a start and an end.

    >>> byte_tokenizer()("key")["input_ids"], len(byte_tokenizer())
    ([74, 68, 88], 259)
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    raw = Tokenizer(models.BPE(vocab={symbol: i for i, symbol in enumerate(alphabet)}, merges=[]))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=raw, bos_token="<s>", eos_token="</s>", pad_token="<pad>")
