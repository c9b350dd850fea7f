"""Python that does what a view shows."""

from ..engine.lm import LM
from ..interventions.setup import Setup
from ..prompt import Prompt


def code_of(lm: LM, prompt: Prompt, setup: Setup) -> str:
    """Python that runs as it stands and gives the numbers on show."""
    pieces = ", ".join(f"{name}={text!r}" for name, text in prompt.pieces.items())
    name = "" if lm.name == "tiny" else repr(lm.name)
    return (
        f"import ctkit as ct\n\nlm = ct.load({name})\nprompt = ct.Prompt({pieces})\nsetup = {setup.to_code()}\n"
        "before, after = ct.run(lm, prompt), ct.run(lm, prompt, setup)\nct.compare(before, after).next_tokens"
    )
