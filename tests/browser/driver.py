"""A playground on a page, as a person uses it: switches, numbers, keys."""

import json
import os
from pathlib import Path

ROOT = "[data-test=playground]"
# flips that are timed: few in a run of all tests; CTKIT_TEST_FLIPS=100 for a median to speak of
FLIPS = int(os.environ.get("CTKIT_TEST_FLIPS", "24"))
SWITCHES = ("think", "reread", "prepend", "mask", "steer")


class Driver:
    """What a person sees and does in the playground of a page."""

    def __init__(self, page):
        self.page = page
        self.root = page.locator(ROOT).first
        self.root.wait_for()
        self.settle()

    def part(self, name: str):
        """The element with this data-test name."""
        return self.root.locator(f"[data-test={name}]").first

    def seq(self) -> int:
        """The number of the newest frame that is painted."""
        return int(self.root.get_attribute("data-seq"))

    def settle(self, after: int = -1) -> None:
        """Wait for a frame newer than `after`."""
        self.page.wait_for_function(
            "([root, after]) => Number(document.querySelector(root).dataset.seq) > after", arg=[ROOT, after]
        )

    def answered(self) -> None:
        """Wait until the kernel, too, has answered: the page may have had the picture before."""
        self.page.wait_for_function(
            "root => (({ seq, answered }) => seq === answered)(document.querySelector(root).dataset)", arg=ROOT
        )

    def is_on(self, switch: str) -> bool:
        """Whether the switch is on."""
        return self.part(f"switch-{switch}").is_checked()

    def flip(self, switch: str) -> None:
        """Click the switch and wait for the picture."""
        before = self.seq()
        self.part(f"switch-{switch}").click()
        self.settle(before)

    def all_off(self) -> None:
        """Switch everything off."""
        for switch in SWITCHES:
            if self.is_on(switch):
                self.flip(switch)

    def usable(self) -> list[str]:
        """The switches that this model supports."""
        return [switch for switch in SWITCHES if self.part(f"switch-{switch}").is_enabled()]

    def next_tokens(self) -> str:
        """What is read out of the next-token bars."""
        return self.part("next-tokens").get_attribute("aria-label") or ""

    def numbers(self) -> list[list[str]]:
        """The rows of the next-token table: token, probability before, and after where something is on."""
        return self.part("next-table").evaluate(
            "el => [...el.querySelectorAll('tbody tr')].map(row => [...row.children].map(cell => cell.textContent))"
        )

    def population(self) -> str:
        """The words of the population line."""
        return " ".join(self.part("population").inner_text().split())

    def measured(self, seconds: float = 120) -> str:
        """The words of the population line once it has been measured for what is set now."""
        self.page.wait_for_function(
            """root => {
                const line = document.querySelector(`${root} [data-test=population]`);
                const bar = line.querySelector("progress");
                const newest = Number(line.dataset.seq) >= Number(document.querySelector(root).dataset.seq);
                return /%/.test(line.innerText) && newest && bar.offsetParent === null;
            }""",
            arg=ROOT,
            timeout=seconds * 1000,
        )
        return self.population()

    def tab_to(self, name: str, limit: int = 80) -> None:
        """Press Tab until the element is focused."""
        for _ in range(limit):
            self.page.keyboard.press("Tab")
            if self.focused() == name:
                return
        raise AssertionError(f"{limit} presses of Tab did not reach {name}")

    def focused(self) -> str:
        """The data-test name of what has the focus."""
        return self.page.evaluate("() => document.activeElement?.dataset?.test ?? ''")

    def notebook(self) -> str:
        """The cells of the notebook: their kinds and sources."""
        cells = self.page.evaluate("""() => window.jupyterapp.shell.currentWidget.content.widgets
            .map(c => [c.model.type, c.model.sharedModel.source])""")
        return json.dumps(cells)

    def flip_time(self, switch: str) -> tuple[float, float, float]:
        """Milliseconds from a click on the switch to the end of the frame that shows the answer, on the page's own
        clock; how many of them Python took for the picture; and of these, how many the run of the model alone."""
        return tuple(
            self.page.evaluate(
                """([root, name]) => new Promise(done => {
                const el = document.querySelector(root), start = performance.now(), old = el.dataset.seq;
                const said = el.querySelector("[data-test=ms]");
                const own = () => [parseFloat(said.textContent) || 0, Number(said.dataset.model)];
                const end = () => done([performance.now() - start, ...own()]);
                const watch = new MutationObserver(() => {
                    if (el.dataset.seq === old) return;
                    watch.disconnect();
                    const after = new MessageChannel(); // told once the frame is laid out and painted
                    after.port1.onmessage = end;
                    requestAnimationFrame(() => after.port2.postMessage(0));
                });
                watch.observe(el, { attributes: true });
                el.querySelector(`[data-test=switch-${name}]`).click();
            })""",
                [ROOT, switch],
            )
        )

    def photograph(self, path: Path) -> Path:
        """Save a picture of the playground."""
        self.root.scroll_into_view_if_needed()
        self.root.screenshot(path=path)
        return path
