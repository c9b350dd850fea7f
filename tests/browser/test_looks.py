"""Presets in a real JupyterLab, light and dark, wide and narrow: nothing cut off, nothing on top of another thing.

The pictures are for looking at, too: `CTKIT_TEST_LOOKS=all pytest tests/browser/test_looks.py --basetemp=FOLDER` takes
every preset.
"""

import os

import pytest

from ctkit.ui.examples import examples

from .driver import ROOT, Driver
from .looks import faults_of

CELL = 'import ctkit as ct\nplay = ct.Playground(state={"n": 50})\nplay'
ALL = [example.id for example in examples()]
PRESETS = ALL if os.environ.get("CTKIT_TEST_LOOKS") == "all" else ["read-again", "think", "paint", "mood"]
WIDTHS = (1280, 800)  # of the view, in CSS pixels
THEMES = ("JupyterLab Light", "JupyterLab Dark")
MEASURED = """async () => {
    const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    await kernel.requestExecute({ code: "assert play.wait(200)", silent: true }).done;
    await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
}"""


@pytest.fixture(scope="module")
def play(run_cells):
    page = run_cells("looks", CELL)
    page.set_viewport_size({"width": 1900, "height": 4600})
    return Driver(page)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_legible(play, preset, pictures):
    play.part("example").select_option(preset)
    play.page.evaluate(MEASURED)
    found = []
    for theme in THEMES:
        play.page.evaluate("t => window.jupyterapp.commands.execute('apputils:change-theme', { theme: t })", theme)
        play.page.wait_for_function("t => document.body.dataset.jpThemeName === t", arg=theme)
        for width in WIDTHS:
            wide(play, width)
            name = f"{preset}-{theme.split()[-1].lower()}-{width}"
            play.photograph(pictures / f"{name}.png")
            found += [f"{name}: {fault}" for fault in faults_of(play.root)]
            unfold(play, True)
            found += [f"{name}, unfolded: {fault}" for fault in faults_of(play.root)]
            unfold(play, False)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("preset", ["think", "mood"])
def test_a_view_beside_the_file_browser_of_a_small_window_is_legible(play, preset, pictures):
    play.part("example").select_option(preset)
    play.page.evaluate(MEASURED)
    wide(play, 350)
    play.photograph(pictures / f"{preset}-350.png")
    assert faults_of(play.root) == []
    for menu in ("model", "history", "save"):
        play.part(menu).click()
        sheet, view = (part.bounding_box() for part in (play.root.locator(".ck-sheet:visible"), play.root))
        assert view["x"] < sheet["x"] and sheet["x"] + sheet["width"] < view["x"] + view["width"], menu
        play.page.keyboard.press("Escape")


BRIGHTNESS = """el => {
    const { data } = el.getContext("2d").getImageData(0, 0, el.width, el.height);
    const of = i => (data[i] + data[i + 1] + data[i + 2]) / 3;
    let [sum, n] = [0, 0];
    for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 250) [sum, n] = [sum + of(i), n + 1];
    return sum / n;
}"""


def test_a_view_that_is_opened_in_the_dark_is_drawn_in_dark_colours(run_cells):
    page = run_cells("opened", CELL)
    bright = {}
    for theme in THEMES:
        page.evaluate("t => window.jupyterapp.commands.execute('apputils:change-theme', { theme: t })", theme)
        page.wait_for_function("t => document.body.dataset.jpThemeName === t", arg=theme)
        page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")  # a new view, in this theme
        page.evaluate(MEASURED)
        bright[theme] = Driver(page).root.locator("canvas").first.evaluate(BRIGHTNESS)
    page.evaluate("t => window.jupyterapp.commands.execute('apputils:change-theme', { theme: t })", THEMES[0])
    assert bright[THEMES[0]] > 200 and bright[THEMES[1]] < 60, bright


def wide(play: Driver, width: int) -> None:
    """Give the view this width, and wait until it is drawn at it."""
    play.root.evaluate("(el, px) => { el.parentElement.style.width = `${px}px`; }", width)
    play.page.wait_for_function("([root, px]) => document.querySelector(root).offsetWidth === px", arg=[ROOT, width])
    play.page.evaluate("async () => { for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame); }")


def unfold(play: Driver, every: bool) -> None:
    """Open every table and every group of settings, or close them."""
    play.root.evaluate("(el, open) => el.querySelectorAll('.ck-more').forEach(one => (one.open = open))", every)


PLANTED = """<div id="view" style="width: 300px; font: 12px sans-serif">
    <p style="font-size: 9px">tiny</p>
    <p style="width: 20px; overflow: hidden; white-space: nowrap">cut by its box</p>
    <p>below</p><p style="margin-top: -24px">above</p>
    <button>one</button><button style="margin-left: -20px">two</button>
    <div style="overflow-x: auto; width: 90px"><div style="width: 200px">slides</div></div>
    <p style="margin-left: 290px; white-space: nowrap">beyond the edge</p>
    <input type="number" placeholder="no limit" style="width: 30px">
    <p class="ck-word" style="width: 20px; overflow: hidden; text-overflow: ellipsis">meant</p>
</div>"""


def test_faults_that_are_planted_are_found(chromium):
    page = chromium.new_page()
    page.set_content(PLANTED)
    found = faults_of(page.locator("#view"))
    page.close()
    for fault in (
        "9px: p. “tiny”",
        "cut off: p. “cut by its box”, by p.",
        "on top of each other: p. “below” and p. “above”",
        "on top of each other: button. and button.",
        "scrolls sideways: div.",
        "out of the view: p. “beyond the edge”",
        "cut off: input. “no limit”",
        "wider than its place",
    ):
        assert any(fault.replace(" ", "") in each.replace(" ", "") for each in found), (fault, found)
    assert not any("meant" in each or "slides" in each for each in found), found
