"""The playground without a browser: one worker, frames that say what ran, errors as text, a state that is a setup."""

import json
import math
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import ctkit as ct
from ctkit.tasks import get
from ctkit.ui import population
from ctkit.ui.frame import frame_of, shown_token
from ctkit.ui.look import look
from ctkit.ui.worker import Worker

PROMPT = get("hunt").generate(3, 2).prompt


@pytest.fixture
def playground(lm):
    widget = ct.Playground(lm, PROMPT)
    assert widget.wait(60)
    return widget


def unpacked(block: dict) -> np.ndarray:
    """What `widgets/src/playground/decode.ts` makes of a block."""
    shape, data = block["shape"], np.frombuffer(block["data"], dtype=np.uint8)
    if block["packing"] == "bits":
        return np.unpackbits(data, bitorder="little", count=math.prod(shape)).reshape(shape)
    if block["packing"] == "causal":
        return np.broadcast_to(np.tril(np.ones(shape[-2:], np.uint8)), shape)
    if block["packing"] == "triangle":
        square = np.zeros(shape, np.uint8)
        rows, columns = np.tril_indices(shape[-1])
        count = math.prod(shape[:-2]) * len(rows)
        triangle = np.unpackbits(data, bitorder="little", count=count)
        triangle[triangle == 1] = data[-(-count // 8) :]
        square[..., rows, columns] = triangle.reshape(*shape[:-2], -1)
        return square
    return data.reshape(shape)


def test_the_latest_request_wins():
    worker, done, gate = Worker(), [], threading.Event()
    worker.submit(lambda stale: (gate.wait(5), done.append(("first", stale()))))
    time.sleep(0.05)
    for name in ("second", "third"):
        worker.submit(lambda stale, name=name: done.append((name, stale())))
    gate.set()
    assert worker.wait(5) and done == [("first", True), ("third", False)]


def test_a_worker_survives_a_job_that_fails():
    worker, done = Worker(), []
    threading.excepthook, old = (lambda args: None), threading.excepthook
    try:
        worker.submit(lambda stale: 1 / 0)
        worker.wait(5)
        worker.submit(lambda stale: done.append(1))
        assert worker.wait(5) and done == [1]
    finally:
        threading.excepthook = old


def test_a_program_can_end_while_something_is_computed():
    """The thread must not be cut off inside torch: that aborts the process."""
    code = (
        "import torch\nfrom ctkit.ui.worker import Worker\n"
        "def job(stale):\n    while not stale():\n        torch.randn(300, 300) @ torch.randn(300, 300)\n"
        "worker = Worker()\nworker.submit(job)\n__import__('time').sleep(0.3)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_a_frame_holds_the_weights_of_the_run(lm):
    setup = ct.Setup([ct.Mask("prefix"), ct.Knockout("question", "context", heads=[1])])
    before, after = look(lm, PROMPT, ct.Setup()), look(lm, PROMPT, setup)
    frame = frame_of(lm, before, after, setup)
    weights = unpacked(frame["after"]["attention"])
    assert weights.shape == (lm.n_layers, lm.n_heads, len(after.trace.ids), len(after.trace.ids))
    assert np.abs(weights[2, 1] / 255 - after.trace.attention(2, 1).numpy()).max() <= 0.5 / 255 + 1e-6
    allowed = unpacked(frame["after"]["allowed"])
    assert allowed.shape[:2] == (1, lm.n_heads)
    assert not weights[0, 1][allowed[0, 1] == 0].any(), "what the mask forbids has no weight"
    assert unpacked(frame["before"]["attention"]).any(), "a causal run comes as triangles"
    assert frame["before"]["tokens"] == before.trace.tokens and frame["align"] == list(range(len(before.trace.ids)))
    assert [round(p, 5) for _, p, _ in ct.compare(before.trace, after.trace).next_tokens] == [
        t["before"] for t in frame["next"]
    ]


def test_a_flip_in_the_view_is_followed(playground):
    seq = playground.seq + 1
    setup = [{"intervention": "Reread", "times": 2}]
    playground.set_state({"state": playground.state | {"setup": setup}, "seq": seq})  # as the browser sends it
    assert playground.wait(60) and playground.frame["seq"] == seq and playground.error is None
    assert playground.setup == ct.Setup([ct.Reread()])
    assert len(playground.frame["after"]["tokens"]) > len(playground.before["tokens"])


def test_the_code_gives_the_same_numbers(playground):
    playground.setup = [ct.Reread(), ct.Mask("window", size=9)]
    playground.wait(60)
    scope: dict = {}
    lines = playground.code.rsplit("\n", 1)
    exec(lines[0], scope)
    shown = [(t["token"], t["before"], t["after"]) for t in playground.frame["next"]]
    assert [(t, round(p, 5), round(q, 5)) for t, p, q in eval(lines[1], scope)] == shown


def test_an_error_is_text_and_the_picture_stays(playground):
    good = playground.frame
    playground.set_state({"state": playground.state | {"setup": [{"intervention": "Mask", "kind": "upside-down"}]}})
    playground.wait(60)
    assert "upside-down" in playground.error["asked"] and playground.error["remedy"]
    assert playground.frame == good
    playground.setup = ()
    playground.wait(60)
    assert playground.error is None


@pytest.mark.parametrize("text", ["", "   ", "word " * 3000])
def test_bad_prompts_are_errors_in_words(playground, text):
    playground.set_state({"state": playground.state | {"prompt": [{"name": "text", "text": text}]}})
    playground.wait(60)
    assert set(playground.error) == {"asked", "found", "remedy"} and all(playground.error.values())


@pytest.mark.parametrize(("apart", "told"), [(0, list(range(10, 121, 10))), (1e6, [10, 120])])
def test_a_population_fills_up_and_ends(lm, monkeypatch, apart, told):
    """Lines that follow each other faster than `APART` are left out, but the first and the last."""
    monkeypatch.setattr(population, "APART", apart)
    widget = ct.Playground(lm)
    widget.wait(120)
    lines = []
    widget.observe(lambda change: lines.append(change.new), names="population")
    widget.state = widget.state | {"n": 120, "setup": ct.Setup([ct.Mask("bidirectional")]).to_data()}
    assert widget.wait(120)
    assert [line["done"] for line in lines] == told
    assert [line["running"] for line in lines] == [True] * (len(told) - 1) + [False]
    state = widget.state
    effect = ct.effect(
        lm, state["task"], ct.Mask("bidirectional"), n=120, seed=state["seed"], difficulty=state["difficulty"]
    )
    last = lines[-1]
    assert (last["mended"], last["broken"]) == (effect.mended, effect.broken)
    assert (last["low"], last["high"]) == effect.interval


def test_steps_appear_with_thinking_and_go_without(playground):
    assert playground.steps is None
    playground.setup = ct.Think()
    playground.wait(120)
    assert playground.steps["measures"]["mistake"]["sentences"]
    playground.setup = ()
    playground.wait(60)
    assert playground.steps is None


def test_steps_have_the_labels_that_the_task_knows(lm):
    widget = ct.Playground(lm)
    widget._told(widget, {"type": "new_problem", "task": "sums", "difficulty": 3}, [])
    widget.setup = ct.Think()
    assert widget.wait(120)
    problem = get("sums").generate(widget._problem_seed, 3)
    for row in widget.steps["steps"]:
        assert row["label"] == dict(zip(problem.steps, problem.labels, strict=True)).get(row["text"])
    assert {row["label"] for row in widget.steps["steps"]} >= {"true", "decoy"}
    align = widget.frame["align"]
    assert align[-1] == len(widget.frame["after"]["tokens"]) - 1, (
        "the cue that the thought ends in is the cue before it"
    )


def test_problems_are_shown_with_their_task(lm):
    widget = ct.Playground(lm)
    widget._told(widget, {"type": "load_problem", "seed": 77}, [])
    assert widget.prompt == get(widget.state["task"]).generate(77, widget.state["difficulty"]).prompt
    widget._told(widget, {"type": "new_problem", "task": "sums", "difficulty": 2}, [])
    assert (widget.state["task"], widget.state["difficulty"]) == ("sums", 2)
    assert widget.prompt == get("sums").generate(78, 2).prompt
    widget._told(widget, {"type": "new_problem", "task": "sums", "difficulty": 99}, [])
    assert "difficulties" in widget.error["found"] and widget.state["difficulty"] == 2
    assert widget.wait(120)


def test_what_stands_where_no_widget_can(playground):
    data, _ = playground._repr_mimebundle_()
    assert data["text/plain"] == repr(playground) and "0x" not in data["text/plain"]
    assert data["image/png"].startswith("iVBOR") and "application/vnd.jupyter.widget-view+json" in data


def test_hostile_text_stays_text(playground):
    text = "</script><img onerror=alert(1)> \u202e rtl \u200b \x00 👩‍👩‍👧"
    playground.prompt = text
    playground.wait(60)
    assert playground.error is None and playground.prompt.text == text
    json.dumps(playground.catalog), json.dumps(playground.state)


def test_tokens_in_words():
    assert [shown_token(t) for t in (" box", "\n", " ", "")] == ["“box”", "a line break", "a space", "nothing"]


def test_changed_cells_of_the_mask_are_counted(lm):
    prompt = ct.Prompt(a="The cup is red.", b="Where is it?")
    n, every = len(ct.run(lm, prompt).ids), lm.n_layers * lm.n_heads
    half, causal = n * (n - 1) // 2, n * (n + 1) // 2

    def said(*setup) -> str:
        before, after = look(lm, prompt, ct.Setup()), look(lm, prompt, ct.Setup(setup))
        return frame_of(lm, before, after, ct.Setup(setup))["sentence"]

    assert said(ct.Mask("bidirectional")).startswith(f"Another mask: {half} cells opened. The top token ")
    assert f": {n - 3} of {causal} cells masked. " in said(ct.Mask(ct.masks.painted(rows(n, {n - 1: {0, 1, n - 1}}))))
    one = ct.Mask(ct.masks.painted(rows(n, {1: {1, 2}})), heads=[(0, 1), (2, 0)])
    assert f": 1 of {causal} cells masked, 1 opened in 2 of {every} heads. " in said(one)
    assert "cell" not in said(ct.Reread()) and "cell" not in said(ct.Mask("causal"))
    first, second = (ct.run(lm, prompt).spans[name] for name in "ab")
    cut = (first.stop - first.start) * (second.stop - second.start)
    assert f": {cut} of {causal} cells masked. " in said(ct.Knockout("b", "a"))


def rows(n: int, others: dict[int, set[int]]) -> list[list[bool]]:
    """A causal mask, some rows of which see these columns instead."""
    return [[key in others[query] if query in others else key <= query for key in range(n)] for query in range(n)]


def test_a_playground_wants_a_model():
    with pytest.raises(ct.CtkitError, match="no loaded model"):
        ct.Playground("tiny")
    with pytest.raises(ct.CtkitError, match=r'ct.StepsView\(ct.load\("tiny"\), prompt\)'):
        ct.StepsView(ct.Prompt("2 + 3 = ?"))


def test_every_switch_is_told_in_words(playground):
    from ctkit.ui.frame import IN_WORDS

    assert {switch["intervention"] for switch in playground.catalog["switches"]} <= set(IN_WORDS)


@pytest.mark.parametrize(
    ("view", "wrong", "known"),
    [
        (ct.Playground, "promt", "lm, prompt, setup, against, state"),
        (ct.PopulationView, "dificulty", "lm, prompt, setup, task, difficulty, n, seed"),
        (ct.SteeringView, "task", "lm, prompt, setup"),
    ],
)
def test_a_setting_that_there_is_not_is_refused(lm, view, wrong, known):
    with pytest.raises(ct.CtkitError) as caught:
        view(lm, **{wrong: "hunt"})
    assert caught.value.asked == f"{view.__name__}({wrong}=…)" and caught.value.remedy == f"one of {known}"
