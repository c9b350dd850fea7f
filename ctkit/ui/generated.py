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

DEFAULTS = {"temperature": 0.8, "length": 24, "seed": 0}
LIMITS = {"temperature": (0, 5), "length": (1, 400), "seed": (0, 2**31)}
PAUSE = 0.08  # seconds between two messages: text appears, and the wire is not flooded


@dataclass
class Generated:
    """Writes for a view. What was written before is kept until the prompt or what is compared with changes."""

    lm: LM
    known: dict[tuple, dict[str, Any]] = field(default_factory=dict)

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
        key = (prompt, against.to_json(), *wished.values())
        found: dict[str, Any] = {"before": self.known.get(key), "after": None, **wished}
        last = [0.0]

        def tell(side: str, tokens: list[str], stopped: str | None) -> None:
            found[side] = {"tokens": list(tokens), "stopped": stopped}
            if stopped or time.monotonic() - last[0] >= PAUSE:
                last[0] = time.monotonic()
                running = stopped is None or (side == "before" and changed and stopped != "asked")
                publish(dict(found) | {"running": running})

        if found["before"] is None:
            self._write(prompt, against, wished, stale, lambda *told: tell("before", *told))
            if found["before"]["stopped"] != "asked":
                self.known = {key: found["before"]}
        if not changed:
            publish(dict(found) | {"running": False})
        elif not stale():
            self._write(prompt, setup, wished, stale, lambda *told: tell("after", *told))

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
