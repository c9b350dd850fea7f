"""Reading many variants of one thought, and counting what that costs."""

from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from ...engine.lm import LM
from ...engine.run import run_many
from ...interventions.setup import Setup
from ...prompt import Prompt


@dataclass
class Reader:
    """A model under a setup. `passes` counts its forward passes so far, `tokens` the tokens that went through them."""

    lm: LM
    setup: Setup
    passes: int = 0
    tokens: int = 0

    def logits(self, prompts: Sequence[Prompt], last: int) -> list[Float[Tensor, "last vocab"]]:
        """The scores at the last `last` positions of each text."""
        traces = run_many(self.lm, prompts, self.setup)
        self.count(len(traces), sum(len(trace.ids) for trace in traces))
        return [trace.logits[-last:] for trace in traces]

    def count(self, passes: int, tokens: int) -> None:
        """Note forward passes that were made elsewhere."""
        self.passes += passes
        self.tokens += tokens
