"""The presets that the playground offers, from `data/prompts/playground.json`: a prompt, a setup, what to look at."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from ..engine.lm import LM
from ..engine.shipped import data_root
from ..errors import CtkitError
from ..interventions import Direction
from ..interventions.setup import Setup
from ..prompt import Prompt
from ..tasks import get

MEASURED_ON = "tiny"  # the model of which the notes speak; tests hold them to it


@dataclass(frozen=True)
class Example:
    """A place to start from. `setup` is data, in which a direction stands by its name; `options` are panels' own.

    `claim` says what the note promises, for a test: "before" and "after" are "right", "wrong" or a word, "population"
    is "more", "fewer" or "the same" right answers.
    """

    id: str
    label: str
    note: str
    task: str | None = None
    difficulty: int | None = None
    seed: int = 0
    text: str = ""
    setup: tuple[dict[str, Any], ...] = ()
    options: dict[str, dict[str, Any]] = field(default_factory=dict)
    claim: dict[str, str] = field(default_factory=dict)
    models: tuple[str, ...] = ()  # the only ones it is for; none named: any

    @property
    def prompt(self) -> Prompt:
        """The prompt itself."""
        return Prompt(self.text) if self.task is None else get(self.task).generate(self.seed, self.difficulty).prompt

    def setup_with(self, directions: Sequence[Direction]) -> Setup:
        """The setup, its named directions found among those of a model; one that is not there is refused."""
        return Setup.from_data([_with_direction(entry, directions) for entry in self.setup])

    def to_data(self, lm: LM, directions: Sequence[Direction]) -> dict[str, Any]:
        """For the view; `unsupported` says why a model cannot show it."""
        pieces = [{"name": name, "text": text} for name, text in self.prompt.pieces.items()]
        try:
            setup, unsupported = self.setup_with(directions), None
            setup.check(lm.shape)
            if self.models and lm.name not in self.models:
                unsupported = f"it is made for {' and '.join(self.models)}"
        except CtkitError as err:
            setup, unsupported = Setup(), err.found
        note = self.note if lm.name == MEASURED_ON else f"On {MEASURED_ON}: {self.note}"
        return {
            "id": self.id,
            "label": self.label,
            "note": note,
            "pieces": pieces,
            "task": self.task,
            "difficulty": self.difficulty,
            "setup": setup.to_data(),
            "options": self.options,
            "unsupported": unsupported,
        }


@cache
def examples() -> tuple[Example, ...]:
    """All presets, in the order in which they are offered; the first one is where the playground starts."""
    path = data_root() / "prompts" / "playground.json"
    entries = json.loads(path.read_text(encoding="utf-8"))
    return tuple(Example(**{k: tuple(v) if isinstance(v, list) else v for k, v in entry.items()}) for entry in entries)


def _with_direction(entry: dict[str, Any], directions: Sequence[Direction]) -> dict[str, Any]:
    name = entry.get("direction")
    if not isinstance(name, str):
        return entry
    found = next((direction for direction in directions if direction.name == name), None)
    if found is None:
        raise CtkitError(f"the direction {name!r}", "no direction of that name on this model", "another preset")
    return entry | {"direction": found.to_data()}
