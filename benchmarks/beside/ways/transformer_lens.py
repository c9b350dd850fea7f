"""The jobs in TransformerLens, through its bridge to a Hugging Face model."""

import tempfile
from functools import partial

import torch
from transformer_lens.model_bridge import TransformerBridge

from ..case import N_LAYERS, N_NEW, N_TOKENS, Case


class Way:
    """The bridge changes the model that it is given, so it gets its own."""

    def __init__(self, case: Case):
        self.case, self.model = case, case.copy()
        with tempfile.TemporaryDirectory() as folder:
            case.model.save_pretrained(folder)
            case.tokenizer.save_pretrained(folder)
            self.bridge = TransformerBridge.boot_transformers(
                folder, hf_model=self.model, tokenizer=case.tokenizer, device="cpu", dtype=torch.float32
            )

    def idle(self):
        with torch.no_grad():
            return self.bridge(self.case.ids, use_cache=False)

    def hidden(self):
        with torch.no_grad():
            _, cache = self.bridge.run_with_cache(self.case.ids, names_filter=_leaving_a_block, use_cache=False)
        return [cache[f"blocks.{layer}.hook_out"] for layer in range(N_LAYERS)]

    def head(self):
        layer, head = self.case.looked_at
        name = f"blocks.{layer}.attn.hook_pattern"
        with torch.no_grad():
            logits, cache = self.bridge.run_with_cache(self.case.ids, names_filter=name, use_cache=False)
        return cache[name][0, head], logits

    def sweep(self):
        case = self.case
        with torch.no_grad():
            _, clean = self.bridge.run_with_cache(case.ids, names_filter=_entering_a_block, use_cache=False)
            names = [f"blocks.{layer}.hook_in" for layer in range(N_LAYERS)]
            return torch.tensor([[self._patched(n, clean[n], p) for p in case.positions] for n in names])

    def _patched(self, name: str, clean: torch.Tensor, position: int) -> float:
        def change(x, hook):
            x = x.clone()
            x[:, position] = clean[:, position]
            return x

        logits = self.bridge.run_with_hooks(self.case.corrupted_ids, fwd_hooks=[(name, change)], use_cache=False)
        return float(logits[0, -1, self.case.target])

    def steered(self):
        with self.bridge.hooks(fwd_hooks=[(f"blocks.{self.case.layer}.hook_in", self._add)]):
            return self.bridge.generate(
                self.case.ids, max_new_tokens=N_NEW, do_sample=False, stop_at_eos=False, verbose=False
            )[0, N_TOKENS:]

    def switch(self):
        return [partial(self._steered_logits, layer) for layer in (self.case.layer, self.case.other)]

    def _steered_logits(self, layer: int) -> torch.Tensor:
        with torch.no_grad():
            hooks = [(f"blocks.{layer}.hook_in", self._add)]
            return self.bridge.run_with_hooks(self.case.ids, fwd_hooks=hooks, use_cache=False)[0]

    def _add(self, x, hook):
        return x + self.case.vector


def _leaving_a_block(name: str) -> bool:
    return name.endswith(".hook_out") and name.count(".") == 2


def _entering_a_block(name: str) -> bool:
    return name.endswith(".hook_in") and name.count(".") == 2
