"""Documents of `copy`: haystacks with up to five codes, and a question for one, for two or for all of them."""

from random import Random

from ...tasks import copy as needles
from ...tasks import get
from .base import END, Document, Forms, Segment, answered, asked, thinking

LEVELS = (1, 1, 1, 2, 2, 3, 4)  # difficulties, each as often as it stands here


def document(random: Random, forms: Forms) -> Document:
    """A code copied at once, with further questions behind it, or after the needle is written as a thought."""
    problem = get("copy").draw(random, 0, random.choice(forms.levels or LEVELS), random.choice(forms.doors))
    prompt = asked(problem.prompt, random, forms)
    if random.random() < forms.think:
        thought = [Segment(f" {problem.steps[0]}", 1.0), Segment(" Answer:", 1.0), Segment(f" {problem.answer}", 1.0)]
        return Document(thinking(prompt), [*thought, END])
    codes = needles.codes_in(problem.prompt.pieces["context"])
    others = [(needles.question(colour), code) for colour, code in codes.items() if code != problem.answer]
    more = random.sample(others, min(forms.more, len(others)))
    return answered(prompt, [(problem.prompt.pieces["question"], problem.answer), *more])
