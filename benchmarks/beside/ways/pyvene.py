"""The jobs in pyvene: a model is wrapped once for each place that is read or changed."""

from functools import partial

import pyvene
import torch

from ..case import GREEDY, N_LAYERS, N_TOKENS, Case, block_path


class Way:
    """Wrappers are made ahead, so that only their use is timed; the model is shared, as its hooks live for a call."""

    def __init__(self, case: Case):
        self.case, self.model = case, case.copy()
        path = block_path(self.model)
        collect = [self._collect(f"{path}[{layer}].output") for layer in range(N_LAYERS)]
        self.collecting = pyvene.IntervenableModel(collect, model=self.model)
        self.patching = [self._wrapped(layer, "block_input", pyvene.VanillaIntervention) for layer in range(N_LAYERS)]
        adding = type("Adding", (_Adding,), {"vector": case.vector})
        self.adding = {layer: self._wrapped(layer, "block_input", adding) for layer in (case.layer, case.other)}

    def _collect(self, component: str) -> dict:
        width = self.model.config.hidden_size
        return {
            "component": component,
            "intervention": pyvene.CollectIntervention(embed_dim=width, keep_last_dim=True),
        }

    def _wrapped(self, layer: int, component: str, kind: type):
        place = {"layer": layer, "component": component, "intervention_type": kind}
        return pyvene.IntervenableModel(place, model=self.model)

    def hidden(self):
        base, everywhere = {"input_ids": self.case.ids}, {"base": [[list(range(N_TOKENS))]] * N_LAYERS}
        with torch.no_grad():
            (_, read), _ = self.collecting(base=base, unit_locations=everywhere, use_cache=False)
        return read

    def sweep(self):
        with torch.no_grad():
            # the streams to patch from are read once: pyvene would read the source prompt again for each patch
            # (from another copy of the model: pyvene's clean-up takes away the hooks that transformers records with)
            clean = self.case.model(input_ids=self.case.ids, use_cache=False, output_hidden_states=True).hidden_states
            rows = [[self._patched(clean[layer], layer, p) for p in self.case.positions] for layer in range(N_LAYERS)]
        return torch.tensor(rows)

    def _patched(self, clean: torch.Tensor, layer: int, position: int) -> float:
        wrapped = self.patching[layer]
        _, output = wrapped(
            base={"input_ids": self.case.corrupted_ids},
            unit_locations={"sources->base": position},
            source_representations={wrapped.sorted_keys[0]: clean[:, position : position + 1]},
            use_cache=False,
        )
        return float(output.logits[0, -1, self.case.target])

    def steered(self):
        ids = self.case.ids
        prompt = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        wrapped = self.adding[self.case.layer]
        _, written = wrapped.generate(prompt, unit_locations=None, intervene_on_prompt=True, **GREEDY)
        return written[0, N_TOKENS:]

    def switch(self):
        return [partial(self._steered_logits, layer) for layer in (self.case.layer, self.case.other)]

    def _steered_logits(self, layer: int) -> torch.Tensor:
        with torch.no_grad():
            _, output = self.adding[layer](base={"input_ids": self.case.ids}, use_cache=False)
        return output.logits[0]


class _Adding(pyvene.ConstantSourceIntervention):
    vector: torch.Tensor

    def __init__(self, **kwargs):
        super().__init__(**kwargs, keep_last_dim=True)

    def forward(self, base, source=None, subspaces=None):
        return base + self.vector
