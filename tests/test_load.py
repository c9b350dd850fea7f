"""Getting a model: from a folder, from one's own hands, and not at all."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertLMHeadModel,
    GPT2Config,
    GPT2ForSequenceClassification,
    GPT2LMHeadModel,
    T5Config,
    T5ForConditionalGeneration,
)

import ctkit as ct
from ctkit import CtkitError
from ctkit.engine.lm import LM

from .engine_fixtures import PROMPT, same
from .families import D_MODEL, N_HEADS, N_LAYERS, TOKENIZER, VOCAB, lm_of, new_model, plain

BERT = {
    "vocab_size": VOCAB,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
}


def refused(call, *args, **options) -> CtkitError:
    """The error, with its three parts filled."""
    with pytest.raises(CtkitError) as caught:
        call(*args, **options)
    assert all(part.strip() for part in (caught.value.asked, caught.value.found, caught.value.remedy))
    return caught.value


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("models") / "mine"
    new_model("llama").save_pretrained(path)
    TOKENIZER.save_pretrained(path)
    return path


def test_a_folder_is_loaded(folder):
    lm = ct.load(str(folder), device="cpu")
    assert isinstance(lm, LM)
    assert (lm.name, lm.n_layers, lm.n_heads, lm.d_model, lm.device) == ("mine", N_LAYERS, N_HEADS, D_MODEL, "cpu")
    assert repr(lm) == f"LM('mine': {N_LAYERS} layers × {N_HEADS} heads, {D_MODEL} wide, cpu)"
    assert same(ct.run(lm, PROMPT).logits, plain(lm_of("llama"), ct.run(lm, PROMPT).ids))
    half = ct.load(str(folder), device="cpu", dtype="bfloat16")
    assert half.model.dtype == torch.bfloat16
    assert half.support["mask"] == "yes"
    eager = ct.load(str(folder), device="cpu", attn_implementation="eager")
    assert eager.model.config._attn_implementation == "eager"


def test_wrap_takes_the_model_as_it_is():
    model = new_model("gpt2")
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    lm = ct.wrap(model, TOKENIZER)
    assert lm.model is model
    assert lm.tokenizer is TOKENIZER
    assert lm.name == "GPT2LMHeadModel"
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())
    assert {word for technique, word in lm.support.items() if technique != "pine"} == {"yes"}
    with pytest.raises(TypeError):
        lm.support["mask"] = "no"


@pytest.mark.parametrize("wrong", [None, "", "  ", 3, ["gpt2"]])
def test_what_is_no_name_is_refused(wrong):
    error = refused(ct.load, wrong)
    assert "ct.wrap" in error.remedy or "name" in error.remedy


@pytest.mark.parametrize(
    "name", ["no-such-org/no-such-model", "nosuchmodel", "no such model", "a/b/c", "../nowhere", "./nowhere"]
)
def test_an_unknown_id_is_refused(name):
    error = refused(ct.load, name)
    assert repr(name) in error.asked
    assert "a shipped model" in error.remedy


def test_a_folder_that_is_not_there_and_a_slip_of_the_pen():
    for name in ("./nowhere", "~/nowhere", "/nowhere/at/all"):
        assert refused(ct.load, name).found == "no such folder"
    assert refused(ct.load, "tinny", local_files_only=True).remedy.startswith("'tiny', if that is meant; a shipped")
    assert "is meant" not in refused(ct.load, "nothing-like-it", local_files_only=True).remedy


def test_an_unknown_id_is_refused_quickly_without_a_network():
    """In a process that may use the network and has none: the hub's own retries would take half a minute."""
    code = (
        "import socket, time, ctkit, huggingface_hub\n"
        "def nowhere(*a, **k): raise OSError('no network')\n"
        "socket.create_connection = socket.getaddrinfo = nowhere\n"
        "import transformers; start = time.time()\n"
        "try: ctkit.load('no-such-org/no-such-model')\n"
        "except ctkit.CtkitError as err: print(time.time() - start, err)\n"
    )
    keep = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy") and k != "HF_HUB_OFFLINE"}
    out = subprocess.run(
        [sys.executable, "-c", code], env=keep, capture_output=True, text=True, timeout=120, check=True
    )
    assert "no-such-org/no-such-model" in out.stdout
    assert float(out.stdout.split()[0]) < 10
    assert "Retrying" not in out.stderr


