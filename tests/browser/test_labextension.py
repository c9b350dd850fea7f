"""The extension in a real JupyterLab: card, lessons with progress, palette, Help, settings, and failures in words."""

import json
import os
import re
import time

import pytest

from ..house import ROOT
from .conftest import Asked, write_notebook
from .labdriver import LabDriver

SECONDS = 15  # from the card to a running playground, on two cores that have nothing else to do
AXE = ROOT / "widgets" / "node_modules" / "axe-core" / "axe.min.js"
SMALL = "02-small.ipynb"
# JupyterLab's word where a notebook is closed while its kernel still answers; the words of other extensions
NOT_OURS = re.compile(r"Canceled future for|/lab/extensions/(?!ctkit-lab/)")


@pytest.fixture(scope="module")
def lessons(lab):
    """Two small lessons, and files that are none, beside the real ones."""
    for name, title in ((SMALL, "2 · Small <b>lesson</b>"), ("10-last.ipynb", "10 · Last"), ("mine.ipynb", "Mine")):
        write_notebook(lab.root / "notebooks" / name, "1 + 1", "2 + 2", "", above=f"# {title}")
    yield lab.root / "notebooks"
    for name in (SMALL, "10-last.ipynb", "mine.ipynb"):
        (lab.root / "notebooks" / name).unlink(missing_ok=True)


@pytest.fixture(scope="module")
def asked_here() -> Asked:
    return Asked()


@pytest.fixture(scope="module")
def driver(lab, chromium, lessons, asked_here):
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(60_000)
    context.on("request", lambda request: asked_here.append(request.url))
    driver = LabDriver(context, lab)
    yield driver
    context.close()
    lab.stop_kernels()


@pytest.fixture
def fresh(driver):
    """The same page loaded anew, without the playgrounds and settings of the test before."""
    driver.page.goto("about:blank")  # nothing more is kept by the page of the test before
    driver.lab.stop_kernels()
    for path in driver.lab.root.glob("playground*.ipynb"):
        path.unlink()
    for plugin in ("plugin", "progress"):
        keep(driver.lab, plugin, {})
    driver.load()
    yield driver
    driver.page.unroute_all()


def keep(lab, plugin: str, settings: dict) -> None:
    """Put settings where the server keeps them, as another page would have done."""
    lab.ask(f"/lab/api/settings/ctkit-lab:{plugin}", "PUT", json.dumps({"raw": json.dumps(settings)}))


def test_the_card_opens_a_running_playground_in_time(fresh, pictures):
    fresh.page.screenshot(path=pictures / "launcher.png")
    assert fresh.card("ctkit Lessons").locator("img").evaluate("image => image.naturalWidth") > 0
    assert fresh.card("ctkit Lessons").bounding_box()["y"] < 400, "the cards are not seen without scrolling"
    started = time.monotonic()
    fresh.card("ctkit Playground").click()
    fresh.playground_runs()
    took = time.monotonic() - started
    busy = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)) if hasattr(os, "getloadavg") else 1.0
    print(f"from the card to a running playground: {took:.1f} s, the machine {busy:.1f} times taken")
    assert took <= SECONDS * busy
    assert fresh.current() == "playground.ipynb"
    assert fresh.sources() == ["import ctkit as ct", "ct.Playground()"]
    fresh.page.screenshot(path=pictures / "playground.png")


def test_a_second_playground_leaves_the_first_alone(fresh):
    (fresh.lab.root / "playground.ipynb").write_text("mine")
    fresh.choose("ctkit Playground")
    fresh.wait_for_current("playground-2.ipynb")
    assert (fresh.lab.root / "playground.ipynb").read_text() == "mine"


