"""The settings of a switch as data: what kind of control each has, its value, and when it is shown."""

from typing import Any

Field = dict[str, Any]


def way(label: str, name: str, *ways: tuple[str, Any, dict[str, Any]], value: str | None = None) -> Field:
    """One choice that decides what the entry is: each way has a label, a name and the part of the entry it writes."""
    choices = [{"label": label, "value": own, "entry": entry} for label, own, entry in ways]
    return {"name": name, "label": label, "type": "way", "value": value or ways[0][1], "choices": choices}


def choice(name: str, label: str, choices: dict[str, Any], **more: Any) -> Field:
    """One of several values, the first by default."""
    told = [{"label": text, "value": value} for text, value in choices.items()]
    return {"name": name, "label": label, "type": "choice", "value": told[0]["value"], "choices": told} | more


def whole(name: str, label: str, value: int | None, least: int, most: int, **more: Any) -> Field:
    """A whole number; None, where the default is None, is an empty box."""
    kind = {"type": "int", "min": least, "max": most, "optional": value is None}
    return {"name": name, "label": label, "value": value} | kind | more


def slider(name: str, label: str, value: float, least: float, most: float, step: float, **more: Any) -> Field:
    """A number on a slider; zero-centred where it can be negative."""
    return (
        {"name": name, "label": label, "type": "number", "value": value}
        | {
            "min": least,
            "max": most,
            "step": step,
        }
        | more
    )


def text(name: str, label: str, value: str, **more: Any) -> Field:
    """A line of text."""
    return {"name": name, "label": label, "type": "text", "value": value} | more


def place(name: str, label: str, value: str | None, **more: Any) -> Field:
    """A place in the prompt: a piece or words of it; None, where the default is None, is no place. `whole=True`: only a
    piece."""
    return {"name": name, "label": label, "type": "place", "value": value, "optional": value is None} | more


def pair(name: str, labels: tuple[str, str], value: list[str], **more: Any) -> Field:
    """Two places, each with its label."""
    return {"name": name, "label": labels[0], "labels": list(labels), "type": "pair", "value": value} | more


def places(name: str, label: str, value: list[str], **more: Any) -> Field:
    """Some of the prompt's pieces."""
    return {"name": name, "label": label, "type": "places", "value": value} | more


def strip(name: str, label: str, kind: str, value: Any = None, **more: Any) -> Field:
    """A row of boxes to click and drag over: "layers", "heads", or "code" (a digit for each group of blocks)."""
    return {"name": name, "label": label, "type": kind, "value": value} | more
