"""What went wrong, in words for a view; of a switch whose place the text has no more, which switch, and what to do."""

from collections.abc import Iterator
from typing import Any

from ..errors import CtkitError, shown


def failure_of(err: CtkitError, state: dict[str, Any], switches: list[dict[str, Any]]) -> dict[str, str]:
    """An error as a view shows it: "asked", "found", "remedy"."""
    told = {"asked": err.asked, "found": err.found, "remedy": err.remedy}
    for entry in [*state["setup"], *state["against"]]:
        for name in _texts(entry):
            if err.asked in (f"the part {shown(name)} of a prompt", f"the piece {shown(name)}"):
                switch = f"“{_label(entry['intervention'], switches)}”"
                remedy = f"another choice in the switch {switch}, or switch it off; undo brings the old text back"
                return told | {"asked": f"{switch} on {shown(name)}", "remedy": remedy}
    return told


def _texts(value: Any) -> Iterator[str]:
    """All texts in plain data."""
    if isinstance(value, str):
        yield value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(one)


def _label(intervention: str, switches: list[dict[str, Any]]) -> str:
    """The name on the switch that writes such an entry: its own kind, or one of its ways."""
    for switch in switches:
        ways = [choice["entry"] for field in switch["fields"] if field["type"] == "way" for choice in field["choices"]]
        if intervention in {switch["intervention"], *(entry.get("intervention") for entry in ways)}:
            return switch["label"]
    return intervention
