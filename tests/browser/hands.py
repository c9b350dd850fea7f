"""How hands change each kind of setting in the playground: by the mouse, and by keys alone."""

from collections.abc import Callable

import ctkit as ct

from .driver import ROOT, Driver

OWN = ("own", "\u0000own")  # the choices that open a box to write in


class Hands(Driver):
    """A playground whose settings are changed as a person changes them."""

    def code(self) -> str:
        """The Python code that the page shows."""
        return self.part("code").text_content()

    def setup(self) -> list[dict]:
        """What is on, as that code has it."""
        line = next(line for line in self.code().split("\n") if line.startswith("setup = "))
        return eval(line.removeprefix("setup = "), {"ct": ct}).to_data()

    def answered(self, act: Callable) -> list[dict]:
        """Do something, wait for what the kernel answers, and say what is on then."""
        before = int(self.root.get_attribute("data-answered"))
        act()
        self.page.wait_for_function(
            """([root, before]) => {
                const el = document.querySelector(root);
                const failed = el.querySelector("[data-test=error]").offsetParent !== null;
                return failed || Number(el.dataset.answered) > before;
            }""",
            arg=[ROOT, before],
        )
        assert self.part("error").is_hidden(), self.part("error").inner_text()
        return self.setup()

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def at(self, name: str, *keys: str) -> None:
        """Put the focus on a control, and press keys."""
        self.part(name).focus()
        self.press(*keys)

    def walk(self, switch: str, to: str, limit: int = 40) -> list[str]:
        """The controls that Tab reaches from the toggle of a switch on, until one of a name or the next switch."""
        self.part(f"switch-{switch}").focus()
        row = self.part(f"switch-{switch}").locator("xpath=..")
        names = []
        for _ in range(limit):
            self.press("Tab")
            if not row.evaluate("el => el.contains(document.activeElement)"):
                return names
            names.append(self.focused())
            if names[-1] == to or names[-1].startswith(f"{to}-"):
                return names
        raise AssertionError(f"Tab does not leave the switch {switch}: {names}")

    def value(self, name: str) -> str:
        """What a control holds."""
        return self.part(name).input_value()

    def click_at(self, name: str, across: float, down: float = 0.5) -> None:
        """Click a control at a place inside it, in shares of its width and height."""
        self.part(name).hover()
        box = self.part(name).bounding_box()
        self.part(name).click(position={"x": box["width"] * across, "y": box["height"] * down})

    def choose_another(self, name: str) -> None:
        """Choose the last entry of a list that is not chosen, and opens no box to write in."""
        values = self.part(name).evaluate(
            "el => [...el.options].filter(o => !o.disabled && !o.selected).map(o => o.value)"
        )
        self.part(name).select_option([value for value in values if value not in OWN][-1])

    def choose_next(self, name: str) -> None:
        """The entry above the chosen one, by an arrow key; below the first."""
        self.at(name, "ArrowUp" if self.part(name).evaluate("el => el.selectedIndex > 0") else "ArrowDown")

    def write(self, name: str, words: str) -> None:
        """Click into a line, mark what is there, write, and click elsewhere."""
        self.part(name).click(click_count=3)
        self.page.keyboard.type(words)
        self.part("sentence").click()

    def type(self, name: str, words: str) -> None:
        """Write into a line by keys alone."""
        self.at(name, "Control+a")
        self.page.keyboard.type(words)
        self.press("Enter")

    def draw_over(self, name: str, first: int, last: int) -> None:
        """Draw the pointer over the boxes of the strip beside a control."""
        boxes = self.part(name).locator("xpath=ancestor::*[contains(@class,'ck-field')][1]").locator("[data-layer]")
        boxes.nth(first).hover()
        self.page.mouse.down()
        boxes.nth(last).hover()
        self.page.mouse.up()


BY_MOUSE: dict[str, Callable[[Hands, str], None]] = {
    "choice": Hands.choose_another,
    "way": Hands.choose_another,
    "place": Hands.choose_another,
    "direction": Hands.choose_another,
    "pair": lambda hands, name: hands.choose_another(f"{name}-0"),
    "int": lambda hands, name: hands.click_at(name, 0.85, 0.3),  # the upper of the two arrows in the box
    "number": lambda hands, name: hands.click_at(name, 0.4),
    "text": lambda hands, name: hands.write(name, "Some words:"),
    "layers": lambda hands, name: hands.part(f"{name}-1").click(),
    "heads": lambda hands, name: hands.draw_over(f"{name}-1", 1, 2),
    "code": lambda hands, name: hands.part(f"{name}-1").click(),
    "range": lambda hands, name: hands.draw_over(f"{name}-exit", 0, 1),
    "places": lambda hands, name: hands.part(f"{name}-cue").click(),
}
BY_KEYS: dict[str, Callable[[Hands, str], None]] = {
    "choice": Hands.choose_next,
    "way": Hands.choose_next,
    "place": Hands.choose_next,
    "direction": Hands.choose_next,
    "pair": lambda hands, name: hands.choose_next(f"{name}-1"),
    "int": lambda hands, name: hands.at(name, "ArrowUp"),
    "number": lambda hands, name: hands.at(name, "ArrowLeft"),
    "text": lambda hands, name: hands.type(name, "Other words:"),
    "layers": lambda hands, name: hands.at(f"{name}-1", "ArrowRight", "Space"),
    "heads": lambda hands, name: hands.at(f"{name}-1", "ArrowLeft", "Space"),
    "code": lambda hands, name: hands.at(f"{name}-1", "ArrowRight", "Space"),
    "range": lambda hands, name: hands.at(f"{name}-exit", "ArrowUp"),
    "places": lambda hands, name: hands.at(f"{name}-cue", "Space"),
}


def paint(driver: Driver, cells: list[tuple[int, int]]) -> None:
    """Drag the mouse over cells (row, column) of the mask painter, and wait for the picture."""
    before = driver.seq()
    driver.part("painter").scroll_into_view_if_needed()
    box = driver.part("painter").bounding_box()
    tokens = driver.root.locator("[data-test=tokens] [role=option]").count()
    left = driver.part("painter").evaluate("(el, n) => el.clientWidth - n * Number(el.dataset.cell)", tokens)
    side = float(driver.part("painter").get_attribute("data-cell"))
    places = [(box["x"] + left + (column + 0.5) * side, box["y"] + left + (row + 0.5) * side) for row, column in cells]
    driver.page.mouse.move(*places[0])
    driver.page.mouse.down()
    for place in places[1:]:
        driver.page.mouse.move(*place, steps=6)
    driver.page.mouse.up()
    driver.settle(before)
