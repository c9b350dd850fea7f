"""The teaching models' tokenizer: one token a word, and bytes for everything else."""

import re

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from .. import tasks
from ..interventions.reread import Reread
from ..interventions.think import Think

START, END, PAD = "<|start|>", "<|end|>", "<|pad|>"
SIGNS = (*'.?:=+-*%<>,;_"(){}', "'s", "\n")
WORD = re.compile(r"'s| ?[A-Za-z]+| ?[0-9]| ?[^\sA-Za-z0-9]|\s")  # how corpus text falls into tokens


def corpus_tokens() -> list[str]:
    """Every token that the corpus writes: each word at the start of a text and behind a space, digits, signs."""
    words = {"Answer", "Most"}.union(*(tasks.get(name).words() for name in tasks.names()))
    for phrase in (Reread().phrase, Think().phrase):
        words |= set(re.findall(r"[A-Za-z]+", phrase.replace("'s", "")))
    signs = {sign for mark in SIGNS for sign in ([mark] if mark in ("'s", "\n") else [mark, f" {mark}"])}
    return sorted({form for word in words for form in (word, f" {word}")} | signs)


def make_tokenizer() -> PreTrainedTokenizerFast:
    """A byte-level BPE whose merges build exactly the corpus words; any other text falls into bytes and fragments.

    The start token is put in front of every text. `split_special_tokens` makes a text that spells a special token be
    read as the letters it is.
    """
    words = corpus_tokens()
    bpe = Tokenizer(models.BPE(unk_token=None))
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"\n| ?[0-9]"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=100_000,  # no limit: training stops when every word is one token
        min_frequency=1,
        special_tokens=[PAD, START, END],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    bpe.train_from_iterator(words, trainer)
    start = bpe.token_to_id(START)
    bpe.post_processor = processors.TemplateProcessing(
        single=f"{START} $A", pair=f"{START} $A $B", special_tokens=[(START, start)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        bos_token=START,
        eos_token=END,
        pad_token=PAD,
        model_max_length=512,
        clean_up_tokenization_spaces=False,
        split_special_tokens=True,
        corpus_words=words,
    )


def known_ids(tokenizer: PreTrainedTokenizerFast) -> frozenset[int]:
    """The ids of whole corpus words, the only ones that training met (all ids, where the tokenizer does not say)."""
    words = tokenizer.init_kwargs.get("corpus_words")
    if words is None:
        return frozenset(range(len(tokenizer)))
    whole = {tokenizer.encode(word, add_special_tokens=False)[0] for word in words}
    return frozenset(whole) | {tokenizer.bos_token_id, tokenizer.eos_token_id}


def unknown_ids(tokenizer: PreTrainedTokenizerFast) -> frozenset[int]:
    """The ids of byte pieces and fragments, which stand for text that the model has never met."""
    return frozenset(range(len(tokenizer))) - known_ids(tokenizer)


class FastEncoder:
    """Encodes corpus text by looking its words up; the same ids as the tokenizer's, several times faster."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast):
        self.ids = {word: tokenizer.encode(word, add_special_tokens=False)[0] for word in corpus_tokens()}

    def __call__(self, text: str) -> list[int]:
        return [self.ids[word] for word in WORD.findall(text)]
