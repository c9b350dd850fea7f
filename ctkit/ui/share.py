"""A view's state as JSON that can be sent to somebody: a prompt, a setup and some numbers. Data, never code."""

import json
from typing import Any

from ..errors import CtkitError, shown
from ..interventions.setup import Setup
from ..tasks import get, names

VERSION = 1
LONGEST = 4_000_000  # letters
MOST_PIECES = 64
MOST_PROBLEMS = 5_000
REMEDY = "the JSON that “copy as JSON” or to_json() wrote"
START = {"against": [], "task": None, "difficulty": None, "n": 200, "seed": 10_000}


def state_to_json(state: dict[str, Any], options: dict[str, Any], model: str) -> str:
    """The state with the panels' own settings, and the name of the model it was seen on."""
    return json.dumps({"ctkit": VERSION, "model": model, **state, "options": options}, ensure_ascii=False, indent=1)


def state_from_json(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The state and the panels' settings, each value looked at. Raises `CtkitError` in words, whatever the text is."""
    if not isinstance(text, str) or len(text) > LONGEST:
        raise _refused(f"a {type(text).__name__}" if not isinstance(text, str) else f"{len(text)} letters")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as err:
        raise _refused(f"no JSON: {err}") from err
    if not isinstance(data, dict) or data.get("ctkit") != VERSION:
        raise _refused(f"JSON of something else: {shown(data)}")
    given = START | {name: data[name] for name in ("prompt", "setup", *START) if name in data}
    options = data.get("options", {})
    if not isinstance(options, dict) or not all(isinstance(own, dict) for own in options.values()):
        raise _refused(f"options {shown(options)}")
    return checked(given), options


def checked(state: dict[str, Any]) -> dict[str, Any]:
    """The state itself, if every value in it is one that a view can show."""
    pieces = state.get("prompt")
    if not isinstance(pieces, list) or not 0 < len(pieces) <= MOST_PIECES or not all(map(_is_piece, pieces)):
        raise _refused(f"the prompt {shown(pieces)}")
    if len({piece["name"] for piece in pieces}) < len(pieces):
        raise _refused("two pieces of one name")
    setups = {name: Setup.from_data(state.get(name)).to_data() for name in ("setup", "against")}
    task, difficulty = state["task"], state["difficulty"]
    if task is not None and task not in names():
        raise _refused(f"the task {shown(task)}")
    if difficulty is not None and (task is None or difficulty not in get(task).difficulties):
        raise _refused(f"difficulty {shown(difficulty)}")
    checked_numbers(state)
    kept = [{"name": piece["name"], "text": piece["text"]} for piece in pieces]
    return {"prompt": kept, **setups, **{name: state[name] for name in ("task", "difficulty", "n", "seed")}}


def checked_numbers(state: dict[str, Any]) -> dict[str, Any]:
    """The state itself, if its problems can be counted: `n` of them, from `seed` on."""
    if _whole(state["n"], 1, MOST_PROBLEMS) and _whole(state["seed"], 0, 2**53):
        return state
    raise CtkitError(
        f"n={shown(state['n'])}, seed={shown(state['seed'])}",
        "no number of fresh problems, or no first one",
        f"n from 1 to {MOST_PROBLEMS}, seed from 0 on: whole numbers",
    )


def _is_piece(piece: Any) -> bool:
    return isinstance(piece, dict) and all(isinstance(piece.get(part), str) for part in ("name", "text"))


def _whole(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _refused(found: str) -> CtkitError:
    return CtkitError("a state of a playground, as JSON", found, REMEDY)
