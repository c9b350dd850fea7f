"""The playground as one page: everything in it, nothing that could end a script early, a place to write it to."""

import json
import re

import pytest

import ctkit as ct
from ctkit.ui.export import filled, single_switches, unique


def recorded_in(page: str) -> dict:
    return json.loads(re.search(r'id="ctkit-recorded">(.*?)</script>', page, re.S).group(1))


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


def test_a_page_that_cannot_be_written(playground, tmp_path):
    with pytest.raises(ct.CtkitError, match="a folder that exists"):
        playground.to_html(tmp_path / "nowhere" / "page.html", setups=[])
