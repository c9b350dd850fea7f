"""A view's state: compared with another, as JSON, as code; stopped, alive, alone beside another; another model."""

import copy
import json
import threading
import time
from dataclasses import replace
from xml.etree import ElementTree

import pytest
import torch

import ctkit as ct
from ctkit.tasks import get
from ctkit.ui import commands, models
from ctkit.ui import look as look_module
from ctkit.ui.code import OWN, code_of, load_code
from ctkit.ui.concepts import concept_directions
from ctkit.ui.examples import examples
from ctkit.ui.share import state_from_json

from .test_export import recorded_in

PROMPT = get("hunt").generate(3, 2).prompt
look_module_look = look_module.look


@pytest.fixture
def playground(lm):
    widget = ct.Playground(lm, PROMPT)
    assert widget.wait(120)
    return widget


def numbers_of(code: str, **known) -> list:
    scope: dict = dict(known)
    lines, last = code.rsplit("\n", 1)
    exec(lines, scope)
    return [(token, round(p, 5), round(q, 5)) for token, p, q in eval(last, scope)]


def shown_by(widget) -> list:
    return [(t["token"], t["before"], t["before"] if t["after"] is None else t["after"]) for t in widget.frame["next"]]


def test_before_is_the_run_under_what_it_is_compared_with(lm, playground):
    playground.against = ct.Mask("window", size=6)
    playground.setup = ct.Reread()
    assert playground.wait(120) and playground.error is None
    pair = ct.compare(ct.run(lm, PROMPT, ct.Mask("window", size=6)), ct.run(lm, PROMPT, ct.Reread()))
    assert shown_by(playground) == [(t, round(p, 5), round(q, 5)) for t, p, q in pair.next_tokens]
    assert "compared with another mask" in playground.frame["sentence"]
    assert numbers_of(playground.code) == shown_by(playground)
    playground.setup = ()
    assert playground.wait(120) and playground.frame["after"] is not None, "nothing on is a change, too"
    playground.setup = ct.Mask("window", size=6)
    assert playground.wait(120) and playground.frame["after"] is None
    playground.against = ()
    assert playground.wait(120) and playground.frame["after"] is not None


def test_a_setup_that_was_on_before_is_remembered_until_the_weights_change(lm, monkeypatch):
    runs, names = [], []
    monkeypatch.setattr(look_module, "look", lambda *asked: runs.append(asked[2]) or look_module_look(*asked))
    view = ct.AttentionView(lm, PROMPT)
    for setup in (ct.Reread(), (), ct.Mask("prefix"), ct.Reread()):
        view.setup = setup
        assert view.wait(60)
        names.append(view.frame["run"])
    assert names[0] == names[3] and len(set(names)) == 3, "the page knows a picture by this name"
    assert [list(setup) for setup in runs] == [[], [ct.Reread()], [ct.Mask("prefix")]]
    assert shown_by(view) == [
        (t, round(p, 5), round(q, 5))
        for t, p, q in ct.compare(ct.run(lm, PROMPT), ct.run(lm, PROMPT, ct.Reread())).next_tokens
    ]
    weight = next(lm.model.parameters())
    with torch.no_grad():
        weight.mul_(1)  # the same numbers, but who knows
    view.setup = ()
    assert view.wait(60) and len(runs) == 4 and view.frame["run"] not in names


def test_the_run_before_is_sent_where_it_is_another_one_and_the_time_of_the_model_where_it_ran(lm):
    view, told = ct.AttentionView(lm, PROMPT), []
    assert view.wait(60) and view.before["tokens"] == ct.run(lm, PROMPT).tokens and "before" not in view.frame
    view.observe(lambda change: told.append(change["name"]), names=["before", "frame"])
    own = []
    for setup in (ct.Reread(), ct.Mask("prefix"), ct.Reread()):
        view.setup = setup
        assert view.wait(60)
        own.append(view.frame["model"])
        assert 0 <= view.frame["model"] < view.frame["ms"]
    assert told == ["frame"] * 3
    assert own[0] > 0 and own[1] > 0 and own[2] == 0, "it was on before: nothing ran"
    told.clear()
    view.against = ct.Mask("prefix")
    assert view.wait(60) and told == ["before", "frame"], "the frame is told when its run before is there"
    told.clear()
    view.prompt = "The key is in the box."
    assert view.wait(60) and told == ["before", "frame"]
    assert view.before["tokens"] == ct.run(lm, view.prompt).tokens


