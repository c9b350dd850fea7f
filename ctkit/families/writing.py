"""The laws of writing and of batches: a cache changes nothing, nor do neighbours."""

from typing import Any

import torch

from ..engine.generate import generate, generate_many
from ..engine.run import run, run_many
from ..engine.trace import Generation
from ..errors import CtkitError
from .laws import far
from .subject import PROMPT, TEXTS, Subject

STEPS = 4


def a_cache_changes_nothing(subject: Subject) -> str | None:
    """Written with a dynamic cache, a static one, or none: the same tokens from the same logits."""
    static = has_static_cache(subject)
    for name, setup in subject.setups().items():
        plain = generate(subject.lm, PROMPT, setup, max_new_tokens=STEPS, cache="none")
        for cache in ("dynamic", "static") if static else ("dynamic",):
            written = generate(subject.lm, PROMPT, setup, max_new_tokens=STEPS, cache=cache)
            if wrong := parted(written, plain, subject.tolerance):
                return f"with a {cache} cache under {name}: {wrong}"
    return None


def what_is_written_is_what_a_run_says(subject: Subject) -> str | None:
    """The logits from which a token was chosen are those that reading the text up to there gives."""
    for name, setup in subject.setups().items():
        written = generate(subject.lm, PROMPT, setup, max_new_tokens=1)
        last = run(subject.lm, PROMPT, setup).logits[-1:]
        if written.n_written and (wrong := far(written.logits, last, subject.tolerance)):
            return f"under {name}: {wrong}"
    return None


def a_batch_changes_nothing(subject: Subject) -> str | None:
    """Prompts of different lengths under different setups, padded into one pass, give what each alone gives."""
    entries = _entries(subject)
    for trace, (prompt, setup) in zip(run_many(subject.lm, entries), entries, strict=True):
        alone = run(subject.lm, prompt, *setup)
        if wrong := far(trace.logits, alone.logits, subject.tolerance):
            return f"{len(alone.ids)} tokens under {setup or 'nothing'}: {wrong}"
    return None


def a_batch_writes_what_each_writes(subject: Subject) -> str | None:
    """The same for writing."""
    entries = _entries(subject)
    for cache in ("dynamic", "static") if has_static_cache(subject) else ("dynamic",):
        many = generate_many(subject.lm, entries, max_new_tokens=3, cache=cache)
        for written, (prompt, setup) in zip(many, entries, strict=True):
            alone = generate(subject.lm, prompt, *setup, max_new_tokens=3, cache="none")
            if wrong := parted(written, alone, subject.tolerance):
                return f"with a {cache} cache under {setup or 'nothing'}: {wrong}"
    return None


def parted(one: Generation, other: Generation, tolerance: float) -> str | None:
    """How far two texts' logits are apart, token by token, in words, where that is too far. Where two tokens are as
    likely as each other to within the tolerance the texts may part; from there on there is nothing to compare."""
    for step, (a, b) in enumerate(zip(one.logits, other.logits, strict=False)):
        if wrong := far(a, b, tolerance):
            return f"{wrong} at token {step + 1}"
        if one.ids[step] != other.ids[step]:
            return None
    return None if one.stopped == other.stopped else f"one that ended by {one.stopped}, one by {other.stopped}"


def has_static_cache(subject: Subject) -> bool:
    """Whether ctkit writes with a static cache on this model, rather than refuse to."""
    try:
        generate(subject.lm, "b", max_new_tokens=1, cache="static")
    except CtkitError:
        return False
    return True


def transformers_has(subject: Subject, cache: str) -> bool:
    """Whether transformers itself, without ctkit, writes the same with this cache ("dynamic" or "static") and none."""
    ids = torch.tensor([subject.ids], device=subject.lm.device)
    plain = _written(subject.lm.model, ids, use_cache=False)
    how: dict[str, Any] = {} if cache == "dynamic" else {"cache_implementation": "static", "disable_compile": True}
    return plain is not None and _written(subject.lm.model, ids, use_cache=True, **how) == plain


def _written(model: Any, ids: torch.Tensor, **how: Any) -> list[int] | None:
    try:
        with torch.no_grad():
            output = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=STEPS, **how)
    except Exception:
        return None
    return output[0].tolist()


def _entries(subject: Subject) -> list[tuple[Any, tuple]]:
    """A batch: each setup over the prompt, and shorter texts under none."""
    under = [(PROMPT, tuple(setup)) for setup in subject.setups().values()]
    return [*under, *((text, ()) for text in TEXTS)]
