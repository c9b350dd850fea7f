"""What transformers offers by itself: `output_hidden_states`, and `output_attentions` with eager attention."""

import torch

from ..case import Case


class Way:
    """The jobs with transformers' own options."""

    def __init__(self, case: Case):
        self.case, self.model = case, case.model
        self.eager = case.copy()
        self.eager.set_attn_implementation("eager")

    def hidden(self):
        # the last entry is after the final norm: the stream leaving the last block is not among them
        with torch.no_grad():
            out = self.model(input_ids=self.case.ids, use_cache=False, output_hidden_states=True)
        return out.hidden_states[1:-1]

    def head(self):
        layer, head = self.case.looked_at
        with torch.no_grad():
            out = self.eager(input_ids=self.case.ids, use_cache=False, output_attentions=True)
        return out.attentions[layer][0, head], out.logits[0]
