"""One JupyterLab and one Chromium for all browser tests; pages that remember whom they asked."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

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
