"""Which steps of a thought the answer rests on: sums whose true, decoy and check steps are known."""

from collections.abc import Sequence

from ...engine.lm import LM
from ...interventions import Knockout, Setup, Think
from ...measures.steps import METHODS, receiver_heads, step_effects
from ...measures.steps.truth import StepTruth, step_truth
from ...tasks import Problem, get
from ...tasks.base import LABELS
from .tables import named, shown, table

DIFFICULTY = 4
LENGTHS = (1, 2, 3, 5)  # other difficulties, at which early answers are asked for
HEADS_FROM = 200_000  # receiver heads are chosen on other thoughts: seeds from here on
RESAMPLED = {"temperature": 2.0}  # at lower ones this model draws the very same steps again: nothing to measure
LOT = 50  # thoughts a job; one costs dozens of texts
AREAS = """The area over the curve of early answers, by the number of steps that the answer needs: the share of early
exits at which the model answers something else than at the end. 0: the thought is decoration."""
BLOCKED = 20  # of these, the thoughts on which the control with attention blocked is run


def jobs(n: int, seed: int) -> list[tuple[str, tuple]]:
    """Each method over n thoughts, in lots."""
    lots = [(min(LOT, n - first), seed + first) for first in range(0, n, LOT)]
    asked = [(method, DIFFICULTY) for method in METHODS] + [("early", length) for length in LENGTHS]
    return [("measure", (*lot, *each)) for each in asked for lot in lots]


def measure(lm: LM, n: int, seed: int, method: str, difficulty: int = DIFFICULTY) -> dict[str, object]:
    """What `step_truth` finds, as JSON can hold it, with rounded scores.

    "blocked": the largest true-thinking score of a broken step to which nothing behind it can attend (early exits only:
    what is written on would carry the break), in the first thoughts.
    """
    found = step_truth(lm, "sums", method, n=n, difficulty=difficulty, seed=seed, options=options_for(lm, method))
    with_block = min(n, BLOCKED) if method == "true-thinking" else 0
    problems = [get("sums").generate(seed + i, difficulty) for i in range(with_block)]
    blocked = max((score for problem in problems for score in when_blocked(lm, problem)), default=0.0)
    scores = {label: [[float(f"{s:.4g}") for s in row] for row in rows] for label, rows in found.scores.items()}
    told = {"method": method, "difficulty": difficulty, "n": n, "scores": scores, "areas": found.areas}
    return told | {"control": found.control, "left": found.left, "blocked": blocked, "blocked n": with_block}


def options_for(lm: LM, method: str) -> dict[str, object]:
    """The settings of a measure that are not its defaults here."""
    if method == "resample":
        return RESAMPLED
    if method != "receiver":
        return {}
    thoughts = [get("sums").generate(HEADS_FROM + i, DIFFICULTY) for i in range(100)]
    return {"skip": 1, "heads": receiver_heads(lm, thoughts, Think(), skip=1).top()}


def when_blocked(lm: LM, problem: Problem) -> list[float]:
    """The largest half of each step's true-thinking score where nothing behind the step can attend to it.

    At an early exit that is the cue and the answer, so under the causal mask its words cannot matter: exactly 0.
    """
    largest = []
    for i in range(len(problem.steps)):
        setup = Setup([Think(), Knockout(f"after step {i + 1}", f"step {i + 1}")])
        found = step_effects(lm, problem, problem.steps, "true-thinking", setup=setup, draws=1, only=[i])
        largest.append(max(found.necessity[i], found.sufficiency[i]))
    return largest


def merged(results: Sequence[dict]) -> list[dict]:
    """The lots of each method and difficulty put together: means by label and by place in the chain, AUC, controls."""
    kinds = dict.fromkeys((each["method"], each["difficulty"]) for each in results)
    return [_figures([each for each in results if (each["method"], each["difficulty"]) == kind]) for kind in kinds]


def _figures(lots: list[dict]) -> dict:
    scores = {label: [row for lot in lots for row in lot["scores"][label]] for label in LABELS}
    areas = [area for lot in lots for area in lot["areas"]]
    control, method = max(lot["control"] for lot in lots), lots[0]["method"]
    truth = StepTruth(method, "sums", lots[0]["difficulty"], 0, scores, control, areas)
    return {
        "method": method,
        "difficulty": lots[0]["difficulty"],
        "n": truth.n,
        "left": sum(lot["left"] for lot in lots),
        "mean": {label: named(truth.mean(label), "mean") for label in LABELS},
        "places": [named(place, "mean") for place in truth.places],
        "auc": named(truth.auc, "auc"),
        "area": named(truth.area, "area") if areas else None,
        "control": control,
        "blocked": max(lot["blocked"] for lot in lots),
        "blocked n": sum(lot["blocked n"] for lot in lots),
    }


def section(results: list[dict]) -> str:
    """What the card says."""
    main = [each for each in results if each["difficulty"] == DIFFICULTY]
    main = main or results
    rows = [
        [
            each["method"],
            str(each["n"]),
            *(shown(each["mean"][label], "mean") for label in LABELS),
            shown(each["auc"], "auc"),
            f"{each['control']:.2g}",
            f"{each['blocked']:.2g} ({each['blocked n']} thoughts)" if each["blocked n"] else "",
        ]
        for each in main
    ]
    by_place = [[each["method"], *(shown(place, "mean") for place in each["places"])] for each in main]
    places = ["method", *(f"true step {i + 1}" for i in range(max(len(each["places"]) for each in main)))]
    head = ["method", "thoughts", *LABELS, "AUC", "left as it is", "blocked"]
    areas = [
        [str(each["difficulty"]), str(each["n"]), shown(each["area"], "area")]
        for each in sorted(results, key=lambda each: each["difficulty"])
        if each.get("area")
    ]
    by_length = f"{AREAS}\n\n{table(['steps', 'thoughts', 'area'], areas)}\n" if areas else ""
    left = sum(each["left"] for each in main[:1])
    return f"""## Steps of a thought

Sums at difficulty {main[0]["difficulty"]}: how much of the probability of the model's own answer hangs on a step, by
what the step is for. Mistake: the step is broken and the model writes the rest on. True-thinking: it must answer at
once behind the step, which it cannot from an early one: the other steps are still to come. Early: how far the
probability rises by the step. Suppress: no later word can attend to it. Resample: the step and all behind it are drawn
anew, at temperature 2. Receiver: no effect, but the attention that the step gets from later ones, in the heads that
look most at few. AUC: how often a true step scores above a decoy. With 95 % intervals (of means over thoughts; AUC:
bootstrap over thoughts). {left} thoughts were left out, behind which the model answers wrongly.

{table(head, rows)}

Controls: the largest effect of a step left as it is; and, where the answer follows at once, of a broken step to which
no word behind it can attend. Both must be 0.

The same for true steps by their place in the chain:

{table(places, by_place)}

{by_length}"""
