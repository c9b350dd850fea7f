"""Undo is exact: after a run, a failure or an interrupt nothing is left on the model, and nothing else is gone."""

import os
import random
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

import ctkit as ct
from ctkit import Setup
from ctkit.engine.interrupts import Stopped, stopped_when
from ctkit.engine.lm import LM
from ctkit.engine.rows import rows_of
from ctkit.engine.session import Session

from .engine_fixtures import EVERY, PROMPT, THROUGH_STREAM, Fails, Halt, left_behind, setups_for
from .families import ALL, ATTENDING, N_LAYERS, STREAM, lm_of, new_model, plain

pytestmark = pytest.mark.families


@pytest.fixture(autouse=True)
def interruptible():
    """Interrupts raise KeyboardInterrupt here, also where the tests were started in the background and ignore them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, handler)


@pytest.mark.parametrize("family", ALL)
def test_undo_is_exact(family):
    lm = lm_of(family)
    before, ids = left_behind(lm), ct.run(lm, PROMPT).ids
    expected = plain(lm, ids)
    for name, setup in setups_for(lm).items():
        ct.run(lm, PROMPT, setup, residual="all")
        ct.generate(lm, PROMPT, setup, max_new_tokens=2)
        assert left_behind(lm) == before, name
    assert torch.equal(plain(lm, ids), expected)


def run_that_fails(lm: LM, function: str, layer: int, error: type[BaseException], writes: bool) -> None:
    """A run, or a generation, in whose middle an exception is raised."""
    setup = Setup([*EVERY["reread, prepend and steer"], Fails(function, layer, error)])
    reading = {"attention": "all", "residual": "all"}
    call, options = (ct.generate, {"max_new_tokens": 2}) if writes else (ct.run, reading)
    with pytest.raises(error):
        call(lm, PROMPT, setup, **options)


@pytest.mark.parametrize("family", ["llama", "gpt2", "gemma2", "gpt_oss"])
def test_undo_is_exact_after_a_hundred_failures(family):
    lm, dice = lm_of(family), random.Random(family)
    before, ids = left_behind(lm), ct.run(lm, PROMPT).ids
    expected = plain(lm, ids)
    for turn in range(100):
        function = ("edit", "allow", "bias", "heads", "residual")[turn % 5]
        layer = dice.randrange(N_LAYERS + (function == "residual"))
        run_that_fails(lm, function, layer, dice.choice([Halt, KeyboardInterrupt, RuntimeError]), dice.random() < 0.3)
        assert left_behind(lm) == before
    assert torch.equal(plain(lm, ids), expected)
    assert torch.equal(ct.run(lm, PROMPT, attention="all").logits, expected)


@pytest.mark.parametrize("family", [*sorted(set(ATTENDING) - {"llama", "gpt2", "gemma2", "gpt_oss"}), *STREAM])
def test_undo_is_exact_after_failures(family):
    lm = lm_of(family)
    before, expected = left_behind(lm), plain(lm, [5, 6, 7])
    functions = ("edit", "allow", "bias", "heads", "residual") if lm.support["mask"] == "yes" else ("edit",)
    for function in functions:
        run_that_fails(lm, function, 1, KeyboardInterrupt, writes=False)
        assert left_behind(lm) == before
    assert torch.equal(plain(lm, [5, 6, 7]), expected)


@pytest.mark.skipif(
    threading.current_thread() is not threading.main_thread(), reason="only a main thread is interrupted"
)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_undo_is_exact_whenever_a_run_is_interrupted():
    """Interrupts at any step, real ones: also while hooks are set or removed."""
    lm, setup, dice = lm_of("llama"), Setup(EVERY["all at once"]), random.Random(0)
    before, ids = left_behind(lm), ct.run(lm, PROMPT).ids
    expected, start = plain(lm, ids), time.perf_counter()
    ct.run(lm, PROMPT, setup, attention="all", residual="all")
    longest, interrupted = time.perf_counter() - start, 0
    handler = signal.getsignal(signal.SIGINT)
    for _ in range(150):
        alarm = threading.Timer(dice.uniform(0, longest), lambda: os.kill(os.getpid(), signal.SIGINT))
        try:
            alarm.start()
            ct.run(lm, PROMPT, setup, attention="all", residual="all")
            alarm.join()
            time.sleep(0)
        except KeyboardInterrupt:
            interrupted += 1
        assert left_behind(lm) == before
        assert torch.is_grad_enabled()
        assert signal.getsignal(signal.SIGINT) is handler
    assert interrupted > 100, "Python itself loses an interrupt that comes while it collects garbage"
    assert torch.equal(plain(lm, ids), expected)
    assert torch.equal(ct.run(lm, PROMPT, attention="all").logits, expected)


def test_an_interrupt_waits_for_the_end_of_the_undoing():
    """The moments that chance rarely hits: in the middle of setting up, of taking down, and of listening."""
    lm, setup = lm_of("llama"), Setup(EVERY["all at once"])
    before = left_behind(lm)

    class Interrupted(Session):
        at: str = ""

        def _hooks(self):
            for number, remove in enumerate(super()._hooks()):
                if self.at == "setting up" and number == 1:
                    signal.raise_signal(signal.SIGINT)
                yield remove

    for at in ("setting up", "taking down"):
        row = rows_of(lm, [PROMPT], setup)
        session = Interrupted(lm, row, len(row[0].enc))
        session.at = at
        with pytest.raises(KeyboardInterrupt), session.installed():  # noqa: PT012
            session.forward(torch.tensor([row[0].enc.ids]), last=0)
            signal.raise_signal(signal.SIGINT)
            session.at = "over"
        assert (session.at == "over") == (at == "taking down")
        assert left_behind(lm) == before

    heard = []
    with pytest.raises(KeyboardInterrupt):
        ct.generate(lm, PROMPT, setup, on_token=lambda token: (heard.append(token), signal.raise_signal(signal.SIGINT)))
    assert len(heard) == 1, "the writing stops at the next step"
    assert left_behind(lm) == before


def test_undo_is_exact_when_a_listener_fails():
    lm = lm_of("llama")
    before = left_behind(lm)

    def on_token(token):
        raise Halt

    with pytest.raises(Halt):
        ct.generate(lm, PROMPT, EVERY["all at once"], on_token=on_token)
    assert left_behind(lm) == before


@pytest.mark.parametrize("family", ["llama", "gpt2", "gemma2", "gpt_neo"])
def test_a_run_inside_a_run_knows_nothing_of_it(family):
    lm = lm_of(family)
    before, ids = left_behind(lm), ct.run(lm, PROMPT).ids
    setup = setups_for(lm).get("all at once", Setup(THROUGH_STREAM["reread, prepend and steer"]))
    expected, outer = plain(lm, ids), ct.generate(lm, PROMPT, setup, max_new_tokens=3)
    other = ct.run(lm, PROMPT, THROUGH_STREAM["steer"]).logits
    inside = []

    def look():
        inside.append(torch.equal(plain(lm, ids), expected))
        inside.append(torch.equal(ct.run(lm, PROMPT, residual="all").logits, expected))
        inside.append(torch.equal(ct.run(lm, PROMPT, THROUGH_STREAM["steer"]).logits, other))
        if lm.support["attention"] == "yes":
            inside.append(torch.equal(ct.run(lm, PROMPT, attention="all").logits, expected))

    class Looks(ct.Intervention):
        def residual(self, x, enc, layer):
            if layer == 1:
                look()
            return x

    again = ct.generate(lm, PROMPT, setup, Looks(), max_new_tokens=3, on_token=lambda token: look())
    assert len(inside) >= 18
    assert all(inside)
    assert again.ids == outer.ids
    assert torch.equal(again.logits, outer.logits)
    assert left_behind(lm) == before


def test_runs_in_two_threads_do_not_meet():
    lm = lm_of("llama")
    setups = [Setup(EVERY[name]) for name in ("all at once", "steer", "prefix", "slope", "reread")] * 6
    expected = [ct.run(lm, PROMPT, setup).logits for setup in setups]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda setup: ct.run(lm, PROMPT, setup).logits, setups))
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))
    assert left_behind(lm)["attention"] == "sdpa"


def test_a_hook_that_was_there_stays():
    lm, heard = ct.wrap(new_model("llama"), lm_of("llama").tokenizer), []
    handle = lm.blocks[1].register_forward_hook(lambda module, args, output: heard.append(output))
    before = left_behind(lm)
    trace = ct.run(lm, PROMPT, EVERY["steer"], residual=[2])
    assert left_behind(lm) == before
    assert len(heard) == 1
    assert torch.equal(heard[0][0].cpu(), trace.residual(2))
    handle.remove()


@pytest.mark.parametrize("family", STREAM)
def test_work_that_nobody_wants_ends_before_the_next_block(family):
    """Counted in blocks: the first question is asked before the first one."""
    lm = lm_of(family)
    setup, before = ct.Reread(), left_behind(lm)
    whole, asked = ct.run(lm, PROMPT, setup), []

    def unwanted() -> bool:
        asked.append(None)
        return len(asked) > limit

    for limit in range(2 * lm.n_layers):
        asked.clear()
        with pytest.raises(Stopped), stopped_when(unwanted):
            [ct.run(lm, PROMPT, one) for one in (setup, Setup())]
        assert len(asked) == limit + 1
        assert torch.equal(ct.run(lm, PROMPT, setup).logits, whole.logits)
        assert left_behind(lm) == before


def test_only_who_said_so_is_stopped():
    lm = lm_of("llama")
    with stopped_when(lambda: True):
        other = threading.Thread(target=lambda: found.append(ct.run(lm, PROMPT).logits))
        found: list[torch.Tensor] = []
        other.start()
        other.join()
    assert torch.equal(found[0], ct.run(lm, PROMPT).logits)
