"""Activation addition: the difference between two prompts, position by position (ActAdd)."""

from dataclasses import replace

from ..engine.encode import encode
from ..engine.lm import LM
from ..errors import CtkitError, shown
from ..interventions import Direction
from ..prompt import Prompt, as_prompt
from .request import NAME, Request, at, traces

FILLERS = (" ", "\n", " .")  # spaces, as in the paper; something else where a tokenizer makes one token of many


def fit(request: Request) -> Direction:
    """Row t is the state at position t of the one prompt minus that of the other (Turner et al., arXiv 2308.10248).

    The shorter prompt is filled up with spaces at its end. The row of a token that the tokenizer puts in front is 0.
    """
    for side in request.sides:
        if len(side) != 1:
            raise CtkitError(
                "a direction by actadd", f"{len(side)} texts on a side", 'one text on each: ["Love"] and ["Hate"]'
            )
    one, other = as_prompt(request.positive[0]), as_prompt(request.negative[0])
    length = max(len(encode(request.lm, one)), len(encode(request.lm, other)))
    both = [filled(request.lm, prompt, length) for prompt in (one, other)]
    plus, minus = (
        at(trace, request.site, request.layer) for trace in traces(request.lm, both, residual=[request.layer])
    )
    if request.name == NAME:
        request = replace(request, name=f"{one.text!r} − {other.text!r}")
    return request.direction(plus - minus, "actadd")


def filled(lm: LM, prompt: Prompt, length: int) -> Prompt:
    """The prompt with spaces at its end, so many that it is `length` tokens long."""
    ids = encode(lm, prompt).ids
    if len(ids) == length:
        return prompt
    last = prompt.parts[-1]
    for filler in FILLERS:
        for many in range(1, 2 * (length - len(ids)) + 1):
            longer = Prompt.of([*prompt.parts[:-1], replace(last, text=last.text + filler * many)])
            found = encode(lm, longer).ids
            if len(found) == length and found[: len(ids)] == ids:
                return longer
    raise CtkitError(
        f"{shown(prompt.text)} filled up to {length} tokens",
        f"{len(ids)} tokens, and a tokenizer that makes no tokens of spaces behind them",
        "two prompts with the same number of tokens",
    )