def test_a_model_whose_weights_torch_does_not_watch_has_a_view(lm):
    with torch.inference_mode():
        model = copy.deepcopy(lm.model)
        for weight in model.parameters():
            weight.data = weight.data.clone()
    view = ct.AttentionView(ct.wrap(model, lm.tokenizer), PROMPT)
    assert any(weight.is_inference() for weight in model.parameters()), "nothing was tried"
    assert view.wait(60) and view.error is None


def test_a_flip_ends_what_is_being_measured(lm, monkeypatch):
    """The fresh problems of the setting before are given up in the middle of a pass, not at the end of a part."""
    started, ended = threading.Event(), []

    def slow(*asked):
        started.set()
        for _ in range(1000):
            ct.run(lm, PROMPT)
        ended.append(asked)

    monkeypatch.setattr("ctkit.ui.population.answers", slow)
    view = ct.PopulationView(lm, setup=ct.Reread(), n=50, task="hunt", difficulty=3)
    assert started.wait(60)
    monkeypatch.setattr("ctkit.ui.population.answers", lambda lm, prompts, right, setup: list(right))
    view.setup = ct.Mask("prefix")
    assert view.wait(30) and view.error is None
    assert ended == [] and view.population["edited"] == 1.0


def test_a_population_is_compared_with_the_same(lm):
    widget = ct.PopulationView(lm, setup=ct.Reread(), against=ct.Mask("prefix"), n=60, task="hunt", difficulty=3)
    assert widget.wait(240)
    line = widget.population
    base, both = (ct.effect(lm, "hunt", s, n=60, seed=10_000, difficulty=3) for s in (ct.Mask("prefix"), ct.Reread()))
    assert (line["baseline"], line["edited"], line["idle"]) == (base.edited, both.edited, False)


def test_words_of_one_prompt_cannot_be_had_on_others_and_that_is_said(lm):
    notes = next(e for e in examples() if e.id == "notes")
    view = ct.PopulationView(lm, notes.prompt, notes.setup_with([]), task="emphasis", n=20)
    assert view.wait(120) and view.error is None
    assert "cannot be had on fresh problems" in view.population["note"] and view.population["done"] == 0


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.id)
def test_the_code_of_a_preset_gives_the_numbers_of_the_preset(lm, example):
    widget = ct.AttentionView(lm, example.prompt, example.setup_with(concept_directions(lm)))
    assert widget.wait(120) and widget.error is None
    assert numbers_of(widget.code) == shown_by(widget)


def test_code_gets_the_model_as_it_was_got(lm, tmp_path):
    assert load_code(ct.load(device="cpu")) == "lm = ct.load()"
    assert load_code(ct.load("tiny-anymask", device="cpu", dtype="float64")) == (
        "lm = ct.load('tiny-anymask', dtype='float64')"
    )
    lm.model.save_pretrained(tmp_path / "mine")
    lm.tokenizer.save_pretrained(tmp_path / "mine")
    mine = ct.load(str(tmp_path / "mine"), local_files_only=True)
    assert load_code(mine) == f"lm = ct.load({str(tmp_path / 'mine')!r}, local_files_only=True)"
    code = code_of(mine, PROMPT, ct.Setup([ct.Reread()]))
    pair = ct.compare(ct.run(mine, PROMPT), ct.run(mine, PROMPT, ct.Reread()))
    assert numbers_of(code) == [(t, round(p, 5), round(q, 5)) for t, p, q in pair.next_tokens]


def test_code_for_a_model_that_was_handed_over_says_so(lm):
    own = ct.wrap(lm.model, lm.tokenizer)
    code = code_of(own, PROMPT, ct.Setup())
    assert OWN in code
    assert numbers_of(code, model=lm.model, tokenizer=lm.tokenizer)


def test_pieces_of_any_name_are_code(lm):
    prompt = ct.Prompt(
        **{"context 1": "The key is in the box.", "class": "Where is\n'the' key?", "__import__('os')": "x"}
    )
    assert numbers_of(code_of(lm, prompt, ct.Setup()))


def test_a_state_goes_to_json_and_back(lm, playground):
    playground.setup = [ct.Reread(), ct.Mask(ct.masks.retouched(ct.masks.causal(), [(3, 1, False)]))]
    playground.against = ct.Mask("prefix")
    playground.options = {"lens": {"layer": 2}}
    text = playground.to_json()
    other = ct.Playground(lm)
    other.from_json(text)
    assert other.wait(240)
    assert (other.prompt, other.setup, other.against) == (playground.prompt, playground.setup, playground.against)
    assert other.options == {"lens": {"layer": 2}} and json.loads(text)["model"] == "tiny"


