"""JupyterLab around the playground, as a person uses it: launcher, palette, menus, settings, the panel of lessons."""

import json

from .server import TOKEN

PANEL = "#ctkit-lessons"
RUNNING = "() => Number(document.querySelector('[data-test=playground]')?.dataset.seq) >= 0"


class LabDriver:
    """One page with a JupyterLab in it; what its console complained of is in `complaints`."""

    def __init__(self, context, lab):
        self.lab = lab
        self.page = context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", lambda said: said.type == "error" and self.complaints.append(said.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.load()

    def load(self) -> None:
        """Open JupyterLab in a fresh workspace, and wait until our settings are read."""
        self.page.goto(f"{self.lab.url}/lab?reset&token={TOKEN}")
        self.page.wait_for_function("() => window.jupyterapp")
        self.page.evaluate("() => window.jupyterapp.restored.then(() => null)")
        self.page.wait_for_function("() => document.body.dataset.ctkitPalette")
        self.page.wait_for_function(
            "() => document.activeElement?.closest('.jp-Launcher')"
        )  # Lab has put the focus there

    def forgive(self, status: str) -> None:
        """Forget what the browser itself says of answers with this status, which the test has asked for."""
        self.complaints[:] = [said for said in self.complaints if f"status of {status}" not in said]

    @property
    def panel(self):
        """The panel of lessons."""
        return self.page.locator(PANEL)

    def show_lessons(self) -> None:
        """Show the panel and wait until it has read its folder."""
        self.execute("ctkit-lab:lessons")
        self.panel.wait_for()
        self.page.wait_for_function(
            f"() => !document.querySelector('{PANEL} .ck-summary').textContent.startsWith('Reading')"
        )

    def lessons(self) -> dict[str, str]:
        """Title → state, in the order of the panel."""
        rows = self.panel.locator(".ck-lesson").all()
        return {row.locator(".ck-title").inner_text(): row.locator(".ck-state").inner_text() for row in rows}

    def wait_for_state(self, name: str, words: str) -> None:
        """Wait until the panel says this of the lesson in the file `name`."""
        row = self.panel.locator(f"[data-lesson='{name}']")
        row.locator(".ck-state").get_by_text(words, exact=True).wait_for()

    def card(self, name: str):
        """A card of ours in the launcher."""
        return self.page.locator(".jp-LauncherCard", has_text=name).first

    def execute(self, command: str, **args) -> None:
        """Start a command of JupyterLab, without waiting for its end."""
        self.page.evaluate(
            "([name, args]) => void window.jupyterapp.commands.execute(name, args)", [command, args or {}]
        )

    def choose(self, words: str) -> None:
        """Choose a command in the palette, by keyboard alone."""
        self.page.keyboard.press("Control+Shift+C")
        self.page.locator(".lm-CommandPalette-input:focus").wait_for()
        self.page.keyboard.type(words)
        self.page.locator(".lm-CommandPalette-item.lm-mod-active", has_text=words).wait_for()
        self.page.keyboard.press("Enter")

    def menu(self, name: str, entry: str):
        """An entry of a menu of the menu bar, with the menu open."""
        self.page.get_by_role("menuitem", name=name, exact=True).click()
        return self.page.get_by_role("menuitem", name=entry, exact=True)

    def settings(self) -> None:
        """Open the settings editor on our settings."""
        self.execute("settingeditor:open", query="ctkit")
        self.page.locator("select[id*=palette]").wait_for()

    def kept(self, plugin: str) -> dict:
        """What the server keeps of the settings of a plugin of ours."""
        return json.loads(self.lab.ask(f"/lab/api/settings/ctkit-lab:{plugin}"))["settings"]

    def playground_runs(self) -> None:
        """Wait until a playground has painted its first picture."""
        self.page.wait_for_function(RUNNING, timeout=120_000)

    def current(self) -> str | None:
        """The path of the notebook in front."""
        return self.page.evaluate("() => window.jupyterapp.shell.currentWidget?.context?.path ?? null")

    def wait_for_current(self, path: str, status: str = "idle") -> None:
        """Wait until this notebook is in front with its kernel ready."""
        self.page.wait_for_function(
            """([path, status]) => {
            const shown = window.jupyterapp.shell.currentWidget;
            return shown?.context?.path === path && shown.sessionContext?.session?.kernel?.status === status;
        }""",
            arg=[path, status],
        )

    def sources(self) -> list[str]:
        """The cells of the notebook in front."""
        return self.page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.content.widgets.map(c => c.model.sharedModel.source)"
        )

    def close_all(self) -> None:
        """Close every notebook without saving it."""
        self.page.evaluate("""async () => {
            for (const widget of [...window.jupyterapp.shell.widgets("main")]) {
                if (widget.context) { widget.context.model.dirty = false; widget.dispose(); }
            }
        }""")
