"""The jobs in ctkit."""

import torch

import ctkit as ct

from ..case import N_NEW, Case


class Way:
    """Prompts go in as text, as users give them."""

    def __init__(self, case: Case):
        self.case, self.model = case, case.model
        self.lm = ct.wrap(case.model, case.tokenizer)
        self.steer = [ct.Steer(ct.Direction(case.vector, layer)) for layer in (case.layer, case.other)]

    def idle(self):
        return ct.run(self.lm, self.case.text).logits

    def hidden(self):
        trace = ct.run(self.lm, self.case.text, residual="all")
        return [trace.residual(layer) for layer in range(1, self.lm.n_layers + 1)]

    def head(self):
        trace = ct.run(self.lm, self.case.text, attention=[self.case.looked_at])
        return trace.attention(*self.case.looked_at), trace.logits

    def sweep(self):
        case = self.case
        found = ct.patch_sweep(self.lm, case.text, case.corrupted, where=case.positions)
        return found.logits[..., case.target]

    def steered(self):
        return ct.generate(self.lm, self.case.text, self.steer[0], max_new_tokens=N_NEW).ids

    def switch(self):
        return [lambda steer=steer: ct.run(self.lm, self.case.text, steer).logits for steer in self.steer]

    def same_bits(self) -> dict[str, bool]:
        """Where the logits are the bare pass's own, bit for bit."""
        plain = self.case.logits
        return {"idle": torch.equal(self.idle(), plain), "head": torch.equal(self.head()[1], plain)}