BASE = {"ctkit": 1, "prompt": [{"name": "text", "text": "a"}], "setup": []}
BAD = [
    "",
    "{",
    "[]",
    "null",
    '"x"',
    "[" * 100_000,
    json.dumps(BASE | {"ctkit": 2}),
    *(
        json.dumps(BASE | part)
        for part in (
            {"prompt": []},
            {"prompt": "text"},
            {"prompt": [{"name": "a", "text": 1}]},
            {"prompt": [{"name": "a", "text": "x"}] * 2},
            {"prompt": [{"name": str(i), "text": "x"} for i in range(65)]},
            {"setup": {}},
            {"setup": ["Reread"]},
            {"setup": [{"intervention": "os.system"}]},
            {"setup": [{"intervention": "Reread", "times": "__import__('os')"}]},
            {"against": [{"intervention": "Reread", "bad": 1}]},
            {"task": "nothing"},
            {"task": ["hunt"]},
            {"difficulty": 3},
            {"task": "hunt", "difficulty": 99},
            {"n": 0},
            {"n": True},
            {"n": 10**9},
            {"seed": -1},
            {"seed": 1.5},
            {"options": []},
            {"options": {"lens": 3}},
        )
    ),
    " " * 4_000_001,
    7,
]


@pytest.mark.parametrize("text", BAD, ids=range(len(BAD)))
def test_text_that_is_no_state_is_refused_in_words(text):
    with pytest.raises(ct.CtkitError) as caught:
        state_from_json(text)
    assert caught.value.asked and caught.value.found and caught.value.remedy


def test_what_is_not_known_is_left_out():
    state, options = state_from_json(json.dumps(BASE | {"code": "import os", "lm": "x"}))
    assert set(state) == {"prompt", "setup", "against", "task", "difficulty", "n", "seed"} and options == {}


def test_stop_ends_a_population_and_it_can_go_on(lm):
    widget = ct.PopulationView(lm, n=2_000, task="hunt", difficulty=5)
    wait_for(lambda: widget.population and widget.population["done"] >= 50)
    widget._told(widget, {"type": "stop"}, [])
    assert widget.wait(60)
    done = widget.population["done"]
    assert 0 < done < 2_000 and widget.population["running"] is False
    assert widget.status == {"busy": [], "message": "stopped"}
    widget._told(widget, {"type": "go_on"}, [])
    wait_for(lambda: widget.population["done"] > done)
    widget._told(widget, {"type": "stop"}, [])
    assert widget.wait(60)


def test_a_view_says_that_it_lives_also_while_it_works(playground, monkeypatch):
    said = []
    monkeypatch.setattr(playground, "send", lambda content, buffers=None: said.append(content))
    gate = threading.Event()
    playground._worker.submit(lambda stale: gate.wait(10))
    playground._told(playground, {"type": "ping", "asked": 7}, [])
    assert said == [{"type": "pong", "asked": 7}]
    gate.set()
    for nonsense in (None, "stop", {"type": ["stop"]}, {"type": "nothing"}, {}):
        playground._told(playground, nonsense, [])


def test_the_second_script_is_sent_by_its_name_alone(playground, monkeypatch, tmp_path):
    said = []
    monkeypatch.setattr(playground, "send", lambda content, buffers=None: said.append(content))
    playground._told(playground, {"type": "script", "name": "more"}, [])
    text = (commands.STATIC / "more.js").read_text(encoding="utf-8")
    assert said == [{"type": "script", "name": "more", "text": text}] and "painter" in text
    for name in ("playground", "../ui/view.py", "/etc/hosts", "", None, ["more"]):
        said.clear()
        playground._told(playground, {"type": "script", "name": name}, [])
        assert said == [{"type": "failed", "asked": name, "found": f"there is no script {name!r}; there is 'more'"}]
    monkeypatch.setattr(commands, "STATIC", tmp_path)
    playground._told(playground, {"type": "script", "name": "more"}, [])
    assert said[1]["type"] == "failed" and "more.js of ctkit cannot be read" in said[1]["found"]


