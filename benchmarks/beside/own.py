"""What only ctkit is asked: new prompts, setups that change nothing, masks, bits."""

from itertools import count
from typing import Any

import torch

import ctkit as ct

from .case import N_TOKENS
from .timing import outside, paired


def own_report(way: Any, pairs: int, clock: str) -> str:
    """Lines of a list; ratios as in the table."""
    case, lm = way.case, way.lm
    texts, again = (_new_texts(way, seed) for seed in (0, 1))

    def tokenized_and_read() -> torch.Tensor:
        ids = torch.tensor([case.tokenizer(next(again))["input_ids"]])
        with torch.no_grad():
            return case.model(input_ids=ids, use_cache=False).logits

    idle = ct.Steer(way.steer[0].direction, strength=0), ct.Mask("causal")
    window = ct.Mask("window", size=8)
    cases = {
        "a prompt not read before, beside tokenizer + forward": (lambda: ct.run(lm, next(texts)), tokenized_and_read),
        "a setup that changes nothing, beside forward": (lambda: ct.run(lm, case.text, *idle), case.plain),
        "a mask in every layer, beside forward": (lambda: ct.run(lm, case.text, window), case.plain),
    }
    lines = [f"- logits are the bare pass's bit for bit: {way.same_bits()}"]
    for name, (candidate, base) in cases.items():
        lines.append(f"- {name}: {paired(candidate, base, pairs, clock)}")
    setups = (lambda: ct.run(lm, case.text, window)), (lambda: ct.run(lm, case.text, way.steer[0]))
    switched = outside(*setups, case.model, pairs, clock)
    lines.append(f"- from a mask to steering and back, ms beside the forward: {switched}")
    return "ctkit alone:\n" + "\n".join(lines)


def _new_texts(way: Any, seed: int):
    """Texts of as many tokens, each another."""
    tokenizer, ids = way.case.tokenizer, way.case.ids[0].tolist()
    generator = torch.Generator().manual_seed(seed)
    for _ in count():
        new = torch.randint(10, len(tokenizer), (N_TOKENS - 1,), generator=generator).tolist()
        yield tokenizer.decode([*ids[1:32], *new[32:]])
