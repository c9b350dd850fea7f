"""Training a teaching model: `ctkit train tiny`. Resumable, seeded, on a GPU where there is one."""

import json
import time
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from . import manifest, record
from .corpus import Batch, batches, encode
from .documents import dressed
from .linear import quicken, slow_again
from .masking import Reading, masked
from .recipes import Recipe, recipe
from .tokenizer import FastEncoder, make_tokenizer

HINTED = 2  # the block into which the stream goes that hints are read from


def train(
    name: str,
    *,
    plan: Recipe | None = None,
    run: Path | None = None,
    out: Path | None = None,
    until: int | None = None,
) -> Path:
    """Train the model `name` by its recipe and write it to data/models/name; returns that folder.

    A run that was stopped goes on from its last checkpoint (runs/name/state.pt). `until` stops after that many steps
    of the same schedule, and writes no model.
    """
    plan = plan or recipe(name)
    run = run or Path("runs") / name
    out = out or manifest.data_root() / "models" / name
    run.mkdir(parents=True, exist_ok=True)
    tokenizer, state = make_tokenizer(), record.saved(run)
    first = state["step"] if state else 0
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = quicken(make_model(plan, tokenizer, blocks(plan, first)).to(device))
    optimizers = record.restore(state, model, make_optimizers(model, plan))
    started, last = time.perf_counter() - (state["seconds"] if state else 0), min(until or plan.steps, plan.steps)
    encode_ = partial(encode, encoder=FastEncoder(tokenizer), start=tokenizer.bos_token_id, end=tokenizer.eos_token_id)
    tokens, losses = 0, []
    for step, batch in enumerate(batches(plan, encode_, first), first + 1):
        if step > last:
            break
        if step - 1 in plan.grown:
            model = quicken(grown(model))
            optimizers = make_optimizers(model, plan)
        losses.append(train_step(model, optimizers, plan, step - 1, batch))
        tokens += int((batch.ids > 0).sum())
        if step % 50 == 0 or step == last:
            record.log(run, step, plan, losses, tokens, time.perf_counter() - started)
            tokens, losses = 0, []
        if step % plan.score_every == 0:
            record.scores(run, step, model, tokenizer)
        if step % plan.save_every == 0 or step == last:
            record.save(run, step, model, optimizers, time.perf_counter() - started)
    if last == plan.steps:
        ship(slow_again(model), tokenizer, out, run, plan, time.perf_counter() - started)
    return out


def train_seed(name: str, seed: int) -> Path:
    """Train by the recipe of `name` from another seed; the model stays in runs/NAME-SEED/model."""
    run = Path("runs") / f"{name}-{seed}"
    return train(name, plan=replace(recipe(name), seed=seed), run=run, out=run / "model")


def blocks(plan: Recipe, done: int) -> int:
    """How many blocks the model has after so many steps."""
    return plan.layers + sum(step < done for step in plan.grown)


def make_model(plan: Recipe, tokenizer: PreTrainedTokenizerFast, layers: int | None = None) -> LlamaForCausalLM:
    """A Llama-style model with untied embeddings of standard deviation 1, without which look-ups are learned late."""
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=plan.width,
        intermediate_size=plan.inner,
        num_hidden_layers=layers or plan.layers,
        num_attention_heads=plan.heads,
        num_key_value_heads=plan.heads,
        max_position_embeddings=plan.context,
        tie_word_embeddings=False,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    torch.manual_seed(plan.seed)
    model = LlamaForCausalLM(config).float()
    with torch.no_grad():
        model.get_input_embeddings().weight.normal_(0, 1)
        model.get_output_embeddings().weight.mul_(0.5)
    return model


