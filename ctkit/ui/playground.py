"""The playground: switches on a model, and everything they change, side by side. Its truth is a prompt and a setup."""

import pathlib
import warnings
from typing import Any

from ..errors import CtkitError
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

        It holds the results of some setups, each run once more for it (what was measured beside the picture is still
        known), and opens at the present one; its switches move between them. `setups`: a list of setups; by default
        nothing, each switch on its own, and the present setup. A setup that this prompt does not allow (it is too long
        then, say) is left out with a warning, and the page says so, too. Raises `CtkitError` where the present setup
        does not run, or the file cannot be written.
        """
        if not pathlib.Path(path).parent.is_dir():  # said before the work, which takes a while
            raise CtkitError(f"a page at {str(path)!r}", "no such folder", "a folder that exists and can be written to")
        self.wait()  # what the worker measures now is part of the page, and nobody else may ask its parts meanwhile
        made = record_page(self, setups)
        if made is not None and made.missing:
            warnings.warn(made.missing, stacklevel=2)
        return written(path, "a page", "" if made is None else made.text)
