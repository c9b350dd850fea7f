"""Every switch and every setting of it in a real JupyterLab, by mouse and by keys alone; presets, history, exports."""

import json
from pathlib import Path

import pytest

import ctkit as ct
from ctkit.ui.examples import examples

from .hands import BY_KEYS, BY_MOUSE, Hands, paint

CELL = """import ctkit as ct
play = ct.Playground(prompt=ct.Prompt(
    context="The key is in the tin. The tin is in the sack. The sack is in the van. The cup is in the bag.",
    question="Where is the key?", cue="Answer:"))
play"""
IDS = ("mask", "prefix", "permute", "reread", "prepend", "steer", "emphasize", "think", "pine")


@pytest.fixture(scope="module")
def catalog(lm):
    """Switch → what the catalog says of it."""
    view = ct.Playground(lm)
    yield {one["id"]: one for one in view.catalog["switches"]}
    view.close()


@pytest.fixture(scope="module")
def page(run_cells):
    page = run_cells("hands", CELL)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    Hands(page).part("more-switches").locator("summary").first.click()
    return page


@pytest.fixture
def hands(page):
    """The playground with nothing on; afterwards no key was taken by the notebook, and the console is empty."""
    hands = Hands(page)
    for switch in IDS:
        if hands.is_on(switch):
            hands.answered(hands.part(f"switch-{switch}").click)
    cells = hands.notebook()
    yield hands
    assert hands.notebook() == cells and page.said == []


def test_these_are_all(catalog):
    assert list(catalog) == list(IDS) and all(one["unsupported"] is None for one in catalog.values())


@pytest.mark.parametrize("switch", IDS)
def test_a_switch_and_its_settings(hands, catalog, lm, switch):
    idle, toggle = hands.numbers(), f"switch-{switch}"
    offered = hands.answered(hands.part(toggle).click)
    shown = hands.numbers()
    assert any(before != after for _, before, after in shown), f"{switch} changes no number"
    assert_fresh(hands, lm)
    changed = change_everything(hands, catalog[switch])
    assert changed == {field["name"] for field in catalog[switch]["fields"]}
    assert_fresh(hands, lm)
    first, reset = catalog[switch]["fields"][0], f"reset-{switch}"
    for use in (hands.part(reset).click, lambda: hands.at(reset, "Enter")):
        if hands.part(reset).is_hidden():
            hands.answered(lambda: BY_MOUSE[first["type"]](hands, f"field-{switch}-{first['name']}"))
        assert hands.answered(use) == offered and hands.numbers() == shown
    assert hands.focused() == toggle
    hands.answered(lambda: hands.at(toggle, "Space"))
    assert hands.numbers() == idle and not hands.is_on(switch)
    hands.answered(lambda: hands.at(toggle, "Space"))
    assert hands.numbers() == shown and hands.is_on(switch)
    hands.answered(hands.part(toggle).click)
    assert hands.numbers() == idle


def change_everything(hands: Hands, one: dict) -> set[str]:
    """Change every setting of a switch by the mouse and by keys, in every way that it can be on; the names of them."""
    done = set()
    way = next((field for field in one["fields"] if field["type"] == "way"), None)
    for i, choice in enumerate(way["choices"] if way else [None]):
        if i:
            name = f"field-{one['id']}-{way['name']}"
            setup = hands.answered(lambda: hands.at(name, "ArrowDown"))  # noqa: B023
            told = choice["entry"].get("intervention", one["intervention"])
            assert setup[0]["intervention"] == told and hands.value(name) == str(i)
            done.add(way["name"])
        more = hands.part(f"more-{one['id']}")
        if more.is_visible() and not more.evaluate("el => el.open"):
            more.locator("summary").focus()
            hands.press("Enter")
        for field in one["fields"]:
            name = f"field-{one['id']}-{field['name']}"
            if field["name"] in done or field["type"] == "way" or not is_shown(hands, field, name):
                continue
            if field["type"] == "paint":
                change_paint(hands)
            else:
                reached = hands.walk(one["id"], name)
                assert any(at == name or at.startswith(f"{name}-") for at in reached), (name, reached)
                change(hands, field, name)
            done.add(field["name"])
    if way:
        name = f"field-{one['id']}-{way['name']}"
        hands.answered(lambda: hands.choose_another(name))
    return done


def is_shown(hands: Hands, field: dict, name: str) -> bool:
    if field["type"] == "paint":
        return hands.part("paint-words").is_visible()
    return hands.root.locator(f"[data-test='{name}'], [data-test^='{name}-']").first.is_visible()


