"""The same documents in another order: the facts of a chain forward, backward, far apart, or anyhow."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import index
from random import Random

from ..errors import CtkitError, shown
from ..prompt import Piece, Prompt
from .base import Intervention

ORDERS = ("original", "forward", "backward", "distance", "random")
Name = int | str  # a document: its number from 0 in the order told, its piece, or words that stand in it alone


@dataclass(frozen=True)
class Permute(Intervention):
    """Tell the documents of a prompt in another order (Huang et al., ACL 2025, arXiv 2505.11754).

    `documents` are pieces, or one piece, of which each sentence is a document. `gold` are those that make up the chain
    of reasoning, first hop first: numbers (from 0, as told), pieces, or words of them (a problem's `steps`); None is
    all of them, in the order told. `order` is

    - "original": as told, which changes nothing;
    - "forward", "backward": in the places of the gold documents the chain forward or backward; the others stay;
    - "distance": the chain forward, its last document last of all, `distance` others between any two of it;
    - "random": all documents shuffled, by `seed`;
    - the documents themselves, in the order wanted.

    Documents keep their names wherever they go, and a comparison finds their words. All readings are put in the same
    order. A sentence that moves to the front of a text may fall into other tokens there.

    >>> prompt = Prompt(context="The cup is in the box. The pan is in the car. The box is in the tent.")
    >>> Permute("context", "backward", gold=("The cup", "The box is")).edit(prompt).text
    'The box is in the tent. The pan is in the car. The cup is in the box.'
    """

    documents: str | tuple[str, ...]
    order: str | tuple[Name, ...] = "original"
    gold: tuple[Name, ...] | None = None
    distance: int = 0
    seed: int = 0

    def __post_init__(self):
        if not isinstance(self.documents, str):
            object.__setattr__(self, "documents", _names("documents", self.documents))
        if not isinstance(self.order, str):
            object.__setattr__(self, "order", _names("order", self.order))
        elif self.order not in ORDERS:
            one_of = f"one of {', '.join(ORDERS)}; or the documents in the order wanted"
            raise CtkitError(f"Permute(order={shown(self.order)})", "no such order", one_of)
        if self.gold is not None:
            object.__setattr__(self, "gold", _names("gold", self.gold))
        whole = all(isinstance(value, int) and not isinstance(value, bool) for value in (self.distance, self.seed))
        if not whole or self.distance < 0:
            asked = f"Permute(distance={shown(self.distance)}, seed={shown(self.seed)})"
            raise CtkitError(asked, "no whole numbers", "distance=0, 1, 2 …; seed=0, 1, 2 …")

    def edit(self, prompt: Prompt) -> Prompt:
        """The prompt with its documents in the order."""
        if isinstance(self.documents, str):
            prompt = prompt.split(self.documents)
        wanted = (self.documents,) if isinstance(self.documents, str) else self.documents
        _ = [prompt.piece(name) for name in wanted]  # each must be there
        told = [part for part in prompt.parts if part.reading == 1 and {part.name, part.whole} & set(wanted)]
        order = [told[i].origin for i in self._order(told)]
        parts = list(prompt.parts)
        for reading in {part.reading for part in parts}:
            slots = [i for i, part in enumerate(parts) if part.origin in order and part.reading == reading]
            here = {parts[i].origin: parts[i] for i in slots}
            moved = [here[origin] for origin in order if origin in here]
            for i, part in zip(slots, moved):
                parts[i] = replace(part, lead=prompt.parts[i].lead)
        return Prompt.of(parts)

    def _order(self, told: list[Piece]) -> list[int]:
        """Which document stands in each place."""
        everyone = list(range(len(told)))
        if not isinstance(self.order, str):
            order = [_number(told, name) for name in self.order]
            if sorted(order) != everyone:
                raise CtkitError(
                    f"the documents in the order {shown(self.order)}",
                    f"{len(told)} documents: {[part.name for part in told]}",
                    "each of them once",
                )
            return order
        if self.order == "random":
            Random(f"order {self.seed}").shuffle(everyone)
        if self.order in ("original", "random"):
            return everyone
        chain = everyone if self.gold is None else [_number(told, name) for name in self.gold]
        if len(set(chain)) < len(chain):
            raise CtkitError(f"the chain {shown(self.gold)}", "a document in it twice", "each document once")
        if self.order == "distance":
            return _apart(chain, everyone, self.distance)
        return _in_slots(chain, everyone, self.order)


def _in_slots(chain: list[int], everyone: list[int], order: str) -> list[int]:
    """The chain in the places of its documents, forward or backward; the others where they were."""
    turns = iter(chain if order == "forward" else chain[::-1])
    return [next(turns) if i in chain else i for i in everyone]


def _apart(chain: list[int], everyone: list[int], distance: int) -> list[int]:
    """The chain forward and last, with `distance` others between any two of it."""
    others = [i for i in everyone if i not in chain]
    first = len(others) - distance * (len(chain) - 1)
    if first < 0:
        raise CtkitError(
            f"{len(chain)} documents with {distance} others between any two",
            f"{len(others)} others",
            f"a distance up to {len(others) // (len(chain) - 1)}",
        )
    order, rest = others[:first], others[first:]
    for hop, document in enumerate(chain):
        order += [*rest[distance * (hop - 1) : distance * hop], document] if hop else [document]
    return order


def _number(told: list[Piece], name: Name) -> int:
    """A document by its number, its name, or words that stand in it and in no other."""
    if isinstance(name, int):
        found = [name] if 0 <= name < len(told) else []
    else:
        found = [i for i, part in enumerate(told) if name == part.name]
        found = found or [i for i, part in enumerate(told) if name.strip() == part.text.strip()]
        found = found or [i for i, part in enumerate(told) if name.strip() and name.strip() in part.text]
    if len(found) != 1:
        raise CtkitError(
            f"the document {shown(name)}",
            f"{len(found)} such among {[part.name for part in told]}",
            "a number from 0, a piece, or words that stand in one document only",
        )
    return found[0]


def _names(field: str, value: Sequence[Name]) -> tuple[Name, ...]:
    try:
        return tuple(name if isinstance(name, str) else index(name) for name in value)
    except TypeError as err:
        raise CtkitError(
            f"Permute({field}={shown(value)})", "no list of documents", 'pieces, such as ("fact 1", "fact 2")'
        ) from err
