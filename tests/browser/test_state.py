"""What a playground remembers and gives away, in a real JupyterLab: presets, history, files, reloads, restarts."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ctkit.ui.examples import examples
from ctkit.ui.share import state_from_json

from .driver import Driver

CELLS = [
    "import ctkit as ct\nplay = ct.Playground()\nplay",
    "play",
    'ct.AttentionView(play.lm, "The cup is in the bag. Where is the cup?", ct.Reread())',
]
MENUS = ("history", "save", "model")


@pytest.fixture(scope="module")
def page(run_cells):
    page = run_cells("state", *CELLS)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    return page


@pytest.fixture
def play(page):
    driver = Driver(page)
    driver.page.keyboard.press("Escape")
    for name in MENUS:
        close(driver, name)
    choose(driver, "lost-key")
    return driver


def choose(play: Driver, preset: str) -> None:
    """Choose a preset with the mouse, and wait for its picture."""
    before = play.seq()
    changes = play.part("example").input_value() != preset or play.part("undo").is_enabled()
    play.part("example").select_option(preset)
    if changes and play.seq() == before:
        play.page.wait_for_timeout(100)
    current(play)


def current(play: Driver) -> None:
    """Wait until the picture is that of the newest state."""
    play.page.wait_for_function(
        """() => {
            const root = document.querySelector("[data-test=playground]");
            return !root.querySelector(".ck-footer").classList.contains("ck-waiting");
        }"""
    )


def opened(play: Driver, menu: str) -> None:
    """Open a menu with the mouse."""
    if play.part(menu).evaluate("el => !el.parentElement.open"):
        play.part(menu).click()


def close(play: Driver, menu: str) -> None:
    """Close a menu."""
    play.part(menu).evaluate("el => void (el.parentElement.open = false)")


def test_every_preset_shows_what_it_promises(play, pictures):
    for example in examples():
        choose(play, example.id)
        assert play.part("preset-note").inner_text() == example.note
        assert play.part("error").is_hidden(), (example.id, play.part("error").inner_text())
        top = play.numbers()
        assert {len(row) for row in top} == {3 if example.setup else 2}
        side = {"wrong": False, "right": True}
        if example.task and example.claim.get("before") in side:
            problem = example_answer(example)
            best = max(top, key=lambda row: float(row[1]))[0].strip()
            assert (best == problem.split()[0]) is side[example.claim["before"]], example.id
        play.photograph(pictures / f"preset-{example.id}.png")


def test_dose_and_response_comes_in_the_second_script(play):
    choose(play, "mood")
    play.part("dose").wait_for(state="visible")
    assert " at strength 0, " in play.part("dose-note").inner_text()
    assert play.root.locator("[data-test=later]:visible").count() == 0


def example_answer(example) -> str:
    from ctkit.tasks import get

    return get(example.task).generate(example.seed, example.difficulty).answer


def test_presets_by_keyboard(play):
    play.part("example").focus()
    play.page.keyboard.press("ArrowDown")
    current(play)
    assert play.part("example").input_value() == "read-again" and play.is_on("reread")
    assert play.focused() == "example"


def test_history_by_mouse_and_compare(play):
    idle = play.numbers()
    play.flip("reread")
    reread = play.numbers()
    play.flip("mask")
    both = play.numbers()
    opened(play, "history")
    words = play.part("visits").locator("[data-does=go]").all_inner_texts()
    assert words[:2] == ["+ Mask", "+ Read again"]
    at = len(words) - 1
    before = play.seq()
    play.part(f"visit-{at - 1}").click()
    play.settle(before)
    assert play.numbers() == reread and play.is_on("reread") and not play.is_on("mask")
    before = play.seq()
    play.part(f"visit-{at}").click()
    play.settle(before)
    assert play.numbers() == both
    before = play.seq()
    play.part(f"compare-{at - 1}").click()
    play.settle(before)
    assert play.part("against").inner_text() == "before = Read again"
    assert "compared with reading again" in play.part("sentence").inner_text()
    compared = {row[0]: row[1] for row in play.numbers()}
    was = {row[0]: row[2] for row in reread}
    assert any(token in was for token in compared)
    assert all(compared[token] == was[token] for token in compared if token in was)
    close(play, "history")
    before = play.seq()
    play.part("against-nothing").click()
    play.settle(before)
    assert play.numbers() == both and idle != both


def test_history_by_keyboard(play):
    cells = play.notebook()
    play.flip("mask")
    play.flip("reread")
    play.part("undo").focus()
    play.tab_to("history", 3)
    play.page.keyboard.press("Enter")
    for _ in range(4):  # the present state, its "compare", the one before, its "compare"
        play.page.keyboard.press("Tab")
    name = play.focused()
    assert name.startswith("compare-")
    before = play.seq()
    play.page.keyboard.press("Enter")
    play.settle(before)
    assert play.part("against").inner_text() == "before = Mask"
    assert play.focused() == name.replace("compare", "visit"), "the focus stays in the list"
    before = play.seq()
    play.page.keyboard.press("Enter")  # goes there
    play.settle(before)
    assert play.is_on("mask") and not play.is_on("reread") and play.part("against").is_hidden()
    play.page.keyboard.press("Escape")
    assert play.focused() == "history" and play.part("visits").is_hidden()
    before = play.seq()
    play.page.keyboard.press("Control+Shift+Z")
    play.settle(before)
    assert play.is_on("mask") and play.is_on("reread")
    assert play.notebook() == cells


def saved(play: Driver, name: str, act) -> Path:
    """The file that something makes the browser save."""
    with play.page.expect_download(timeout=180_000) as waiting:
        act()
    assert waiting.value.suggested_filename == name
    return Path(waiting.value.path())


def by_key(play: Driver, name: str):
    """Focus a button of the menu by Tab, and press it."""

    def act() -> None:
        play.part("save").focus()
        opened(play, "save")
        play.tab_to(name, 12)
        play.page.keyboard.press("Enter")

    return act


def by_mouse(play: Driver, name: str):
    """Click a button of the menu."""

    def act() -> None:
        opened(play, "save")
        play.part(name).click()

    return act


@pytest.mark.parametrize("way", [by_mouse, by_key])
def test_pictures_are_saved(play, way, pictures):
    choose(play, "read-again")
    svg = saved(play, "ctkit-playground.svg", way(play, "save-svg")).read_text(encoding="utf-8")
    root = ElementTree.fromstring(svg)
    assert root.tag.endswith("svg") and "Attention · layer" in "".join(root.itertext())
    assert len(root.findall(".//{*}path")) > 5
    png = saved(play, "ctkit-playground.png", way(play, "save-png")).read_bytes()
    assert png.startswith(b"\x89PNG") and len(png) > 20_000
    (pictures / f"saved-{way.__name__}.png").write_bytes(png)
    (pictures / f"saved-{way.__name__}.svg").write_text(svg, encoding="utf-8")


@pytest.mark.parametrize("way", [by_mouse, by_key])
def test_a_state_is_copied_and_shown_again(play, way):
    choose(play, "read-again")
    way(play, "copy-json")()
    play.page.wait_for_function("() => document.querySelector('[data-test=saved]').textContent !== ''")
    text = play.part("json").input_value()
    state, _ = state_from_json(text)
    assert state["setup"][0]["intervention"] == "Reread"
    assert json.loads(play.page.evaluate("() => navigator.clipboard.readText()")) == json.loads(text)
    close(play, "save")
    choose(play, "lost-key")
    opened(play, "save")
    play.part("json").fill(text)
    before = play.seq()
    way(play, "load-json")()
    play.settle(before)
    assert play.is_on("reread")
    play.part("json").fill(text.replace("Reread", "Unheard of"))
    play.part("load-json").click()
    play.part("error").wait_for(state="visible")
    assert "no intervention of that name" in play.part("error").inner_text()
    close(play, "save")
    before = play.seq()
    play.part("undo").click()
    play.settle(before)
    play.part("error").wait_for(state="hidden")


def test_a_page_is_saved_and_works_with_the_network_off(play, chromium, pictures, tmp_path):
    choose(play, "lost-key")
    play.flip("reread")
    page_file = tmp_path / "page.html"
    page_file.write_bytes(saved(play, "ctkit-playground.html", by_mouse(play, "save-html")).read_bytes())
    assert page_file.stat().st_size <= 2_000_000
    shown = play.numbers()
    context = chromium.new_context(offline=True, viewport={"width": 1280, "height": 900})
    alone, asked, said = context.new_page(), [], []
    alone.on("request", lambda request: asked.append(request.url))
    alone.on("console", lambda message: said.append(message.text))
    alone.goto(page_file.as_uri())
    driver = Driver(alone)
    assert driver.is_on("reread") and driver.numbers() == shown
    alone.locator("[role=option][data-index]").nth(4).hover()
    assert re.search(r"reads .*\d\.\d\d", driver.part("reads").inner_text())
    driver.flip("reread")
    assert {len(row) for row in driver.numbers()} == {2}
    driver.part("undo").click()
    driver.settle(driver.seq() - 1)
    assert driver.numbers() == shown
    assert driver.part("gone").is_hidden() and said == []
    assert all(url.startswith("file:") for url in asked), asked
    driver.photograph(pictures / "page-alone.png")
    context.close()


def test_two_views_of_one_playground_agree(play):
    views = play.page.locator("[data-test=playground]")
    first, second = views.nth(0), views.nth(1)
    play.flip("mask")
    second.locator("[data-test=switch-mask]:checked").wait_for()
    second.locator("[data-test=undo]").click()
    first.locator("[data-test=switch-mask]:not(:checked)").wait_for()
    assert first.locator("[data-test=redo]").is_enabled() and second.locator("[data-test=redo]").is_enabled()
    words = []
    for view in (first, second):
        view.locator("[data-test=history]").click()
        words.append(view.locator("[data-test=visit-0]").locator("xpath=ancestor::ol").inner_text())
        play.page.keyboard.press("Escape")
    assert words[0] == words[1] and "+ Mask" in words[0]


def test_another_playground_beside_it_is_left_alone(play):
    other = play.page.locator("[data-test=playground]").nth(2)
    other.scroll_into_view_if_needed()
    words, seq = other.locator("[data-test=tokens]").text_content(), other.get_attribute("data-seq")
    assert words
    play.flip("reread")
    play.flip("mask")
    other.scroll_into_view_if_needed()
    assert (other.locator("[data-test=tokens]").text_content(), other.get_attribute("data-seq")) == (words, seq)


def test_another_model_is_loaded_and_a_missing_one_refused(play):
    opened(play, "model")
    before = play.seq()
    play.part("model-tiny-anymask").click()
    play.page.wait_for_function(
        "() => document.querySelector('[data-test=model-name]').textContent === 'tiny-anymask'", timeout=60_000
    )
    play.settle(before)
    assert "reads now" in play.part("model-said").inner_text()
    assert play.part("preset-note").inner_text().startswith("On tiny: ")
    play.part("model-id").fill("/no/such/folder")
    play.part("model-id").press("Enter")
    play.page.wait_for_function(
        "() => /stays/.test(document.querySelector('[data-test=model-said]').textContent)", timeout=60_000
    )
    assert play.part("model-name").inner_text() == "tiny-anymask"
    before = play.seq()
    play.part("model-tiny").click()
    play.settle(before)
    close(play, "model")


def test_the_population_is_chosen_and_a_problem_of_it_loaded(play):
    choose(play, "read-again")
    before = play.seq()
    play.part("n").fill("60")
    play.part("n").press("Enter")
    play.settle(before)
    assert "60 fresh problems" in play.measured()
    play.part("flipped").locator("summary").click()
    before = play.seq()
    play.part("flipped").locator("[data-seed]").first.click()
    play.settle(before)
    assert play.part("preset-note").is_hidden() or play.part("preset-note").inner_text() == ""


def test_a_reload_restores_the_state(play, lab):
    choose(play, "crowd")
    shown, before = play.numbers(), play.seq()
    play.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    play.page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
    play.page.goto(lab.address("notebooks/state.ipynb"))
    play.page.locator("[data-test=playground]").first.wait_for(timeout=60_000)
    again = Driver(play.page)
    assert again.seq() >= before and again.numbers() == shown
    assert again.part("example").input_value() == "crowd" and again.is_on("mask")
    again.flip("mask")
    assert again.part("gone").is_hidden()


def test_a_kernel_that_was_restarted_is_told_in_words(page):
    play = Driver(page)
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    if play.part("switch-mask").is_visible():
        play.part("switch-mask").click()
    play.part("gone").wait_for(state="visible", timeout=30_000)
    assert "run the cell again" in play.part("gone").inner_text()


def test_a_pointer_on_a_switch_does_not_mind_that_the_kernel_is_gone(page):
    play = Driver(page)
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.shutdown()")
    page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel")
    del page.said[:]
    for switch in ("mask", "reread", "steer"):
        play.part(f"switch-{switch}").hover()
        page.wait_for_timeout(200)
    assert page.said == []


def test_nothing_left_this_machine(page, asked, lab):
    assert any("/api/kernels" in url for url in asked), "the watch saw nothing at all"
    assert asked.outside() == [] and lab.outside() == []
