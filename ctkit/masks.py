"""Rules for who may attend to whom, in absolute positions, with & | ~. A rule is data: it has a name and arguments."""

from dataclasses import dataclass
from operator import index
from typing import Any

import torch
from jaxtyping import Bool
from torch import Tensor

from .errors import CtkitError, shown
from .prompt import CUE, START, Encoding

Where = int | str | tuple[int | str, ...]  # a position, a piece, "all", "prompt", "generated", "reading 2", or several
DEEPEST = 50  # rules inside each other: a bound on what a saved setup can ask for


@dataclass(frozen=True)
class Rule:
    """Which keys a query may see; `rule.matrix(enc)[query, key]` is True where it may.

    Rules combine: `causal() & ~window(4)`. They hold no model and no text, so they can be saved (`to_data`).

    >>> causal() & ~window(4)
    causal() & ~window(4)
    """

    op: str
    args: tuple[Any, ...] = ()

    def matrix(self, enc: Encoding) -> Bool[Tensor, "query key"]:
        """The rule for one encoded prompt."""
        if self.op == "and":
            return self.args[0].matrix(enc) & self.args[1].matrix(enc)
        if self.op == "or":
            return self.args[0].matrix(enc) | self.args[1].matrix(enc)
        if self.op == "not":
            return ~self.args[0].matrix(enc)
        return _RULES[self.op](enc, *self.args)

    def __and__(self, other: "Rule") -> "Rule":
        return Rule("and", (self, other))

    def __or__(self, other: "Rule") -> "Rule":
        return Rule("or", (self, other))

    def __invert__(self) -> "Rule":
        return Rule("not", (self,))

    def __repr__(self) -> str:
        return self.to_code("")

    def to_code(self, module: str = "ct.masks.") -> str:
        """Python that builds the rule."""
        if self.op in ("and", "or"):
            left, right = (a.to_code(module) for a in self.args)
            left = f"({left})" if self.args[0].op in ("and", "or") and self.args[0].op != self.op else left
            right = f"({right})" if self.args[1].op in ("and", "or") else right  # & and | group from the left
            return f"{left} & {right}" if self.op == "and" else f"{left} | {right}"
        if self.op == "not":
            code = self.args[0].to_code(module)
            return f"~({code})" if self.args[0].op in ("and", "or") else f"~{code}"
        return f"{module}{self.op}({', '.join(map(repr, self.args))})"

    def to_data(self) -> list:
        """The rule as nested lists, for JSON."""
        return [
            self.op,
            *(a.to_data() if isinstance(a, Rule) else list(a) if isinstance(a, tuple) else a for a in self.args),
        ]

    @staticmethod
    def from_data(data: list, depth: int = 0) -> "Rule":
        """The rule that `to_data` wrote; anything else is refused."""
        if not isinstance(data, list) or not data or str(data[0]) not in ("and", "or", "not", *_RULES):
            raise CtkitError(
                f"the mask rule {shown(data)}", "no such rule", f"one of {sorted(_RULES)}, joined by and, or, not"
            )
        if depth > DEEPEST:
            raise CtkitError("a mask rule", f"more than {DEEPEST} rules inside each other", "a simpler rule")
        op, args = data[0], data[1:]
        if op in ("and", "or", "not"):
            if len(args) != (1 if op == "not" else 2):
                raise CtkitError(
                    f"the mask rule {shown(data)}", f"{len(args)} parts", f"{'1 part' if op == 'not' else '2 parts'}"
                )
            return Rule(op, tuple(Rule.from_data(a, depth + 1) for a in args))
        try:
            return _MAKERS[op](*args)
        except TypeError as err:
            raise CtkitError(
                f"the mask rule {shown(data)}", f"{len(args)} arguments: {err}", f"what ctkit.masks.{op} takes"
            ) from err


def causal() -> Rule:
    """A query sees itself and what stands before it."""
    return Rule("causal")


def bidirectional() -> Rule:
    """Everything sees everything: the causal mask lifted."""
    return Rule("bidirectional")


