"""A setup: an ordered list of interventions that is data. It goes to JSON, to Python code and back, never to a call."""

import json
from collections.abc import Callable, Iterator
from dataclasses import MISSING, dataclass, fields
from typing import Any

import torch
from torch import Tensor

from ..errors import CtkitError, shown
from ..masks import Rule
from ..prompt import Encoding, ModelShape, Prompt
from .base import Intervention
from .direction import Direction
from .patch import Activation


@dataclass(frozen=True, init=False)
class Setup:
    """Interventions in the order in which they act.

    >>> from ctkit.interventions import Mask, Reread
    >>> Setup([Reread(), Mask("prefix")]).to_code()
    "ct.Setup([ct.Reread(), ct.Mask(kind='prefix')])"
    """

    interventions: tuple[Intervention, ...]

    def __init__(self, interventions: "list[Intervention] | tuple[Intervention, ...] | Setup" = ()):
        object.__setattr__(self, "interventions", tuple(_flat(interventions)))

    def __iter__(self) -> Iterator[Intervention]:
        return iter(self.interventions)

    def __len__(self) -> int:
        return len(self.interventions)

    def __repr__(self) -> str:
        return f"Setup([{', '.join(_written(i, repr) for i in self)}])"

    def check(self, shape: ModelShape) -> None:
        """Refuse what cannot be carried out on a model of this shape."""
        for intervention in self:
            intervention.check(shape)

    def edit(self, prompt: Prompt) -> Prompt:
        """The prompt after every intervention's edit."""
        for intervention in self.having("edit"):
            prompt = _returned(Prompt, intervention, "edit", intervention.edit(prompt))
        return prompt

    def allow(self, allowed, enc: Encoding, layer: int):
        """Who may attend to whom, after every intervention."""
        for intervention in self.having("allow"):
            allowed = _scores(intervention, "allow", intervention.allow(allowed, enc, layer), enc)
        return allowed

    def bias(self, enc: Encoding, layer: int):
        """The sum of what the interventions add to the scores, or None."""
        given = [(intervention, intervention.bias(enc, layer)) for intervention in self.having("bias")]
        added = [_scores(intervention, "bias", bias, enc) for intervention, bias in given if bias is not None]
        return sum(added[1:], added[0]) if added else None

    def heads(self, z, enc: Encoding, layer: int):
        """The heads' outputs, after every intervention."""
        for intervention in self.touching("heads", layer):
            z = _returned(Tensor, intervention, "heads", intervention.heads(z, enc, layer))
        return z

    def mlp(self, y, enc: Encoding, layer: int):
        """The MLP's output, after every intervention."""
        for intervention in self.touching("mlp", layer):
            y = _returned(Tensor, intervention, "mlp", intervention.mlp(y, enc, layer))
        return y

    def residual(self, x, enc: Encoding, layer: int):
        """The stream, after every intervention."""
        for intervention in self.touching("residual", layer):
            x = _returned(Tensor, intervention, "residual", intervention.residual(x, enc, layer))
        return x

    def segments(self, enc: Encoding) -> tuple[slice, ...]:
        """The segments of the one intervention that names some."""
        named = [segments for i in self.having("segments") if (segments := i.segments(enc))]
        if len(named) > 1:
            raise CtkitError("two orderless readings of one prompt", f"{len(named)} sets of segments", "one ct.Pine")
        return named[0] if named else ()

    def goes_on(self, prompt: Prompt, written: str, ended: bool) -> str | None:
        """What the first intervention that has something to say writes instead."""
        said = (intervention.goes_on(prompt, written, ended) for intervention in self.having("goes_on"))
        return next((text for text in said if text is not None), None)

    def keeps(self, prompt: Prompt, written: str, ended: bool) -> str:
        """How much of what is written stays there, as that intervention says."""
        speaking = (i for i in self.having("goes_on") if i.goes_on(prompt, written, ended) is not None)
        return next((i.keeps(prompt, written, ended) for i in speaking), written)

    def overrides(self, function: str) -> bool:
        """Whether any intervention has its own version of one of the six functions."""
        return bool(self.having(function))

    def having(self, function: str) -> list[Intervention]:
        """The interventions with their own version of one of the six functions, in order."""
        return [intervention for intervention in self if intervention.overrides(function)]

    def touching(self, function: str, layer: int) -> list[Intervention]:
        """Those of them that may change something at a layer."""
        return [intervention for intervention in self.having(function) if intervention.touches(layer)]

    def to_json(self) -> str:
        """The setup as JSON: a list of {"intervention": …, fields}, defaults included."""
        return json.dumps(self.to_data())

    def to_data(self) -> list[dict]:
        """The setup as plain lists and dictionaries."""
        return [
            {"intervention": type(i).__name__} | {f.name: _to_data(getattr(i, f.name)) for f in fields(i)} for i in self
        ]

    @staticmethod
    def from_json(text: str) -> "Setup":
        """The setup that `to_json` wrote. Only interventions that are already known are made; nothing is run."""
        try:
            return Setup.from_data(json.loads(text))
        except (ValueError, TypeError, RecursionError) as err:  # JSONDecodeError is a ValueError
            raise CtkitError(f"the setup {shown(text)}", f"not JSON: {err}", "text written by Setup.to_json()") from err

    @staticmethod
    def from_data(data: list[dict]) -> "Setup":
        """The setup from plain lists and dictionaries."""
        if not isinstance(data, list):
            such = 'a list such as [{"intervention": "Reread", "times": 2}]'
            raise CtkitError(f"the setup {shown(data)}", f"a {type(data).__name__}", such)
        return Setup([_made(entry) for entry in data])

    def to_code(self) -> str:
        """Python that builds this setup, given `import ctkit as ct`; fields at their defaults are left out."""
        return f"ct.Setup([{', '.join(_code(i) for i in self)}])"


