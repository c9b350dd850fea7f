"""The playground: switches on a model, and everything they change, side by side. Its truth is a prompt and a setup."""

import pathlib
from typing import Any

from .code import code_of
from .export import page_of, single_switches, unique, write_page
from .view import View


class Playground(View):
    """Flip switches on a model and see attention, the next token, the steps and a population's accuracy change.

    `lm`: a model from `ct.load` or `ct.wrap` (the shipped one by default); `prompt`: what to read first (an example by
    default). `.setup` and `.prompt` are what is on; set them and the picture follows. `.code` is Python that does it.

    >>> import ctkit as ct
    >>> playground = ct.Playground()
    >>> playground.setup = ct.Reread()
    >>> playground.setup
    Setup([Reread()])
    """

    PANELS = (
        "header",
        "text",
        "switches",
        "attention",
        "next",
        "painter",
        "dose",
        "lens",
        "generated",
        "steps",
        "population",
        "code",
        "footer",
    )

    def to_html(self, path: str | pathlib.Path, setups: Any = None) -> pathlib.Path:
        """Write the playground as one HTML file that works without a kernel and without a network.

        It holds the results of some setups, each run once more for it, and opens at the present one; its switches move
        between them. `setups`: a list of setups; by default nothing, each switch on its own, and the present setup.
        Raises `CtkitError` where the file cannot be written.
        """
        wanted = [
            (),
            *(single_switches(self.catalog, list(self.prompt.pieces)) if setups is None else setups),
            self.setup,
        ]
        return write_page(path, page_of(self.lm, self.catalog, self.state, unique(wanted), self.prompt, code_of))
