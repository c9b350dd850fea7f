"""Two threads with two setups, on one model or on two, get the answers that they get one after the other."""

import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

import ctkit as ct
from ctkit import Steer
from ctkit.engine.generate import generate_many
from ctkit.engine.lm import LM
from ctkit.engine.run import run_many

from .engine_fixtures import EVERY, PROMPT, TECHNIQUES, direction, left_behind
from .families import TOKENIZER, lm_of, new_model, plain

pytestmark = pytest.mark.families

Job = Callable[[LM], list[torch.Tensor]]


@pytest.fixture(autouse=True)
def impatient():
    """Threads that take turns as often as Python can."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(usual)


def _reads(*setup) -> Job:
    def job(lm):
        trace = ct.run(lm, PROMPT, *setup, attention="all", residual="all")
        return [trace.logits, trace.attention(1), trace.residual(2), trace.heads(0), trace.mlp(1)]

    return job


def _writes(*setup, **wishes) -> Job:
    def job(lm):
        inside = []
        written = ct.generate(
            lm, PROMPT, *setup, max_new_tokens=4, on_token=lambda _: inside.append(ct.run(lm, "Who?").logits), **wishes
        )
        return [torch.tensor(written.ids), written.logits, written.attention(0), *inside]

    return job


def _many(*setup) -> Job:
    def job(lm):
        entries = [PROMPT, (PROMPT, TECHNIQUES["noise"]), PROMPT.then(thought="Hm")]
        read, written = run_many(lm, entries, *setup), generate_many(lm, entries, *setup, max_new_tokens=2)
        return [each.logits for each in [*read, *written]]

    return job


def _sweeps(site: str) -> Job:
    def job(lm):
        sweep = ct.patch_sweep(lm, PROMPT, (PROMPT, ct.Swap("has", "got")), site=site, layers=[0, 2], where=(4, 9))
        return [sweep.logits, sweep.clean.logits]

    return job


def _shrinks(*setup) -> Job:
    return lambda lm: list(ct.thumbnails(lm, PROMPT, *setup, size=4).weights.values())


def _as_far(kl: float) -> Job:
    return lambda lm: [ct.run(lm, PROMPT, Steer(direction(), kl=kl)).logits]


ONE = [
    _reads(EVERY["all at once"]),
    _writes(EVERY["prefix"]),
    _sweeps("heads"),
    _many(EVERY["steer"]),
    _as_far(0.1),
    _shrinks(EVERY["window"]),
    _reads(),
]
OTHER = [
    _writes(EVERY["reread, prepend and steer"], temperature=1.0, cache="none"),
    _reads(TECHNIQUES["a bit of each"]),
    _many(EVERY["emphasis"]),
    _sweeps("mlp"),
    _reads(EVERY["stripes"]),
    _as_far(0.2),
    _shrinks(),
]


def in_turn(lm: LM, jobs: list[Job]) -> list[list[torch.Tensor]]:
    return [job(lm) for job in jobs]


def at_once(*tasks: Callable[[], list[list[torch.Tensor]]]) -> list[list[list[torch.Tensor]]]:
    """What each of the tasks finds, all begun at the same moment."""
    start = threading.Barrier(len(tasks))

    def begun(task):
        start.wait()
        return task()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(begun, tasks))


def assert_same(found: list[list[torch.Tensor]], expected: list[list[torch.Tensor]]) -> None:
    for number, (some, same) in enumerate(zip(found, expected, strict=True)):
        assert all(torch.equal(a, b) for a, b in zip(some, same, strict=True)), f"job {number}"


@pytest.mark.parametrize("family", ["llama", "gpt_neo"])
def test_two_threads_on_one_model(family):
    lm = ct.wrap(new_model(family), TOKENIZER)
    alone = ct.wrap(new_model(family), TOKENIZER)
    before, expected = left_behind(lm), [in_turn(alone, ONE), in_turn(alone, OTHER)]
    logits = plain(lm, ct.run(lm, PROMPT).ids)
    for _ in range(2):  # the first time all that is remembered is new, and made in both threads
        for found, same in zip(at_once(lambda: in_turn(lm, ONE), lambda: in_turn(lm, OTHER)), expected):
            assert_same(found, same)
        assert left_behind(lm) == before
        assert torch.equal(plain(lm, ct.run(lm, PROMPT).ids), logits)


def test_four_threads_on_two_models():
    one, other = (ct.wrap(new_model(family, seed=5), TOKENIZER) for family in ("llama", "gpt2"))
    alone = [ct.wrap(new_model(family, seed=5), TOKENIZER) for family in ("llama", "gpt2")]
    expected = [in_turn(lm, jobs) for lm in alone for jobs in (ONE, OTHER)]
    found = at_once(*(lambda lm=lm, jobs=jobs: in_turn(lm, jobs) for lm in (one, other) for jobs in (ONE, OTHER)))
    for some, same in zip(found, expected, strict=True):
        assert_same(some, same)


def test_a_thread_that_knows_nothing_of_ctkit_is_not_disturbed():
    """transformers' own calls, while another thread has its hooks and its attention function in the model."""
    lm = lm_of("llama")
    ids = ct.run(lm, PROMPT).ids
    expected, over = plain(lm, ids), threading.Event()

    def runs():
        try:
            return in_turn(lm, [*ONE, *OTHER])
        finally:
            over.set()

    def looks_on():
        seen = [[plain(lm, ids)]]
        while not over.is_set():
            seen.append([plain(lm, ids)])
        return seen

    _, seen = at_once(runs, looks_on)
    assert len(seen) > 20
    assert all(torch.equal(one, expected) for [one] in seen)


def test_a_failure_in_one_thread_leaves_the_other_alone():
    lm = lm_of("gpt_neo")
    before, expected = left_behind(lm), in_turn(lm, ONE)

    class Fails(ct.Intervention):
        def heads(self, z, enc, layer):
            raise ArithmeticError

    def fails():
        for _ in range(20):
            with pytest.raises(ArithmeticError):
                ct.run(lm, PROMPT, EVERY["emphasis"], Fails())
        return []

    found, _ = at_once(lambda: in_turn(lm, ONE), fails)
    assert_same(found, expected)
    assert left_behind(lm) == before


def test_the_sabotage_of_the_lock_is_found():
    """Without its lock a model is no place for two: the tests above would not pass."""
    from contextlib import nullcontext
    from dataclasses import replace

    lm = replace(lm_of("gpt_neo"), lock=nullcontext())
    expected = [in_turn(lm, ONE), in_turn(lm, OTHER)]

    def together():
        for _ in range(5):
            for found, same in zip(at_once(lambda: in_turn(lm, ONE), lambda: in_turn(lm, OTHER)), expected):
                assert_same(found, same)

    with pytest.raises(Exception):  # noqa: B017, PT011 — anything may go wrong
        together()
