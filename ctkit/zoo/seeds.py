"""The same recipe from other seeds: how far an effect belongs to the recipe, and how far to one run's luck."""

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import torch

from ..engine.load import load
from ..errors import CtkitError
from ..tasks import get
from . import manifest
from .effects.population import data, population
from .effects.tables import percent, points, table

FORMS = ("direct", "re-read", "blind", "prefix")
SEED = 10_000  # the card's problems
LEARNED = (  # task, difficulty, form: what else a run may have learned, or not
    ("hunt", 6, "thinking"),
    ("sums", 1, "direct"),
    ("sums", 5, "thinking"),
    ("copy", 4, "direct"),
    ("emphasis", 1, "direct"),
)


def seeds(name: str, n: int = 1000, runs: Path = Path("runs")) -> Path:
    """Measure re-reading and the prefix mask on the shipped model and on every finished run beside it.

    A run from another seed is made by `ctkit train NAME --seed S`, which leaves its model in runs/NAME-S/model. Writes
    seeds.json beside the shipped model.
    """
    torch.set_num_threads(1)
    shipped = manifest.model_path(name)
    folders = {json.loads((shipped / "train.json").read_text())["recipe"]["seed"]: shipped}
    for path in sorted(runs.glob(f"{name}-*/model/train.json")):
        recipe = json.loads(path.read_text())["recipe"]
        if path.parent.parent.name == f"{name}-{recipe['seed']}":
            folders.setdefault(recipe["seed"], path.parent)
    if len(folders) < 2:
        remedy = f"ctkit train {name} --seed {max(folders) + 1}, and then this"
        raise CtkitError(f"the seeds of {name}", "no finished run from another seed", remedy)
    found = {str(seed): measured(folder, n) for seed, folder in folders.items()}
    path = shipped / "seeds.json"
    told = {"model": name, "n": n, "seed": SEED, "shipped": next(iter(found)), "runs": found}
    path.write_text(json.dumps(told, indent=1) + "\n")
    return path


def measured(folder: Path, n: int) -> dict[str, list[dict]]:
    """One run's accuracy on hunts of every depth, read once and twice, and on a few other tasks."""
    lm = load(str(folder))

    def cell(task: str, difficulty: int, forms: Sequence[str]) -> dict:
        print(f"measuring {folder}: {task} {difficulty}", flush=True)
        return data(population(lm, [get(task).generate(SEED + i, difficulty) for i in range(n)], forms))

    return {
        "hunts": [cell("hunt", hops, FORMS) for hops in get("hunt").difficulties],
        "learned": [cell(task, level, tuple(dict.fromkeys(("direct", form)))) for task, level, form in LEARNED],
    }


def section(found: dict) -> str:
    """What the card says: the effect at every depth for each seed, the median, and what else each run learned."""
    rows, runs = [], found["runs"].values()
    for form in FORMS[1:]:
        for place, cell in enumerate(next(iter(runs))["hunts"]):
            effects = {seed: run["hunts"][place]["effects"][form] for seed, run in found["runs"].items()}
            middle = median(effect["difference"] for effect in effects.values())
            shown = [points(e["difference"], e["low"], e["high"]) for e in effects.values()]
            rows.append([form, str(cell["difficulty"]), *shown, f"{100 * middle:+.1f}"])
    learned = [
        [task, str(difficulty), form, *(_share(run["learned"][place]["accuracy"][form]) for run in runs)]
        for place, (task, difficulty, form) in enumerate(LEARNED)
    ]
    names = [f"seed {seed}{' (shipped)' if seed == found['shipped'] else ''}" for seed in found["runs"]]
    return f"""## Other training seeds

The same recipe from {len(found["runs"])} seeds: points of accuracy against one reading, on {found["n"]} hunts a figure.

{table(["form", "hops", *names, "median"], rows)}

What else they learned, in percent:

{table(["task", "difficulty", "form", *names], learned)}
"""


def _share(found: dict) -> str:
    return percent(found["accuracy"], found["low"], found["high"])
