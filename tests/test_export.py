"""The playground as one page: everything in it, nothing that could end a script early, a place to write it to."""

import base64
import json
import re
import zlib
from dataclasses import replace

import pytest

import ctkit as ct
from ctkit.ui import export, population
from ctkit.ui import playground as playground_module
from ctkit.ui.export import filled, packed, single_switches, unique
from ctkit.ui.look import look
from ctkit.ui.parts import PARTS

LARGEST = 2_000_000  # bytes of a page for the default preset


def recorded_in(page: str) -> dict:
    packed = re.search(r'id="ctkit-recorded">(.*?)</script>', page, re.S).group(1)
    whole = zlib.decompress(base64.b64decode(packed))
    length = int.from_bytes(whole[:4], "little")
    buffers = whole[4 + length :]

    def opened(value: dict):
        if "$bytes" not in value:
            return value
        start, size = value["$bytes"]
        return buffers[start : start + size]

    return json.loads(whole[4 : 4 + length], object_hook=opened)


@pytest.fixture(scope="module")
def playground(lm):
    widget = ct.Playground(lm, "The key is in the box. </script><script>boom()</script> <!--")
    widget.setup = ct.Reread()
    widget.wait(60)
    return widget


def test_the_page_holds_each_switch_and_the_present_setup(playground, tmp_path):
    page = playground.to_html(tmp_path / "page.html").read_text(encoding="utf-8")
    recorded = recorded_in(page)
    setups = [[entry["intervention"] for entry in one["setup"]] for one in recorded["recordings"]]
    offered = [one for one in playground.catalog["switches"] if one["unsupported"] is None and not one.get("more")]
    switches = [[switch["intervention"]] for switch in offered]
    assert sorted(setups) == sorted([[], *switches])
    assert setups[-1] == ["Reread"] and recorded["state"]["setup"] == ct.Setup([ct.Reread()]).to_data()
    frame = recorded["recordings"][-1]["frame"]
    assert [t["token"] for t in frame["next"]] == [t["token"] for t in playground.frame["next"]]
    for side, shown in (("before", playground.before), ("after", playground.frame["after"])):
        assert frame[side]["attention"]["data"] == bytes(shown["attention"]["data"])
    assert set(recorded["recordings"][-1]["results"]) == set(PARTS)


def test_the_page_of_the_default_preset_is_small_and_holds_equal_buffers_once(lm, tmp_path, record_property):
    page = ct.Playground(lm).to_html(tmp_path / "page.html")
    size = page.stat().st_size
    record_property("measured", f"the HTML page of the default preset: {size / 1e6:.2f} MB")
    assert size <= LARGEST
    before = {bytes(one["frame"]["before"]["attention"]["data"]) for one in recorded_in(page.read_text())["recordings"]}
    assert len(before) == 1
    text = b"x" * 1000
    assert zlib.decompress(base64.b64decode(packed([memoryview(text)] * 3))).count(text) == 1


def test_a_page_is_compared_with_what_the_playground_is(lm, tmp_path):
    widget = ct.Playground(lm, "The key is in the box. Where is the key?", ct.Reread(), against=ct.Mask("prefix"))
    recorded = recorded_in(widget.to_html(tmp_path / "page.html", setups=[]).read_text())
    names = [[entry["intervention"] for entry in one["setup"]] for one in recorded["recordings"]]
    assert names == [[], ["Mask"], ["Reread"]]
    assert [one["frame"]["after"] is None for one in recorded["recordings"]] == [False, True, False]
    assert "compared with another mask" in recorded["recordings"][-1]["frame"]["sentence"]
    assert widget.status == {"busy": [], "message": ""}


