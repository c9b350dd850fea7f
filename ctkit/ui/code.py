"""Python that does what a view shows."""

import keyword

from ..engine.lm import LM
from ..interventions.setup import Setup
from ..measures.score import thinks
from ..prompt import Prompt

OWN = "lm = ct.wrap(model, tokenizer)  # your own model and tokenizer"


def code_of(lm: LM, prompt: Prompt, setup: Setup, against: Setup | None = None) -> str:
    """Python that runs as it stands and gives the numbers on show; `against` is what runs before (None: nothing)."""
    against = Setup() if against is None else against
    lines = ["import ctkit as ct", "", load_code(lm), f"prompt = {_prompt_code(prompt)}"]
    if len(against):
        lines.append(f"against = {against.to_code()}")
    lines += [
        f"setup = {setup.to_code()}",
        f"before = {_run_code(prompt, 'against' if len(against) else '', against)}",
        f"after = {_run_code(prompt, 'setup', setup)}",
        "ct.compare(before, after).next_tokens",
    ]
    return "\n".join(lines)


def load_code(lm: LM) -> str:
    """The line that gets the model: by name, with the arguments that it was loaded with."""
    if not lm.loaded:
        return OWN
    name, options = lm.loaded["name"], {key: value for key, value in lm.loaded.items() if key != "name"}
    given = [] if name == "tiny" else [repr(name)]
    return f"lm = ct.load({', '.join([*given, *(f'{key}={_value(value)}' for key, value in options.items())])})"


def _value(value: object) -> str:
    """A value as code; a torch dtype as the text that stands for it."""
    return repr(value if isinstance(value, str | int | float | bool | None) else str(value).removeprefix("torch."))


def _prompt_code(prompt: Prompt) -> str:
    pieces = dict(prompt.pieces)
    named = all(name.isidentifier() and not keyword.iskeyword(name) for name in pieces)
    return f"ct.Prompt({', '.join(f'{name}={text!r}' for name, text in pieces.items()) if named else f'**{pieces!r}'})"


def _run_code(prompt: Prompt, name: str, setup: Setup) -> str:
    """A run; one that thinks reads its own thought first."""
    asked = f"ct.with_thought(lm, prompt, {name})" if thinks(setup, prompt) else "prompt"
    return f"ct.run(lm, {asked}{f', {name}' if name else ''})"
