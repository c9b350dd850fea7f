"""Training a teaching model: `ctkit train tiny`. Resumable, seeded, on a GPU where there is one."""

import json
import time
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from random import Random

import torch
from torch.nn import functional as F
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from . import manifest, record
from .corpus import Batch, batches, encode
from .linear import quicken, slow_again
from .masking import masked
from .recipes import Recipe, recipe
from .tokenizer import FastEncoder, make_tokenizer


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
    tokenizer = make_tokenizer()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = quicken(make_model(plan, tokenizer).to(device))
    optimizers = make_optimizers(model, plan)
    first, spent = record.resume(run, model, optimizers)
    started, last = time.perf_counter() - spent, min(until or plan.steps, plan.steps)
    encode_ = partial(encode, encoder=FastEncoder(tokenizer), start=tokenizer.bos_token_id, end=tokenizer.eos_token_id)
    tokens, losses = 0, []
    for step, batch in enumerate(batches(plan, encode_, first), first + 1):
        if step > last:
            break
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


def make_model(plan: Recipe, tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    """A Llama-style model with untied embeddings of standard deviation 1, without which look-ups are learned late."""
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=plan.width,
        intermediate_size=plan.inner,
        num_hidden_layers=plan.layers,
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
    """The share of the peak learning rate: a linear start, flat, and a linear fall to 1 %."""
    fall = max(1, round(plan.steps * plan.cool_down))
    return min((step + 1) / plan.warm_up, 1.0, max(0.01, (plan.steps - step) / fall))


def train_step(
    model: LlamaForCausalLM, optimizers: list[torch.optim.Optimizer], plan: Recipe, step: int, batch: Batch
) -> float:
    """One update on the weighted loss. Padding stands at the right, so no mask need name it."""
    device = model.device
    mask, weights = masked(batch, plan.masks, Random(f"ctkit masks {plan.seed} {step}"))
    mask = mask if mask is None else mask.to(device)
    states = model.base_model(input_ids=batch.ids.to(device), attention_mask=mask, use_cache=False).last_hidden_state
    wanted = weights > 0
    targets, share = batch.targets[wanted].to(device), weights[wanted].to(device)
    losses = F.cross_entropy(model.get_output_embeddings()(states[wanted.to(device)]), targets, reduction="none")
    loss = (losses * share).sum() / share.sum()
    for optimizer in optimizers:
        optimizer.zero_grad(set_to_none=True)
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * rate(step, plan)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for optimizer in optimizers:
        optimizer.step()
    return loss.item()


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
    kept |= {"log": log[:: max(1, len(log) // 100)] + log[-1:], "scores": record.lines(run / "scores.jsonl")}
    (out / "train.json").write_text(json.dumps(kept) + "\n")
    record.plot(log, out / "loss.png")
