"""The prompts that the playground offers, from `data/prompts/playground.json`: a problem by its seed, or a text."""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from ..engine.shipped import data_root
from ..prompt import Prompt
from ..tasks import get


@dataclass(frozen=True)
class Example:
    """A prompt to start from."""

    id: str
    label: str
    note: str
    task: str | None = None
    difficulty: int | None = None
    seed: int = 0
    text: str = ""

    @property
    def prompt(self) -> Prompt:
        """The prompt itself."""
        return Prompt(self.text) if self.task is None else get(self.task).generate(self.seed, self.difficulty).prompt

    def to_data(self) -> dict[str, Any]:
        """For the view."""
        pieces = [{"name": name, "text": text} for name, text in self.prompt.pieces.items()]
        return {
            "id": self.id,
            "label": self.label,
            "note": self.note,
            "pieces": pieces,
            "task": self.task,
            "difficulty": self.difficulty,
        }


@cache
def examples() -> tuple[Example, ...]:
    """All examples, in the order in which they are offered; the first one is where the playground starts."""
    path = data_root() / "prompts" / "playground.json"
    return tuple(Example(**entry) for entry in json.loads(path.read_text(encoding="utf-8")))
