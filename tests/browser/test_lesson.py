"""The first lesson in a real JupyterLab: open it, run it, use it."""

import pytest

from ctkit.lab import FIRST

from .driver import Driver


@pytest.fixture(scope="module")
def lesson(lab, open_notebook, run_all):
    assert (lab.root / FIRST).is_file(), f"{FIRST} is not there: jupytext --to ipynb --execute its .py"
    page = open_notebook(FIRST.as_posix())
    assert run_all(page) == []
    return page


def test_its_playground_answers(lesson, pictures):
    play = Driver(lesson)
    idle = play.numbers()
    play.flip("mask")
    assert play.numbers() != idle
    lesson.screenshot(path=pictures / "lesson.png")


def test_it_leaves_the_machine_alone(lesson, asked, lab):
    assert asked.outside() == []
    assert lab.outside() == []
