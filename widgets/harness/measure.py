"""How heavy a page is: elements, and milliseconds a pointer's move takes: `python measure.py [scene …]`.

Hover: the pointer goes over 60 parts of the text and 60 cells of the matrix; for each the time that the view's own work
takes (all listeners, styles and layout, up to the frame that the browser then paints)."""

import statistics
import sys

from playwright.sync_api import sync_playwright
from shoot import ARGS, HERE

MOVES = """async ([selector, n]) => {
    const times = [], targets = [...document.querySelectorAll(selector)];
    const rest = () => new Promise(done => requestAnimationFrame(() => setTimeout(done)));
    for (let i = 0; i < n; i++) {
        const element = targets[Math.floor(i * targets.length / n) % targets.length];
        const box = element.getBoundingClientRect();
        const at = targets.length > 1 ? [2, 2] : [box.width * (0.3 + 0.5 * i / n), box.height * (0.35 + 0.6 * i / n)];
        await rest();
        const start = performance.now();
        const where = { bubbles: true, clientX: box.left + at[0], clientY: box.top + at[1] };
        element.dispatchEvent(new PointerEvent("pointermove", where));
        document.body.getBoundingClientRect();
        getComputedStyle(element).backgroundColor;
        times.push(performance.now() - start);
    }
    return times;
}"""


def main(scenes: list[str]) -> None:
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path="/usr/bin/chromium", args=ARGS)
        for scene in scenes:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.on("pageerror", lambda error: print("error:", error))
            page.goto(f"file://{HERE}/index.html#{scene}")
            page.wait_for_function("() => Number(document.querySelector('.ctkit')?.dataset.seq) > 0")
            page.wait_for_timeout(700)
            nodes = page.evaluate("() => document.querySelectorAll('.ctkit *').length")
            paint = page.get_attribute(".ctkit", "data-paint-ms")
            print(f"{scene}: {nodes} elements, frame decoded and painted in {paint} ms")
            for name, selector in (("text", ".ck-token"), ("matrix", "[data-test=matrix]")):
                page.locator(selector).first.scroll_into_view_if_needed()
                times = page.evaluate(MOVES, [selector, 60])
                print(f"  hover {name}: median {statistics.median(times):.1f} ms, longest {max(times):.1f} ms")
            page.close()
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:] or ["reread", "gpt2", "gpt2again", "thousands"])
