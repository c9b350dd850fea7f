"""Painting a mask in a real JupyterLab, by mouse and by keyboard: the numbers are those of the painted mask."""

import pytest

import ctkit as ct

from .driver import Driver
from .hands import paint

CELL = "import ctkit as ct\npainter = ct.MaskPainter()\npainter"


@pytest.fixture(scope="module")
def page(run_cells):
    page = run_cells("painter", CELL)
    return page


@pytest.fixture
def painter(page):
    driver = Driver(page)
    page.mouse.move(0, 0)  # no cell is pointed at
    if driver.part("painter-reset").is_visible():
        before = driver.seq()
        driver.part("painter-reset").click()
        driver.settle(before)
    return driver


def numbers(driver) -> dict[str, float]:
    """The probabilities after, of the tokens of the table (before, where nothing is painted)."""
    return {token.strip(): float(values[-1]) for token, *values in driver.numbers()}


def alone(lm, matrix) -> dict[str, float]:
    """The same probabilities of a run of our own."""
    trace = ct.run(lm, ct.Playground(lm).prompt, ct.Mask(ct.masks.painted(matrix)))
    return {token.strip(): p for token, p in trace.next_tokens(40)}


def test_a_mask_is_painted_by_mouse(painter, lm, pictures):
    n = len(ct.run(lm, ct.Playground(lm).prompt).ids)
    idle = numbers(painter)
    paint(painter, [(n - 1, 2), (n - 1, 8)])
    matrix = [[k <= q and not (q == n - 1 and 2 <= k <= 8) for k in range(n)] for q in range(n)]
    expected = alone(lm, matrix)
    assert all(
        p == pytest.approx(expected[token], abs=2e-4) for token, p in numbers(painter).items() if token in expected
    )
    assert numbers(painter) != idle
    assert (
        painter.part("painter-count").inner_text().startswith(f"7 of {n * (n + 1) // 2} cells closed by you, 0 opened")
    )
    paint(painter, [(3, 9), (3, 11)])
    matrix[3][9] = matrix[3][10] = matrix[3][11] = True
    expected = alone(lm, matrix)
    assert all(
        p == pytest.approx(expected[token], abs=2e-4) for token, p in numbers(painter).items() if token in expected
    )
    painter.photograph(pictures / "painter.png")
    before = painter.seq()
    painter.part("painter-cells").focus()
    painter.page.keyboard.press("Control+z")
    painter.settle(before)
    before = painter.seq()
    painter.page.keyboard.press("Control+z")
    painter.settle(before)
    assert numbers(painter) == idle


def test_a_mask_is_painted_by_keyboard(painter, lm):
    n = len(ct.run(lm, ct.Playground(lm).prompt).ids)
    cells, idle, before = painter.notebook(), numbers(painter), painter.seq()
    painter.part("painter-tool").focus()
    painter.tab_to("painter-cells")
    for key in ("ArrowUp", "ArrowDown", "Home", "Shift+ArrowRight", "Shift+ArrowRight", "Space"):
        painter.page.keyboard.press(key)
    painter.settle(before)
    matrix = [[k <= q and not (q == n - 1 and k <= 2) for k in range(n)] for q in range(n)]
    expected = alone(lm, matrix)
    assert numbers(painter) != idle
    assert all(
        p == pytest.approx(expected[token], abs=2e-4) for token, p in numbers(painter).items() if token in expected
    )
    assert painter.part("painter-count").inner_text().startswith("3 of ")
    assert "“" in painter.part("status").text_content(), "and the live line says what comes next"
    assert painter.notebook() == cells, "no key reached the notebook"


def test_a_row_without_a_word_is_refused_in_words(painter):
    seq = painter.seq()
    painter.part("painter-tool").select_option("row")
    painter.part("painter-cells").focus()
    for key in ("Home", *["ArrowUp"] * 80, "Space"):
        painter.page.keyboard.press(key)
    assert "would see nothing" in painter.part("painter-words").inner_text()
    assert painter.seq() == seq
    painter.part("painter-tool").select_option("cells")
