"""What is on, as plain data: the prompt's pieces, the setups, the population. What every view and page starts from."""

from typing import Any

from ..interventions.setup import Setup
from ..prompt import Prompt, as_prompt
from .examples import examples
from .share import START

State = dict[str, Any]


def first_state(prompt: Prompt | str | None, setup: Setup, against: Setup) -> State:
    """The state of a new view; without a prompt it begins at the first preset."""
    example = examples()[0]
    chosen = example.prompt if prompt is None else as_prompt(prompt)
    task = (example.task, example.difficulty) if prompt is None else (None, None)
    told = {"task": task[0], "difficulty": task[1], "setup": setup.to_data(), "against": against.to_data()}
    return START | {"prompt": pieces_of(chosen)} | told


def pieces_of(prompt: Prompt) -> list[dict[str, str]]:
    """A prompt as its pieces."""
    return [{"name": name, "text": text} for name, text in prompt.pieces.items()]


def prompt_of(state: State) -> Prompt:
    """The prompt of a state, without its empty pieces."""
    return Prompt(**{piece["name"]: piece["text"] for piece in state["prompt"] if piece["text"]})


def setups_of(state: State) -> tuple[Setup, Setup]:
    """What is on, and what it is compared with."""
    return Setup.from_data(state["setup"]), Setup.from_data(state.get("against", []))
