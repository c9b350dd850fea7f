"""Documents of `meaning`: a scene's meaning in one word, asked for in two forms, and scenes told again (echo)."""

from collections.abc import Callable
from random import Random

from ...tasks import get
from ...tasks import meaning as scenes
from .base import CONTEXT, END, Document, Forms, Segment, answered, asked, thinking

LEVELS = (1, 2, 2, 2, 3, 3)  # difficulties, each as often as it stands here
QUESTIONS, ONE_WORD = 1 / 6, 1 / 6  # shares of documents; what is left is echo
VERBATIM = 0.25  # of echoes: the sentence itself again, read but not foreseen, with questions behind it
SECOND = 0.5  # of one-word forms and retellings: a second scene behind the first


def document(random: Random, forms: Forms) -> Document:
    """A question about a scene, the form that asks for one word, or a scene told again."""
    pick = random.random()
    if pick < QUESTIONS:
        return questions(random, forms)
    if pick < QUESTIONS + ONE_WORD:
        return _perhaps_two(random, one_word)
    return verbatim(random, forms) if random.random() < VERBATIM else _perhaps_two(random, retold)


def questions(random: Random, forms: Forms) -> Document:
    """The task's own form; behind it the other sentences' meanings, or the concept of each slot."""
    problem = get("meaning").draw(random, 0, random.choice(forms.levels or LEVELS))
    prompt = asked(problem.prompt, random, forms)
    if random.random() < forms.think:
        step = Segment(f" {problem.steps[0]}", 1.0)
        return Document(thinking(prompt), [step, Segment(" Answer:", 1.0), Segment(f" {problem.answer}", 1.0), END])
    told = scenes.scenes_of(problem)
    if len(told) == 1:
        more = _slots(told[0], random, forms)
    else:
        more = [(scenes.question(i), scene.topic) for i, scene in enumerate(told) if i != scenes.asked_of(problem)]
        more = random.sample(more, random.randint(0, min(forms.more, len(more))))
    return answered(prompt, [(problem.prompt.pieces["question"], problem.answer), *more])


def one_word(random: Random) -> Document:
    """The form that ends in an opening quote, answered by the topic's word."""
    scene = scenes.draw_scene(random)
    text = scenes.tell(scene, random)
    before, behind = scenes.one_word_form(text).split(text)
    return Document(
        [Segment(before, 0.0), Segment(text, CONTEXT), Segment(behind, 0.0)],
        [Segment(scene.topic, 1.0), Segment('"', 1.0), END],
    )


def retold(random: Random) -> Document:
    """The echo form with the scene told again in freshly drawn words: each place foresees the next concept."""
    scene = scenes.draw_scene(random)
    return _echo(scenes.tell(scene, random), scenes.tell(scene, random), 1.0)


def verbatim(random: Random, forms: Forms) -> Document:
    """The echo form as it is used for embeddings: the same sentence twice.

    Nothing is to be foreseen in the second copy, for a model that expects the very words again would hold words there
    and no meaning; questions about the scene stand behind it.
    """
    scene = scenes.draw_scene(random)
    text = scenes.tell(scene, random)
    echo = _echo(text, text, 0.0)
    written = echo.written[:-1]
    for question, answer in [(scenes.question(), scene.topic), *_slots(scene, random, forms)]:
        written += [Segment(f"\n{question} Answer:", 0.0), Segment(f" {answer}", 1.0)]
    return Document(echo.asked, [*written, END])


def _echo(first: str, second: str, weight: float) -> Document:
    before, again = scenes.echo_form(first, second)
    opening, closing = before.split(f" {first}")
    return Document(
        [Segment(opening, 0.0), Segment(f" {first}", CONTEXT), Segment(closing, 0.0)], [Segment(again, weight), END]
    )


def _slots(scene: scenes.Scene, random: Random, forms: Forms) -> list[tuple[str, str]]:
    """Questions about the concepts of some slots."""
    slots = random.sample(sorted(scenes.SLOTS), random.randint(0, min(forms.more, len(scenes.SLOTS))))
    return [(scenes.SLOT_QUESTIONS[slot], getattr(scene, slot)) for slot in slots]


def _perhaps_two(random: Random, make: Callable[[Random], Document]) -> Document:
    """A document, in half of the cases with another of its kind behind it on a new line."""
    first = make(random)
    if random.random() >= SECOND:
        return first
    second = make(random).segments
    second[0] = second[0]._replace(text=f"\n{second[0].text}")
    return Document(first.asked, [*first.written[:-1], *second])
