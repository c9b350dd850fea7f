"""A switch as an entry of a setup, as the view writes it: the mirror of `widgets/src/playground/setup.ts`."""

from collections.abc import Sequence
from typing import Any

OWN = ("all", "prompt", "generated")  # places that every prompt has


def entry_of(
    switch: dict[str, Any], values: dict[str, Any] | None = None, pieces: Sequence[str] = ()
) -> dict[str, Any]:
    """What a switch adds to a setup with these settings; the catalog's where none are given.

    `pieces` are those of the prompt: a default that names a piece which is not there names one that is.
    """
    chosen = {field["name"]: _here(field, pieces) for field in switch["fields"]} | (values or {})
    entry = {"intervention": switch["intervention"]}
    for field in switch["fields"]:
        if not applies(field, chosen):
            continue
        value = chosen[field["name"]]
        if field["type"] == "way":
            entry |= next((one["entry"] for one in field["choices"] if one["value"] == value), {})
        elif "names" in field:
            entry |= dict(zip(field["names"], value, strict=True))
        else:
            entry[field.get("key", field["name"])] = value
    return entry


def applies(field: dict[str, Any], values: dict[str, Any]) -> bool:
    """Whether a setting is shown, given the others."""
    return all(
        values.get(name) in wanted if isinstance(wanted, list) else values.get(name) == wanted
        for name, wanted in field.get("when", {}).items()
    )


def _here(field: dict[str, Any], pieces: Sequence[str]) -> Any:
    """The catalog's value, with pieces that the prompt has."""
    value, text = field["value"], [name for name in pieces if name != "cue"] or list(pieces)
    if not text:
        return value
    if field["type"] == "place" and value is not None and value not in (*OWN, *pieces):
        return text[-1]
    if field["type"] in ("pair", "places") and any(name not in pieces for name in value):
        return [text[0], text[-1]] if field["type"] == "pair" else text
    return value
