"""Documents of `code`: a job and the whole code behind the cue, and perhaps the same job's code once more."""

from random import Random

from ...tasks import code as codes
from ...tasks.base import prompt_of
from .base import Document, Forms, answered, asked

AGAIN = 0.3  # of documents: a second question about the same job


def document(random: Random, forms: Forms) -> Document:
    """A job and its code; where no language is named, Python in the stated share."""
    context, written = codes.scene(random)
    answers = []
    for _ in range(1 + (forms.more > 0 and random.random() < AGAIN)):
        named, language = choose(random, random.choice(forms.levels or tuple(codes.Code.difficulties)))
        answers.append((codes.question(named), written[language]))
    return answered(asked(prompt_of(context, answers[0][0]), random, forms), answers)


def choose(random: Random, level: int) -> tuple[str | None, str]:
    """The language that the question names, if any, and the language of the code."""
    if level == 1:
        named = random.choice(sorted(codes.FIRST))
        return named, named
    return None, "Python" if random.random() < codes.PYTHON_SHARE else "C++"