def change(hands: Hands, field: dict, name: str) -> None:
    """Change one setting by the mouse and by keys: the setup is another each time, and has what the control shows."""
    for hand in (BY_MOUSE, BY_KEYS):
        before = hands.setup()
        after = hands.answered(lambda: hand[field["type"]](hands, name))  # noqa: B023
        assert after != before, (name, before)
        if field["type"] in ("int", "number", "text"):
            told = after[0][field.get("key", field["name"])]
            assert hands.value(name) == (told if field["type"] == "text" else f"{told:g}"), name
    assert hands.focused().startswith(name), "the focus stays where the keys were pressed"
    if field["type"] == "choice":  # a setting of another one may hang on it
        hands.answered(lambda: hands.choose_another(name))


def change_paint(hands: Hands) -> None:
    """Paint a cell by the mouse, and one by keys."""
    before, last = hands.setup(), hands.root.locator("[data-test=tokens] [role=option]").count() - 1
    paint(hands, [(last, 3)])
    drawn = hands.setup()
    pressed = hands.answered(lambda: hands.at("painter-cells", "Home", "Space"))
    assert before != drawn != pressed


def assert_fresh(hands: Hands, lm) -> None:
    """The numbers on show are those of the code on show, run here."""
    before, last = hands.code().replace("lm = ct.load()\n", "").rsplit("\n", 1)
    said: dict = {"lm": lm}
    exec(f"{before}\nfound = {last}", said)
    fresh = {token.strip(): after for token, _, after in said["found"]}
    rows = {row[0].strip(): float(row[-1]) for row in hands.numbers()}
    shared = fresh.keys() & rows.keys()
    assert shared and all(rows[token] == pytest.approx(fresh[token], abs=3e-4) for token in shared), hands.code()


def test_a_direction_between_two_texts_of_ones_own(hands):
    hands.answered(lambda: hands.at("switch-steer", "Space"))
    for i, press in enumerate((lambda: hands.part("own-fit").click(), lambda: hands.at("own-fit", "Enter"))):
        hands.at("field-steer-direction", "End")
        assert hands.focused() == "own-positive"
        hands.page.keyboard.type(f"The cat is happy.\nThe dog is {('happy', 'glad')[i]}.")
        hands.press("Tab")
        hands.page.keyboard.type("The cat is sad.\nThe dog is sad.")
        hands.part("own-layer").fill(str(i + 1))
        before = hands.setup()
        after = hands.answered(press)
        assert after[0]["direction"] != before[0]["direction"] and after[0]["layers"] == [i + 1]


def test_emphasis_takes_words_that_are_written_or_selected(hands):
    hands.answered(hands.part("switch-emphasize").click)
    hands.at("field-emphasize-piece", "End")
    assert hands.focused() == "field-emphasize-piece-words"
    hands.page.keyboard.type("the tin")
    assert hands.answered(lambda: hands.press("Enter"))[0]["piece"] == "the tin"
    take, tokens = "field-emphasize-piece-selected", hands.root.locator("[data-test=tokens] [role=option]")
    tokens.nth(9).hover()
    hands.page.mouse.down()
    tokens.nth(11).hover()
    hands.page.mouse.up()
    taken = hands.answered(hands.part(take).click)[0]["piece"]
    assert taken.startswith("tin is"), taken
    hands.at("tokens", "Home", "ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight")
    assert hands.answered(lambda: hands.at(take, "Enter"))[0]["piece"] == "The key is"
    hands.at("tokens", "Home", *["ArrowRight"] * 2, *["Shift+ArrowLeft"] * 2)  # the first token stands for no words
    assert hands.answered(lambda: hands.at(take, "Enter"))[0]["piece"] == "The key"


def test_the_order_is_changed(hands):
    def order(setup: list[dict]) -> list[str]:
        return [entry["intervention"] for entry in setup]

    hands.answered(lambda: hands.at("switch-prefix", "Space"))
    assert order(hands.answered(lambda: hands.at("switch-reread", "Space"))) == ["FixedPrefix", "Reread"]
    assert order(hands.answered(hands.part("later-prefix").click)) == ["Reread", "FixedPrefix"]
    assert order(hands.answered(lambda: hands.at("earlier-prefix", "Enter"))) == ["FixedPrefix", "Reread"]
    assert hands.focused() == "later-prefix", (
        "the button that was pressed has nothing left to do: its neighbour is next"
    )


