"""Documents about causes: several questions about one context, or one with the argument written out."""

from random import Random

from ...tasks import Problem, because, get
from .base import END, Document, Forms, Segment, answered, asked, thinking

LEVELS = (1, 1, 2, 2, 3, 3, 4)  # difficulties, each as often as it stands here
MORE = 4  # at most so many further questions: contexts are long


def document(random: Random, forms: Forms) -> Document:
    """Statements and a question, perhaps read again, answered at once with further questions, or after a thought."""
    problem = get("because").draw(random, 0, random.choice(forms.levels or LEVELS))
    prompt = asked(problem.prompt, random, forms)
    if random.random() < forms.think:
        return Document(thinking(prompt), argument(problem, random, forms))
    told, question = because.read(problem.prompt.pieces["context"]), problem.prompt.pieces["question"]
    more = questions(told, because.asked_pair(question), random, random.randint(0, min(forms.more, MORE)))
    return answered(prompt, [(question, problem.answer), *more])


def questions(told: list[because.Statement], asked: because.Pair, random: Random, count: int) -> list[tuple[str, str]]:
    """Further questions with their answers: pairs of events not yet asked for, each answer as often while it lasts."""
    left = {
        answer: [pair for pair in pairs if set(pair) != set(asked)] for answer, pairs in because.askable(told).items()
    }
    found = []
    for _ in range(count):
        answer = random.choice(sorted(answer for answer, pairs in left.items() if pairs))
        pair = left[answer].pop(random.randrange(len(left[answer])))
        found.append((because.question(pair), answer))
    return found


def argument(problem: Problem, random: Random, forms: Forms) -> list[Segment]:
    """The steps and the answer; in some the steps are cut short, and the answer is right all the same."""
    steps = [Segment(f" {step}", 1.0) for step in problem.steps]
    cut = random.random() < forms.cut
    if cut:
        steps = steps[: random.randrange(len(steps))]
    return [*steps, Segment(" Answer:", 0.0 if cut else 1.0), Segment(f" {problem.answer}", 1.0), END]