def as_setup(*interventions: "Intervention | Setup | list[Intervention]") -> Setup:
    """One setup from interventions, setups and lists of them, in order."""
    return Setup(interventions)


def _flat(value: object) -> Iterator[Intervention]:
    if isinstance(value, Intervention):
        yield value
    elif isinstance(value, Setup):
        yield from value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _flat(item)
    else:
        hint = " (did you forget the brackets?)" if isinstance(value, type) else ""
        raise CtkitError(
            f"the intervention {shown(value)}",
            f"a {type(value).__name__}{hint}",
            "interventions such as ct.Reread() or a ct.Setup",
        )


def _returned(kind: type, intervention: Intervention, function: str, value: Any) -> Any:
    if isinstance(value, kind):
        return value
    hint = ": did you forget to return it?" if value is None else ""
    name = f"{type(intervention).__name__}.{function}()"
    raise CtkitError(
        f"a {kind.__name__} from {name}",
        f"{shown(value)}, a {type(value).__name__}",
        f"the changed value, or the one that came in{hint}",
    )


def _scores(intervention: Intervention, function: str, value: Any, enc: Encoding) -> Tensor:
    """A mask or a bias as an intervention returned it, if it is one."""
    value = _returned(Tensor, intervention, function, value)
    name, heads, n = f"{type(intervention).__name__}.{function}()", enc.shape.n_heads, len(enc)
    if tuple(value.shape) not in ((1, n, n), (heads, n, n)):
        shape = f"the shape (1 or {heads}, {n}, {n}): head, query, key"
        raise CtkitError(f"{name} of shape {tuple(value.shape)}", f"{n} tokens and {heads} heads", shape)
    if function == "allow" and value.dtype != torch.bool:
        raise CtkitError(
            f"{name} of {value.dtype}", "numbers where True and False were expected", "booleans: True = may attend"
        )
    if function == "bias" and not value.isfinite().all():
        raise CtkitError(f"{name} that is not finite", "NaN or infinity", "finite numbers; to forbid a key use allow()")
    return value


def _made(entry: dict) -> Intervention:
    name = entry.get("intervention") if isinstance(entry, dict) else None
    if not isinstance(name, str) or name not in Intervention.known:
        known = ", ".join(sorted(kind for kind in Intervention.known if not kind.startswith("_")))
        raise CtkitError(f"the intervention {shown(entry)}", "no intervention of that name", f"one of {known}")
    cls = Intervention.known[name]
    names = [f.name for f in fields(cls)]
    values = {key: _from_data(key, value) for key, value in entry.items() if key != "intervention"}
    unknown = [key for key in values if key not in names]
    if unknown:
        raise CtkitError(f"{name} with {unknown[0]!r}", f"{name} has the fields {names}", "one of these fields")
    try:
        return cls(**values)
    except (TypeError, ValueError, AttributeError) as err:
        raise CtkitError(
            f"the intervention {shown(entry)}", f"{type(err).__name__}: {err}", f"{name} with the fields {names}"
        ) from err


def _to_data(value: object) -> object:
    if isinstance(value, (Direction, Rule, Activation)):
        return value.to_data()
    return [_to_data(part) for part in value] if isinstance(value, tuple) else value


def _from_data(name: str, value: object) -> object:
    if isinstance(value, dict) and "vector" in value:
        return Direction.from_data(value)
    if isinstance(value, dict) and "values" in value:
        return Activation.from_data(value)
    if isinstance(value, list) and value and isinstance(value[0], str) and name == "kind":
        return Rule.from_data(value)
    return tuple(_from_data("", part) for part in value) if isinstance(value, list) else value


def _code(intervention: Intervention) -> str:
    module = "ct." if type(intervention).__module__.startswith("ctkit.") else ""
    return module + _written(intervention, _value_code)


def _written(intervention: Intervention, write: Callable[[object], str]) -> str:
    """An intervention with the fields that are not at their defaults."""
    values = {f.name: getattr(intervention, f.name) for f in fields(intervention) if not _is_default(intervention, f)}
    return f"{type(intervention).__name__}({', '.join(f'{name}={write(value)}' for name, value in values.items())})"


def _value_code(value: object) -> str:
    if isinstance(value, (Direction, Activation)):
        return f"ct.{type(value).__name__}.from_data({value.to_data()!r})"
    if isinstance(value, Rule):
        return value.to_code()
    if isinstance(value, tuple):
        return f"({', '.join(map(_value_code, value))}{',' if len(value) == 1 else ''})"
    return repr(value)


def _is_default(intervention: Intervention, f) -> bool:
    return f.default is not MISSING and getattr(intervention, f.name) == f.default
