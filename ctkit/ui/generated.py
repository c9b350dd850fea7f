"""The text that a model writes before and after, from the same dice, told while it is being written."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..engine.generate import generate
from ..engine.lm import LM
from ..errors import CtkitError, shown
from ..interventions.setup import Setup
from ..prompt import Prompt
from .look import weights_age
from .memory import Memory

DEFAULTS = {"temperature": 0.8, "length": 24, "seed": 0}
LIMITS = {"temperature": (0, 5), "length": (1, 400), "seed": (0, 2**31)}
PAUSE = 0.08  # seconds between two messages: text appears, and the wire is not flooded


@dataclass
class Generated:
    """Writes for a view. What was written is kept: the same setup is often on again."""

    lm: LM
    known: Memory = field(default_factory=Memory)

    def write(
        self,
        prompt: Prompt,
        setup: Setup,
        options: dict[str, Any],
        stale: Callable[[], bool],
        publish: Callable[[dict[str, Any]], None],
        against: Setup | None = None,
    ) -> None:
        """Publish both texts as they grow, until they end or something newer waits: under `against` (left out: nothing)
        and under the setup. Raises `CtkitError` for options that cannot be."""
        wished, against = checked(options), Setup() if against is None else against
        changed = setup.to_json() != against.to_json()
        asked = (prompt, weights_age(self.lm), *wished.values())
        keys = {"before": (*asked, against.to_json()), "after": (*asked, setup.to_json())}
        found: dict[str, Any] = {"before": self.known.get(keys["before"]), "after": None, **wished}
        last = [0.0]

        def tell(side: str, tokens: list[str], stopped: str | None) -> None:
            found[side] = {"tokens": list(tokens), "stopped": stopped}
            if stopped or time.monotonic() - last[0] >= PAUSE:
                last[0] = time.monotonic()
                publish(dict(found) | {"running": stopped != "asked"})

        for side, on in (("before", against), ("after", setup)) if changed else (("before", against),):
            found[side] = self.known.get(keys[side])
            if found[side] is None and not stale():
                self._write(prompt, on, wished, stale, lambda *told, side=side: tell(side, *told))
                if found[side]["stopped"] != "asked":
                    self.known.put(keys[side], found[side])
        publish(dict(found) | {"running": False})

    def _write(self, prompt: Prompt, setup: Setup, wished: dict[str, Any], stale, tell) -> None:
        tokens: list[str] = []

        def heard(token: str) -> bool:
            tokens.append(token)
            tell(tokens, None)
            return not stale()

        written = generate(
            self.lm,
            prompt,
            setup,
            max_new_tokens=wished["length"],
            temperature=wished["temperature"],
            seed=wished["seed"],
            on_token=heard,
        )
        tell(written.tokens, written.stopped)


def checked(options: dict[str, Any]) -> dict[str, Any]:
    """Temperature, length and seed: those given, else the usual ones."""
    wished = {name: options.get(name, usual) for name, usual in DEFAULTS.items()}
    for name, value in wished.items():
        low, high = LIMITS[name]
        kind = int | float if name == "temperature" else int
        if isinstance(value, bool) or not isinstance(value, kind) or not low <= value <= high:
            raise CtkitError(f"{name} {shown(value)}", "no such wish", f"a number from {low} to {high}")
    return wished
