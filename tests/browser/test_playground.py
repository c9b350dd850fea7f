"""The playground in a real JupyterLab: every switch by mouse and by keyboard, and no request to another machine."""

import os
import re
import statistics

import nbformat
import pytest

from .driver import FLIPS, SWITCHES, Driver

CELL = """import ctkit as ct
play = ct.Playground()
play"""


@pytest.fixture(scope="module")
def play(run_cells):
    page = run_cells("scratch", CELL)
    return Driver(page)


@pytest.fixture(autouse=True)
def everything_off(play):
    play.all_off()


@pytest.mark.parametrize("switch", SWITCHES)
def test_a_switch_changes_what_comes_next_and_undoes_it(play, switch):
    assert play.part(f"switch-{switch}").is_enabled(), f"the shipped model does not support {switch}"
    idle, words = play.numbers(), play.next_tokens()
    assert {len(row) for row in idle} == {2}
    play.flip(switch)
    edited = play.numbers()
    assert {len(row) for row in edited} == {3}
    assert any(before != after for _token, before, after in edited), f"{switch} changed no number: {edited}"
    assert "→" in play.next_tokens()
    play.flip(switch)
    assert play.numbers() == idle
    assert play.next_tokens() == words


@pytest.mark.parametrize("switch", SWITCHES)
def test_a_switch_by_keyboard(play, switch):
    cells = play.notebook()
    play.part("example").focus()
    play.tab_to(f"switch-{switch}")
    before = play.seq()
    play.page.keyboard.press("Space")
    play.settle(before)
    assert play.is_on(switch)
    assert "→" in play.next_tokens()
    assert play.notebook() == cells


@pytest.mark.parametrize("name", ["switch-reread", "example", "heads", "tokens"])
def test_keys_of_the_notebook_do_nothing_while_a_control_has_the_focus(play, name):
    cells = play.notebook()
    play.part(name).focus()
    for key in ("x", "b", "a", "d", "d", "m", "y", "z", "c", "v"):
        play.page.keyboard.press(key)
    assert play.focused() == name
    assert play.notebook() == cells


def test_the_same_keys_do_change_the_notebook_elsewhere(play):
    cells = play.notebook()
    play.page.evaluate("() => window.jupyterapp.shell.currentWidget.content.node.focus()")
    play.page.evaluate("() => window.jupyterapp.commands.execute('notebook:enter-command-mode')")
    play.page.keyboard.press("b")
    assert play.notebook() != cells
    play.page.evaluate("() => window.jupyterapp.commands.execute('notebook:delete-cell')")
    assert play.notebook() == cells


def test_reread_moves_the_population(play, pictures):
    idle = play.measured()
    assert re.search(r"\d+\s?% right", idle)
    assert "nothing is switched on" in idle
    play.flip("reread")
    words = play.measured()
    assert re.search(r"\d+\s?% → \d+\s?%", words)
    assert re.search(r"[-−+]?\d+ \([-−+]?\d+ to [-−+]?\d+\) points", words), words
    assert re.search(r"\d+ mended, \d+ broken, \d+ the same", words)
    assert "changed most" in play.part("attention-title").inner_text()
    play.photograph(pictures / "playground-reread.png")


def test_an_edit_of_the_text_is_followed(play):
    idle, before = play.numbers(), play.seq()
    play.part("edit").click()
    box = play.part("piece-question")
    kept = box.input_value()
    box.fill("Where is the box?")
    box.press("Control+Enter")
    play.settle(before)
    assert play.numbers() != idle
    before = play.seq()
    box.fill(kept)
    box.press("Control+Enter")
    play.settle(before)
    play.part("edit").click()


def test_the_code_on_the_page_gives_the_numbers_on_the_page(play):
    play.flip("reread")
    play.flip("mask")
    before, after = play.part("code").text_content().rsplit("\n", 1)
    assert "ct.Reread(" in before
    assert "ct.Mask(" in before
    said: dict = {}
    exec(f"{before}\nfound = {after}", said)
    ours = {token: (p, q) for token, p, q in said["found"]}
    rows = {token.strip(): (float(p), float(q)) for token, p, q in play.numbers()}
    shared = [token for token in ours if token.strip() in rows]
    assert shared
    for token in shared:
        assert rows[token.strip()] == pytest.approx(ours[token], abs=3e-4)