def test_the_lessons_are_listed_by_number_with_their_titles(fresh, pictures):
    fresh.show_lessons()
    titles = list(fresh.lessons())
    assert titles[0].startswith("1 · ")
    assert titles[-1] == "10 · Last"
    assert "2 · Small <b>lesson</b>" in titles, "a title is text, never HTML"
    assert len(titles) == len([p for p in (fresh.lab.root / "notebooks").glob("*.ipynb") if p.name[0].isdigit()])
    assert set(fresh.lessons().values()) == {"not started"}
    fresh.page.screenshot(path=pictures / "lessons.png")


def test_progress_is_made_by_running_cells_and_survives_a_reload(fresh, pictures):
    fresh.show_lessons()
    fresh.panel.locator(f"[data-lesson='{SMALL}']").click()
    fresh.wait_for_current(f"notebooks/{SMALL}")
    fresh.wait_for_state(SMALL, "opened, 0 of 2 cells run")
    fresh.page.evaluate("() => window.jupyterapp.shell.currentWidget.content.activeCellIndex = 1")
    fresh.execute("notebook:run-cell")
    fresh.wait_for_state(SMALL, "opened, 1 of 2 cells run")
    fresh.page.screenshot(path=pictures / "half.png")
    fresh.execute("notebook:run-all-cells")
    fresh.wait_for_state(SMALL, "finished")
    assert "1 of" in fresh.panel.locator(".ck-summary").inner_text()
    wait_until(lambda: fresh.kept("progress").get("lessons", {}).get(SMALL, {}).get("finished"))
    fresh.close_all()
    fresh.load()
    fresh.show_lessons()
    fresh.wait_for_state(SMALL, "finished")
    assert fresh.lessons()["10 · Last"] == "not started"


def test_a_cell_that_fails_is_no_progress(fresh):
    fresh.show_lessons()
    fresh.panel.locator(f"[data-lesson='{SMALL}']").click()
    fresh.wait_for_current(f"notebooks/{SMALL}")
    fresh.page.evaluate("""() => {
        const book = window.jupyterapp.shell.currentWidget.content;
        book.widgets[1].model.sharedModel.setSource("1 / 0");
        book.activeCellIndex = 1;
    }""")
    fresh.execute("notebook:run-cell")
    fresh.page.get_by_text("ZeroDivisionError").first.wait_for()
    fresh.wait_for_state(SMALL, "opened, 0 of 2 cells run")
    fresh.page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.content.widgets[1].model.sharedModel.setSource('1')"
    )
    fresh.execute("notebook:run-cell")
    fresh.wait_for_state(SMALL, "opened, 1 of 2 cells run")


def test_what_another_page_kept_is_not_lost(fresh):
    fresh.show_lessons()
    keep(fresh.lab, "progress", {"lessons": {"10-last.ipynb": {"ran": [], "finished": True}}})
    fresh.panel.locator(f"[data-lesson='{SMALL}']").click()
    wait_until(lambda: SMALL in fresh.kept("progress")["lessons"])
    assert fresh.kept("progress")["lessons"]["10-last.ipynb"]["finished"]


def test_reset_asks_first(fresh):
    keep(fresh.lab, "progress", {"lessons": {SMALL: {"ran": [], "finished": True}}})
    fresh.show_lessons()
    fresh.panel.get_by_role("button", name="Look again").click()
    fresh.wait_for_state(SMALL, "finished")
    fresh.panel.get_by_role("button", name="Reset progress").click()
    fresh.page.get_by_role("button", name="Cancel").click()
    assert "finished" in fresh.lessons().values()
    fresh.choose("Reset ctkit Progress")
    fresh.page.get_by_role("button", name="Reset", exact=True).click()
    fresh.wait_for_state(SMALL, "not started")
    wait_until(lambda: fresh.kept("progress")["lessons"] == {})
    assert fresh.panel.get_by_role("button", name="Reset progress").is_disabled()


