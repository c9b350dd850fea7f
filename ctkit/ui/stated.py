"""A widget whose truth is a state: a prompt, a setup, what that is compared with. Read and set from Python here."""

import inspect
from typing import Any

import anywidget
import traitlets

from ..engine.lm import LM
from ..errors import CtkitError
from ..interventions.setup import Setup, as_setup
from ..prompt import Prompt, as_prompt
from .share import state_from_json, state_to_json
from .state import pieces_of, setups_of


class Stated(anywidget.AnyWidget):
    """The state that Python and the browser share. `seq` counts its changes, whoever made them."""

    lm: LM

    catalog = traitlets.Dict().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)
    options = traitlets.Dict().tag(sync=True)  # panel → its own settings, which are no part of the setup
    seq = traitlets.Int(0).tag(sync=True)
    key = traitlets.Unicode().tag(sync=True)  # the same for all views of this object: they share one history

    def __init__(self, **traits: Any):
        unknown = next((name for name in traits if not self.has_trait(name)), None)
        if unknown is not None:  # traitlets would let it go with a warning that a notebook does not show
            name, known = type(self).__name__, inspect.signature(type(self)).parameters.values()
            words = ", ".join(one.name for one in known if one.kind is not one.VAR_KEYWORD)
            raise CtkitError(f"{name}({unknown}=…)", "no such setting", f"one of {words}")
        super().__init__(**traits)

    @property
    def setup(self) -> Setup:
        """The interventions that are on."""
        return setups_of(self.state)[0]

    @setup.setter
    def setup(self, value: Any) -> None:
        self._set(setup=as_setup(value).to_data())

    @property
    def prompt(self) -> Prompt:
        """The prompt as typed, before any intervention."""
        return Prompt(**{piece["name"]: piece["text"] for piece in self.state["prompt"]})

    @prompt.setter
    def prompt(self, value: Prompt | str) -> None:
        self._set(prompt=pieces_of(as_prompt(value)), task=None, difficulty=None)

    @property
    def against(self) -> Setup:
        """What runs "before", to compare with: nothing, unless it was set."""
        return setups_of(self.state)[1]

    @against.setter
    def against(self, value: Any) -> None:
        self._set(against=as_setup(value).to_data())

    def to_json(self) -> str:
        """The state as JSON, to send to somebody: prompt, setups, numbers, the panels' settings. Data, never code."""
        return state_to_json(self.state, self.options, self.lm.name)

    def from_json(self, text: str) -> None:
        """Show a state that `to_json` or the button "copy as JSON" wrote. Raises `CtkitError` for any other text."""
        state, options = state_from_json(text)
        with self.hold_sync(), self.hold_trait_notifications():
            self.options = options
            self._set(**state)

    def _set(self, **changes: Any) -> None:
        with self.hold_sync(), self.hold_trait_notifications():
            self.state = self.state | changes
            self.seq += 1
