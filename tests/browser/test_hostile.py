"""A hostile vocabulary in the browser: the widget, the page, and the SVG and PNG it makes show it as text."""

import shutil
from xml.etree import ElementTree

import pytest

from ..hostile import MARKUP
from ..house import ROOT
from .driver import Driver
from .test_state import by_mouse, saved

CELL = """import ctkit as ct
from hostile import TEXT, hostile_lm
play = ct.Playground(hostile_lm(), TEXT, setup=ct.Reread(phrase=""), state={"n": 5})
play"""
RAN = "() => window.pwned !== undefined || document.querySelector('[data-test=playground] :is(img, script)') !== null"


@pytest.fixture(scope="module")
def play(lab, run_cells):
    shutil.copy(ROOT / "tests" / "hostile.py", lab.root / "notebooks")
    page = run_cells("hostile", CELL)
    return Driver(page)


def test_the_widget_shows_it_as_text(play, pictures):
    assert play.part("error").is_hidden()
    words = play.part("tokens").text_content()
    assert all(one in words for one in MARKUP), words[:400]
    play.root.evaluate("el => el.querySelectorAll('details').forEach(one => (one.open = true))")
    assert not play.page.evaluate(RAN)
    play.photograph(pictures / "hostile.png")


def test_the_pictures_it_makes_show_it_as_text(play, pictures):
    svg = saved(play, "ctkit-playground.svg", by_mouse(play, "save-svg")).read_text(encoding="utf-8")
    root = ElementTree.fromstring(svg)
    assert {one.tag.rpartition("}")[2] for one in root.iter()} <= {
        "svg",
        "title",
        "desc",
        "defs",
        "pattern",
        "path",
        "rect",
        "text",
    }
    assert "<img·src=x·onerror" in "".join(root.itertext())
    png = saved(play, "ctkit-playground.png", by_mouse(play, "save-png")).read_bytes()
    assert png.startswith(b"\x89PNG") and len(png) > 20_000
    (pictures / "hostile-saved.png").write_bytes(png)
    assert not play.page.evaluate(RAN)


def test_the_page_it_makes_shows_it_as_text(play, chromium, tmp_path):
    path = tmp_path / "page.html"
    shutil.copy(saved(play, "ctkit-playground.html", by_mouse(play, "save-html")), path)
    context = chromium.new_context(offline=True)
    page = context.new_page()
    page.goto(path.as_uri())
    alone = Driver(page)
    assert MARKUP[0] in alone.part("tokens").text_content()
    assert not page.evaluate(RAN)
    context.close()
