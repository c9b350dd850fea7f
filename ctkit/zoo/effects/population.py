"""Accuracy by task, difficulty and form: each switch on fresh problems, its control and the shortcuts beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from ...engine.generate import generate_many
from ...engine.lm import LM
from ...interventions import Knockout, Mask, Reread, Setup, Think
from ...measures.effect import paired_interval
from ...measures.intervals import wilson
from ...measures.score import answers, is_right
from ...prompt import CUE, Prompt
from ...tasks import Problem, get
from .tables import percent, points, table

OTHERS = "another problem's thought"
SETUPS: dict[str, Setup] = {
    "direct": Setup(),
    "re-read": Setup([Reread()]),
    "three readings": Setup([Reread(times=3)]),
    "blind": Setup([Reread(), Knockout(("reading 2", "cue"), "reading 1")]),
    "thinking": Setup([Think()]),
    "mask lifted": Setup([Mask("bidirectional")]),
    "prefix": Setup([Mask("prefix", until="question")]),
}
MASKS = ("mask lifted", "prefix")
FORMS = {
    "crowd": ("direct", "re-read", "blind", *MASKS),
    "hunt": ("direct", "re-read", "three readings", "blind", "thinking", *MASKS),
    "sums": ("direct", "thinking", OTHERS, "mask lifted"),
    "signs": ("direct", "thinking", "mask lifted"),
    "mood": ("direct", "mask lifted"),
    "because": ("direct", "re-read", "thinking", *MASKS),
    "copy": ("direct", "re-read", "mask lifted"),
    "meaning": ("direct", *MASKS),
    "emphasis": ("direct", "mask lifted"),
    "tags": ("direct", "re-read", "mask lifted"),
    "code": ("direct", "mask lifted"),
    "people": ("direct", "mask lifted"),
}
ORDERED = ("direct", "re-read", "prefix", "mask lifted")


@dataclass(frozen=True)
class Population:
    """The same problems answered in several forms: one row of right and wrong per form."""

    task: str
    difficulty: int
    order: str
    right: dict[str, list[bool]]
    shortcuts: dict[str, float]

    def accuracy(self, form: str) -> dict[str, str | int | float]:
        """Share right, with the 95 % interval (Wilson)."""
        row = self.right[form]
        low, high = wilson(sum(row), len(row))
        return {"form": form, "n": len(row), "accuracy": fmean(row), "low": low, "high": high}

    def effect(self, form: str, base: str = "direct") -> dict[str, str | float]:
        """The paired difference between two forms, with its 95 % interval."""
        pairs = list(zip(self.right[base], self.right[form]))
        mended, broken = sum(b > a for a, b in pairs), sum(a > b for a, b in pairs)
        low, high = paired_interval(mended, broken, len(pairs))
        return {"form": form, "base": base, "difference": (mended - broken) / len(pairs), "low": low, "high": high}


def population(lm: LM, problems: Sequence[Problem], forms: Sequence[str]) -> Population:
    """The model's answers to these problems in these forms, and what shortcuts would score."""
    prompts, expected = [p.prompt for p in problems], [p.answer for p in problems]
    right = {}
    for form in forms:
        if form == OTHERS:
            given = [each.text.strip() for each in generate_many(lm, strangers(problems), max_new_tokens=2)]
        else:
            given = answers(lm, prompts, expected, SETUPS[form])
        right[form] = [is_right(a, e) for a, e in zip(given, expected)]
    first = problems[0]
    order = first.order if len({problem.order for problem in problems}) == 1 else ""
    return Population(first.task, first.difficulty, order, right, shortcuts(problems))


def strangers(problems: Sequence[Problem]) -> list[Prompt]:
    """Each problem with the true thought of the next one written behind it, and the cue: a thought that cannot help."""
    prompts = []
    for problem, other in zip(problems, [*problems[1:], problems[0]]):
        prompts.append(Think().edit(problem.prompt).then(thought=" ".join(other.steps), ask=problem.prompt.pieces[CUE]))
    return prompts


def shortcuts(problems: Sequence[Problem]) -> dict[str, float]:
    """The accuracy of each shortcut; one that leaves several answers open guesses among them."""
    task = get(problems[0].task)
    found: dict[str, list[float]] = {}
    for problem in problems:
        for name, guess in task.baselines(problem).items():
            guesses = (guess,) if isinstance(guess, str) else guess
            found.setdefault(name, []).append((problem.answer in guesses) / len(guesses))
    return {name: fmean(rows) for name, rows in found.items()}


def jobs(n: int, seed: int) -> list[tuple[str, tuple]]:
    """(task, difficulty, order) of all populations: every task and difficulty, and hunts with their facts in order."""
    plain = [(name, difficulty, "") for name in FORMS for difficulty in get(name).difficulties]
    ordered = [("hunt", hops, order) for order in ("forward", "backward") for hops in (4, 5)]
    return [("cell", (*row, n, seed)) for row in reversed([*plain, *ordered])]  # the long ones first


def cell(lm: LM, task: str, difficulty: int, order: str, n: int, seed: int) -> dict:
    """One row: problems seed..seed + n - 1 in the task's forms."""
    if order:
        problems = [get("hunt").generate(seed + i, difficulty, order=order) for i in range(n)]
        return data(population(lm, problems, ORDERED))
    return data(population(lm, [get(task).generate(seed + i, difficulty) for i in range(n)], FORMS[task]))


def data(found: Population) -> dict:
    """A population as the card keeps it."""
    return {
        "task": found.task,
        "difficulty": found.difficulty,
        "order": found.order,
        "accuracy": {form: found.accuracy(form) for form in found.right},
        "effects": {form: found.effect(form) for form in found.right if form != "direct"},
        "shortcuts": found.shortcuts,
    }


def section(results: list[dict]) -> str:
    """What the card says: accuracy in every form, then differences on the same problems."""
    cells = results[::-1]
    forms = [*SETUPS, OTHERS]
    return f"""## Accuracy

In percent, with 95 % intervals (Wilson). “Blind”: read twice, but the second reading and the answer cannot attend to
the first. “Three readings” are in no document. “Prefix”: context and question see each other freely. The shortcut is
the best of those that a reader could take who does not do the task. “Facts forward”: each chain told from the thing
asked for to its last place.

{table(["task", "difficulty", *forms, "shortcut"], [_accuracies(cell, forms) for cell in cells])}

## Effects

In points of accuracy against answering at once, on the same problems, with 95 % intervals (Bonett and Price 2012).

{table(["task", "difficulty", *forms[1:]], [_effects(cell, forms[1:]) for cell in cells])}
"""


def _label(cell: dict) -> list[str]:
    ordered = f", facts {cell['order']}" if cell["order"] in ("forward", "backward") else ""
    return [cell["task"] + ordered, str(cell["difficulty"])]


def _accuracies(cell: dict, forms: list[str]) -> list[str]:
    found = [cell["accuracy"].get(form) for form in forms]
    shown = [percent(a["accuracy"], a["low"], a["high"]) if a else "" for a in found]
    best = max(cell["shortcuts"], key=cell["shortcuts"].get)
    return [*_label(cell), *shown, f"{100 * cell['shortcuts'][best]:.0f} ({best})"]


def _effects(cell: dict, forms: list[str]) -> list[str]:
    found = [cell["effects"].get(form) for form in forms]
    return [*_label(cell), *(points(e["difference"], e["low"], e["high"]) if e else "" for e in found)]
