"""Memory of head thumbnails over a long prompt: peaks of processes of their own."""

import json
import resource
import subprocess
import sys
import weakref

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from transformers import LlamaConfig, LlamaForCausalLM

import ctkit as ct

N_LAYERS, N_HEADS, N_TOKENS, SIDE = 24, 16, 1024, 32
ONE_LAYER = N_HEADS * N_TOKENS * N_TOKENS * 4  # bytes of one layer's weights


class Weights(TorchDispatchMode):
    """Follows every tensor that is as large as one head's weights: how many bytes of them live at once."""

    def __init__(self):
        super().__init__()
        self.live, self.peak, self.known = 0, 0, set()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        for tensor in out if isinstance(out, (tuple, list)) else [out]:
            if isinstance(tensor, torch.Tensor) and tensor.numel() >= N_TOKENS * N_TOKENS:
                self._count(tensor.untyped_storage())
        return out

    def _count(self, storage) -> None:
        key, size = storage.data_ptr(), storage.nbytes()
        if key in self.known or not size:
            return
        self.known.add(key)
        self.live += size
        self.peak = max(self.peak, self.live)
        weakref.finalize(storage, self._gone, key, size)

    def _gone(self, key: int, size: int) -> None:
        self.known.discard(key)
        self.live -= size


def memory_report() -> str:
    """Lines of a list: what a process takes at most for a plain pass, for thumbnails, for all weights."""
    model = f"{N_LAYERS} layers × {N_HEADS} heads, {N_TOKENS} tokens, thumbnails of {SIDE} × {SIDE}"
    lines = [f"{model}; one layer's weights are {ONE_LAYER / 2**20:.0f} MiB"]
    plain = _child("plain")
    for kind, title in (("thumbnails", "ct.thumbnails"), ("all", 'ct.run(…, attention="all")')):
        found = _child(kind)
        if "failed" in found:
            lines.append(f"- {title}: {found['failed']}")
            continue
        more = (found["resident"] - plain["resident"]) / 2**20
        layers = (found["living"] - plain["living"]) / ONE_LAYER
        lines.append(f"- {title}: peak resident size {more:+.0f} MiB; large tensors alive at once {layers:+.2f} layers")
    return "\n".join([*lines, "both beside the plain pass; large: of the size of one head's weights or more"])


def _child(kind: str) -> dict:
    """Peaks in a process of its own: resident size without following tensors, then what lived, with following."""
    found: dict = {}
    for follow in ("", "follow"):
        command = [sys.executable, "-m", "benchmarks.beside.memory", kind, follow]
        ended = subprocess.run(command, capture_output=True, text=True)
        if ended.returncode:
            return {"failed": ended.stderr.strip().splitlines()[-1]}
        found |= json.loads(ended.stdout.strip().splitlines()[-1])
    return found


def _work(kind: str, follow: bool) -> dict:
    torch.set_num_threads(1)
    lm = _model()
    text = _text(lm.tokenizer)
    calls = {
        "plain": lambda: ct.run(lm, text),
        "thumbnails": lambda: ct.thumbnails(lm, text),
        "all": lambda: ct.run(lm, text, attention="all"),
    }
    if not follow:
        calls[kind]()
        return {"resident": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}
    with Weights() as weights:
        kept = calls[kind]()
    del kept
    return {"living": weights.peak}


def _model() -> ct.LM:
    tokenizer = ct.load().tokenizer
    torch.manual_seed(0)
    sizes = {"hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": N_LAYERS}
    config = LlamaConfig(
        vocab_size=len(tokenizer), num_attention_heads=N_HEADS, max_position_embeddings=2 * N_TOKENS, **sizes
    )
    return ct.wrap(LlamaForCausalLM(config), tokenizer)


def _text(tokenizer) -> str:
    ids = tokenizer(" ".join(["The key is in the box."] * N_TOKENS), verbose=False)["input_ids"][1:N_TOKENS]
    return tokenizer.decode(ids)


if __name__ == "__main__":
    print(json.dumps(_work(sys.argv[1], sys.argv[2] == "follow")))
