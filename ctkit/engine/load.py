"""Getting a model: one that ctkit ships, one by hub id or folder, or your own. Refuses what it cannot be true to."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from ..errors import CtkitError, shown
from .lm import LM, context_of, find_blocks, shape_of
from .selftest import examined
from .weights import numbers

DTYPES = ("auto", "float32", "bfloat16", "float16", "float64")


def load(
    name: str = "tiny",
    *,
    device: str | None = None,
    dtype: str = "auto",
    trust_remote_code: bool = False,
    **options: Any,
) -> LM:
    """A causal language model by name.

    `name` is a model that ctkit ships ("tiny", the default: no network), a Hugging Face hub id, or a folder. `device`:
    "cpu", "cuda", …; by default the shipped models stay on the CPU, where they are fastest, and others go to a GPU
    where there is one. `dtype`: "auto" (as saved), "float32", "bfloat16", "float16". Further options go to
    `AutoModelForCausalLM.from_pretrained`. No remote code runs unless `trust_remote_code=True`.

    Raises `CtkitError` where there is no such model, where it is no causal language model, or where it fails the
    self-test.

    >>> load()
    LM('tiny': 4 layers × 4 heads, 128 wide, cpu)
    """
    from .shipped import shipped_path

    if not isinstance(name, str) or not name.strip():
        raise CtkitError(
            f"the model {shown(name)}",
            f"a {type(name).__name__}",
            'a name such as "tiny" or "gpt2", or ct.wrap(model, tokenizer)',
        )
    if str(dtype).removeprefix("torch.") not in DTYPES:
        raise CtkitError(f"dtype={shown(dtype)}", "no number format of a model", f"one of {', '.join(DTYPES)}")
    path = shipped_path(name)
    asked = {"device": device, "dtype": dtype, "trust_remote_code": trust_remote_code} | options
    local = path is not None or os.path.isdir(name)
    if device is None:
        device = "cpu" if path is not None else _best_device()
    folder = os.path.isabs(name) or name.startswith(".")  # no hub id: the hub need not be asked
    here = local or folder or options.get("local_files_only", False) or not _hub_answers()
    options |= {"trust_remote_code": trust_remote_code, "local_files_only": here}
    model, tokenizer = _pretrained(name, str(path or name), dtype, options)
    if "device_map" not in options:
        model = _moved(model, device)
    defaults = {"device": None if path is None else "cpu", "dtype": "auto", "trust_remote_code": False}
    given = {key: value for key, value in asked.items() if value is not None and value != defaults.get(key, ...)}
    called = name if path is not None or not local else Path(name).name
    return replace(wrap(model, tokenizer), name=called, loaded={"name": name} | given)


def wrap(model: Any, tokenizer: Any) -> LM:
    """A Hugging Face causal LM and its tokenizer, ready for ctkit. The model is put into evaluation mode, nothing else.

    Raises `CtkitError` where it is no causal language model or fails the self-test.
    """
    if model is None or not hasattr(model, "config") or not hasattr(model, "get_input_embeddings"):
        raise CtkitError(
            f"ct.wrap({shown(model)}, …)",
            f"a {type(model).__name__}",
            "a transformers model, or its name with ct.load(name)",
        )
    if tokenizer is None or not callable(tokenizer):
        raise CtkitError(
            f"ct.wrap(model, {shown(tokenizer)})",
            f"a {type(tokenizer).__name__}",
            "the model's tokenizer: AutoTokenizer.from_pretrained(…)",
        )
    refuse_class(model.config, type(model).__name__)
    model.eval()
    shape = shape_of(model)
    if numbers(model.get_input_embeddings()).is_meta:
        raise CtkitError(
            f"the model {type(model).__name__}",
            'weights that were never loaded: they are on the device "meta", which keeps shapes and no numbers',
            "a model from AutoModelForCausalLM.from_pretrained(…), or ct.load(name)",
        )
    blocks = find_blocks(model, shape.n_layers)
    return examined(LM(model, tokenizer, type(model).__name__, shape, blocks, {}, context=context_of(model)))


def refuse_class(config: Any, class_name: str = "") -> None:
    """Refuse encoders and text-to-text models by name."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    names = [class_name, *(getattr(config, "architectures", None) or [])]
    kind = getattr(config, "model_type", "unknown")
    said = next((name for name in names if name), kind)
    remedy = 'a decoder-only model, such as ct.load() or ct.load("gpt2")'
    if getattr(config, "is_encoder_decoder", False):
        raise CtkitError(f"the model {said}", f"a text-to-text model ({kind}): an encoder and a decoder", remedy)
    encoder = [name for name in names if name.endswith(("ForMaskedLM", "ForPreTraining", "ForSequenceClassification"))]
    known = kind in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES or class_name in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.values()
    if encoder or not known or (getattr(config, "is_decoder", True) is False and _is_encoder(kind)):
        raise CtkitError(
            f"the model {(encoder or [said])[0]}",
            f"no causal language model ({kind}): it reads both ways or does not write",
            remedy,
        )


