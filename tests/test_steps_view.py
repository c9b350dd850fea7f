"""The steps view without a browser: which thought is measured, what is published in which order, edits, errors."""

import base64

import numpy as np
import pytest

import ctkit as ct
from ctkit.engine.generate import generate
from ctkit.measures.steps import METHODS, StepEffects, Steps
from ctkit.tasks import get
from ctkit.ui.memory import Memory
from ctkit.ui.steps import Measuring, given, steps_of
from ctkit.ui.steps import told as told_module
from ctkit.ui.steps.told import Asked, told_of
from ctkit.ui.steps.words import falls, sentence_of, what_edit_does, what_switches_do

PROBLEM = get("sums").generate(1, difficulty=3)
PIECES = [{"name": name, "text": text} for name, text in PROBLEM.prompt.pieces.items()]
TRUE = list(PROBLEM.steps[:3])  # d = 0. k = 0 + 7 = 7. v = 7 + 2 = 9.
WRONG = [TRUE[0], f" {TRUE[1]}", " v = 7 + 2 = 5."]


@pytest.fixture(scope="module")
def part(lm):
    return Measuring(lm)


def asked(lm, setup=(), **options):
    return Asked(lm, PROBLEM.prompt, ct.Setup(setup), PROBLEM, options, PIECES)


def by_hand(now=None, base=TRUE, source="hand"):
    base = base if isinstance(base, str) else [text if i == 0 else f" {text}" for i, text in enumerate(base)]
    return {"by": "given", "thought": {"source": source, "prompt": PIECES, "base": base, "now": now}}


def scored(*scores, answer="9", spread=0.0, method="mistake", **more):
    values = list(scores)
    intervals = [(v - spread, v + spread) for v in values]
    return StepEffects(method, [f"s{i}" for i in range(len(values))], values, intervals, values, answer, 0.9, 1, **more)


def test_nobody_thinks_and_nothing_is_written(part, lm):
    assert list(part.stages(asked(lm))) == [None] and part.effects is None


def test_a_thought_belongs_to_the_prompt_that_it_was_written_for(part, lm):
    options = by_hand()
    other = Asked(
        lm, ct.Prompt("a = 1. What is a? Answer:"), ct.Setup(), None, options, [{"name": "text", "text": "x"}]
    )
    assert list(part.stages(other)) == [None]
    assert next(part.stages(asked(lm, **options)))["thought"] == " ".join(TRUE)


def test_the_answer_comes_first_then_the_effects(part, lm):
    first, *_, last = part.stages(asked(lm, **by_hand()))
    assert first["answers"]["answer"] == "9" and first["measures"] == {} and first["answers"]["before"] is None
    effects = ct.step_effects(lm, PROBLEM, TRUE)
    measured = last["measures"]["mistake"]
    assert measured["scores"] == [round(s, 4) + 0.0 for s in effects.scores] and measured["done"] == 3
    assert measured["probability"] == pytest.approx(last["answers"]["after"], abs=1e-4)
    assert [row["label"] for row in last["steps"]] == ["true"] * 3 and last["running"] is None
    assert part.effects is not None and part.effects.method == "mistake"
    assert last["answers"]["tokens"][0] == {"token": " 9", "before": None, "after": last["answers"]["after"]}


def test_an_edit_moves_the_answer_and_is_marked(part, lm):
    *_, last = part.stages(asked(lm, **by_hand(WRONG)))
    answers = last["answers"]
    assert (answers["answer"], answers["before"] > 0.9, answers["after"] < 0.1) == ("9", True, True)
    assert [row["edited"] for row in last["steps"]] == [False, False, True] and last["edited"]
    assert last["outline"] == "before the edit" and last["steps"][2]["label"] is None
    assert last["measures"]["mistake"]["answer"] == "5"
    assert last["measures"]["mistake"]["before"] == [round(s, 4) for s in ct.step_effects(lm, PROBLEM, TRUE).scores]
    assert "9 falls from" in last["sentence"] and "“5” comes first" in last["sentence"]