def test_a_page_is_sent_to_whom_asked_and_a_stop_is_told(playground, monkeypatch):
    said = []
    monkeypatch.setattr(playground, "send", lambda content, buffers=None: said.append((content, buffers)))
    setups = [ct.Setup([ct.Reread()]).to_data()]
    playground._told(playground, {"type": "page", "asked": "a", "setups": setups}, [])
    assert playground.wait(120)
    [(content, [page])] = said
    assert content == {"type": "file", "asked": "a", "missing": ""} and page.startswith(b"<!doctype html>")
    said.clear()
    monkeypatch.setattr(commands, "page_of", lambda *args: None)
    playground._told(playground, {"type": "page", "asked": "b", "setups": []}, [])
    assert playground.wait(120) and said[0][0]["type"] == "failed"


def test_a_visited_setup_that_did_not_run_is_left_out_of_the_page(playground, monkeypatch):
    said = []
    monkeypatch.setattr(playground, "send", lambda content, buffers=None: said.append((content, buffers)))
    gone, unknown = ct.Setup([ct.Emphasize("no such words")]).to_data(), [{"intervention": "unheard of"}]
    good = ct.Setup([ct.Reread()])
    playground._told(playground, {"type": "page", "asked": "a", "setups": [gone, good.to_data(), unknown]}, [])
    assert playground.wait(120) and playground.error is None
    [(content, [page])] = said
    recorded = recorded_in(page.decode())
    assert [one["setup"] for one in recorded["recordings"]] == [good.to_data(), []]
    assert [one["setup"] for one in recorded["left_out"]] == [gone]
    assert "no such words" in recorded["left_out"][0]["found"] and "Emphasize" in content["missing"]
    playground.setup = ct.Setup([ct.Emphasize("no such words")])
    assert playground.wait(120)
    playground._told(playground, {"type": "page", "asked": "b", "setups": []}, [])
    assert playground.wait(120) and said[-1][0]["type"] == "failed"
    assert "no such words" in said[-1][0]["found"]


@pytest.mark.parametrize(
    ("on", "label"),
    [
        (ct.Emphasize("question"), "Emphasise"),
        (ct.Knockout("question", "context"), "Mask"),
        (ct.Pine(["context", "question"]), "No order"),
    ],
)
def test_a_switch_whose_place_is_gone_says_which_and_what_to_do(lm, on, label):
    view = ct.Playground(lm, ct.Prompt(context="The key is in the box.", question="Where is the key?"), on)
    assert view.wait(120) and view.error is None
    picture, prompt = view.frame, view.prompt
    view.prompt = ct.Prompt(context="The key is in the box.")
    assert view.wait(120) and view.frame is picture and view.setup == ct.Setup([on])
    assert view.error["asked"] == f"“{label}” on 'question'" and "context" in view.error["found"]
    assert f"another choice in the switch “{label}”, or switch it off" in view.error["remedy"]
    view.prompt = prompt
    assert view.wait(120) and view.error is None


def test_two_playgrounds_on_one_model_do_not_disturb_each_other(lm):
    views = [ct.AttentionView(lm, PROMPT), ct.AttentionView(lm, "The key is in the box. Where is the key?")]
    setups = [ct.Reread(), ct.Mask("prefix"), (), ct.PrependToken(1, 3), [ct.Mask("window", size=5), ct.Reread()]]
    for i in range(25):
        for k, view in enumerate(views):
            view.setup = setups[(i + k) % len(setups)]
        time.sleep(0.01)
    for view in views:
        assert view.wait(120) and view.error is None
        pair = ct.compare(ct.run(lm, view.prompt), ct.run(lm, view.prompt, view.setup))
        assert shown_by(view) == [(t, round(p, 5), round(q, 5)) for t, p, q in pair.next_tokens]
        assert view.frame["seq"] == view.seq


def test_another_model_reads_the_same_prompt(lm, playground):
    playground.setup = [ct.Reread(), ct.Steer(concept_directions(lm)[0], strength=2.0)]
    ask(playground, "tiny-anymask")
    assert playground.lm.name == "tiny-anymask" and playground.catalog["model"]["name"] == "tiny-anymask"
    assert playground.prompt == PROMPT and playground.setup == ct.Setup([ct.Reread()])
    assert "switched off, as made for the old model: Steer" in playground.loading["message"]
    pair = ct.compare(ct.run(playground.lm, PROMPT), ct.run(playground.lm, PROMPT, ct.Reread()))
    assert shown_by(playground) == [(t, round(p, 5), round(q, 5)) for t, p, q in pair.next_tokens]
    assert "ct.load('tiny-anymask')" in playground.code
    playground.use(lm)
    assert playground.wait(120) and playground.lm is lm and load_code(lm) in playground.code


