"""Documents in two styles: stories to write on, and stories with a question about their mood."""

from random import Random

from ...tasks import get
from .base import CONTEXT, END, Document, Forms, Segment, asked, direct, thinking

STORY = 0.3  # loss weight of a story that is nothing but a story
ASKED = 0.15  # of one with a question behind it


def document(random: Random, forms: Forms) -> Document:
    """A story; in three of five a question behind it, of which some are answered after a thought."""
    problem = get("mood").draw(random, 0, random.choice(forms.levels or (1, 2, 2, 3)))
    if random.random() < 0.4:
        return Document([], [Segment(problem.prompt.pieces["context"], STORY), END])
    prompt = asked(problem.prompt, random, forms)
    answer = [Segment(f" {problem.answer}", 1.0), END]
    if random.random() < forms.think:
        return Document(
            _weighted(thinking(prompt)), [Segment(f" {problem.steps[0]}", 1.0), Segment(" Answer:", 1.0), *answer]
        )
    return Document(_weighted(direct(prompt)), answer)


def _weighted(segments: list[Segment]) -> list[Segment]:
    return [each._replace(weight=ASKED) if each.weight == CONTEXT else each for each in segments]
