"""Reading many variants of one thought, what they share once, and counting what that costs."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from jaxtyping import Float
from torch import Tensor

from ...engine.branches import Trunks
from ...engine.lm import LM
from ...interventions.setup import Setup
from ...prompt import Prompt

Cost = tuple[int, int]  # forward passes, and tokens that went through them


@dataclass
class Reader:
    """A model under a setup, and what it has read of a thought and its variants."""

    lm: LM
    setup: Setup
    trunks: Trunks = field(init=False, repr=False)
    elsewhere: Cost = (0, 0)
    fillers: dict[Prompt, float] = field(default_factory=dict, repr=False)  # the answer behind them: see `mistake.py`

    def __post_init__(self):
        self.trunks = Trunks(self.lm, self.setup)

    @property
    def cost(self) -> Cost:
        """What was spent so far."""
        return (self.trunks.passes + self.elsewhere[0], self.trunks.tokens + self.elsewhere[1])

    def grow(self, prompts: Sequence[Prompt]) -> None:
        """Read texts whose beginnings others will share."""
        self.trunks.grow(prompts)

    def logits(self, prompts: Sequence[Prompt], last: int) -> list[Float[Tensor, "last vocab"]]:
        """The scores at the last `last` positions of each text."""
        return self.trunks.logits(prompts, last)

    def count(self, passes: int, tokens: int) -> None:
        """Note forward passes that were made elsewhere."""
        self.elsewhere = (self.elsewhere[0] + passes, self.elsewhere[1] + tokens)


def spent(before: Cost, after: Cost) -> Cost:
    """What was spent from one moment to another."""
    return (after[0] - before[0], after[1] - before[1])
