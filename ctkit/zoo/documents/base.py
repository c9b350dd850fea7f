"""What a document is: text in segments with loss weights, the asked part first; and the forms that all tasks share."""

from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from ...interventions.reread import Reread
from ...interventions.think import Think
from ...prompt import Prompt

CONTEXT = 0.03  # loss weight of what cannot be foreseen; answers and thoughts weigh 1, questions and cues 0


class Segment(NamedTuple):
    """A stretch of text, and the loss weight of each of its tokens as something to be foreseen.

    `target`: a word to be foreseen at the segment's last token in place of the text's next one (its weight: corpus.py).
    `hint`: a word that the stream entering block 2 shall already tell at the segment's last token, where the whole
    prompt can be seen from there: in a second reading, under an open mask, or behind the prompt.
    """

    text: str
    weight: float
    target: str = ""
    hint: str = ""


END = Segment("", 1.0)  # the end token


class Document(NamedTuple):
    """`asked` is the prompt, whose tokens a mask may let see each other; `written` is what the model writes.

    `first`: how many of the asked segments are the first reading of a context, which cannot see what comes later.
    """

    asked: list[Segment]
    written: list[Segment]
    first: int = 0

    @property
    def segments(self) -> list[Segment]:
        """The whole text."""
        return [*self.asked, *self.written]


@dataclass(frozen=True)
class Forms:
    """How a task's documents are dressed. All shares are of documents."""

    levels: tuple[int, ...] = ()  # difficulties, each as often as it stands here; () for the task's own choice
    worlds: tuple[tuple[int, int], ...] = ((2, 2),)  # hunt: (chains, hops of each), each as often as it stands here
    worlds_twice: tuple[tuple[int, int], ...] = ()  # the same where the text is read twice; () for no difference
    deep: tuple[tuple[int, int], ...] = ()  # the same where a thought is written; () for no difference
    reach: int = 99  # hunt: asks for nothing more than this many hops away
    reach_twice: int = 99  # the same where the text is read twice
    reread: float = 0.4  # read twice
    think: float = 0.25  # with a written thought
    cut: float = 0.2  # of thoughts: cut short, so that early answers are in distribution
    broken: float = 0.2  # of thoughts: one step is wrong, and what follows goes on from it
    drill: float = 0.0  # sums, signs: single additions or subtractions, many in a row
    doors: tuple[int, ...] = (1, 2, 3, 4, 5)  # copy: codes in one context, each as often as it stands here
    listed: float = 0.0  # sums, because: names with a number each, or causes and effects, are to be looked up
    more: int = 7  # up to this many further questions about the same context, where it is not thought about


def asked(prompt: Prompt, random: Random, forms: Forms) -> Prompt:
    """The prompt as it is read: once, or in the stated share of documents twice."""
    return Reread(times=2).edit(prompt) if random.random() < forms.reread else prompt


def direct(prompt: Prompt) -> list[Segment]:
    """The prompt's text, weighted by piece: contexts a little, questions, phrases and cues nothing."""
    return [
        Segment(prompt.lead(i) + part.text, CONTEXT if part.origin == "context" else 0.0)
        for i, part in enumerate(prompt.parts)
    ]


def thinking(prompt: Prompt) -> list[Segment]:
    """The prompt's text with the phrase that asks for a thought."""
    return direct(Think().edit(prompt))


def answered(prompt: Prompt, answers: list[tuple[str, str]]) -> Document:
    """The prompt with its answer, then further (question, answer) pairs; the first question is the prompt's."""
    written = [Segment(f" {answers[0][1]}", 1.0)]
    for question, answer in answers[1:]:
        written += [Segment(f"\n{question} Answer:", 0.0), Segment(f" {answer}", 1.0)]
    return Document(direct(prompt), [*written, END])
