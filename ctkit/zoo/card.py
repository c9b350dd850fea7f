"""The card of a teaching model: `ctkit card tiny` measures everything that it says."""

import json
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import torch

from ..engine.lm import LM
from ..engine.load import load
from ..errors import CtkitError, shown
from . import manifest, seeds
from .effects import SECTIONS
from .recipes import RECIPES

SEED = 10_000  # the card's problems: seeds from here on


def card(name: str, n: int = 1000, folder: Path | None = None, sections: Sequence[str] = ()) -> Path:
    """Measure the model and write card.md and effects.json beside it; returns the card's path.

    `n` problems a row, at seeds that training (a name space of its own) never draws. `sections`: those to measure; the
    others stay as they were measured before. By default all that the model's card has. Uses all cores.
    """
    folder = folder or manifest.model_path(name)
    chosen = (RECIPES[name].card if name in RECIPES else ()) or tuple(SECTIONS)
    for section in sections:
        if section not in chosen:
            raise CtkitError(f"the section {shown(section)}", f"the sections {', '.join(chosen)}", "some of these")
    wanted = {section: SECTIONS[section] for section in sections or chosen}
    jobs = [(section, *job) for section, module in wanted.items() for job in module.jobs(n, SEED)]
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        found = list(pool.map(_measured, [str(folder)] * len(jobs), jobs))
    before = json.loads((folder / "effects.json").read_text()) if sections else {}
    effects: dict[str, object] = before | {"model": name, "n": n, "seed": SEED}
    for section, module in wanted.items():
        results = [result for job, result in zip(jobs, found) if job[0] == section]
        effects[section] = module.merged(results) if hasattr(module, "merged") else results
    lm = load(str(folder))
    effects["parameters"] = sum(p.numel() for p in lm.model.parameters())
    effects["bytes"] = (folder / "model.safetensors").stat().st_size
    (folder / "effects.json").write_text(json.dumps(effects, indent=1) + "\n")
    write(folder)
    if folder == manifest.data_root() / "models" / name:
        manifest.record_card(name)
    return folder / "card.md"


def write(folder: Path) -> None:
    """Write a model's card.md from what was measured, and from the record of its training."""
    (folder / "card.md").write_text(text(folder))


def text(folder: Path) -> str:
    """The card that belongs to a model's effects.json, train.json and, where there is one, seeds.json."""
    files = [folder / f"{name}.json" for name in ("effects", "train", "seeds")]
    told = {file.stem: json.loads(file.read_text()) for file in files if file.is_file()}
    return page(told["effects"], told["train"], told.get("seeds"))


def _measured(folder: str, job: tuple[str, str, tuple]) -> dict:
    """One job of a card, in a process of its own."""
    torch.set_num_threads(1)
    section, what, arguments = job
    started = time.perf_counter()
    result = getattr(SECTIONS[section], what)(_model(folder), *arguments)
    print(f"measured {section} {what} {arguments} in {time.perf_counter() - started:.0f} s", flush=True)
    return result


@cache
def _model(folder: str) -> LM:
    return load(folder)


def page(effects: dict, trained: dict, others: dict | None = None) -> str:
    """The card as Markdown: what was measured, the record of the training, and other seeds where there are some."""
    recipe, name = trained["recipe"], effects["model"]
    tasks = sorted({part["task"] for _, mixture in recipe["stages"] for part in mixture})
    sections = [module.section(effects[section]) for section, module in SECTIONS.items() if section in effects]
    sections += [seeds.section(others)] if others else []
    left = [section for section in SECTIONS if section not in effects]
    sections += [f"## Not measured here\n\n{', '.join(left).capitalize()}: see the card of `tiny`.\n"] if left else []
    newline, depth = "\n", recipe["layers"] + len(recipe["grown"])
    growth = " and ".join(f"at step {step}" for step in recipe["grown"])
    return f"""# {name}

A small causal language model that learned {len(tasks)} generated tasks ({", ".join(tasks)}), for teaching. It knows
nothing else.

Everything below was measured by `ctkit card {name}` on {effects["n"]} fresh problems a row (seeds from
{effects["seed"]}; training draws from a name space of its own). In brackets: 95 % intervals. One training seed
({recipe["seed"]}); another one gives other numbers.

## Size and training

- {depth} layers × {recipe["heads"]} heads, {recipe["width"]} wide, {effects["parameters"] / 1e6:.2f} M
  parameters, {effects["bytes"] / 1e6:.1f} MB; Llama-style with rotary positions
- {recipe["steps"]} steps of {recipe["batch"]} documents, {trained["tokens"] / 1e6:.0f} M tokens,
  {trained["seconds"] / 60:.0f} minutes on {trained["device"]} ({trained["threads"]} thread), by `ctkit train {name}`
- {recipe["layers"]} layers at first; the last one was put once more on top {growth}
- masks in training: {"; ".join(masks(*each) for each in recipe["masks"])}

What was read, in percent of the documents; “twice”, “thought”: of the task's own documents,
counted over 1000.

{stages(recipe["stages"], trained["told"])}

{newline.join(sections)}"""


def masks(start: int, shares: list) -> str:
    """The masks from a step on, in words."""
    return f"from step {start} on {', '.join(f'{mode} in {share:.0%} of the batches' for mode, share in shares)}"


def stages(told: list, dressed: list) -> str:
    """The mixtures as a table: one line a task and stage."""
    lines = ["| from step | task | share | twice | thought |", "| --- | --- | --- | --- | --- |"]
    for (start, mixture), (_, forms) in zip(told, dressed):
        whole = sum(part["share"] for part in mixture)
        for part, found in zip(mixture, forms):
            shares = (part["share"] / whole, found["twice"], found["thought"])
            lines.append(f"| {start} | {part['task']} | {' | '.join(f'{100 * share:.0f}' for share in shares)} |")
    return "\n".join(lines)