def test_a_setup_that_is_longer_than_the_context_is_left_out_and_said(lm, tmp_path):
    widget = ct.Playground(replace(lm, context=40), "The key is in the box. Where is the key?")
    with pytest.warns(UserWarning, match=r"Left out: ct.Setup\(\[ct.Reread\(times=9.*tokens"):
        path = widget.to_html(tmp_path / "page.html", setups=[ct.Reread(times=9), ct.PrependToken(1, 3)])
    recorded = recorded_in(path.read_text(encoding="utf-8"))
    names = [[entry["intervention"] for entry in one["setup"]] for one in recorded["recordings"]]
    assert names == [["PrependToken"], []]
    [missing] = recorded["left_out"]
    assert missing["setup"] == ct.Setup([ct.Reread(times=9)]).to_data() and "tokens" in missing["found"]
    widget.setup = ct.Reread(times=9)
    assert widget.wait(60)
    with pytest.raises(ct.CtkitError, match="tokens"):
        widget.to_html(tmp_path / "page.html", setups=[])


def test_each_setup_is_run_once(playground, lm, tmp_path, monkeypatch):
    ran = []

    def counted(lm, prompt, setup, *rest, **named):
        ran.append(setup.to_code())
        return look(lm, prompt, setup, *rest, **named)

    monkeypatch.setattr(export, "look", counted)
    monkeypatch.setattr(playground, "send", lambda content, buffers=None: None)
    visited = [ct.Setup([ct.Mask("prefix")]).to_data(), ct.Setup([ct.Reread()]).to_data()]
    known = playground._runs.both
    monkeypatch.setattr(playground._runs, "both", lambda *asked: ran.append("again") or known(*asked))
    playground._told(playground, {"type": "page", "asked": "a", "setups": visited}, [])
    assert playground.wait(60) and playground.error is None
    assert sorted(ran) == ["ct.Setup([])", "ct.Setup([ct.Mask(kind='prefix')])", "ct.Setup([ct.Reread()])"]


def test_what_was_measured_already_is_not_measured_again(lm, tmp_path, monkeypatch):
    widget = ct.Playground(lm)
    widget.state = widget.state | {"n": 20}
    for setup in ((), ct.Reread()):
        widget.setup = setup
        assert widget.wait(120)
    measured = []
    true = population.answers
    monkeypatch.setattr(population, "answers", lambda *asked: measured.append(asked[-1]) or true(*asked))
    recorded = recorded_in(widget.to_html(tmp_path / "page.html", setups=[()]).read_text(encoding="utf-8"))
    assert not measured
    assert recorded["recordings"][-1]["results"]["population"]["done"] == 20
    widget.to_html(tmp_path / "page.html", setups=[ct.Mask("prefix")])
    assert {setup.to_code() for setup in measured} == {ct.Setup([ct.Mask("prefix")]).to_code()}


def test_text_cannot_leave_its_place(playground, tmp_path):
    page = playground.to_html(tmp_path / "page.html", setups=[]).read_text(encoding="utf-8")
    assert page.count("<script") == 2 and page.count("</script>") == 2
    assert "boom" in recorded_in(page)["state"]["prompt"][0]["text"]
    assert "http://" not in page and "https://" not in page


def test_a_mark_in_the_data_is_left_alone():
    assert '"/*ctkit:script*/"' in filled('"/*ctkit:script*/"')


def test_setups_are_recorded_once_and_the_last_stays_last(playground):
    setups = [(), ct.Reread(), ct.Think(), ct.Reread()]
    assert [s.to_code() for s in unique(setups)] == [
        "ct.Setup([])",
        "ct.Setup([ct.Think()])",
        "ct.Setup([ct.Reread()])",
    ]
    offered = [switch for switch in playground.catalog["switches"] if not switch.get("more")]
    assert len(single_switches(playground.catalog)) == len(offered)


def test_a_page_that_cannot_be_written(playground, tmp_path, monkeypatch):
    monkeypatch.setattr(playground_module, "record_page", lambda view, setups: pytest.fail("recorded for nothing"))
    with pytest.raises(ct.CtkitError, match="a folder that exists"):
        playground.to_html(tmp_path / "nowhere" / "page.html")
    monkeypatch.setattr(playground_module, "record_page", lambda view, setups: export.Page("text"))
    with pytest.raises(ct.CtkitError, match="a folder that exists"):
        playground.to_html(tmp_path)  # a folder
