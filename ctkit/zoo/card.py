"""The card of a teaching model: `ctkit card tiny` measures everything that it says."""

import json
from pathlib import Path

from ..engine.load import load
from . import manifest
from .effects import Population, populations, steering_report, steps_report

SEED = 10_000  # the card's problems: seeds from here on


def card(name: str, n: int = 400, folder: Path | None = None) -> Path:
    """Measure the model and write card.md and effects.json beside it; returns the card's path.

    `n` problems a cell, at seeds that training (a name space of its own) never draws.
    """
    folder = folder or manifest.model_path(name)
    lm = load(name)
    say = lambda what: print(f"measuring {what}", flush=True)  # noqa: E731
    cells = populations(lm, n, SEED, say)
    say("steps")
    steps = [steps_report(lm, max(1, n // 10), SEED, method) for method in ("mistake", "true-thinking")]
    say("steering")
    steering = [steering_report(lm, min(n, 200), SEED, layer) for layer in range(lm.n_layers)]
    effects = {"model": name, "n": n, "seed": SEED, "cells": [_data(cell) for cell in cells]}
    effects |= {"steps": steps, "steering": steering}
    trained = json.loads((folder / "train.json").read_text())
    size = {"parameters": sum(p.numel() for p in lm.model.parameters()), "bytes": (folder / "model.safetensors").stat().st_size}
    (folder / "effects.json").write_text(json.dumps(effects, indent=1) + "\n")
    (folder / "card.md").write_text(written(name, effects, trained, size))
    if folder == manifest.data_root() / "models" / name:
        by_card = f"ctkit card {name}"
        manifest.record(name, {"": f"ctkit train {name}", "card.md": by_card, "effects.json": by_card})
    return folder / "card.md"


def written(name: str, effects: dict, trained: dict, size: dict) -> str:
    """The card as Markdown."""
    recipe, cells = trained["recipe"], effects["cells"]
    parts = [
        f"# {name}",
        "A small causal language model that learned three generated tasks, for teaching. It knows nothing else.",
        f"Every number below was measured by `ctkit card {name}` on {effects['n']} fresh problems a row (seeds from "
        f"{effects['seed']}; training draws from a name space of its own), with 95 % intervals. One training seed "
        f"({recipe['seed']}): another seed gives other numbers.",
        "## Size and training",
        f"- {recipe['layers']} layers × {recipe['heads']} heads × {recipe['width']} wide, {size['parameters'] / 1e6:.2f} M "
        f"parameters, {size['bytes'] / 1e6:.1f} MB, Llama-style with rotary positions, causal mask only",
        f"- {recipe['steps']} steps of {recipe['batch']} documents, {trained['tokens'] / 1e6:.0f} M tokens, "
        f"{trained['seconds'] / 60:.0f} minutes on {trained['device']}; command: `ctkit train {name}`",
        f"- documents: {_mixture(recipe['mixture'])}",
        "## Accuracy",
        _table(["task", "difficulty", "form", "accuracy", "95 %"], [row for cell in cells for row in _accuracies(cell)]),
        "Best shortcut: what a reader who does not follow the chain would score.",
        _table(["task", "difficulty", "shortcut", "accuracy"], [row for cell in cells for row in _shortcuts(cell)]),
        "## Effects",
        "Points of accuracy against answering at once, paired problem by problem. \"Second reading blind\": the second reading "
        "cannot attend to the first, so what re-reading gives must vanish.",
        _table(["task", "difficulty", "form", "difference", "95 %"], [row for cell in cells for row in _effects(cell)]),
        "## Steps of a thought",
        "Sums: how far the probability of the model's own answer falls when a step is broken.",
        _table(["method", "n", "true", "decoy", "check", "AUC true against decoy", "unbroken control"], _steps(effects["steps"])),
        "## Steering the mood",
        "Share of happy words in the probability of happy and sad words after “The room was”, by strength of the direction "
        "(difference in means), and the mean move of 20 random directions of its norm at strength 2.",
        _table(["layer", *effects["steering"][0]["happy share by strength"], "random"], _steering(effects["steering"])),
    ]
    return "\n\n".join(parts) + "\n"


def _data(cell: Population) -> dict:
    forms = list(cell.right)
    return {
        "task": cell.task,
        "difficulty": cell.difficulty,
        "order": cell.order,
        "accuracy": [cell.accuracy(form) for form in forms],
        "effects": [cell.effect(form) for form in forms if form != "direct"],
        "shortcuts": cell.shortcuts,
    }


def _label(cell: dict) -> list[str]:
    ordered = f" ({cell['order']})" if cell["order"] not in ("", "any") else ""
    return [cell["task"] + ordered, str(cell["difficulty"])]


def _accuracies(cell: dict) -> list[list[str]]:
    return [
        [*_label(cell), a["form"], f"{a['accuracy']:.1%}", f"{a['low']:.1%} – {a['high']:.1%}"] for a in cell["accuracy"]
    ]


def _shortcuts(cell: dict) -> list[list[str]]:
    return [[*_label(cell), name, f"{value:.1%}"] for name, value in cell["shortcuts"].items()]


def _effects(cell: dict) -> list[list[str]]:
    return [
        [*_label(cell), e["form"], f"{100 * e['difference']:+.1f}", f"{100 * e['low']:+.1f} to {100 * e['high']:+.1f}"]
        for e in cell["effects"]
    ]


def _steps(reports: list[dict]) -> list[list[str]]:
    return [
        [r["method"], str(r["n"]), *(f"{r['mean'][label]:.2f}" for label in ("true", "decoy", "check")), f"{r['auc']:.2f}", f"{r['control']:.1g}"]
        for r in reports
    ]


def _steering(reports: list[dict]) -> list[list[str]]:
    return [
        [str(r["layer"]), *(f"{v:.2f}" for v in r["happy share by strength"].values()), f"{r['mean move of 20 random directions at strength 2']:.3f}"]
        for r in reports
    ]


def _mixture(shares: dict) -> str:
    mood = 1 - shares["hunt"] - shares["sums"]
    return (
        f"hunt {shares['hunt']:.0%}, sums {shares['sums']:.0%}, mood {mood:.0%}; read twice {shares['reread']:.0%}; a thought "
        f"in {shares['think_hunt']:.0%} of hunts and {shares['think_sums']:.0%} of sums, of which cut short {shares['cut']:.0%} "
        f"and with a broken step that is followed {shares['broken']:.0%}; up to {shares['more_questions']} further questions about a context that is not thought about"
    )


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
