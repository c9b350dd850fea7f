"""A prompt in named pieces, and the same prompt as tokens. Knows nothing of models."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from .errors import CtkitError, shown
from .sentences import sentence_ranges

CUE = "cue"  # the piece that asks for the answer; re-reading leaves it alone, thinking replaces it
PLACEHOLDER = "placeholder"  # a piece of one token that no text stands for (token prepending)


@dataclass(frozen=True)
class Piece:
    """One named part of a prompt.

    `origin` and `reading` say which piece this one repeats and for the how-manieth time (1 = the first reading), so
    that runs of different length can be compared. `lead` is the text between the piece before and this one. A piece
    that is `written` stands for text that the model wrote after the prompt (a thought): prefixes and re-readings leave
    it out. A piece that a split made is a part of the piece `whole`, and begins at its character `offset`.
    """

    name: str
    text: str
    origin: str = ""
    reading: int = 1
    lead: str = " "
    written: bool = False
    whole: str = ""
    offset: int = 0

    def __post_init__(self):
        if not self.origin:
            object.__setattr__(self, "origin", self.name)

    def __hash__(self) -> int:
        return hash((self.name, self.text, self.lead))  # pieces are looked up often, and mostly differ in these

    @property
    def is_placeholder(self) -> bool:
        """Whether this piece is a token with no text, whose state an intervention fills."""
        return self.origin == PLACEHOLDER

    def end_of(self, place: "Place") -> int:
        """The character of this piece at which a token of this place ends."""
        return place[1] - self.offset if place[0] == self.whole else place[1]


@dataclass(frozen=True, init=False)
class Prompt:
    """Text for a model, in named pieces that interventions and views refer to.

    >>> Prompt("Where is the key?").pieces
    mappingproxy({'text': 'Where is the key?'})
    >>> prompt = Prompt(context="The key is in the box.", question="Where is the key?", cue="Answer:")
    >>> prompt.text
    'The key is in the box. Where is the key? Answer:'
    """

    parts: tuple[Piece, ...]

    def __init__(self, plain: str | None = None, /, **pieces: str):
        given = ({"text": plain} if plain is not None else {}) | pieces
        for name, value in given.items():
            if not isinstance(value, str):
                raise CtkitError(
                    f"a prompt whose piece {name!r} is {shown(value)}",
                    f"a {type(value).__name__}",
                    'text, for example ct.Prompt("Where is the key?")',
                )
        parts = tuple(Piece(name, value) for name, value in given.items())
        object.__setattr__(self, "parts", _checked(parts))

    @staticmethod
    def of(parts: "tuple[Piece, ...] | list[Piece]") -> "Prompt":
        """A prompt made of ready pieces."""
        prompt = object.__new__(Prompt)
        object.__setattr__(prompt, "parts", _checked(tuple(parts)))
        return prompt

    @property
    def pieces(self) -> Mapping[str, str]:
        """Name → text, in reading order."""
        return MappingProxyType({part.name: part.text for part in self.parts})

    @property
    def text(self) -> str:
        """The whole prompt as one string (a placeholder has no text)."""
        return "".join(lead + part.text for lead, part in zip(self.leads, self.parts, strict=True))

    @property
    def leads(self) -> tuple[str, ...]:
        """What stands before each piece: nothing before the first text, nor where that already ends in a space."""
        found, end = [], ""
        for part in self.parts:
            found.append(part.lead if part.text and end not in ("", " ", "\n") else "")
            end = part.text[-1:] or end
        return tuple(found)

    def lead(self, index: int) -> str:
        """What stands before piece `index`."""
        return self.leads[index]

    def piece(self, name: str) -> Piece:
        """The piece called `name`; of one that was split, its first part."""
        for part in sorted(self.parts, key=lambda part: part.name != name):
            if name in (part.name, part.whole):
                return part
        raise CtkitError(f"the piece {name!r}", f"a prompt with the pieces {list(self.pieces)}", "one of these names")

    @property
    def asked(self) -> tuple[Piece, ...]:
        """The pieces that are the prompt."""
        return tuple(part for part in self.parts if not part.written)

    @property
    def written(self) -> tuple[Piece, ...]:
        """The pieces that the model wrote (or could have written) after it."""
        return tuple(part for part in self.parts if part.written)

    def then(self, **written: str) -> "Prompt":
        """The prompt with pieces behind it that count as written by the model: `prompt.then(step_1="a = 3.")`."""
        return Prompt.of([*self.parts, *(Piece(name, text, written=True) for name, text in written.items())])

    def split(self, name: str) -> "Prompt":
        """The same text with a piece in parts, a sentence each, in all its readings: "context 1", "context 2", …

        The parts can be named, moved (`ct.Permute`) and kept apart (`ct.masks.parallel`); as a place, the old name
        still stands for all of them. A part is not split again.

        >>> Prompt(context="The key is in the box. The box is in the car.", question="Where?").split("context")
        Prompt(context 1='The key is in the box.', context 2='The box is in the car.', question='Where?')
        """
        if self.piece(name).whole or self.piece(name).is_placeholder:
            return self
        parts = [_in_parts(part) if name in (part.name, part.origin) else [part] for part in self.parts]
        return Prompt.of([part for few in parts for part in few])

    def __repr__(self) -> str:
        return f"Prompt({', '.join(f'{name}={text!r}' for name, text in self.pieces.items())})"


def as_prompt(value: "Prompt | str") -> Prompt:
    """A prompt from a prompt or plain text; anything else is refused."""
    if isinstance(value, Prompt):
        return value
    if isinstance(value, str):
        return Prompt(value)
    raise CtkitError(
        f"the prompt {shown(value)}",
        f"a {type(value).__name__}",
        'text, or pieces such as ct.Prompt(context="…", question="…")',
    )


@dataclass(frozen=True)
class ModelShape:
    """The sizes of the model that will read an encoding; all that an intervention may know of it."""

    n_layers: int
    n_heads: int
    d_model: int
    mean_embedding: Any = field(default=None, repr=False, compare=False)  # Float[Tensor, "d_model"]: of the vocabulary
    embedding_std: float = field(default=1.0, repr=False, compare=False)  # of all its numbers


START = "start"  # the place of tokens that the tokenizer puts in front
Place = tuple[str, int, int]  # (origin of the piece, where in it the token ends, reading): what a token is a token of


@dataclass(frozen=True)
class Encoding:
    """A prompt as tokens: the absolute positions that interventions speak of.

    `places` names, for every token, the piece and the character in it where the token ends: tokens of two encodings
    with the same place are the same word. The parts of a split piece count as that piece, so that a word is the same
    wherever it is moved. `n_prompt` tokens are the prompt; what stands behind them was written by the model.
    """

    ids: tuple[int, ...]
    tokens: tuple[str, ...]
    places: tuple[Place, ...]
    spans: Mapping[str, slice]
    n_prompt: int
    shape: ModelShape
    prompt: Prompt = field(repr=False)

    def __post_init__(self):
        parts = {part.origin: part for part in self.prompt.parts if part.whole}
        if parts and any(place[0] in parts for place in self.places):
            told = [
                (parts[o].whole, parts[o].offset + end, n) if o in parts else (o, end, n) for o, end, n in self.places
            ]
            object.__setattr__(self, "places", tuple(told))

    def __len__(self) -> int:
        return len(self.ids)

    def span(self, name: str) -> slice:
        """The positions of a piece."""
        if name in self.spans:
            return self.spans[name]
        raise CtkitError(f"the piece {name!r}", f"a prompt with the pieces {list(self.spans)}", "one of these names")

    def extended(self, ids: tuple[int, ...], tokens: tuple[str, ...]) -> "Encoding":
        """The encoding with further tokens behind it; all that was written is the piece "generated"."""
        spans = dict(self.spans) | {"generated": slice(self.n_prompt, len(self) + len(ids))}
        places = tuple(("generated", len(self) - self.n_prompt + i + 1, 1) for i in range(len(ids)))
        return replace(
            self,
            ids=self.ids + tuple(ids),
            tokens=self.tokens + tuple(tokens),
            places=self.places + places,
            spans=MappingProxyType(spans),
        )


def _in_parts(part: Piece) -> list[Piece]:
    """A piece as one piece a sentence; what stands between two sentences leads to the second."""
    ranges, parts = sentence_ranges(part.text), []
    starts, stops = [0, *(start for start, _ in ranges[1:])], [*(stop for _, stop in ranges[:-1]), len(part.text)]
    for i, (start, stop) in enumerate(zip(starts, stops)):
        own = f"{part.origin} {i + 1}"
        name = own if part.reading == 1 else f"{own} ({part.reading})"
        lead = part.text[stops[i - 1] : start] if i else part.lead
        moved = {"name": name, "text": part.text[start:stop], "origin": own, "lead": lead}
        parts.append(replace(part, whole=part.origin, offset=start, **moved))
    return parts


def _checked(parts: tuple[Piece, ...]) -> tuple[Piece, ...]:
    names = [part.name for part in parts]
    if not any(part.text.strip() for part in parts):
        raise CtkitError(
            "an empty prompt", f"no words in {names}", 'some text, for example ct.Prompt("Where is the key?")'
        )
    for name in names if len(set(names)) < len(names) else ():
        if names.count(name) > 1:
            raise CtkitError(f"two pieces named {name!r}", f"the pieces {names}", "a name of its own for each piece")
    return parts