@pytest.mark.parametrize(
    ("name", "dtype", "found"),
    [
        ("no-such-model", "", "no-such-model"),
        ("/no/such/folder", "", "folder"),
        ("tiny", "int3", "int3"),
        (None, "", "None"),
    ],
)
def test_a_model_that_cannot_be_had_is_refused_and_the_old_one_stays(playground, monkeypatch, name, dtype, found):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("ctkit.engine.load._hub_answers", lambda: False)
    lm, good = playground.lm, playground.frame["next"]
    ask(playground, name, dtype)
    error = playground.loading["error"]
    assert found in error["asked"] + error["found"] and error["remedy"] and not playground.loading["busy"]
    assert playground.lm is lm and playground.frame["next"] == good and playground.error is None


def test_a_model_of_the_wrong_kind_is_refused(playground, tmp_path, monkeypatch):
    (tmp_path / "config.json").write_text('{"model_type": "bert", "architectures": ["BertForMaskedLM"]}')
    ask(playground, str(tmp_path))
    assert "no causal language model" in playground.loading["error"]["found"]


def test_loading_is_told_and_can_be_cancelled(playground, monkeypatch):
    gate, words = threading.Event(), []
    monkeypatch.setattr(models, "BREATH", 0.02)
    monkeypatch.setattr(models, "load", lambda name, **options: gate.wait(20) and replace(playground.lm, name=name))
    playground.observe(lambda change: words.append(change.new["message"]), names="loading")
    lm = playground.lm
    playground._told(playground, {"type": "load_model", "name": "slow"}, [])
    wait_for(lambda: any(" s" in said for said in words))
    playground._told(playground, {"type": "cancel_model"}, [])
    playground.setup = ct.Mask("prefix")
    gate.set()
    assert playground.wait(60) and playground.lm is lm
    assert playground.loading == {"name": "slow", "busy": False, "message": "cancelled; tiny stays", "error": None}
    assert playground.frame["after"] is not None, "the flip in between is followed"


def test_a_flip_while_a_model_is_waited_for_is_not_lost(playground, monkeypatch):
    gate = threading.Event()
    monkeypatch.setattr(models, "load", lambda name, **options: gate.wait(20) and replace(playground.lm, name=name))
    playground._told(playground, {"type": "load_model", "name": "slow"}, [])
    playground.setup = ct.Mask("prefix")
    gate.set()
    assert playground.wait(60) and playground.lm.name == "slow"
    assert playground.setup == ct.Setup([ct.Mask("prefix")]) and playground.frame["after"] is not None


def ask(widget, name, dtype=""):
    widget._told(widget, {"type": "load_model", "name": name, "device": "", "dtype": dtype}, [])
    assert widget.wait(120)


def wait_for(reached, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.01)


def test_pictures_from_python_hold_what_is_on(lm, tmp_path):
    view = ct.AttentionView(lm, "$a^{ </svg><script>x()</script> \u202e \x00 $ " + "b" * 200, ct.Mask("prefix"))
    svg = view.to_svg(tmp_path / "a.svg").read_text()
    assert svg.count("<svg") == 1 and "<script" not in svg and "font-family" not in svg
    assert {tag.rsplit("}")[-1] for tag in (one.tag for one in ElementTree.fromstring(svg).iter())} & {"path", "g"}
    first = view.to_png(tmp_path / "a.png").read_bytes()
    assert first.startswith(b"\x89PNG")
    view.setup = ()
    assert view.to_png(tmp_path / "b.png").read_bytes() != first, "it does not wait for what is slow"
    with pytest.raises(ct.CtkitError, match="a folder that exists"):
        view.to_svg(tmp_path / "no" / "a.svg")


def test_a_thought_has_a_lens(lm):
    view = ct.LensView(lm, get("sums").generate(0, 3).prompt, ct.Think())
    assert view.wait(120) and view.error is None
    assert view.lens["note"] == "" and view.lens["after"]["top"][-1].strip() == get("sums").generate(0, 3).answer


def test_texts_are_written_under_what_is_compared_with(lm):
    view = ct.SteeringView(lm, PROMPT, ct.Reread(), against=ct.Mask("window", size=4))
    assert view.wait(120)
    texts = view.generated
    for side, setup in (("before", ct.Mask("window", size=4)), ("after", ct.Reread())):
        said = ct.generate(lm, PROMPT, setup, max_new_tokens=texts["length"], temperature=texts["temperature"], seed=0)
        assert said.text.startswith("".join(texts[side]["tokens"]).rstrip()), side
