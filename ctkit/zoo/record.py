"""What a training run leaves behind: checkpoints, a log, a progress line, accuracy on the way, a plot of the loss."""

import json
from pathlib import Path

import torch
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from .recipes import Recipe
from .score import WATCHED, table


def saved(run: Path) -> dict | None:
    """The last checkpoint; where there is none, a run begins anew and older logs go."""
    if not (run / "state.pt").is_file():
        for name in ("log.jsonl", "scores.jsonl"):
            (run / name).unlink(missing_ok=True)
        return None
    return torch.load(run / "state.pt", map_location="cpu", weights_only=True)


def restore(state: dict | None, model: LlamaForCausalLM, optimizers: list) -> list:
    """The model and its optimizers as they were at the checkpoint."""
    if state is not None:
        model.load_state_dict(state["model"])
        for optimizer, saved in zip(optimizers, state["optimizers"]):
            optimizer.load_state_dict(saved)
    return optimizers


def save(run: Path, step: int, model: LlamaForCausalLM, optimizers: list, seconds: float) -> None:
    """Write a checkpoint; a crash in the middle leaves the one before."""
    state = {
        "step": step,
        "seconds": seconds,
        "model": model.state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in optimizers],
    }
    torch.save(state, run / "state.new")
    (run / "state.new").replace(run / "state.pt")


def log(run: Path, step: int, plan: Recipe, losses: list[float], tokens: int, seconds: float) -> None:
    """Add a line to the log, and print the progress line."""
    before = [line for line in lines(run / "log.jsonl") if line["step"] < step]
    total = tokens + max((line["tokens"] for line in before), default=0)
    line = {"step": step, "loss": round(sum(losses) / len(losses), 4), "tokens": total, "seconds": round(seconds)}
    _write(run / "log.jsonl", [*before, line])
    left = seconds / step * (plan.steps - step) / 60
    print(
        f"step {step}/{plan.steps}  loss {line['loss']:.3f}  {total / 1e6:.1f} M tokens  {left:.0f} min left",
        flush=True,
    )


def scores(run: Path, step: int, model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast) -> None:
    """Measure accuracy on the way (100 problems a cell, none of them in the cards' measurements), and print it."""
    watched = [(task, d, form) for task, forms in WATCHED.items() for form, levels in forms.items() for d in levels]
    found = table(model, tokenizer, 100, watched, seed=900_000)
    before = [line for line in lines(run / "scores.jsonl") if line["step"] < step]
    _write(run / "scores.jsonl", [*before, {"step": step, "scores": found}])
    for form in ("direct", "re-read", "thinking"):
        told = "  ".join(f"{key.rsplit(' ', 1)[0]} {value:.2f}" for key, value in found.items() if key.endswith(form))
        print(f"    {form}: {told}", flush=True)


def plot(log: list[dict], path: Path) -> None:
    """The loss over the tokens read, as a PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3), layout="constrained")
    axes = figure.subplots()
    axes.plot([line["tokens"] / 1e6 for line in log], [line["loss"] for line in log])
    axes.set(xlabel="million tokens", ylabel="weighted loss (nats)", yscale="log")
    figure.savefig(path, dpi=100)


def lines(path: Path) -> list[dict]:
    """The records in a file of JSON lines; none where there is no file."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


def _write(path: Path, records: list[dict]) -> None:
    path.write_text("".join(json.dumps(each) + "\n" for each in records))