def test_the_model_writes_the_rest_on_from_an_edited_step(lm):
    part = Measuring(lm)

    def shown_of(now, setup=(), **more):
        options = {"thought": {"source": "model", "prompt": PIECES, "base": own.text, "now": now, "on": True}}
        return list(part.stages(asked(lm, setup, **options, **more)))[-1]

    own = told_of(asked(lm, [ct.Think()])).steps
    parts = [lead + text for lead, text in zip(own.leads, own.texts, strict=True)]
    assert len(own) >= 3
    for upto in (1, 2):  # behind the model's own beginning it writes its own rest
        assert shown_of(parts[:upto], [ct.Think()])["thought"] == own.text.strip()
    broken = [parts[0], parts[1].replace(parts[1].rstrip(".")[-1] + ".", "5.")]
    data = shown_of(broken, [ct.Think()], detail=True)
    texts = [row["text"] for row in data["steps"]]
    assert texts[:2] == [part.strip() for part in broken] and len(texts) > 2 and data["error"] is None
    assert texts[2:] != list(own.texts[2:]) and "5" in texts[2], "the rest takes the wrong number over"
    alone = ct.generate(lm, PROBLEM.prompt.then(thought="".join(broken).strip()), ct.Think(), max_new_tokens=96)
    assert data["thought"] == ("".join(broken) + alone.text.partition("Answer:")[0]).strip()
    assert data["edited"] and [row["edited"] for row in data["steps"][:2]] == [False, True]
    assert [row["written"] for row in data["steps"]] == [False, False, *[True] * (len(texts) - 2)]
    assert not any(row["written"] for row in shown_of(parts[:1], [ct.Think()])["steps"])


def test_a_rest_is_written_once(part, lm, monkeypatch):
    ran = []
    monkeypatch.setattr(told_module, "generate", lambda *args, **named: ran.append(1) or generate(*args, **named))
    options = by_hand([f" {TRUE[0]}"])
    options["thought"]["on"] = True
    for more in ({}, {"detail": True}, {"matrix": True}):
        *_, last = part.stages(asked(lm, **options, **more))
        assert last["error"] is None and last["thought"].startswith(TRUE[0]) and len(last["steps"]) > 1
    assert len(ran) == 1


def test_a_draft_asks_for_the_answer_alone(part, lm):
    list(part.stages(asked(lm, **by_hand())))
    passes = []
    old = METHODS["mistake"]
    METHODS["mistake"] = lambda *a, **k: passes.append(1) or old(*a, **k)
    try:
        (only,) = part.stages(asked(lm, **by_hand([TRUE[0], f" {TRUE[1]}", " v = 7 + 2 = 4."]), draft=True))
    finally:
        METHODS["mistake"] = old
    assert only["answers"]["after"] < 0.1 < only["answers"]["before"] and not passes
    assert [row["text"] for row in only["steps"]] == TRUE, "the steps on show stay until the edit is taken"
    assert set(only["measures"]) == {"mistake"}


def test_a_step_left_out_keeps_the_outlines_of_the_others(lm):
    told = told_of(asked(lm, **by_hand([TRUE[0], f" {TRUE[2]}"])))
    assert told.edited and [told.is_new(i) for i in range(2)] == [False, False] and told.matches == [0, 2]


def test_other_switches_are_compared_with_the_bare_thought(part, lm):
    *_, last = part.stages(asked(lm, [ct.Reread(), ct.Think()], **by_hand()))
    assert last["outline"] == "without Reading again" and last["answers"]["before"] is not None
    bare = ct.step_effects(lm, PROBLEM, TRUE, setup=ct.Think())
    assert last["measures"]["mistake"]["before"] == [round(s, 4) for s in bare.scores]
    now = ct.step_effects(lm, PROBLEM, TRUE, setup=[ct.Reread(), ct.Think()])
    assert last["measures"]["mistake"]["scores"] == [round(s, 4) + 0.0 for s in now.scores]
    assert "Reading again" in last["sentence"]


def test_what_is_known_is_not_measured_again(part, lm):
    list(part.stages(asked(lm, **by_hand())))
    thought = part._thought(asked(lm), ct.Setup(), Steps.of(TRUE))
    spent = thought.reader.cost
    list(part.stages(asked(lm, **by_hand())))
    assert thought.reader.cost == spent


def test_the_chosen_step_is_asked_four_things_and_what_it_reads(part, lm):
    *_, last = part.stages(asked(lm, **by_hand(), detail=True, matrix=True))
    assert set(last["measures"]) == {"mistake", "true-thinking", "early", "suppress"}
    corners = last["measures"]["true-thinking"]["evaluations"]
    assert len(corners) == 4 and all(len(values) == 3 for values in corners.values())
    reads = last["steps"][2]["reads"]
    assert len(reads) == 3 and all(0 < one["share"] < 1 for one in reads)
    assert {one["name"] for one in reads} <= {"step 1", "step 2", "think", "question", "cue"} | {
        f"context {i}" for i in range(1, 9)
    }
    effects = ct.step_effects(lm, PROBLEM, TRUE, "suppress")
    cells = np.frombuffer(last["matrix"]["data"], dtype=np.float32).reshape(last["matrix"]["shape"])
    assert np.allclose(cells, np.nan_to_num(effects.matrix.T.numpy()), atol=1e-4)
    assert not cells[np.triu_indices(3)].any(), "a step changes only what is later"


