"""The logit lens of a view: how likely each layer finds the tokens that come next, before and after."""

from dataclasses import dataclass, field
from typing import Any

from ..engine.lm import LM
from ..engine.trace import Trace
from ..errors import CtkitError
from ..measures.lens import Lens, lens_of

TOKENS = 4  # that get a line


@dataclass
class LensLines:
    """Lens lines for a view; the run before is not read twice."""

    lm: LM
    known: dict[Trace, Lens] = field(default_factory=dict)

    def of(self, before: Trace, after: Trace | None) -> dict[str, Any]:
        """The likeliest next tokens of either run with their probability at each layer, and each layer's own choice.

        Layer l is the stream entering block l; the last one is the model's own answer."""
        try:
            old = self._lens(before)
            new = None if after is None else self._lens(after, keep=False)
        except CtkitError as err:
            note = f"No lens here: {err.found}. Try {err.remedy}."
            return {"tokens": [], "before": None, "after": None, "note": note}
        ids = _likeliest(old, new)
        now = {i: None if new is None else _rounded(new.probability(i)[:, 0]) for i in ids}
        tokens = [
            {"token": before.name_token(i), "before": _rounded(old.probability(i)[:, 0]), "after": now[i]} for i in ids
        ]
        return {"tokens": tokens, "before": _side(old), "after": None if new is None else _side(new), "note": ""}

    def _lens(self, trace: Trace, keep: bool = True) -> Lens:
        if trace in self.known:
            return self.known[trace]
        found = lens_of(self.lm, trace, at=len(trace.ids) - 1)  # the last, also where a thought was written
        if keep:
            self.known = {trace: found}
        return found


def _side(lens: Lens) -> dict[str, Any]:
    """The token that each layer finds likeliest, and the layer from which on it is the final one."""
    return {"top": [row[0][0] for row in lens.next_tokens(1)], "settled": int(lens.settled[0])}


def _likeliest(old: Lens, new: Lens | None) -> list[int]:
    """The tokens that end highest in either run, the one that comes out first."""
    last = [lens.logits[-1, 0].softmax(-1) for lens in (new, old) if lens is not None]
    best = last[0] if len(last) == 1 else last[0].maximum(last[1])
    return sorted(best.topk(min(TOKENS, len(best))).indices.tolist(), key=lambda i: -float(last[0][i]))


def _rounded(values) -> list[float]:
    return [round(value, 5) for value in values.tolist()]
