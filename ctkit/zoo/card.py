"""The card of a teaching model: `ctkit card tiny` measures everything that it says."""

import json
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import torch

from ..engine.lm import LM
from ..engine.load import load
from . import effects as effects_
from . import manifest
from .effects import Population, rows

SEED = 10_000  # the card's problems: seeds from here on
BLIND = "re-read, second reading blind"


def card(name: str, n: int = 1000, folder: Path | None = None) -> Path:
    """Measure the model and write card.md and effects.json beside it; returns the card's path.

    `n` problems a row, at seeds that training (a name space of its own) never draws. Uses all cores.
    """
    folder = folder or manifest.model_path(name)
    jobs = [("steps_report", (-(-n // 16), SEED, method)) for method in ("mistake", "true-thinking")]
    jobs += [("cell", (*row, n, SEED)) for row in reversed(rows())]  # the long ones first
    jobs += [("steering_report", (-(-n // 8), SEED, layer)) for layer in range(4)]
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        found = list(pool.map(_measured, [str(folder)] * len(jobs), jobs))
    cells = [result for (what, _), result in zip(jobs, found) if what == "cell"][::-1]
    effects = {
        "model": name,
        "n": n,
        "seed": SEED,
        "cells": [_data(cell) for cell in cells],
        "steps": [result for (what, _), result in zip(jobs, found) if what == "steps_report"],
        "steering": [result for (what, _), result in zip(jobs, found) if what == "steering_report"],
    }
    lm = load(str(folder))
    effects["parameters"] = sum(p.numel() for p in lm.model.parameters())
    effects["bytes"] = (folder / "model.safetensors").stat().st_size
    (folder / "effects.json").write_text(json.dumps(effects, indent=1) + "\n")
    (folder / "card.md").write_text(page(effects, json.loads((folder / "train.json").read_text())))
    if folder == manifest.data_root() / "models" / name:
        by_card = f"ctkit card {name}"
        manifest.record(name, {"": f"ctkit train {name}", "card.md": by_card, "effects.json": by_card})
    return folder / "card.md"


def _measured(folder: str, job: tuple[str, tuple]) -> object:
    """One job of a card, in a process of its own."""
    torch.set_num_threads(1)
    what, arguments = job
    started = time.perf_counter()
    result = getattr(effects_, what)(_model(folder), *arguments)
    print(f"measured {what} {arguments} in {time.perf_counter() - started:.0f} s", flush=True)
    return result


@cache
def _model(folder: str) -> LM:
    return load(folder)


def page(effects: dict, trained: dict) -> str:
    """The card as Markdown, from what was measured and from the record of the training."""
    recipe, name, cells = trained["recipe"], effects["model"], effects["cells"]
    forms = ["direct", "re-read", BLIND, "thinking", "mask lifted"]
    return f"""# {name}

A small causal language model that learned three generated tasks, for teaching. It knows nothing else.

Everything below was measured by `ctkit card {name}` on {effects["n"]} fresh problems a row (seeds from
{effects["seed"]}; training draws from a name space of its own). In brackets: 95 % intervals. One training seed
({recipe["seed"]}); another one gives other numbers.

## Size and training

- {recipe["layers"]} layers × {recipe["heads"]} heads, {recipe["width"]} wide, {effects["parameters"] / 1e6:.2f} M
  parameters, {effects["bytes"] / 1e6:.1f} MB; Llama-style with rotary positions, the causal mask only
- {recipe["steps"]} steps of {recipe["batch"]} documents, {trained["tokens"] / 1e6:.0f} M tokens,
  {trained["seconds"] / 60:.0f} minutes on {trained["device"]}, by `ctkit train {name}`
{chr(10).join(_stage(*stage) for stage in recipe["stages"])}

## Accuracy

In percent. The shortcuts are what a reader scores who does not follow the chain; of several, the best.

{_table(["task", "difficulty", *forms, "shortcut"], [_accuracies(cell, forms) for cell in cells])}

## Effects

In points of accuracy against answering at once, on the same problems. "Second reading blind": it cannot attend to the
first one, so whatever re-reading gives by that path is gone.

{_table(["task", "difficulty", *forms[1:]], [_effects(cell, forms[1:]) for cell in cells])}

## Steps of a thought

Sums: how far the probability of the model's own answer falls when a step is broken, by what the step is for.

{_table(["method", "n", "difficulty", "true", "decoy", "check", "AUC", "control"], map(_steps, effects["steps"]))}

AUC: how often a true step scores above a decoy. Control: the largest effect of a step left as it is.

## Steering the mood

The share of happy words in the probability of happy and sad words after “The room was”, by strength of the direction
(difference in means). Random: the mean move of 20 random directions of the same norm at strength 2.

{_table(["layer", *effects["steering"][0]["share"], "random"], [_steering(r) for r in effects["steering"]])}
"""


def _data(cell: Population) -> dict:
    return {
        "task": cell.task,
        "difficulty": cell.difficulty,
        "order": cell.order,
        "accuracy": {form: cell.accuracy(form) for form in cell.right},
        "effects": {form: cell.effect(form) for form in cell.right if form != "direct"},
        "shortcuts": cell.shortcuts,
    }


def _label(cell: dict) -> list[str]:
    ordered = f", facts {cell['order']}" if cell["order"] in ("forward", "backward") else ""
    return [cell["task"] + ordered, str(cell["difficulty"])]


def _accuracies(cell: dict, forms: list[str]) -> list[str]:
    found = [cell["accuracy"].get(form) for form in forms]
    shown = [f"{100 * a['accuracy']:.0f} ({100 * a['low']:.0f}–{100 * a['high']:.0f})" if a else "" for a in found]
    best = max(cell["shortcuts"], key=cell["shortcuts"].get)
    return [*_label(cell), *shown, f"{100 * cell['shortcuts'][best]:.0f} ({best})"]


def _effects(cell: dict, forms: list[str]) -> list[str]:
    found = [cell["effects"].get(form) for form in forms]
    shown = [
        f"{100 * e['difference']:+.1f} ({100 * e['low']:+.1f} to {100 * e['high']:+.1f})" if e else "" for e in found
    ]
    return [*_label(cell), *shown]


def _steps(report: dict) -> list[str]:
    means = [f"{report['mean'][label]:.2f}" for label in ("true", "decoy", "check")]
    return [
        report["method"],
        str(report["n"]),
        str(report["difficulty"]),
        *means,
        f"{report['auc']:.2f}",
        f"{report['control']:.1g}",
    ]


def _steering(report: dict) -> list[str]:
    return [str(report["layer"]), *(f"{share:.2f}" for share in report["share"].values()), f"{report['random']:.3f}"]


def _stage(start: int, shares: dict) -> str:
    mood = 1 - shares["hunt"] - shares["sums"] - shares["drill"]
    return (
        f"- from step {start}: hunt {shares['hunt']:.0%}, sums {shares['sums']:.0%}, single additions "
        f"{shares['drill']:.0%}, mood {mood:.0%}; {shares['reread']:.0%} read twice; a thought in "
        f"{shares['think_hunt']:.0%} of hunts and {shares['think_sums']:.0%} of sums, {shares['cut']:.0%} of them cut "
        f"short and {shares['broken']:.0%} with a wrong step; up to {shares['more_hunt']} further questions"
    )


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, ["---"] * len(head), *rows])
