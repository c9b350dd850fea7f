"""Pictures of the development page in headless Chromium: `python shoot.py FOLDER [scene:theme:width …]`."""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
ARGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ALL = [
    "reread:light:1280",
    "reread:dark:1280",
    "idle:light:1280",
    "reread:light:800",
    "prefix:dark:800",
    "long:light:1280",
    "wide:light:1280",
    "hostile:light:1000",
    "error:light:1280",
]


def main(folder: Path, shots: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path="/usr/bin/chromium", args=ARGS)
        for shot in shots:
            scene, theme, width = shot.split(":")
            page = browser.new_page(viewport={"width": int(width), "height": 900})
            page.on("console", lambda message: print("console:", message.text))
            page.on("pageerror", lambda error: print("error:", error))
            page.goto(f"file://{HERE}/index.html?theme={theme}#{scene}")
            page.wait_for_selector(".ctkit")
            page.screenshot(path=folder / f"{scene}-{theme}-{width}.png", full_page=True)
            page.close()
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:] or ALL)