def test_an_empty_folder_is_refused(tmp_path):
    error = refused(ct.load, str(tmp_path))
    assert str(tmp_path) in error.asked
    assert "config.json" in error.remedy
    assert "nothing" in error.found


def test_a_folder_without_weights_is_refused_and_the_remedy_works(tmp_path):
    model = new_model("llama")
    model.config.save_pretrained(tmp_path)
    error = refused(ct.load, str(tmp_path))
    assert "model.safetensors" in error.remedy
    assert "config.json" in error.found, "what the folder holds"
    model.save_pretrained(tmp_path)
    error = refused(ct.load, str(tmp_path))
    assert "tokenizer" in error.remedy, "weights, but no tokenizer"
    TOKENIZER.save_pretrained(tmp_path)
    assert ct.load(str(tmp_path), device="cpu").n_layers == N_LAYERS


def test_broken_files_are_refused(tmp_path, folder):
    for broken, text in {"config.json": "{", "model.safetensors": "nonsense"}.items():
        path = tmp_path / broken.partition(".")[0]
        path.mkdir()
        for file in folder.iterdir():
            (path / file.name).write_bytes(file.read_bytes())
        (path / broken).write_text(text)
        assert str(path) in refused(ct.load, str(path)).asked


def test_a_device_that_is_not_there_is_refused(folder):
    if not torch.cuda.is_available():
        assert "cpu" in refused(ct.load, str(folder), device="cuda").remedy
    assert "cpu" in refused(ct.load, str(folder), device="toaster").remedy
    assert "float32" in refused(ct.load, str(folder), dtype="float7").remedy


ENCODERS = {
    "BertForMaskedLM": lambda: BertForMaskedLM(BertConfig(**BERT)),
    "BertLMHeadModel": lambda: BertLMHeadModel(BertConfig(**BERT)),
    "T5ForConditionalGeneration": lambda: T5ForConditionalGeneration(
        T5Config(vocab_size=VOCAB, d_model=32, num_layers=2, num_heads=4, d_ff=48, d_kv=8)
    ),
    "GPT2ForSequenceClassification": lambda: GPT2ForSequenceClassification(
        GPT2Config(vocab_size=VOCAB, n_embd=32, n_layer=2, n_head=4, pad_token_id=0)
    ),
}


@pytest.mark.parametrize("name", ENCODERS)
def test_models_that_do_not_write_are_refused_by_name(name, tmp_path):
    model = ENCODERS[name]()
    error = refused(ct.wrap, model, TOKENIZER)
    assert name in error.asked
    assert "decoder-only" in error.remedy
    model.save_pretrained(tmp_path)
    TOKENIZER.save_pretrained(tmp_path)
    assert name in refused(ct.load, str(tmp_path)).asked


def test_a_decoder_made_of_bert_is_no_encoder():
    """The same class, told to look backwards only, is a causal language model, and may be used."""
    torch.manual_seed(0)
    lm = ct.wrap(BertLMHeadModel(BertConfig(**BERT, is_decoder=True)), TOKENIZER)
    assert torch.equal(ct.run(lm, PROMPT).logits, plain(lm, ct.run(lm, PROMPT).ids))


def test_wrap_refuses_what_is_no_model():
    for wrong in (None, "gpt2", torch.nn.Linear(2, 2), GPT2Config()):
        assert type(wrong).__name__ in refused(ct.wrap, wrong, TOKENIZER).found
    for wrong in (None, "gpt2"):
        assert "AutoTokenizer" in refused(ct.wrap, lm_of("gpt2").model, wrong).remedy


def test_a_tokenizer_that_is_not_the_models_is_noticed():
    torch.manual_seed(0)
    small = GPT2LMHeadModel(
        GPT2Config(vocab_size=50, n_embd=32, n_layer=2, n_head=4, n_positions=64, eos_token_id=1, bos_token_id=1)
    )
    lm = ct.wrap(small, TOKENIZER)
    error = refused(ct.run, lm, "Ann")
    assert "the tokenizer that belongs to the model" in error.remedy
    assert "50 tokens" in error.found


def test_importing_ctkit_imports_no_torch():
    code = "import sys, ctkit; print([m for m in ('torch', 'transformers') if m in sys.modules])"
    start = time.time()
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
    assert time.time() - start < 10
