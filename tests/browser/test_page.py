"""The exported page in a browser: from a file, with the network off, its switches move between what was recorded."""

import pytest

import ctkit as ct

from .driver import Driver


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    playground = ct.Playground(
        ct.load(), "The key is in the box. <img src=x onerror=alert(1)> Where is the key? Answer:"
    )
    return playground.to_html(tmp_path_factory.mktemp("page") / "page.html")


def test_the_page_works_alone(chromium, path, pictures):
    context = chromium.new_context(offline=True)
    page, asked = context.new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: pytest.fail("a script in the text ran"))
    page.goto(path.as_uri())
    driver = Driver(page)
    idle = driver.numbers()
    driver.flip("reread")
    assert driver.is_on("reread") and driver.numbers() != idle
    driver.flip("reread")
    assert driver.numbers() == idle
    driver.part("switch-reread").click()
    driver.part("switch-mask").click()  # both at once were not recorded
    driver.part("error").wait_for(state="visible")
    assert "this combination of switches" in driver.part("error").inner_text()
    assert all(url.startswith("file:") for url in asked), asked
    driver.photograph(pictures / "page.png")
    context.close()