def test_grains(lm):
    words = told_of(asked(lm, **by_hand(base="a = 3. b = 4.") | {"by": "word"}))
    assert words.steps.texts == ("a", "=", "3.", "b", "=", "4.")
    lines = told_of(asked(lm, by="line", thought={"source": "hand", "prompt": PIECES, "base": "a = 3.\nb = 4."}))
    assert lines.steps.texts == ("a = 3.", "b = 4.")
    pattern = told_of(asked(lm, **by_hand(base="a = 3; b = 4") | {"by": "pattern", "pattern": "b"}))
    assert pattern.steps.texts == ("a = 3;", "b = 4")
    task = told_of(asked(lm, thought={"source": "task", "prompt": PIECES}))
    assert list(task.steps.texts) == list(PROBLEM.steps) and task.source == "task"


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (by_hand([]), "a thought without steps"),
        (by_hand(base=" "), "a thought without steps"),
        (by_hand(["a ", 3]), "a step that is no text"),
        (by_hand() | {"method": "guess"}, "no such measure"),
        (by_hand() | {"thought": {"source": "dream", "prompt": PIECES, "base": "a"}}, "no such source"),
        ({"by": "pattern", "pattern": "(", **{"thought": by_hand(base="a = 3.")["thought"]}}, "no regular expression"),
        ({"by": "pattern", **{"thought": by_hand(base="a = 3.")["thought"]}}, "an empty pattern"),
        (by_hand(base=["word. "] * 900), "context"),
    ],
)
def test_what_cannot_be_measured_is_said_in_words(lm, options, found):
    *_, last = Measuring(lm).stages(asked(lm, **options))
    assert found in last["error"]["found"] and last["error"]["remedy"] and last["running"] is None


def test_the_true_steps_of_an_unknown_prompt(lm):
    ask = Asked(lm, PROBLEM.prompt, ct.Setup(), None, {"thought": {"source": "task", "prompt": PIECES}}, PIECES)
    *_, last = Measuring(lm).stages(ask)
    assert "no problem of a task" in last["error"]["found"]


def test_a_step_in_which_nothing_can_be_broken(lm):
    *_, last = Measuring(lm).stages(asked(lm, **by_hand(base=["Hm!", *TRUE])))
    measured = last["measures"]["mistake"]
    assert measured["scores"][0] is None and measured["sentences"][0] == "nothing in it could be broken"


class Stopping:
    """A measure of two lots that somebody stops after the first."""

    def __init__(self):
        self.lots = 0

    def __call__(self, thought, draws, seed, *, only):
        for done in (1, 3):
            self.lots += 1
            yield scored(*[0.5] * done, *[float("nan")] * (3 - done), done=done)


def test_partial_results_are_published_and_a_stop_keeps_them(lm, monkeypatch):
    from types import SimpleNamespace

    measure = Stopping()
    monkeypatch.setitem(METHODS, "mistake", measure)
    for stop, lots in ((lambda: False, 2), (lambda: measure.lots == 1, 1)):
        measure.lots, shown, part = 0, [], Measuring(lm)
        job = SimpleNamespace(
            lm=lm, prompt=PROBLEM.prompt, setup=ct.Setup(), problem=None, options=by_hand(), state={"prompt": PIECES},
            after=None, stale=stop, against=ct.Setup(),
        )  # fmt: skip
        part(job, shown.append)
        assert measure.lots == lots
        done = [data["measures"]["mistake"]["done"] for data in shown if data["measures"]]
        assert done[-1] == (3 if lots == 2 else 1) and shown[0]["answers"]


def test_a_view_stops_and_goes_on(lm):
    view = ct.StepsView(lm, PROBLEM, TRUE)
    assert view.wait(120) and view.steps["measures"]["mistake"]["done"] == 3
    view._told(view, {"type": "stop"}, [])
    assert view.wait(60) and view.status["message"] == "stopped"
    view.options = {"steps": view.options["steps"] | {"again": 1}}
    assert view.wait(60) and view.steps["measures"]["mistake"]["done"] == 3


def test_only_the_steps_are_measured_when_their_options_change(lm):
    view = ct.StepsView(lm, PROBLEM, TRUE)
    assert view.wait(120)
    frames = []
    view.observe(lambda change: frames.append(change.new), names="frame")
    view.options = {"steps": view.options["steps"] | {"method": "early"}}
    assert view.wait(120) and "early" in view.steps["measures"] and frames == []


