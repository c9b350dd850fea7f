"""The jobs in nnsight: the body of each `with` block is run inside the model."""

import warnings
from functools import partial

import torch
from nnsight.modeling.transformers import TransformersModel

from ..case import GREEDY, N_LAYERS, N_TOKENS, Case, attention, blocks


class Way:
    """One wrapped model, and one with eager attention, which has weights to read."""

    def __init__(self, case: Case):
        self.case, self.model = case, case.copy()
        self.wrapped = TransformersModel(self.model, tokenizer=case.tokenizer, task="text-generation")
        eager = case.copy()
        eager.set_attn_implementation("eager")
        self.eager = TransformersModel(eager, tokenizer=case.tokenizer, task="text-generation")
        # a loop over all steps ends by running out of steps, of which nnsight warns
        warnings.filterwarnings("ignore", message=".*was never reached.*")

    def idle(self):
        with torch.no_grad(), self.wrapped.trace(self.case.ids, use_cache=False):
            logits = self.wrapped.output.logits.save()
        return logits

    def hidden(self):
        with torch.no_grad(), self.wrapped.trace(self.case.ids, use_cache=False):
            read = [].save()
            for block in blocks(self.wrapped):
                read.append(block.output)
        return read

    def head(self):
        layer, head = self.case.looked_at
        module = attention(blocks(self.eager)[layer])
        with torch.no_grad(), self.eager.trace(self.case.ids, use_cache=False):
            weights = module.output[1][0, head].save()
            logits = self.eager.output.logits.save()
        return weights, logits

    def sweep(self):
        clean = self._entering()
        rows = [[self._patched(clean[layer], layer, p) for p in self.case.positions] for layer in range(N_LAYERS)]
        return torch.tensor(rows)

    def _entering(self):
        with torch.no_grad(), self.wrapped.trace(self.case.ids, use_cache=False):
            read = [].save()
            for block in blocks(self.wrapped):
                read.append(block.input)
        return read

    def _patched(self, clean: torch.Tensor, layer: int, position: int) -> float:
        block, target = blocks(self.wrapped)[layer], self.case.target
        with torch.no_grad(), self.wrapped.trace(self.case.corrupted_ids, use_cache=False):
            block.input[:, position] = clean[:, position]
            logit = self.wrapped.output.logits[0, -1, target].save()
        return float(logit)

    def steered(self):
        block, vector = blocks(self.wrapped)[self.case.layer - 1], self.case.vector
        with torch.no_grad(), self.wrapped.generate(**GREEDY) as tracer:
            with tracer.invoke(self.case.ids):
                for _ in tracer.iter[:]:
                    block.output[:] = block.output + vector
            with tracer.invoke():
                written = tracer.result.save()
        return written[0, N_TOKENS:]

    def switch(self):
        return [partial(self._steered_logits, layer) for layer in (self.case.layer, self.case.other)]

    def _steered_logits(self, layer: int) -> torch.Tensor:
        block, vector = blocks(self.wrapped)[layer - 1], self.case.vector
        with torch.no_grad(), self.wrapped.trace(self.case.ids, use_cache=False):
            block.output[:] = block.output + vector
            logits = self.wrapped.output.logits.save()
        return logits[0]
