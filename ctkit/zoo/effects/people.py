"""Facts known by heart: the reversal curse, and guesses from a name that look like knowledge."""

from collections.abc import Iterator
from itertools import count, islice
from statistics import fmean

from ...engine.lm import LM
from ...engine.run import run_many
from ...interventions import Setup
from ...measures.score import answers, is_right
from ...tasks import Problem, get
from ...tasks.people import COUNTRIES, TOWNS
from .population import shortcuts, wilson
from .tables import percent, table

ROWS = {  # difficulty, order → what is asked
    (1, "forward"): "mayors told both ways, asked one way",
    (1, "reverse"): "mayors told both ways, asked the other way",
    (2, "forward"): "mayors told one way, asked that way",
    (3, "reverse"): "mayors told one way, asked in reverse",
    (4, ""): "homes, of families that live in one country",
    (5, ""): "homes, of families that live all over",
    (6, ""): "homes never told, of families that live in one country",
}
OFFICES = (1, 2, 3)  # difficulties
CHANCE = {True: 1 / len(TOWNS), False: 1 / len(COUNTRIES)}  # of an office (as many mayors as towns), of a home


def jobs(n: int, seed: int) -> list[tuple[str, tuple]]:
    """Each kind of question, and pairs told both ways in either order."""
    return [("measure", (n, seed, *row)) for row in ROWS]


def measure(lm: LM, n: int, seed: int, difficulty: int, order: str) -> dict[str, object]:
    """The share of `n` questions answered rightly, with its 95 % interval (Wilson).

    "facts": how many different ones were asked for; "known": how many of them were answered rightly in every wording;
    "sure": the mean probability of the first token of the model's own answers; "shortcuts": what guessing would score.
    """
    problems = list(islice(drawn(seed, difficulty, order), n))
    prompts = [problem.prompt for problem in problems]
    given = answers(lm, prompts, [problem.answer for problem in problems], Setup())
    right = [is_right(answer, problem.answer) for answer, problem in zip(given, problems)]
    asked = [problem.prompt.pieces["question"] for problem in problems]
    missed = {question for question, is_so in zip(asked, right) if not is_so}
    low, high = wilson(sum(right), n)
    return {
        "difficulty": difficulty,
        "order": order,
        "n": n,
        "accuracy": fmean(right),
        "low": low,
        "high": high,
        "facts": len(set(asked)),
        "known": len(set(asked) - missed),
        "sure": fmean(float(t.logits[-1].softmax(-1).max()) for t in run_many(lm, prompts, last_only=True)),
        "chance": CHANCE[difficulty in OFFICES],
        "shortcuts": shortcuts(problems),
    }


def drawn(seed: int, difficulty: int, order: str) -> Iterator[Problem]:
    """The problems from a seed on that are of the order asked for."""
    problems = (get("people").generate(i, difficulty) for i in count(seed))
    return (problem for problem in problems if problem.order == order)


def section(results: list[dict]) -> str:
    """What the card says."""
    head = ["asked", "right", "facts known", "sure", "chance", "by the family"]
    return f"""## Facts by heart

Questions about invented persons whose answer only the weights can hold: percent right, with 95 % intervals (Wilson) for
{results[0]["n"]} questions a row. The facts are few, and told in training; “known”: of the different facts asked for,
those answered rightly in every wording. “Sure”: the mean probability of the model's own answer, right or wrong. “By the
family”: what a reader scores who knows where most of the family lives, and nothing of the person.

{table(head, [_row(each) for each in results])}
"""


def _row(found: dict) -> list[str]:
    family = found["shortcuts"].get("family's country")
    return [
        ROWS[found["difficulty"], found["order"]],
        percent(found["accuracy"], found["low"], found["high"]),
        f"{found['known']} of {found['facts']}",
        f"{100 * found['sure']:.0f}",
        f"{100 * found['chance']:.1f}",
        "" if family is None else f"{100 * family:.0f}",
    ]