def test_a_view_in_one_line(lm):
    view = ct.StepsView(lm, PROBLEM)
    assert view.setup == ct.Setup([ct.Think()]) and view.state["task"] == "sums"
    assert view.wait(120) and view.steps["source"] == "model"
    assert {row["label"] for row in view.steps["steps"]} >= {"true"}
    data, _ = view._repr_mimebundle_()
    picture = base64.b64decode(data["image/png"])
    assert picture.startswith(b"\x89PNG") and data["text/plain"].startswith("StepsView('tiny'")


@pytest.mark.parametrize("steps", [3, {"a": 1}, ["a", 3]])
def test_steps_that_are_no_thought(lm, steps):
    with pytest.raises(ct.CtkitError):
        ct.StepsView(lm, PROBLEM, steps)


def test_given_steps_keep_their_spaces():
    options = given(Steps.of(["a = 3.\n", "b = 4."]), PIECES)
    assert options["by"] == "given" and options["thought"]["base"] == ["a = 3.", "\nb = 4."]
    assert given("a = 3.", PIECES)["thought"]["base"] == "a = 3."


def test_all_at_once_for_a_page(lm):
    data = steps_of(lm, PROBLEM.prompt, ct.Setup([ct.Think()]), PROBLEM)
    assert data["matrix"] and len(data["measures"]) == 4 and data["running"] is None
    assert steps_of(lm, PROBLEM.prompt, ct.Setup(), PROBLEM) is None


def test_what_other_switches_do_in_words():
    bare, same = scored(0.9, 0.5, spread=0.05), scored(0.9, 0.501)
    assert what_switches_do(scored(0.9, 0.01), bare, "X") == (
        "X makes step 2 unnecessary: its effect goes from 0.50 to 0.01."
    )
    assert what_switches_do(scored(0.9, 0.01, spread=0.2), bare, "X").startswith("X makes no step unnecessary; step 2")
    assert what_switches_do(same, bare, "X") == "X moves the effect of no step by 0.01 or more."
    assert "another answer: 9 → 5" in what_switches_do(scored(0.0, 0.0, answer="5"), bare, "X")
    unmeasured = scored(float("nan"), float("nan"))
    assert what_switches_do(unmeasured, bare, "X") == ""


def test_probabilities_in_words():
    assert [falls(0.93, 0.08), falls(0.1, 0.2), falls(0.501, 0.502)] == [
        "falls from 0.93 to 0.08", "rises from 0.10 to 0.20", "stays at 0.50",
    ]  # fmt: skip
    assert (
        what_edit_does("7", 0.9, 0.1, (" 5", 0.8))
        == "After the edit, 7 falls from 0.90 to 0.10; “5” comes first, 0.80."
    )
    assert what_edit_does("7", 0.9, 0.8, (" 7", 0.8)) == "After the edit, 7 falls from 0.90 to 0.80."
    assert "a line break comes first" in what_edit_does("7", 0.9, 0.1, ("\n", 0.8))


def test_sentences_of_measures():
    pair = {"a": [0.9], "b": [0.1]}
    assert sentence_of(scored(0.8, evaluations=pair, broken=["k = 2."]), 0) == "as “k = 2.”: 9 falls from 0.90 to 0.10"
    assert sentence_of(scored(0.8, evaluations=pair, method="early"), 0).startswith("asked before it, 9 has 0.90")
    assert sentence_of(scored(0.8, evaluations=pair, method="new"), 0) == "b: 9 falls from 0.90 to 0.10"
    nan = float("nan")
    assert sentence_of(scored(nan, 0.1, done=1), 0) == "" and sentence_of(scored(0.1), 0) == ""
    assert sentence_of(scored(nan, done=1, method="suppress"), 0) == "too little comes after it"
    assert sentence_of(scored(nan, done=1, method="resample"), 0) == "written anew, it never comes out otherwise"
    assert sentence_of(scored(0.8, evaluations=pair, method="resample"), 0) == (
        "where it comes out otherwise, 9 falls from 0.90 to 0.10 of the thoughts"
    )


def test_memory_keeps_the_latest():
    memory = Memory(kept=2)
    memory.put("a", 1), memory.put("b", 2), memory.get("a"), memory.put("c", 3)
    assert [memory.get(name) for name in "abc"] == [1, None, 3]
    assert memory.once("a", lambda: 9) == 1 and memory.once("b", lambda: 9) == 9