def _is_encoder(kind: str) -> bool:
    from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES

    return kind in MODEL_FOR_MASKED_LM_MAPPING_NAMES


def _pretrained(name: str, source: str, dtype: str, options: dict) -> tuple[Any, Any]:
    from safetensors import SafetensorError
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    shared = {
        key: options[key]
        for key in ("trust_remote_code", "local_files_only", "revision", "token", "cache_dir")
        if key in options
    }
    try:
        config = AutoConfig.from_pretrained(source, **shared)
    except (OSError, ValueError, KeyError) as err:
        raise _not_found(name, source, err) from err
    refuse_class(config)
    try:
        with _quietly():
            model = AutoModelForCausalLM.from_pretrained(
                source, config=config, dtype=dtype, use_safetensors=True, **options
            )
        tokenizer = AutoTokenizer.from_pretrained(source, **shared)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as err:
        raise _not_found(name, source, err) from err
    return model, tokenizer


def _hub_answers(seconds: float = 3.0) -> bool:
    """Whether the hub can be reached. Asked first: without a network every file costs half a minute of retries."""
    from huggingface_hub import constants

    proxies = getproxies()
    if constants.HF_HUB_OFFLINE or "https" in proxies or "all" in proxies:
        return not constants.HF_HUB_OFFLINE
    hub = urlsplit(constants.ENDPOINT)
    answers: list[bool] = []
    asking = Thread(target=lambda: answers.append(_connects(hub.hostname, hub.port or 443, seconds)), daemon=True)
    asking.start()  # a thread, because looking up a name has no time limit of its own
    asking.join(seconds)
    return bool(answers and answers[0])


def _connects(host: str | None, port: int, seconds: float) -> bool:
    try:
        socket.create_connection((host, port), timeout=seconds).close()
    except OSError:
        return False
    return True


@contextmanager
def _quietly() -> Iterator[None]:
    """No bar for reading weights from disk: it is over before it is read, and it spoils a notebook's output."""
    from transformers.utils import logging

    was = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if was:
            logging.enable_progress_bar()


def _not_found(name: str, source: str, err: Exception) -> CtkitError:
    from .shipped import shipped_names

    first = (str(err).strip().splitlines() or [type(err).__name__])[0].rstrip(".")
    ours = ", ".join(shipped_names())
    if os.path.isdir(source):
        files = sorted(os.listdir(source))[:6]
        return CtkitError(
            f"the model in the folder {name!r}",
            f"{first} (the folder holds {files or 'nothing'})",
            "a folder with config.json, model.safetensors and a tokenizer, as model.save_pretrained and "
            "tokenizer.save_pretrained write them",
        )
    found = "no such folder" if os.path.isabs(name) or name.startswith((".", "~")) else first
    meant = get_close_matches(name, shipped_names(), 1)
    remedy = f"a shipped model ({ours}), a folder, or a hub id while the network is there"
    return CtkitError(f"the model {name!r}", found, f"{meant[0]!r}, if that is meant; {remedy}" if meant else remedy)


def _moved(model: Any, device: str) -> Any:
    try:
        return model.to(device)
    except (RuntimeError, AssertionError) as err:
        raise CtkitError(
            f"device {device!r}", str(err).strip().splitlines()[0], '"cpu", or "cuda" where ctkit doctor sees a GPU'
        ) from err


def _best_device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
