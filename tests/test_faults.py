"""A thousand injected faults leave the model as it was: whatever is raised, wherever and whenever."""

import random
import signal
import sys
import threading
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
import torch
from torch.overrides import TorchFunctionMode

import ctkit as ct
from ctkit import Intervention, Setup, Steer
from ctkit.engine.generate import generate_many
from ctkit.engine.lm import LM
from ctkit.engine.rows import rows_of
from ctkit.engine.run import run_many, traces, wanted
from ctkit.interventions import as_setup

from .engine_fixtures import EVERY, PROMPT, TECHNIQUES, direction, left_behind
from .families import TOKENIZER, new_model, plain

pytestmark = pytest.mark.families

FAMILIES = ("llama", "gpt_neo", "gemma2")  # attention through the interface, through hooks, with a window
FAULTS = 334  # in each of them
ERRORS = (ValueError, torch.cuda.OutOfMemoryError, KeyboardInterrupt, MemoryError, RuntimeError, SystemExit)
FUNCTIONS = ("edit", "allow", "bias", "heads", "mlp", "residual", "segments", "goes_on")
SETUPS = [EVERY["all at once"], EVERY["reread, prepend and steer"], TECHNIQUES["a bit of each"], EVERY["emphasis"]]


class Fuse:
    """Counts what comes by, and raises at one of them."""

    def __init__(self, at: int = -1, error: type[BaseException] = ValueError):
        self.left, self.error, self.counted, self.blown = at, error, 0, False

    def burn(self, *about: object, **more: object) -> None:
        """One more came by."""
        self.counted += 1
        self.left -= 1
        if self.left == -1:
            self.blown = True
            raise self.error("injected")


@dataclass(frozen=True, eq=False)
class Breaks(Intervention):
    """Changes nothing and raises in one of its functions, when the fuse says so."""

    function: str
    fuse: Fuse = field(repr=False)

    def _at(self, function):
        if function == self.function:
            self.fuse.burn()

    def edit(self, prompt):
        self._at("edit")
        return prompt

    def allow(self, allowed, enc, layer):
        self._at("allow")
        return allowed.clone()

    def bias(self, enc, layer):
        self._at("bias")

    def heads(self, z, enc, layer):
        self._at("heads")
        return z.clone()

    def mlp(self, y, enc, layer):
        self._at("mlp")
        return y.clone()

    def residual(self, x, enc, layer):
        self._at("residual")
        return x.clone()

    def segments(self, enc):
        self._at("segments")
        return ()

    def goes_on(self, prompt, written, ended):
        self._at("goes_on")


class Operations(TorchFunctionMode):
    """Burns a fuse at every call of torch, the model's and ours: in attention, masks, streams and pools.

    Not at the switching of gradients, by which torch itself takes down what it has set up; nor inside the type checks
    of the test runs, which make another error of it."""

    def __init__(self, fuse: Fuse):
        super().__init__()
        self.fuse = fuse

    def __torch_function__(self, func, types, args=(), kwargs=None):
        checking = sys._getframe(1).f_globals["__name__"].startswith("jaxtyping")
        if not checking and "grad" not in getattr(func, "__name__", ""):
            self.fuse.burn()
        return func(*args, **(kwargs or {}))


# --- what is being done when it happens ---


def reads(lm, dice, setup, heard):
    return ct.run(lm, PROMPT, setup, attention="all", residual="all", heads="all", mlp="all").logits


def reads_many(lm, dice, setup, heard):
    return run_many(lm, [PROMPT, (PROMPT, TECHNIQUES["noise"]), PROMPT.then(thought="Hm")], setup)[0].logits


def reads_lazily(lm, dice, setup, heard):
    return ct.run(lm, PROMPT, setup).attention(1)


def writes(lm, dice, setup, heard):
    return ct.generate(lm, PROMPT, setup, max_new_tokens=3, temperature=1.0, on_token=heard).logits


def writes_many(lm, dice, setup, heard):
    return generate_many(lm, [PROMPT, PROMPT.then(thought="Hm")], setup, max_new_tokens=2, on_progress=heard)[0].logits


def sweeps(lm, dice, setup, heard):
    site = dice.choice(["residual", "heads", "mlp"])
    own = dice.choice([setup, Setup()])  # without more than words changed, a sweep goes by a shorter way
    return ct.patch_sweep(
        lm, PROMPT, (PROMPT, ct.Swap("has", "got")), own, site=site, layers=[0, 2], where=(4, 9)
    ).logits


