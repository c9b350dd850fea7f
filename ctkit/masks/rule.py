"""What a rule is: who may attend to whom, joined by & | ~. It is data: a name and arguments, and no code."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from jaxtyping import Bool
from torch import Tensor

from ..errors import CtkitError, shown
from ..prompt import Encoding
from .places import once

DEEPEST = 50  # rules inside each other: a bound on what a saved setup can ask for
JOINS = {"and": 2, "or": 2, "not": 1}  # what joins rules → how many


@dataclass(frozen=True)
class Rule:
    """Which keys a query may see; `rule.matrix(enc)[query, key]` is True where it may.

    Rules combine: `causal() & ~window(4)`. They hold no model and no text, so they can be saved (`to_data`).

    >>> from ctkit.masks import causal, window
    >>> causal() & ~window(4)
    causal() & ~window(4)
    """

    op: str
    args: tuple[Any, ...] = ()

    def matrix(self, enc: Encoding) -> Bool[Tensor, "query key"]:
        """The rule for one encoded prompt. It is kept for the next block that asks: do not write into it."""
        return once(enc, self, lambda: self._matrix(enc))

    def _matrix(self, enc: Encoding) -> Tensor:
        if self.op == "and":
            return self.args[0].matrix(enc) & self.args[1].matrix(enc)
        if self.op == "or":
            return self.args[0].matrix(enc) | self.args[1].matrix(enc)
        if self.op == "not":
            return ~self.args[0].matrix(enc)
        return _KINDS[self.op].matrix(enc, *self.args)

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
        return [self.op, *map(_to_data, self.args)]

    @staticmethod
    def from_data(data: list, depth: int = 0) -> "Rule":
        """The rule that `to_data` wrote; anything else is refused."""
        if not isinstance(data, list) or not data or str(data[0]) not in {*JOINS, *_KINDS}:
            raise CtkitError(
                f"the mask rule {shown(data)}", "no such rule", f"one of {sorted(_KINDS)}, joined by and, or, not"
            )
        if depth > DEEPEST:
            raise CtkitError("a mask rule", f"more than {DEEPEST} rules inside each other", "a simpler rule")
        op, args = data[0], data[1:]
        if op in JOINS:
            if len(args) != JOINS[op]:
                parts = "1 part" if JOINS[op] == 1 else f"{JOINS[op]} parts"
                raise CtkitError(f"the mask rule {shown(data)}", f"{len(args)} parts", parts)
            return Rule(op, tuple(Rule.from_data(a, depth + 1) for a in args))
        try:
            return _KINDS[op].make(*args)
        except TypeError as err:
            raise CtkitError(
                f"the mask rule {shown(data)}", f"{len(args)} arguments: {err}", f"what ctkit.masks.{op} takes"
            ) from err


def add_kind(make: Callable[..., Rule], matrix: Callable[..., Tensor]) -> None:
    """Name a kind of rule after the function that makes it; `matrix(enc, *args)` says which edges it allows."""
    _KINDS[make.__name__] = _Kind(make, matrix)


class _Kind(NamedTuple):
    make: Callable[..., Rule]
    matrix: Callable[..., Tensor]


_KINDS: dict[str, _Kind] = {}


def _to_data(value: object) -> object:
    """A rule, or the arguments of one, with tuples as lists."""
    if isinstance(value, Rule):
        return value.to_data()
    return [_to_data(part) for part in value] if isinstance(value, tuple) else value
