"""Whether a mask painted on one prompt fits others: on fresh problems some of its paint may have no place."""

from collections.abc import Sequence

from ..engine.encode import encode
from ..engine.lm import LM
from ..interventions import Mask, Setup
from ..masks import Rule, resting
from ..prompt import Prompt


def note_on_paint(lm: LM, setup: Setup, prompts: Sequence[Prompt]) -> str:
    """What to say of a painted mask beside numbers from other prompts; nothing where no paint rests."""
    painted = [one.rule for one in setup if isinstance(one, Mask) and isinstance(one.kind, Rule)]
    painted = [rule for rule in painted if rule.op == "painted" and len(rule.args) > 1]
    if not painted:
        return ""
    encoded = [encode(lm, setup.edit(prompt)) for prompt in prompts]
    rests = sum(any(resting(rule, enc) for rule in painted) for enc in encoded)
    if not rests:
        return ""
    return (
        f"The mask was painted for another text: in {rests} of these {len(prompts)} problems a piece has other tokens, "
        "and is causal as if nothing were painted on it."
    )
