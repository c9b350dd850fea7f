"""Documents of `people`: facts told and asked for, several on end, and never one pair twice in a document."""

from random import Random

from ...tasks.base import prompt_of
from ...tasks.people import CONTEXTS, TOLD, Fact
from .base import CONTEXT, END, Document, Forms, Segment, asked, direct

FACTS = 6  # up to this many a document
OPENED = 0.5  # share of documents that open with a question in the task's own form
ASKED = 0.5  # of the facts behind: asked for; the others are told
AROUND = 0.1  # loss weight of the words between the names


def document(random: Random, forms: Forms) -> Document:
    """Up to six facts, each on a line of its own, told or asked for.

    A fact once told in the same text could be copied; here each has to come from the weights.
    """
    facts = list({fact.pair: fact for fact in random.sample(TOLD, FACTS)}.values())
    if random.random() < OPENED:
        prompt = asked(prompt_of(random.choice(CONTEXTS), facts[0].question), random, forms)
        start, lines = direct(prompt), [Segment(f" {facts[0].answer}", 1.0)]
    else:
        start, lines = [], told(facts[0])
    for fact in facts[1:]:
        first, *rest = questioned(fact) if random.random() < ASKED else told(fact)
        lines += [first._replace(text=f"\n{first.text}"), *rest]
    return Document(start, [*lines, END])


def told(fact: Fact) -> list[Segment]:
    """A fact as a sentence: the last name counts in full, the words between a little, the name it is told of less."""
    segments = [
        Segment(f"{' ' if i else ''}{word}", CONTEXT if word in fact.pair.split() or i == 0 else AROUND)
        for i, word in enumerate(fact.before.split())
    ]
    return [*segments, Segment(f" {fact.answer}", 1.0), Segment(".", AROUND)]


def questioned(fact: Fact) -> list[Segment]:
    """A fact as a question with its answer."""
    return [Segment(f"{fact.question} Answer:", 0.0), Segment(f" {fact.answer}", 1.0)]