def test_all_of_it_by_keyboard(fresh):
    """Palette → panel → lesson; inside the panel Tab goes on, and Enter opens."""
    fresh.choose("ctkit Lessons")
    fresh.panel.wait_for()
    fresh.page.wait_for_function("() => document.activeElement?.dataset.lesson")
    names = []
    for _ in range(len(fresh.lessons()) + 3):
        names.append(
            fresh.page.evaluate("() => document.activeElement.dataset.lesson ?? document.activeElement.dataset.test")
        )
        fresh.page.keyboard.press("Tab")
    assert names[-3:-1] == ["new-playground", "refresh"]  # reset is disabled: there is nothing to reset
    fresh.choose("ctkit Lessons")
    while fresh.page.evaluate("() => document.activeElement.dataset.lesson") != SMALL:
        fresh.page.keyboard.press("Tab")
    fresh.page.keyboard.press("Enter")
    fresh.wait_for_current(f"notebooks/{SMALL}")


def test_help_has_both(fresh, pictures):
    entry = fresh.menu("Help", "ctkit Lessons")
    entry.wait_for()
    fresh.page.screenshot(path=pictures / "help.png")
    entry.click()
    fresh.panel.wait_for()
    fresh.menu("Help", "ctkit Playground").click()
    fresh.wait_for_current("playground.ipynb")


def test_colours_and_motion_of_the_settings_reach_the_playground(fresh, pictures):
    fresh.card("ctkit Playground").click()
    fresh.playground_runs()
    look = """() => {
        const root = document.querySelector(".ctkit"), css = getComputedStyle(root);
        const canvas = root.querySelector("[data-test=matrix]");
        const moves = el => ["", "::after"].some(part => getComputedStyle(el, part).transitionDuration !== "0s");
        const moving = [...root.querySelectorAll("*")].filter(moves);
        return { reads: css.getPropertyValue("--ck-reads").trim(), picture: canvas.toDataURL(), moving: moving.length };
    }"""
    before = fresh.page.evaluate(look)
    assert before["moving"] > 0
    fresh.settings()
    fresh.page.screenshot(path=pictures / "settings.png")
    fresh.page.locator("select[id*=palette]").select_option(label="purple and green")
    fresh.page.locator("select[id*=motion]").select_option(label="none")
    fresh.page.wait_for_function("() => document.body.dataset.ctkitMotion === 'reduced'")
    fresh.page.wait_for_function("() => document.body.dataset.ctkitPalette === 'purple-green'")
    fresh.page.evaluate("""() => {
        const book = [...window.jupyterapp.shell.widgets("main")].find(widget => widget.context);
        window.jupyterapp.shell.activateById(book.id);
    }""")
    fresh.page.wait_for_timeout(500)
    after = fresh.page.evaluate(look)
    assert after["reads"] != before["reads"]
    assert after["picture"] != before["picture"], "the canvas is not painted again"
    assert after["moving"] == 0
    fresh.page.screenshot(path=pictures / "purple.png")
    wait_until(lambda: fresh.kept("plugin").get("palette") == "purple-green")


def test_the_model_of_the_settings_is_the_one_that_opens(fresh):
    keep(fresh.lab, "plugin", {"model": "tiny-anymask"})
    fresh.load()
    fresh.card("ctkit Playground").click()
    fresh.playground_runs()
    assert fresh.sources()[-1] == 'ct.Playground(ct.load("tiny-anymask"))'
    assert "tiny-anymask" in fresh.page.locator("[data-test=playground]").first.inner_text()


@pytest.mark.parametrize(
    ("folder", "words"),
    [
        ("nowhere", "There is no folder “nowhere”"),
        ("notebooks/none", "holds no lesson"),
        (f"notebooks/{SMALL}", "is a file"),
    ],
)
def test_a_folder_without_lessons_is_said_in_words(fresh, folder, words):
    (fresh.lab.root / "notebooks" / "none").mkdir(exist_ok=True)
    keep(fresh.lab, "plugin", {"lessons": folder})
    fresh.load()
    fresh.show_lessons()
    assert fresh.lessons() == {}
    assert words in fresh.panel.get_by_role("alert").inner_text()
    fresh.forgive("404")


