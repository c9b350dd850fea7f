"""Masks held to what must be exactly so, and how much a lifted mask is used: attention to later words, by block."""

from collections.abc import Callable
from statistics import fmean

import torch
from torch import Tensor

from ... import masks
from ...engine.lm import LM
from ...engine.run import run_many
from ...engine.trace import Trace
from ...interventions import Mask, Setup
from ...tasks import get
from .tables import mean_of, table

CONTROLLED = 50  # problems on which the controls are run
HOPS = (2, 4)
LOT = 100  # problems in memory at a time
OPENED = masks.causal() | masks.between("question", "prompt")  # the question's words see all, the others their past
CONTROLS: dict[str, Callable[[Trace], Setup]] = {
    "the causal mask": lambda plain: Setup([Mask("causal")]),
    "a prefix of one token": lambda plain: Setup([Mask("prefix", until=1)]),
    "a window as long as the prompt": lambda plain: Setup([Mask("window", size=len(plain.tokens))]),
    "the mask lifted in no block": lambda plain: Setup([Mask("bidirectional", layers=())]),
}
BEFORE, AFTER = "the mask lifted for the question: before it", "the mask lifted for the question: from it on"


def jobs(n: int, seed: int) -> list[tuple[str, tuple]]:
    """The controls, and the attention to later words for short and long hunts."""
    return [("controls", (min(n, CONTROLLED), seed)), *(("ahead", (n, seed, hops)) for hops in HOPS)]


def controls(lm: LM, n: int, seed: int, hops: int = 2) -> dict[str, object]:
    """The largest difference of logits from those of the plain model, under masks that change nothing.

    For a mask that opens rows from the question on: before the question, where it must be 0, and from there on.
    """
    prompts = [get("hunt").generate(seed + i, hops).prompt for i in range(n)]
    plain = run_many(lm, prompts)
    found: dict[str, float] = {}
    for name, setup_for in CONTROLS.items():
        edited = run_many(lm, [(prompt, setup_for(trace)) for prompt, trace in zip(prompts, plain)])
        found[name] = max(apart(a.logits, b.logits) for a, b in zip(plain, edited))
    pairs = list(zip(plain, run_many(lm, prompts, Mask(OPENED))))
    starts = [trace.spans["question"].start for trace in plain]
    found[BEFORE] = max(apart(a.logits[:start], b.logits[:start]) for (a, b), start in zip(pairs, starts))
    found[AFTER] = max(apart(a.logits[start:], b.logits[start:]) for (a, b), start in zip(pairs, starts))
    return {"what": "controls", "n": n, "difficulty": hops, "differences": found}


def apart(a: Tensor, b: Tensor) -> float:
    """The largest difference between two tensors."""
    return float((a - b).abs().max())


def ahead(lm: LM, n: int, seed: int, hops: int) -> dict[str, object]:
    """The share of attention that words of the context give to later words with the mask lifted, block by block.

    "even": the share that attention spread evenly over the prompt would give. "most": of the block's head that looks
    ahead most.
    """
    prompts = [get("hunt").generate(seed + i, hops).prompt for i in range(n)]
    rows, even = [], []
    for first in range(0, n, LOT):
        for trace in run_many(lm, prompts[first : first + LOT], Mask("bidirectional"), attention="all"):
            rows.append(torch.stack([looking_ahead(trace, layer) for layer in range(lm.n_layers)]))
            span, length = trace.spans["context"], len(trace.tokens)
            even.append(fmean((length - 1 - i) / length for i in range(span.start, span.stop)))
    mass = torch.stack(rows)  # problem, layer, head
    return {
        "what": "ahead",
        "n": n,
        "difficulty": hops,
        "blocks": [mean_of(mass[:, layer].mean(-1).tolist()) for layer in range(lm.n_layers)],
        "most": mass.mean(0).max(-1).values.tolist(),
        "even": fmean(even),
    }


def looking_ahead(trace: Trace, layer: int) -> Tensor:
    """Per head, the weight that a word of the context gives to all later words together; the mean over the words."""
    return trace.attention(layer).triu(1).sum(-1)[:, trace.spans["context"]].mean(-1)


def section(results: list[dict]) -> str:
    """What the card says."""
    exact = next(each for each in results if each["what"] == "controls")
    found = [each for each in results if each["what"] == "ahead"]
    rows = [
        [
            str(each["difficulty"]),
            str(each["n"]),
            *(
                f"{100 * block['mean']:.1f} ± {50 * (block['high'] - block['low']):.1f} ({100 * most:.0f})"
                for block, most in zip(each["blocks"], each["most"])
            ),
            f"{100 * each['even']:.0f}",
        ]
        for each in found
    ]
    head = ["hops", "problems", *(f"block {layer}" for layer in range(len(found[0]["blocks"]))), "spread evenly"]
    return f"""## Masks

Is the future used when it may be? The share of attention, in percent, that words of a hunt's context give to later
words with the mask lifted: mean over heads, with its 95 % interval; in brackets the block's head that looks ahead most.
Spread evenly: what it would be if each word attended to all alike. Under the causal mask it is 0.

{table(head, rows)}

Controls: the largest difference of any logit from the plain model's, over {exact["n"]} hunts at difficulty
{exact["difficulty"]}. All must be 0 but the last, which shows that the mask of the line above it does something.

{table(["mask", "largest difference"], [[name, f"{value:.2g}"] for name, value in exact["differences"].items()])}
"""
