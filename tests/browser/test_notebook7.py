"""The extension in a real Notebook 7, where one is installed (see CONTRIBUTING.md): a page for each notebook."""

from importlib.util import find_spec

import pytest

from .conftest import Asked
from .labdriver import PANEL, RUNNING
from .server import TOKEN, serving

pytestmark = pytest.mark.skipif(find_spec("notebook") is None, reason="Notebook 7 is not installed")


@pytest.fixture(scope="module")
def asked_here() -> Asked:
    return Asked()


@pytest.fixture(scope="module")
def context(chromium, asked_here):
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(60_000)
    context.on("request", lambda request: asked_here.append(request.url))
    yield context
    context.close()


@pytest.fixture(scope="module")
def tree(context, tmp_path_factory):
    """The page with the files."""
    with serving(tmp_path_factory.mktemp("notebook7"), "notebook") as server:
        page = context.new_page()
        page.goto(f"{server.url}/tree?token={TOKEN}")
        page.wait_for_function("() => document.body.dataset.ctkitPalette")
        yield page


def choose_help(page, entry: str) -> None:
    """Choose an entry of the Help menu."""
    page.get_by_role("menuitem", name="Help", exact=True).click()
    page.get_by_role("menuitem", name=entry, exact=True).click()


def test_the_playground_opens_in_a_page_of_its_own_and_runs(context, tree, pictures):
    with context.expect_page() as opened:
        choose_help(tree, "ctkit Playground")
    page = opened.value
    page.wait_for_function(RUNNING, timeout=180_000)
    assert page.url.endswith("/notebooks/playground.ipynb")
    page.screenshot(path=pictures / "notebook7.png")
    page.reload()
    page.wait_for_function("() => window.jupyterapp?.shell.currentWidget?.context?.isReady")
    page.wait_for_timeout(2000)
    prompts = page.locator(".jp-InputPrompt").all_inner_texts()
    assert not any("*" in prompt for prompt in prompts), "a page that is loaded again must not run by itself"


def test_the_lessons_are_beside_the_files_and_open_in_a_page_of_their_own(context, tree, pictures):
    choose_help(tree, "ctkit Lessons")
    tree.locator(f"{PANEL} .ck-lesson").first.wait_for()
    tree.screenshot(path=pictures / "notebook7-lessons.png")
    with context.expect_page() as opened:
        tree.locator(f"{PANEL} .ck-lesson").first.click()
    page = opened.value
    page.wait_for_function("() => window.jupyterapp?.shell.currentWidget?.context?.isReady")
    assert "/notebooks/notebooks/01-" in page.url
    tree.wait_for_timeout(1000)
    tree.locator(PANEL).get_by_role("button", name="Look again").click()
    tree.locator(f"{PANEL} [data-state=opened]").first.wait_for()


def test_nobody_else_was_asked(tree, asked_here):
    assert asked_here.outside() == []
    assert any("remoteEntry" in url and "ctkit-lab" in url for url in asked_here)
