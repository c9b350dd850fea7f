"""The prompts that the playground offers."""

from dataclasses import dataclass
from typing import Any

from ..prompt import Prompt
from ..tasks import get


@dataclass(frozen=True)
class Example:
    """A prompt to start from: a task's problem, or a text."""

    id: str
    label: str
    note: str
    task: str | None = None
    difficulty: int | None = None
    seed: int = 0
    text: str | None = None

    @property
    def prompt(self) -> Prompt:
        """The prompt itself."""
        if self.task is None:
            return Prompt(self.text)
        return get(self.task).generate(self.seed, self.difficulty).prompt

    def to_data(self) -> dict[str, Any]:
        """For the view."""
        return {
            "id": self.id,
            "label": self.label,
            "note": self.note,
            "pieces": [{"name": name, "text": text} for name, text in self.prompt.pieces.items()],
            "task": self.task,
            "difficulty": self.difficulty,
        }


EXAMPLES = (
    Example("lost-key", "Lost key", "Follow the places, three hops", "hunt", 3, 1),
    Example("near-key", "One hop", "A single look-up", "hunt", 1, 0),
    Example("sum", "Long sum", "Four additions: too many to do in the head", "sums", 4, 0),
    Example("short-sum", "Short sum", "One look-up: thinking is decoration", "sums", 1, 0),
    Example("mood", "Happy or sad", "Steer the next word", "mood", None, 0),
    Example("plain", "Your own text", "Any text; words the model never met are marked", text="The key is in the box. The key is in the"),
)
