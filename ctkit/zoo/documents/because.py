"""Documents about causes: several questions about one context, or one with the argument written out."""

from random import Random

from ...tasks import Problem, because, get
from ...tasks.base import prompt_of
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
    if random.random() < forms.listed:
        found = [*looked_up(told, random)[: 1 + MORE], (question, problem.answer)]
        return answered(asked(prompt_of(problem.prompt.pieces["context"], found[0][0]), random, forms), found)
    more = questions(told, because.asked_pair(question), random, random.randint(0, min(forms.more, MORE)))
    return answered(prompt, [(question, problem.answer), *more])


def looked_up(told: list[because.Statement], random: Random) -> list[tuple[str, str]]:
    """Questions for the one cause of an event, or its one effect, with their answers, in any order.

    Yes or no tells a beginner nothing of where to look: half of all answers are right in any case. A name does.
    """
    links = [(statement.first, statement.second) for statement in told if statement.how == because.CAUSES]
    causes, effects = [cause for cause, _ in links], [effect for _, effect in links]
    found = [(f"What causes the {effect}?", cause) for cause, effect in links if effects.count(effect) == 1]
    found += [(f"What does the {cause} cause?", effect) for cause, effect in links if causes.count(cause) == 1]
    random.shuffle(found)
    return found


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
