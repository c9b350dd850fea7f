"""Plain transformers with hooks written by hand (which is what baukit does): right by inspection, so the reference."""

from contextlib import ExitStack

import torch

from ..case import GREEDY, N_LAYERS, N_TOKENS, Case, attention, blocks, changed


class Way:
    """The jobs by hand."""

    def __init__(self, case: Case):
        self.case, self.model = case, case.model
        self.eager = case.copy()
        self.eager.set_attn_implementation("eager")

    def hidden(self):
        """The stream leaving each block."""
        read: list[torch.Tensor] = []
        with ExitStack() as stack:
            for block in blocks(self.model):
                hook = block.register_forward_hook(lambda module, args, output: read.append(output))
                stack.callback(hook.remove)
            self.case.plain()
        return read

    def head(self):
        """Weights (query, key) and logits. Only eager attention has weights to read."""
        layer, head = self.case.looked_at
        read: list[torch.Tensor] = []
        module = attention(blocks(self.eager)[layer])
        hook = module.register_forward_hook(lambda module, args, output: read.append(output[1][0, head]))
        with torch.no_grad():
            logits = self.eager(input_ids=self.case.ids, use_cache=False).logits[0]
        hook.remove()
        return read[0], logits

    def sweep(self):
        """The target's logit after each patch (layer, position): one forward pass each."""
        case = self.case
        with torch.no_grad():
            clean = self.model(input_ids=case.ids, use_cache=False, output_hidden_states=True).hidden_states
            rows = [[self._patched(clean[i], i, p) for p in case.positions] for i in range(N_LAYERS)]
        return torch.tensor(rows)

    def _patched(self, clean: torch.Tensor, layer: int, position: int) -> float:
        def change(x):
            x = x.clone()
            x[:, position] = clean[:, position]
            return x

        with changed(blocks(self.model)[layer], change):
            logits = self.model(input_ids=self.case.corrupted_ids, use_cache=False).logits
        return float(logits[0, -1, self.case.target])

    def steered(self):
        """The ids written while the vector is added to the stream entering a block, at every position."""
        with changed(blocks(self.model)[self.case.layer], lambda x: x + self.case.vector):
            ids = self.case.ids
            return self.model.generate(ids, attention_mask=torch.ones_like(ids), **GREEDY)[0, N_TOKENS:]

    def switch(self):
        """Two setups to go to and fro between: steering at one block, at another."""
        return [lambda layer=layer: self._steered_logits(layer) for layer in (self.case.layer, self.case.other)]

    def _steered_logits(self, layer: int) -> torch.Tensor:
        with changed(blocks(self.model)[layer], lambda x: x + self.case.vector):
            return self.case.plain()[0]
