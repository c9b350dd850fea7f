"""The lessons as files: run in order, readable without a kernel, in step with their text. (nbval runs the cells.)"""

import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jupytext
import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from ctkit.lab import FIRST

from .house import ROOT

LESSONS = sorted(path for path in (ROOT / "notebooks").rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts)
WIDGET = "application/vnd.jupyter.widget-view+json"
AVOIDED = {
    r"\bclear_output\b": "clear_output: nbval cannot follow it; return a value",
    r"\bOutput\(": "the Output widget: its text is lost to readers without a kernel",
    r"(?m)^[%!]": "a magic or a shell line: not everybody's machine has it",
    r"\binput\(": "input(): nobody answers when the lesson is tested",
}
PATHS = re.compile(r"(?<![\w.])/(home|root|tmp|Users|work|farm)/\w|[A-Z]:\\\\Users")


def code_of(book: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in book.cells if cell.cell_type == "code" and cell.source.strip()]


def findings(book: NotebookNode) -> Iterator[str]:
    """What is wrong with a lesson as it is stored."""
    cells = code_of(book)
    if book.metadata.get("kernelspec", {}).get("name") != "python3":
        yield "the kernel is not python3"
    if not book.cells or not book.cells[0].source.startswith("# "):
        yield "it does not begin with a title"
    if [cell.execution_count for cell in cells] != list(range(1, len(cells) + 1)):
        yield "the cells were not run once each, from top to bottom (nbval would then compare nothing)"
    if PATHS.search(nbformat.writes(book)):
        yield "it names a folder of one machine"
    if cells and statistics.median(len(cell.source.splitlines()) for cell in cells) > 6:
        yield "its cells are long"
    for number, cell in enumerate(cells):
        yield from (f"cell {number}: {finding}" for finding in cell_findings(cell))


def cell_findings(cell: NotebookNode) -> Iterator[str]:
    """What is wrong with one code cell."""
    yield from (why for pattern, why in AVOIDED.items() if re.search(pattern, cell.source))
    for output in cell.outputs:
        data = output.get("data", {})
        if output.output_type == "error" and "raises-exception" not in cell.metadata.get("tags", []):
            yield f"an error is stored: {output.ename}"
        if WIDGET in data and not {"image/png", "text/plain"} <= set(data):
            yield "a widget without a picture for readers who have no kernel"
        if "0x" in data.get("text/plain", "") and "image/png" not in data:
            yield "an address in memory"


def unpaired(path: Path) -> str | None:
    """How a lesson and its .py differ."""
    pair = path.with_suffix(".py")
    if not pair.exists():
        return "it has no .py beside it"
    sides = [[(cell.cell_type, cell.source.strip()) for cell in jupytext.read(side).cells] for side in (path, pair)]
    for number, (ours, theirs) in enumerate(zip(*sides, strict=False)):
        if ours != theirs:
            return f"cell {number} differs from {pair.name}: `jupytext --sync` makes them one"
    return None if len(sides[0]) == len(sides[1]) else f"{pair.name} has {len(sides[1])} cells, not {len(sides[0])}"


def test_each_lesson_was_run():
    texts = sorted(path.with_suffix(".ipynb") for path in (ROOT / "notebooks").rglob("*.py"))
    assert texts == LESSONS, "jupytext --to ipynb --execute makes the one from the other"
    assert ROOT / FIRST in LESSONS


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.name)
def test_a_lesson_is_stored_as_it_should_be(path):
    book = nbformat.read(path, as_version=4)
    nbformat.validate(book)
    assert list(findings(book)) == []
    assert unpaired(path) is None
    assert path.stat().st_size < 1_500_000, "too large to read on the web"


def stored(*cells: NotebookNode, kernel: str = "python3") -> NotebookNode:
    return new_notebook(cells=[new_markdown_cell("# A title"), *cells], metadata=metadata(kernel))


def metadata(kernel: str = "python3") -> dict:
    return {"kernelspec": {"name": kernel, "display_name": kernel}}


def shown(data: dict) -> NotebookNode:
    return new_code_cell("x", execution_count=1, outputs=[new_output("display_data", data=data)])


@pytest.mark.parametrize(
    ("book", "word"),
    [
        (stored(kernel="julia"), "kernel"),
        (new_notebook(metadata=metadata()), "title"),
        (stored(new_code_cell("1 + 1")), "top to bottom"),
        (stored(new_code_cell("open('/" + "home/ada/x')", execution_count=1)), "one machine"),
        (stored(new_code_cell("x\n" * 9, execution_count=1)), "long"),
        (stored(new_code_cell("!ls", execution_count=1)), "magic"),
        (stored(new_code_cell("x", execution_count=1, outputs=[new_output("error", ename="KeyError")])), "KeyError"),
        (stored(shown({WIDGET: {}, "text/plain": "Playground"})), "without a picture"),
        (stored(shown({"text/plain": "<object at 0x7f>"})), "address"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_wrong_is_found(book, word):
    assert any(word in finding for finding in findings(book))


def test_a_good_one_is_let_through():
    assert list(findings(stored(shown({WIDGET: {}, "text/plain": "Playground", "image/png": "…"})))) == []


def test_a_pair_that_differs_is_found(tmp_path):
    path = tmp_path / "lesson.ipynb"
    nbformat.write(stored(new_code_cell("1 + 1")), path)
    assert "no .py" in unpaired(path)
    path.with_suffix(".py").write_text("# %% [markdown]\n# # A title\n\n# %%\n1 + 2\n")
    assert "cell 1 differs" in unpaired(path)
    path.with_suffix(".py").write_text("# %% [markdown]\n# # A title\n\n# %%\n1 + 1\n")
    assert unpaired(path) is None


def test_nbval_compares_what_cells_print(tmp_path):
    """The plumbing of conftest.py: a wrong output fails, a closing semicolon hides a value, addresses are let by."""
    book = stored(
        new_code_cell("1 + 1", execution_count=1, outputs=[result("3", 1)]),
        new_code_cell("object();", execution_count=2),
        new_code_cell("print(hex(id(id)))", execution_count=3, outputs=[new_output("stream", text="0x7f0000000000\n")]),
        new_code_cell("4", execution_count=4, outputs=[result("4", 4)]),
    )
    nbformat.write(book, tmp_path / "wrong.ipynb")
    command = [sys.executable, "-m", "pytest", "-q", "-c", "pyproject.toml", "--rootdir", ".", "-p", "conftest"]
    command += ["-p", "no:cacheprovider", str(tmp_path / "wrong.ipynb")]
    out = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180)
    assert "1 failed, 3 passed" in out.stdout, out.stdout + out.stderr


def result(text: str, count: int) -> NotebookNode:
    return new_output("execute_result", data={"text/plain": text}, execution_count=count)
