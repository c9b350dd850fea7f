"""One JupyterLab and one Chromium for all browser tests; pages that remember whom they asked."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest

from ctkit.doctor import find_browser

from .server import Lab, serving

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def lab(tmp_path_factory) -> Iterator[Lab]:
    if find_browser() is None:
        pytest.skip("no Chromium or Chrome on this machine")
    with serving(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture(scope="session")
def chromium():
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    if find_browser() is None:
        pytest.skip("no Chromium or Chrome on this machine")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=find_browser(), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def pictures(tmp_path_factory, request) -> Path:
    """Where the screenshots of this run go."""
    return tmp_path_factory.mktemp("pictures")


class Asked(list):
    """The addresses that pages asked for."""

    def outside(self) -> list[str]:
        """Those of other machines."""
        return [
            url
            for url in self
            if urlsplit(url).scheme not in ("data", "blob") and urlsplit(url).hostname != "127.0.0.1"
        ]


@pytest.fixture(scope="module")
def asked() -> Asked:
    return Asked()


@pytest.fixture(scope="module")
def open_notebook(lab, chromium, asked) -> Iterator[Callable]:
    """Open a notebook of the served folder in JupyterLab, with its kernel ready, and hand over the page."""
    context = chromium.new_context(viewport={"width": 1500, "height": 1250})
    context.set_default_timeout(60_000)
    context.on("request", lambda request: asked.append(request.url))

    def open_it(name: str):
        page = context.new_page()
        page.on("websocket", lambda socket: asked.append(socket.url.replace("ws://", "http://", 1)))
        page.goto(lab.address(name))
        page.locator("#jupyterlab-splash").wait_for(state="detached")
        page.wait_for_function(
            """name => {
            const shown = window.jupyterapp?.shell.currentWidget;
            return shown?.context?.path === name && shown.sessionContext?.session?.kernel?.status === "idle";
        }""",
            arg=name,
        )
        return page

    yield open_it
    context.close()
    lab.stop_kernels()


@pytest.fixture(scope="session")
def run_all() -> Callable:
    """Run every cell of the open notebook and wait for the last one; what cells raised is returned."""

    def run(page, seconds: float = 180) -> list[str]:
        page.evaluate("() => void window.jupyterapp.commands.execute('notebook:run-all-cells')")
        page.wait_for_function(
            """() => {
            const cells = window.jupyterapp.shell.currentWidget.content.widgets.filter(c => c.model.type === "code");
            const written = cells.filter(c => c.model.sharedModel.source.trim());
            return written.every(c => c.model.executionCount !== null && c.prompt !== "*");
        }""",
            timeout=seconds * 1000,
        )
        return page.evaluate("""() => window.jupyterapp.shell.currentWidget.content.widgets
            .filter(c => c.model.type === "code")
            .flatMap(c => c.model.outputs.toJSON())
            .filter(o => o.output_type === "error").map(o => `${o.ename}: ${o.evalue}`)""")

    return run


@pytest.fixture(scope="module")
def run_cells(lab, open_notebook, run_all) -> Callable:
    """Run cells of code, with a text below them, in a notebook of their own, and hand over the page; what its console
    complains of is in `page.said`."""

    def run(name: str, *cells: str):
        write_notebook(lab.root / "notebooks" / f"{name}.ipynb", *cells, below="below")
        page = open_notebook(f"notebooks/{name}.ipynb")
        page.said = []
        page.on("console", lambda message: page.said.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: page.said.append(str(error)))
        assert run_all(page) == []
        return page

    return run


def write_notebook(path: Path, *cells: str, above: str = "", below: str = "") -> None:
    """Write a notebook of cells of code, with a text above and below them."""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    book.cells[:0] = [nbformat.v4.new_markdown_cell(above)] if above else []
    book.cells += [nbformat.v4.new_markdown_cell(below)] if below else []
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(book, path)
