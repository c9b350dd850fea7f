"""Documents of tags: a list whose slots foresee a tag that is never written, and questions for single tags."""

from random import Random

from ...tasks import get
from ...tasks import tags as lists
from .base import END, Document, Forms, Segment, answered, asked, thinking


def document(random: Random, forms: Forms) -> Document:
    """A list, perhaps read again, with a target at every slot; asked for one tag or several, or with a thought."""
    problem = get("tags").draw(random, 0, random.choice(forms.levels or tuple(lists.Tags.difficulties)))
    tags = get("tags").tags(problem)
    prompt = asked(problem.prompt, random, forms)
    if random.random() < forms.think:
        step = Segment(f" {problem.steps[0]}", 1.0)
        written = [step, Segment(" Answer:", 1.0), Segment(f" {problem.answer}", 1.0), END]
        return Document(slotted(thinking(prompt), tags), written)
    words = lists.read_words(problem.prompt.pieces["context"])
    first = {word: lists.question(word) for word in dict.fromkeys(words[: len(tags)])}
    others = [(q, tags[words.index(word)]) for word, q in first.items() if q != problem.prompt.pieces["question"]]
    more = random.sample(others, random.randint(0, min(forms.more, len(others))))
    document = answered(prompt, [(problem.prompt.pieces["question"], problem.answer), *more])
    return Document(slotted(document.asked, tags), document.written)


def slotted(segments: list[Segment], tags: tuple[str, ...]) -> list[Segment]:
    """The segments with every copy of the list taken apart at its slots, each slot with its tag as target."""
    parts = []
    for segment in segments:
        *words, rest = segment.text.split(f" {lists.SLOT}")
        for word, tag in zip(words, tags):
            parts += [Segment(word, 0.0), Segment(f" {lists.SLOT}", 0.0, tag)]
        parts.append(Segment(rest, 0.0))
    return parts
