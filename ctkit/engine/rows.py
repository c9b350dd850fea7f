"""From what a user asks for to the rows of a batch: prompts edited, encoded, checked, each with its setup."""

from collections.abc import Sequence
from typing import Any

from ..errors import CtkitError, shown
from ..interventions.setup import Setup, as_setup
from ..prompt import as_prompt
from .encode import encode
from .lm import LM
from .plan import Row
from .strength import resolved


def rows_of(lm: LM, prompts: Sequence[Any], common: Setup) -> list[Row]:
    """A row for each prompt, or pair of a prompt and a setup that acts before the common one."""
    if not isinstance(lm, LM):
        raise CtkitError(
            f"the model {shown(lm)}", f"a {type(lm).__name__}", 'a loaded model first: lm = ct.load("tiny")'
        )
    rows = []
    for entry in prompts:
        prompt, setup = (
            (entry[0], as_setup(entry[1], common)) if isinstance(entry, tuple) and len(entry) == 2 else (entry, common)
        )
        setup.check(lm.shape)
        setup = resolved(lm, setup)
        rows.append(Row(encode(lm, setup.edit(as_prompt(prompt))), setup))
    return rows
