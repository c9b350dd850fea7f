"""The documents that the teaching models read, one file a task. To add a task's, write a file and name it here."""

from dataclasses import dataclass, field
from functools import cache
from random import Random

from ...interventions.reread import Reread
from ...interventions.think import Think
from . import because, code, copy, emphasis, hunt, meaning, mood, people, signs, sums, tags
from .base import CONTEXT, END, Document, Forms, Segment

__all__ = ["CONTEXT", "END", "SOURCES", "Document", "Forms", "Part", "Segment", "document", "dressed"]

SOURCES = {
    "because": because.document,
    "code": code.document,
    "copy": copy.document,
    "emphasis": emphasis.document,
    "hunt": hunt.document,
    "meaning": meaning.document,
    "mood": mood.document,
    "people": people.document,
    "signs": signs.document,
    "sums": sums.document,
    "tags": tags.document,
}


@dataclass(frozen=True)
class Part:
    """One task's place in a mixture: how many documents of a hundred, and their forms."""

    task: str
    share: float
    forms: Forms = field(default_factory=Forms)


def document(random: Random, mixture: tuple[Part, ...]) -> Document:
    """One document, from a task drawn by its share."""
    part = random.choices(mixture, [part.share for part in mixture])[0]
    return SOURCES[part.task](random, part.forms)


@cache
def dressed(part: Part, n: int = 1000) -> dict[str, float]:
    """The share of a part's documents that are read twice and that are thought about, counted over `n` of them."""
    random = Random(f"ctkit dressed {part.task}")
    texts = ["".join(segment.text for segment in document(random, (part,)).segments) for _ in range(n)]
    return {
        name: sum(phrase in text for text in texts) / n
        for name, phrase in (("twice", Reread.phrase), ("thought", Think.phrase))
    }
