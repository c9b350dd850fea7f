"""A flip worked out ahead: the same picture, sooner; nothing is put off for it, and nobody is bothered by it."""

import threading

import pytest
import torch

import ctkit as ct
from ctkit.engine import session
from ctkit.tasks import get
from ctkit.ui import ahead as ahead_module
from ctkit.ui import look as look_module
from ctkit.ui.ahead import ahead

PROMPT = get("hunt").generate(3, 2).prompt


@pytest.fixture
def view(lm, monkeypatch):
    """A view at rest, with what it says to the browser in `.said`."""
    widget = ct.Playground(lm, PROMPT)
    widget.said = []
    monkeypatch.setattr(widget, "send", lambda content, buffers=None: widget.said.append((content, buffers)))
    monkeypatch.setattr(ahead_module, "QUICK", 60.0)
    assert widget.wait(120)
    return widget


@pytest.fixture
def runs(monkeypatch):
    """The setups that were run."""
    seen, real = [], look_module.look
    monkeypatch.setattr(
        look_module, "look", lambda lm, prompt, setup, *more: seen.append(setup) or real(lm, prompt, setup, *more)
    )
    return seen


def asked(view, *setup, **parts) -> dict:
    return {"type": "ahead", "seq": view.seq, "state": view.state | {"setup": ct.Setup(setup).to_data()} | parts}


def test_what_is_told_ahead_is_the_picture_that_the_flip_shows(view, runs):
    before = (view.frame, view.state, view.code)
    message = asked(view, ct.Reread())
    ahead(view, message)
    assert view.wait(120)
    assert (view.frame, view.state, view.code) == before and view.error is None, "nothing is flipped yet"
    [(told, [attention, allowed])] = view.said
    assert told["state"] == message["state"] and told["frame"]["before"] is None
    assert len(runs) == 1
    view.setup = ct.Reread()
    assert view.wait(120)
    assert len(runs) == 1, "the flip takes over the run"
    own = ("seq", "ms", "model")
    after = view.frame["after"]
    whole = told["frame"] | {
        "after": told["frame"]["after"] | {"attention": after["attention"], "allowed": after["allowed"]}
    }
    assert {n: v for n, v in whole.items() if n not in (*own, "before")} == {
        n: v for n, v in view.frame.items() if n not in own
    }
    assert bytes(attention) == bytes(after["attention"]["data"]) and bytes(allowed) == bytes(after["allowed"]["data"])


def test_nothing_that_is_being_measured_is_put_off(view, runs):
    begun, go = threading.Event(), threading.Event()
    found = []

    def long(stale):
        begun.set()
        go.wait(20)
        found.append(stale())

    view._worker.submit(long)
    assert begun.wait(20)
    ahead(view, asked(view, ct.Reread()))
    go.set()
    assert view.wait(120)
    assert found == [False] and runs == [] and view.said == []


def test_a_slow_model_is_run_only_when_somebody_flips(view, runs, monkeypatch):
    monkeypatch.setattr(ahead_module, "QUICK", 0.0)
    ahead(view, asked(view, ct.Reread()))
    assert view.wait(120)
    assert runs == [] and view.said == []


@pytest.mark.parametrize("flip, n_runs", [(ct.Reread(), 1), (ct.Mask("prefix"), 2)])
def test_a_flip_to_the_same_takes_it_over_and_a_flip_to_something_else_ends_it(view, runs, monkeypatch, flip, n_runs):
    reached, flipped = threading.Event(), threading.Event()
    real = session.stop_if_unwanted

    def slowly():
        reached.set()
        flipped.wait(20)
        real()

    monkeypatch.setattr(session, "stop_if_unwanted", slowly)
    ahead(view, asked(view, ct.Reread()))
    assert reached.wait(20)
    view.setup = flip
    flipped.set()
    assert view.wait(120)
    assert len(runs) == n_runs and view.frame["after"] is not None
    assert view.said == [], "the flip has answered"
    view.setup = ct.Reread()
    assert view.wait(120)
    assert len(runs) == {1: 1, 2: 3}[n_runs], "what was ended is run anew"


@pytest.mark.parametrize(
    "part",
    [
        {"setup": [{"intervention": "Reread", "times": 99}]},
        {"setup": 3},
        {"prompt": [{"name": "text", "text": ""}]},
        {"setup": [{"intervention": "Emphasize", "piece": "nowhere", "alpha": 0.01, "layers": None}]},
    ],
)
def test_what_cannot_be_run_is_said_only_when_it_is_flipped(view, part):
    ahead(view, asked(view, **part))
    ahead(view, {"type": "ahead"})
    assert view.wait(120)
    assert view.said == [] and view.error is None and view._worker.wait(1)


def test_the_browser_is_told_only_what_it_can_complete(view):
    for message in (
        asked(view),
        asked(view, ct.Reread()) | {"seq": view.seq - 1},
        asked(view, ct.Reread(), prompt=[{"name": "text", "text": "Another text."}]),
    ):
        ahead(view, message)
        assert view.wait(120)
    assert view.said == []


def test_a_run_ahead_leaves_the_model_as_it_was(lm, view):
    weights = {name: tensor.clone() for name, tensor in lm.model.state_dict().items()}
    logits = ct.run(lm, PROMPT).logits
    ahead(view, asked(view, ct.Mask("prefix"), ct.Reread()))
    assert view.wait(120) and len(view.said) == 1
    assert all(torch.equal(tensor, weights[name]) for name, tensor in lm.model.state_dict().items())
    assert torch.equal(ct.run(lm, PROMPT).logits, logits)