def test_a_lesson_that_cannot_be_read_leaves_the_others(fresh):
    broken = fresh.lab.root / "notebooks" / "03-broken.ipynb"
    broken.write_text("no notebook")
    fresh.show_lessons()
    fresh.panel.get_by_role("button", name="Look again").click()
    fresh.panel.get_by_text("3 · Broken").wait_for()
    assert "03-broken.ipynb could not be read" in fresh.panel.get_by_role("alert").inner_text()
    assert fresh.lessons()["10 · Last"] == "not started"
    broken.unlink()
    fresh.forgive("400")


def test_a_folder_that_cannot_be_written(fresh):
    """The root may write everywhere, so the server's refusal is played."""
    refused = json.dumps({"message": "Permission denied: playground.ipynb"})
    fresh.page.route(
        "**/api/contents/playground*",
        lambda route: route.fulfill(status=403, body=refused, content_type="application/json"),
    )
    fresh.execute("ctkit-lab:playground")
    fresh.page.get_by_text("No notebook could be written in the top folder: Permission denied").first.wait_for()
    fresh.forgive("403")


def test_a_kernel_that_dies_is_said_in_words(fresh, lab):
    """A real kernel that ends at once, and the only one for Python that this page hears of."""
    folder = lab.network_log.parent / "data" / "kernels" / "broken"
    folder.mkdir(parents=True)
    spec = {"argv": ["false", "{connection_file}"], "display_name": "Broken", "language": "python"}
    (folder / "kernel.json").write_text(json.dumps(spec))
    only = {"default": "broken", "kernelspecs": {"broken": {"name": "broken", "spec": spec, "resources": {}}}}
    fresh.page.route("**/api/kernelspecs*", lambda route: route.fulfill(json=only))
    fresh.load()
    fresh.execute("ctkit-lab:playground")
    fresh.page.get_by_text("The kernel did not start, so the playground cannot run.").first.wait_for(timeout=120_000)
    (folder / "kernel.json").unlink()
    folder.rmdir()


def test_progress_that_cannot_be_kept_is_said_in_words(fresh):
    fresh.show_lessons()
    fresh.page.route(
        "**/lab/api/settings/ctkit-lab**",
        lambda route: (
            route.fulfill(status=500, json={"message": "disk full"})
            if route.request.method == "PUT"
            else route.continue_()
        ),
    )
    fresh.panel.locator(f"[data-lesson='{SMALL}']").click()
    fresh.panel.get_by_text("Progress could not be kept").wait_for()
    fresh.wait_for_state(SMALL, "opened, 0 of 2 cells run")
    fresh.forgive("500")


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_the_panel_has_no_violation(fresh, theme, pictures):
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: npm ci in widgets/")
    fresh.show_lessons()
    fresh.execute("apputils:change-theme", theme=theme)
    fresh.page.wait_for_function("theme => document.body.dataset.jpThemeName === theme", arg=theme)
    fresh.panel.locator(f"[data-lesson='{SMALL}']").click()
    fresh.wait_for_state(SMALL, "opened, 0 of 2 cells run")
    fresh.page.wait_for_timeout(500)
    fresh.page.evaluate(AXE.read_text("utf-8"))
    found = fresh.page.evaluate("() => axe.run('#ctkit-lessons')")
    fresh.page.screenshot(path=pictures / f"{theme}.png")
    assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in found["violations"]] == []
    assert found["passes"]
    fresh.execute("apputils:change-theme", theme="JupyterLab Light")
    fresh.page.wait_for_function("() => document.body.dataset.jpThemeLight === 'true'")


def test_nothing_was_said_in_the_console_and_nobody_else_was_asked(driver, asked_here, lab):
    assert [said for said in driver.complaints if not NOT_OURS.search(said)] == []
    assert asked_here.outside() == []
    assert lab.outside() == []
    assert any("remoteEntry" in url and "ctkit-lab" in url for url in asked_here)


def wait_until(true, seconds: float = 20) -> None:
    """Poll the server, which keeps things a moment after the page shows them."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.1)
