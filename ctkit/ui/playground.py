"""The playground: switches on a model, and everything they change, side by side. Its truth is a prompt and a setup."""

import pathlib
from typing import Any

from .commands import record_page
from .export import written
from .view import View


class Playground(View):
    """Flip switches on a model and see attention, the next token, the steps and a population's accuracy change.

    `lm`: a model from `ct.load` or `ct.wrap` (the shipped one by default); `prompt`: what to read first (a preset by
    default). `.setup` and `.prompt` are what is on, `.against` what it is compared with (nothing by default); set them
    and the picture follows. `.code` is Python that does it.

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
        return written(path, "a page", record_page(self, setups) or "")
