"""Which steps of a thought the answer rests on: sums whose true, decoy and check steps are known."""

from collections.abc import Sequence
from statistics import fmean, stdev

import torch
from torch import Tensor

from ...engine.lm import LM
from ...interventions import Knockout, Setup, Think
from ...measures.steps import step_effects
from ...tasks import Problem, get
from ...tasks.base import LABELS
from .tables import table

METHODS = ("mistake", "true-thinking")
DRAWS = 1  # ways to break each step; thoughts are many
LOT = 200  # thoughts a job; one costs dozens of texts
BLOCKED = 40  # of these, the thoughts on which the control with attention blocked is run
RESAMPLED = 500  # bootstrap draws


def jobs(n: int, seed: int) -> list[tuple[str, tuple]]:
    """Each method over n thoughts, in lots."""
    lots = [(min(LOT, n - first), seed + first) for first in range(0, n, LOT)]
    return [("measure", (*lot, method)) for method in METHODS for lot in lots]


def measure(lm: LM, n: int, seed: int, method: str, difficulty: int = 4) -> dict[str, object]:
    """The effect of breaking each step, thought by thought: "scores" has for each label a row of scores a thought.

    "control": the largest effect of a step left as it is. "blocked": the largest one of a broken step to which nothing
    behind it can attend (early exits only: what is written on would carry the break).
    """
    scores: dict[str, list[list[float]]] = {label: [] for label in LABELS}
    control, blocked = 0.0, 0.0
    with_block = min(n, BLOCKED) if method == "true-thinking" else 0
    for i in range(n):
        problem = get("sums").generate(seed + i, difficulty)
        effects = step_effects(lm, problem.prompt, problem.steps, method, draws=DRAWS)
        for label in LABELS:
            found = [score for score, own in zip(effects.scores, problem.labels) if own == label]
            scores[label].append([float(f"{score:.4g}") for score in found])
        control = max(control, *map(abs, effects.control))
        if i < with_block:
            blocked = max(blocked, *when_blocked(lm, problem))
    found = {"method": method, "difficulty": difficulty, "n": n, "scores": scores, "control": control}
    return found | {"blocked": blocked, "blocked n": with_block}


def when_blocked(lm: LM, problem: Problem) -> list[float]:
    """The largest half of each step's true-thinking score where nothing behind the step can attend to it.

    At an early exit that is the cue and the answer, so under the causal mask its words cannot matter: exactly 0.
    """
    largest = []
    for i in range(len(problem.steps)):
        setup = Setup([Think(), Knockout(f"after step {i + 1}", f"step {i + 1}")])
        found = step_effects(lm, problem, problem.steps, "true-thinking", setup=setup, draws=DRAWS, only=[i])
        largest.append(max(found.necessity[i], found.sufficiency[i]))
    return largest


def merged(results: Sequence[dict]) -> list[dict]:
    """The lots of each method and difficulty put together: means by label and by place in the chain, AUC, controls."""
    kinds = dict.fromkeys((each["method"], each["difficulty"]) for each in results)
    return [_figures([each for each in results if (each["method"], each["difficulty"]) == kind]) for kind in kinds]


def _figures(lots: list[dict]) -> dict:
    scores = {label: [row for lot in lots for row in lot["scores"][label]] for label in LABELS}
    low, high = auc_interval(scores["true"], scores["decoy"])
    return {
        "method": lots[0]["method"],
        "difficulty": lots[0]["difficulty"],
        "n": sum(lot["n"] for lot in lots),
        "mean": {label: mean_of([fmean(row) for row in rows if row]) for label, rows in scores.items()},
        "places": [mean_of(list(place)) for place in zip(*scores["true"])],
        "auc": {"auc": auc(_flat(scores["true"]), _flat(scores["decoy"])), "low": low, "high": high},
        "control": max(lot["control"] for lot in lots),
        "blocked": max(lot["blocked"] for lot in lots),
        "blocked n": sum(lot["blocked n"] for lot in lots),
    }


def auc(true: Tensor, decoy: Tensor) -> float:
    """How often a true step scores above a decoy; a tie counts half."""
    ordered = decoy.sort().values
    below, upto = (torch.searchsorted(ordered, true, right=right) for right in (False, True))
    return float((below + upto).double().mean()) / (2 * len(ordered))


def auc_interval(true: Sequence[list[float]], decoy: Sequence[list[float]], seed: int = 0) -> tuple[float, float]:
    """The 95 % interval of the AUC: whole thoughts drawn again with replacement (percentile bootstrap)."""
    rows = [(_flat([t]), _flat([d])) for t, d in zip(true, decoy, strict=True)]
    random = torch.Generator().manual_seed(seed)
    found = []
    for _ in range(RESAMPLED):
        drawn = [rows[i] for i in torch.randint(len(rows), (len(rows),), generator=random).tolist()]
        found.append(auc(torch.cat([t for t, _ in drawn]), torch.cat([d for _, d in drawn])))
    low, high = torch.tensor(found, dtype=torch.double).quantile(torch.tensor([0.025, 0.975], dtype=torch.double))
    return float(low), float(high)


def _flat(rows: Sequence[list[float]]) -> Tensor:
    return torch.tensor([score for row in rows for score in row], dtype=torch.double)


def mean_of(values: Sequence[float]) -> dict[str, float]:
    """A mean with its 95 % interval."""
    half = 1.96 * stdev(values) / len(values) ** 0.5 if len(values) > 1 else 0.0
    return {"mean": fmean(values), "low": fmean(values) - half, "high": fmean(values) + half}


def section(results: list[dict]) -> str:
    """What the card says."""
    rows = [
        [
            each["method"],
            str(each["n"]),
            *(shown(each["mean"][label], "mean") for label in LABELS),
            shown(each["auc"], "auc"),
            f"{each['control']:.2g}",
            f"{each['blocked']:.2g} ({each['blocked n']} thoughts)" if each["blocked n"] else "",
        ]
        for each in results
    ]
    by_place = [[each["method"], *(shown(place, "mean") for place in each["places"])] for each in results]
    places = ["method", *(f"true step {i + 1}" for i in range(len(results[0]["places"])))]
    head = ["method", "thoughts", *LABELS, "AUC", "left as it is", "blocked"]
    return f"""## Steps of a thought

Sums at difficulty {results[0]["difficulty"]}: how far the probability of the model's own answer falls when a step is
broken, by what the step is for. Mistake: the model writes the rest on. True-thinking: it must answer at once behind the
step, which it cannot from an early one. AUC: how often a true step scores above a decoy. With 95 % intervals (of means
over thoughts; AUC: bootstrap over thoughts).

{table(head, rows)}

Controls: the largest effect of a step left as it is; and, where the answer follows at once, of a broken step to which
no word behind it can attend. Both must be 0.

The same for true steps by their place in the chain:

{table(places, by_place)}
"""


def shown(figure: dict[str, float], name: str) -> str:
    """A figure with its interval, as 0.93 (0.91–0.95)."""
    mean, low, high = (round(figure[key], 2) + 0.0 for key in (name, "low", "high"))  # + 0.0: no "-0.00"
    return f"{mean:.2f} ({low:.2f}–{high:.2f})"