def shrinks(lm, dice, setup, heard):
    def pool(weights):
        heard()
        return weights.mean(-1, keepdim=True)

    thumbs = ct.thumbnails(lm, PROMPT, setup, size=4).weights[1]
    pooled = traces(lm, rows_of(lm, [PROMPT], as_setup(setup)), wanted(lm, attention="all", pool=pool), last_only=False)
    return torch.cat([thumbs.flatten(), pooled[0].logits.flatten()])


def steers_as_far(lm, dice, setup, heard):
    return ct.run(lm, PROMPT, Steer(direction(), kl=dice.uniform(0.05, 0.2))).logits


JOBS = [reads, reads, reads_many, reads_lazily, writes, writes, writes_many, sweeps, shrinks, steers_as_far]


# --- where it happens ---


def silent(*about: object) -> None:
    """A listener that hears without a word."""


@contextmanager
def in_an_operation(lm, dice, fuse):
    with Operations(fuse):
        yield Setup(), silent


@contextmanager
def in_a_module(lm, dice, fuse):
    modules = [module for block in lm.blocks for module in block.modules()]
    module = dice.choice([lm.model, lm.model.get_input_embeddings(), lm.model.get_output_embeddings(), *modules])
    register = dice.choice([module.register_forward_hook, module.register_forward_pre_hook])
    handle = register(fuse.burn)
    try:
        yield Setup(), silent
    finally:
        handle.remove()


@contextmanager
def in_an_intervention(lm, dice, fuse):
    yield Setup([Breaks(dice.choice(FUNCTIONS), fuse)]), silent


@contextmanager
def in_a_listener(lm, dice, fuse):
    yield Setup(), fuse.burn


PLACES = [in_an_operation, in_an_operation, in_a_module, in_an_intervention, in_a_listener]


# --- what must be as before ---


def state(lm: LM) -> dict:
    """All that a fault could have changed."""
    return left_behind(lm) | {
        "gradients": torch.is_grad_enabled(),
        "interrupts": signal.getsignal(signal.SIGINT),
        "locked": lm.lock._is_owned(),
        "buffers": {name: (id(buffer), buffer.sum().item()) for name, buffer in lm.model.named_buffers()},
        "parameters": [id(parameter) for parameter in lm.model.parameters()],
    }


def answers(lm: LM) -> list[torch.Tensor]:
    """What the model says, plainly and under setups, from memory and anew."""
    found = [plain(lm, ct.run(lm, PROMPT).ids), ct.run(lm, PROMPT, attention="all").attention(1)]
    return found + [ct.run(lm, PROMPT, setup).logits for setup in SETUPS]


def same(one: list[torch.Tensor], other: list[torch.Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def fault(lm: LM, dice: random.Random, error: type[BaseException]) -> str | None:
    """One fault somewhere in one job; what it was, or None where it did not happen."""
    job, place, setup = dice.choice(JOBS), dice.choice(PLACES), dice.choice(SETUPS)
    if dice.random() < 0.3:
        lm.memory.kept.clear()  # so that what is remembered is also made, and broken off, now and then
    latest = 400 if place is in_an_operation else 4
    fuse = Fuse(int(latest * dice.random() ** 2), error)
    with ExitStack() as stack:
        stack.callback(lm.strengths.clear)
        breaking, heard = stack.enter_context(place(lm, dice, fuse))
        try:
            job(lm, dice, as_setup(setup, breaking), heard)
        except error:
            if not fuse.blown:
                raise
            return f"{place.__name__} while it {job.__name__}"
    assert not fuse.blown or job is sweeps, "only a sweep may do without what failed, and go another way"
    return None


@pytest.mark.parametrize("family", FAMILIES)
def test_a_thousand_faults_leave_the_model_as_it_was(family):
    model, dice, faults = new_model(family), random.Random(family), Counter()
    untouched = SimpleNamespace(model=model, lock=threading.RLock())  # before ctkit has seen it
    before, ids = state(untouched), list(PROMPT.text.encode())
    logits = plain(untouched, ids)
    lm = ct.wrap(model, TOKENIZER)
    expected = answers(lm)
    assert state(lm) == before
    while faults.total() < FAULTS:
        happened = fault(lm, dice, dice.choice(ERRORS))
        if happened:
            faults[happened] += 1
            assert state(lm) == before, happened
            assert faults.total() % 50 or same(answers(lm), expected), happened
    assert same(answers(lm), expected)
    assert torch.equal(plain(lm, ids), logits)
    lm.memory.kept.clear()
    assert same(answers(lm), expected)
    assert len(faults) > 20, faults