def test_what_goes_wrong_is_said_and_can_be_undone(play):
    error = play.part("error")
    assert error.is_hidden()
    good = play.numbers()
    play.part("edit").click()
    box = play.part("piece-context")
    kept = box.input_value()
    box.fill("The key is in the box. " * 2000)
    box.press("Control+Enter")
    error.wait_for(state="visible")
    assert "tokens" in error.inner_text()
    assert play.numbers() == good, "the last good picture stays"
    before = play.seq()
    box.fill(kept)
    box.press("Control+Enter")
    play.settle(before)
    error.wait_for(state="hidden")
    play.part("edit").click()


def test_how_long_a_flip_takes(play, record_property):
    times = []
    for _ in range(FLIPS + 4):  # on and off again: a setup that was on before is remembered
        play.page.wait_for_timeout(300)
        times.append(play.flip_time("reread"))
    record_property(
        "measured", f"flip to repaint in JupyterLab, seen before (the page remembers it): {in_words(times[4:])}"
    )
    assert min(total for total, *_ in times) > 0


def fresh_problems(play):
    """One text after another that was never seen, the pointer on no switch; behind each, reading again goes off."""
    for _ in range(FLIPS // 5 + 4):
        before = play.seq()
        play.part("new-problem").click()
        play.settle(before)
        play.page.wait_for_timeout(300)
        yield
        play.flip("reread")


def test_how_long_a_flip_takes_on_a_text_never_seen(play, record_property):
    times = []
    for _ in fresh_problems(play):
        times.append(play.flip_time("reread"))
    record_property("measured", f"flip to repaint in JupyterLab, never seen: {in_words(times[4:])}")
    assert min(model for *_, model in times) > 0, "nothing was run"


def test_how_long_a_flip_takes_after_a_pointer_has_rested_on_its_switch(play, record_property):
    times = []
    for _ in fresh_problems(play):
        play.part("switch-reread").hover()
        play.page.wait_for_timeout(300)
        times.append(play.flip_time("reread"))
        ahead = play.numbers()
        play.answered()
        assert play.numbers() == ahead, "worked out ahead, the same picture"
    record_property("measured", f"flip to repaint in JupyterLab, pointed at for 0.3 s: {in_words(times[4:])}")
    assert min(model for *_, model in times) == 0, "the model ran after the click"


def test_how_long_a_flip_takes_while_hundreds_of_thoughts_are_written(play, record_property):
    play.flip("think")
    times = []
    for _ in range(FLIPS // 8 + 2):
        play.page.wait_for_timeout(700)  # by now the fresh problems of the setting before are being answered
        times.append(play.flip_time("reread"))
    record_property("measured", f"the same while 200 thoughts are being written: {in_words(times)}")
    assert min(total for total, *_ in times) > 0


def in_words(times: list[tuple[float, float, float]]) -> str:
    totals = sorted(total for total, *_ in times)
    median, late = statistics.median(totals), totals[round(0.95 * len(totals)) - 1]
    busy = f"load {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores"
    parts = []
    for n, name in ((1, "Python"), (2, "the run of the model alone")):
        own, beside = (statistics.median(values) for values in ([t[n] for t in times], [t[0] - t[n] for t in times]))
        parts.append(f"{name} {own:.0f} ms, beside it {beside:.0f} ms")
    return f"median {median:.0f} ms, 95 % {late:.0f} ms, {'; '.join(parts)}; {len(times)} flips, {busy}"


def test_a_saved_notebook_keeps_the_widget_and_a_picture(play, lab):
    play.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    book = nbformat.read(lab.root / "notebooks" / "scratch.ipynb", as_version=4)
    states = book.metadata["widgets"]["application/vnd.jupyter.widget-state+json"]["state"].values()
    assert "AnyModel" in {state["model_name"] for state in states}
    [output] = book.cells[0].outputs
    assert {"image/png", "text/plain", "application/vnd.jupyter.widget-view+json"} <= set(output.data)
    assert output.data["text/plain"].startswith("Playground(")


def test_jupyterlab_asks_nothing(play):
    assert play.page.locator(".Toastify__toast").count() == 0
    assert play.page.locator(".jp-Dialog").count() == 0


def test_nothing_left_this_machine(play, asked, lab):
    assert any("/api/kernels" in url for url in asked), "the watch saw nothing at all"
    assert asked.outside() == []
    assert lab.outside() == []


def test_the_watch_sees_other_machines(play, asked):
    play.page.evaluate("() => fetch('http://ctkit-test.invalid/').catch(() => null)")
    assert asked.outside() == ["http://ctkit-test.invalid/"]
    asked.clear()