def test_the_live_line_counts_the_cells_that_a_mask_changes(hands):
    n = hands.root.locator("[data-test=tokens] [role=option]").count()
    hands.answered(hands.part("switch-mask").click)
    said = hands.part("status").text_content()
    assert said.startswith(f"Another mask: {n * (n - 1) // 2} cells opened. The top token ") and "→" in said
    assert said == hands.part("sentence").text_content()


def test_every_step_of_the_history(hands):
    """Back by Ctrl+Z and the button, on by Ctrl+Shift+Z and the button, anywhere by the list, by mouse and by keys."""
    seen = [(hands.setup(), hands.numbers())]
    for switch in ("mask", "reread", "emphasize"):
        hands.answered(hands.part(f"switch-{switch}").click)
        seen.append((hands.setup(), hands.numbers()))
    by_mouse = (hands.part("undo").click, hands.part("redo").click)
    by_keys = (lambda: hands.at("heads", "Control+z"), lambda: hands.at("heads", "Control+Shift+z"))
    for undo, redo in (by_mouse, by_keys):
        for step in reversed(seen[:-1]):
            assert (hands.answered(undo), hands.numbers()) == step
        for step in seen[1:]:
            assert (hands.answered(redo), hands.numbers()) == step
    hands.at("history", "Enter")
    newest = int(hands.part("visits").locator("[data-does=go]").first.get_attribute("data-visit"))
    for i in (1, 3, 0, 2):
        name = f"visit-{newest - 3 + i}"
        assert (hands.answered(hands.part(name).click), hands.numbers()) == seen[i]
    for i in (1, 3, 0, 2):
        name = f"visit-{newest - 3 + i}"
        assert (hands.answered(lambda: hands.at(name, "Enter")), hands.numbers()) == seen[i]  # noqa: B023
        assert hands.focused() == name
    hands.press("Escape")


@pytest.mark.parametrize("hand", ["mouse", "keys"])
def test_every_export(hands, hand):
    def use(name: str) -> None:
        hands.part(name).click() if hand == "mouse" else hands.at(name, "Enter")

    def saved(name: str) -> bytes:
        with hands.page.expect_download(timeout=30_000) as waiting:
            use(name)
        return Path(waiting.value.path()).read_bytes()

    def copied() -> str:
        return hands.page.evaluate("() => navigator.clipboard.readText()")

    hands.answered(hands.part("switch-reread").click)
    use("copy")
    hands.page.wait_for_function("() => document.querySelector('[data-test=copied]').textContent === 'Copied.'")
    assert copied() == hands.code()
    use("save")
    use("copy-json")
    hands.page.wait_for_function("() => /Copied/.test(document.querySelector('[data-test=saved]').textContent)")
    assert json.loads(copied())["setup"] == hands.setup()
    assert saved("save-svg").startswith(b"<svg") and saved("save-png").startswith(b"\x89PNG")
    html = saved("save-html")
    assert html.startswith(b"<!doctype html>") and 100_000 < len(html) < 2_000_000
    hands.press("Escape")


def test_the_history_is_there_after_a_reload(hands, lab):
    def visits() -> list[tuple[str, str]]:
        """What the list says, and at which step it is."""
        hands.at("history", "Enter")
        shown = hands.part("visits").locator("[data-does=go]")
        told = shown.evaluate_all("all => all.map(one => [one.textContent, one.getAttribute('aria-current')])")
        hands.press("Escape")
        return told

    for switch in ("reread", "emphasize"):
        newest = hands.answered(hands.part(f"switch-{switch}").click)
    before = hands.answered(hands.part("undo").click), visits(), hands.numbers()
    assert [words for words, _ in before[1]][:2] == ["+ Emphasise", "+ Read again"] and before[1][1][1] == "step"
    hands.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    hands.page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
    hands.page.goto(lab.address("notebooks/hands.ipynb"))
    hands.page.locator("[data-test=playground]").first.wait_for()
    hands.settle()
    assert (hands.setup(), visits(), hands.numbers()) == before
    assert hands.answered(hands.part("redo").click) == newest


def test_every_preset_by_keyboard(hands, catalog, lm):
    wanted = list(examples())
    hands.answered(lambda: hands.part("example").select_option(wanted[0].id))
    for example in wanted[1:]:
        hands.answered(lambda: hands.at("example", "ArrowDown"))
        assert hands.value("example") == example.id and hands.focused() == "example"
        assert hands.part("preset-note").inner_text() == example.note
        assert_fresh(hands, lm)