def grown(model: LlamaForCausalLM) -> LlamaForCausalLM:
    """The model with its last block once more on top: what that block does can then be done once more."""
    config, last = deepcopy(model.config), model.config.num_hidden_layers - 1
    config.num_hidden_layers = last + 2
    weights = slow_again(model).state_dict()
    copies = {name.replace(f".{last}.", f".{last + 1}."): weights[name] for name in weights if f".{last}." in name}
    larger = LlamaForCausalLM(config).to(model.device)
    larger.load_state_dict(weights | {name: value.clone() for name, value in copies.items()})
    return larger


def make_optimizers(model: LlamaForCausalLM, plan: Recipe) -> list[torch.optim.Optimizer]:
    """Muon for the blocks' matrices, AdamW for embeddings, output and norms."""
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and ".layers." in name]
    others = [p for name, p in model.named_parameters() if p.ndim != 2 or ".layers." not in name]
    muon = torch.optim.Muon(matrices, lr=plan.muon_rate, momentum=0.95, weight_decay=0.0)
    adam = torch.optim.AdamW(others, lr=plan.adam_rate, betas=(0.9, 0.98), weight_decay=0.0)
    for optimizer in (muon, adam):
        for group in optimizer.param_groups:
            group["peak"] = group["lr"]
    return [muon, adam]


def rate(step: int, plan: Recipe) -> float:
    """The share of the full learning rate: a linear start, anew after each growth; flat; a linear fall to 1 %."""
    since = step - max(start for start in (0, *plan.grown) if start <= step)
    fall = max(1, round(plan.steps * plan.cool_down))
    return at(plan.peaks, step) * min((since + 1) / plan.warm_up, 1.0, max(0.01, (plan.steps - step) / fall))


def at(plan: Sequence[tuple[int, Any]], step: int) -> Any:
    """What a plan of (first step, value) holds at a step."""
    return next(value for start, value in reversed(plan) if start <= step)


def train_step(
    model: LlamaForCausalLM, optimizers: list[torch.optim.Optimizer], plan: Recipe, step: int, batch: Batch
) -> float:
    """One update on the weighted loss. Padding stands at the right, so no mask need name it."""
    read = Reading(*(each if each is None else each.to(model.device) for each in masked(
        batch, at(plan.masks, step), Random(f"ctkit masks {plan.seed} {step}")
    )))  # fmt: skip
    out = model.base_model(
        input_ids=batch.ids.to(model.device), attention_mask=read.mask, use_cache=False, output_hidden_states=True
    )
    loss = foreseen(model, out.last_hidden_state, batch.targets.to(model.device), read.weights)
    hint = at(plan.hints, step)
    if hint and read.hints.any():
        early = model.base_model.norm(out.hidden_states[HINTED])
        loss = loss + hint * foreseen(model, early, read.hints, (read.hints > 0).float())
    loss = loss / read.weights.sum()
    for optimizer in optimizers:
        optimizer.zero_grad(set_to_none=True)
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * rate(step, plan)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for optimizer in optimizers:
        optimizer.step()
    return loss.item()


def foreseen(model: LlamaForCausalLM, states: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """The weighted sum of the losses of targets, read from a stream."""
    wanted = weights > 0
    losses = F.cross_entropy(model.get_output_embeddings()(states[wanted]), targets[wanted], reduction="none")
    return (losses * weights[wanted]).sum()


def ship(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, out: Path, run: Path, plan: Recipe, seconds: float
) -> None:
    """Write the model folder: weights, tokenizer, and the record of the training."""
    model.generation_config.max_new_tokens = 128
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    (out / "model.safetensors").chmod(0o644)
    log = record.lines(run / "log.jsonl")
    kept = {"recipe": asdict(plan), "seconds": round(seconds), "tokens": log[-1]["tokens"], "device": model.device.type}
    kept["threads"] = torch.get_num_threads()
    kept["told"] = [[start, [dressed(part) for part in mixture]] for start, mixture in plan.stages]
    kept |= {"log": log[:: max(1, len(log) // 100)] + log[-1:], "scores": record.lines(run / "scores.jsonl")}
    (out / "train.json").write_text(json.dumps(kept) + "\n")
    record.plot(log, out / "loss.png")
