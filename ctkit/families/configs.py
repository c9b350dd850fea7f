"""A tiny random model of any class of causal language models in transformers."""

from dataclasses import fields
from typing import Any

import torch

from .sizes import OWN, PARTS, TINY

SCALE = 0.15  # of the random weights: large enough for every part to show in the logits


def config_of(kind: str) -> Any:
    """The configuration of a tiny model of a type, a key of transformers' table of causal models.

    >>> config_of("gpt2").n_layer, config_of("llama").num_hidden_layers
    (3, 3)
    """
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    config_class = CONFIG_MAPPING[kind]
    if kind in PARTS:
        config_class = config_class.sub_configs[PARTS[kind]]
    return _tiny(config_class, OWN.get(kind, {}))


def class_name(kind: str) -> str:
    """The class of causal language models that transformers uses for a type."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    return MODEL_FOR_CAUSAL_LM_MAPPING_NAMES[kind]


def model_of(kind: str, seed: int = 0, **options: Any) -> Any:
    """A tiny model of a type, with random weights; `options`, as attn_implementation="eager", go to transformers.

    >>> type(model_of("llama")).__name__
    'LlamaForCausalLM'
    """
    import transformers

    torch.manual_seed(seed)
    if kind in PARTS:
        model = getattr(transformers, class_name(kind))._from_config(config_of(kind), **options)
    else:
        model = transformers.AutoModelForCausalLM.from_config(config_of(kind), **options)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(0, SCALE)
            else:
                parameter.add_(torch.randn_like(parameter), alpha=0.1)
    return model.eval()


def _tiny(config_class: type, own: dict[str, Any]) -> Any:
    """A configuration whose sizes are tiny, those of its parts (of a text or vision model) too."""
    from transformers import AutoConfig
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    known = {f.name for f in fields(config_class)}
    given = {name: value for name, value in TINY.items() if name in known} | own
    defaults = getattr(config_class, "sub_configs_defaults", None) or {}
    for name, part in (getattr(config_class, "sub_configs", None) or {}).items():
        if part is AutoConfig:
            part = CONFIG_MAPPING[defaults[name].model_type]
        given[name] = _tiny(part, own.get(name, {}))
    return config_class(**given)