def prefix(until: int | str | None = None) -> Rule:
    """Causal, but the first tokens see each other freely (prefix language model; MHQA, arXiv 2505.11754).

    `until`: how many tokens, or the piece with which the prefix ends; None is the whole prompt. A prefix of one token
    is exactly causal.
    """
    if until is not None and not isinstance(until, str) and (not isinstance(until, int) or until < 0):
        raise CtkitError(
            f"a prefix until {shown(until)}",
            "no end of a prefix",
            "a number of tokens, or the piece with which it ends",
        )
    return Rule("prefix", () if until is None else (until,))


def window(size: int) -> Rule:
    """A query sees itself and the `size - 1` tokens before it (sliding window)."""
    if not isinstance(size, int) or size < 1:
        raise CtkitError(
            f"a window of {shown(size)}", "not a whole number of tokens", "a window of 1 (only itself) or more"
        )
    return Rule("window", (size,))


def between(queries: Where, keys: Where) -> Rule:
    """The queries see the keys, and nothing else sees anything: a rectangle to open with | or close with & ~."""
    return Rule("between", (as_where(queries), as_where(keys)))


def positions(enc: Encoding, where: Where) -> list[int]:
    """The absolute positions that a place in a prompt stands for.

    A number is a position (negative ones count from the prompt's end); a word is a piece, or "all", "prompt",
    "generated", or "reading 2" for every word of the second reading, with the phrase before it.
    """
    if isinstance(where, str):
        return _named(enc, where)
    if not isinstance(where, int):
        return list(dict.fromkeys(position for part in where for position in positions(enc, part)))
    if not -enc.n_prompt <= where < len(enc):
        last = len(enc) - 1
        raise CtkitError(
            f"position {where}", f"tokens 0 to {last} ({enc.tokens[last]!r})", f"a position from 0 to {last}"
        )
    return [where + enc.n_prompt if where < 0 else where]


def as_where(value: object) -> Where:
    """A place in a prompt, with lists as tuples. Anything that names no place is refused."""
    try:
        if isinstance(value, (list, tuple, range)):
            return tuple(part if isinstance(part, str) else index(part) for part in value)
        return value if isinstance(value, str) else index(value)
    except TypeError:
        pass
    raise CtkitError(
        f"the place {shown(value)}",
        "no place in a prompt",
        'a position, a piece, "all", "prompt", "generated", "reading 2", or several',
    )


def _named(enc: Encoding, where: str) -> list[int]:
    if where == "all":
        return list(range(len(enc)))
    if where == "prompt":
        return list(range(enc.n_prompt))
    if where == "generated":
        return list(range(enc.n_prompt, len(enc)))
    if where.startswith("reading ") and where[8:].isdigit():
        reading = int(where[8:])
        own = {CUE, "think", "generated", START}
        return [i for i in range(enc.n_prompt) if enc.places[i][2] == reading and enc.places[i][0] not in own]
    return list(range(len(enc)))[enc.span(where)]


def _causal(enc: Encoding) -> Tensor:
    return torch.ones(len(enc), len(enc), dtype=torch.bool).tril()


def _bidirectional(enc: Encoding) -> Tensor:
    return torch.ones(len(enc), len(enc), dtype=torch.bool)


def _prefix(enc: Encoding, until: int | str | None = None) -> Tensor:
    length = enc.n_prompt if until is None else enc.span(until).stop if isinstance(until, str) else until
    allowed = _causal(enc)
    allowed[:length, :length] = True
    return allowed


def _window(enc: Encoding, size: int) -> Tensor:
    return _causal(enc).triu(1 - size)


def _between(enc: Encoding, queries: Where, keys: Where) -> Tensor:
    allowed = torch.zeros(len(enc), len(enc), dtype=torch.bool)
    rows = torch.tensor(positions(enc, queries), dtype=torch.long)
    columns = torch.tensor(positions(enc, keys), dtype=torch.long)
    allowed[rows[:, None], columns[None, :]] = True
    return allowed


_MAKERS = {rule.__name__: rule for rule in (causal, bidirectional, prefix, window, between)}
_RULES = {"causal": _causal, "bidirectional": _bidirectional, "prefix": _prefix, "window": _window, "between": _between}
