"""The jobs in steering-vectors, which asks for transformers 4 but runs with 5."""

from functools import partial

import torch
from steering_vectors import SteeringVector, record_activations

from ..case import GREEDY, N_TOKENS, Case


class Way:
    """It adds to what leaves a block, so the layer is the one before."""

    def __init__(self, case: Case):
        self.case, self.model = case, case.copy()
        self.vectors = {layer: SteeringVector({layer - 1: case.vector}) for layer in (case.layer, case.other)}

    def hidden(self):
        with torch.no_grad(), record_activations(self.model) as read:
            self.model(input_ids=self.case.ids, use_cache=False)
        return [read[layer][0] for layer in sorted(read)]

    def steered(self):
        ids = self.case.ids
        with self.vectors[self.case.layer].apply(self.model):
            return self.model.generate(ids, attention_mask=torch.ones_like(ids), **GREEDY)[0, N_TOKENS:]

    def switch(self):
        return [partial(self._steered_logits, layer) for layer in (self.case.layer, self.case.other)]

    def _steered_logits(self, layer: int) -> torch.Tensor:
        with torch.no_grad(), self.vectors[layer].apply(self.model):
            return self.model(input_ids=self.case.ids, use_cache=False).logits[0]
