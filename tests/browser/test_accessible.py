"""Every view of ctkit in a real JupyterLab, light and dark, held to the rules of axe-core; and a storm of changes."""

import pytest

from ..house import ROOT
from .driver import Driver

AXE = ROOT / "widgets" / "node_modules" / "axe-core" / "axe.min.js"
VIEWS = {
    "Playground": "ct.Playground(setup=[ct.Reread(), ct.Think()])",
    "AttentionView": 'ct.AttentionView(setup=ct.Mask("prefix"))',
    "LensView": "ct.LensView(setup=ct.Reread())",
    "MaskPainter": "ct.MaskPainter()",
    "SteeringView": "ct.SteeringView()",
    "PopulationView": "ct.PopulationView(setup=ct.Reread(), n=50)",
    "StepsView": 'ct.StepsView(prompt=ct.tasks.get("sums").generate(1, 3))',
}
STORM = 500


@pytest.fixture(scope="module")
def page(run_cells):
    page = run_cells("views", "import ctkit as ct", *VIEWS.values())
    page.evaluate("() => { window.jupyterapp.shell.currentWidget.content.notebookConfig.windowingMode = 'none'; }")
    return page


def root_of(page, view: str):
    """The view's root, in view and with nothing left to measure."""
    root = page.locator(f".jp-Cell:has-text('ct.{view}(') [data-test=playground]").first
    root.scroll_into_view_if_needed()
    root.wait_for()
    page.wait_for_timeout(300)
    return root


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_no_view_has_a_violation(page, theme, pictures):
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: npm ci in widgets/")
    page.evaluate("t => window.jupyterapp.commands.execute('apputils:change-theme', { theme: t })", theme)
    page.wait_for_function("t => document.body.dataset.jpThemeName === t", arg=theme)
    page.evaluate(AXE.read_text("utf-8"))
    found = {}
    for view in VIEWS:
        root = root_of(page, view)
        result = root.evaluate("el => axe.run(el)")
        root.screenshot(path=pictures / f"{view}-{theme.split()[-1]}.png")
        assert result["passes"]
        found[view] = [(v["id"], [n["html"][:200] for n in v["nodes"]][:3]) for v in result["violations"]]
    assert {view: each for view, each in found.items() if each} == {}


def test_a_storm_of_changes_ends_in_the_picture_of_the_last(page):
    """Flips, paint, texts, undo, redo, faster than the model can follow; then the numbers are those of a fresh run."""
    root_of(page, "Playground")
    play = Driver(page)
    play.part("edit").click()
    play.flip("mask")
    play.part("field-mask-kind").select_option(label="painted by hand")
    play.part("painter-cells").wait_for()
    done = page.evaluate(STORMY, [STORM, 7])
    assert sum(done.values()) == STORM and min(done["drag"], done["key"], done["text"], done["undo"]) > 30, done
    page.wait_for_function(CALM, timeout=240_000)
    page.wait_for_timeout(1500)
    page.wait_for_function(CALM, timeout=240_000)
    assert play.part("error").is_hidden(), play.part("error").inner_text()
    before, after = play.part("code").text_content().rsplit("\n", 1)
    said: dict = {}
    exec(f"{before}\nfound = {after}", said)
    ours = {token: (p, q) for token, p, q in said["found"]}
    rows = {row[0].strip(): [float(cell) for cell in row[1:]] for row in play.numbers()}
    shared = [token for token in ours if token.strip() in rows]
    assert shared
    for token in shared:
        assert rows[token.strip()] == pytest.approx(ours[token][: len(rows[token.strip()])], abs=3e-4), before
    assert page.said == []


STORMY = """async ([n, seed]) => {
    const root = document.querySelector("[data-test=playground]");
    let value = seed;
    const dice = below => { value = (value * 16807) % 2147483647; return value % below; };
    const part = name => root.querySelector(`[data-test=${name}]`), done = {};
    const key = (at, more) =>
        at.dispatchEvent(new KeyboardEvent("keydown", { bubbles: true, cancelable: true, ...more }));
    const painted = () => {
        const kind = part("field-mask-kind");
        if (!part("switch-mask").checked) part("switch-mask").click();
        if (part("painter-cells")?.offsetParent) return true;
        kind.value = [...kind.options].find(one => one.text === "painted by hand").value;
        kind.dispatchEvent(new Event("change", { bubbles: true }));
        return !!part("painter-cells")?.offsetParent;
    };
    const drag = canvas => {
        canvas.setPointerCapture = () => {}; // no real pointer is pressed
        const box = canvas.getBoundingClientRect(), side = Number(canvas.dataset.cell);
        const at = { x: box.right - side * (1 + dice(30)), y: box.bottom - side * (1 + dice(12)) };
        const point = (type, by, buttons) => canvas.dispatchEvent(new PointerEvent(type, { bubbles: true, pointerId: 1,
            isPrimary: true, button: type === "pointermove" ? -1 : 0, buttons, clientX: at.x + by, clientY: at.y }));
        point("pointerdown", 0, 1);
        point("pointermove", side, 1);
        point("pointermove", 2 * side, 1);
        point("pointerup", 2 * side, 0);
    };
    const acts = {
        text: () => {
            const box = part("piece-question");
            box.value = `Where is the ${["key", "jar", "tin"][dice(3)]}?${" Or where?".repeat(dice(3))}`;
            box.dispatchEvent(new Event("input", { bubbles: true }));
            key(box, { key: "Enter", ctrlKey: true });
        },
        drag: () => painted() && drag(part("painter")),
        key: () => {
            if (!painted()) return;
            const cells = part("painter-cells");
            const arrows = ["ArrowUp", "ArrowLeft", "ArrowDown", "Home"];
            for (let i = dice(4); i >= 0; i--) key(cells, { key: arrows[dice(4)] });
            key(cells, { key: " " });
        },
    };
    const flips = ["switch-mask", "switch-reread", "switch-prepend", "switch-steer"];
    const names = [...flips, "undo", "redo", "text", "drag", "key"];
    for (let i = 0; i < n; i++) {
        const name = names[dice(names.length)];
        if (acts[name]) acts[name]();
        else part(name)?.click();
        done[name] = (done[name] ?? 0) + 1;
        await new Promise(next => setTimeout(next, dice(12)));
    }
    return done;
}"""
CALM = """() => {
    const root = document.querySelector("[data-test=playground]");
    return !root.querySelector(".ck-footer")?.classList.contains("ck-waiting");
}"""
