"""Two runs side by side, token by token, also when one of them read more tokens than the other."""

from dataclasses import dataclass, field
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from ..engine.trace import Trace
from ..errors import CtkitError, shown
from ..prompt import Encoding


@dataclass(frozen=True, eq=False)
class Comparison:
    """A run before and after a change.

    `align[i]` is where token i of the first run stands in the second: in its *last* reading, which knows most (-1
    where it is gone). `fold[k]` is the token of the first run that token k of the second is a reading of (-1
    for new ones: a phrase, a placeholder).
    """

    before: Trace
    after: Trace
    align: tuple[int, ...] = field(repr=False)
    fold: tuple[int, ...] = field(repr=False)

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Positions (before, after) of the tokens that both runs have."""
        return [(i, j) for i, j in enumerate(self.align) if j >= 0]

    @property
    def tokens(self) -> list[str]:
        """The tokens that both runs have."""
        return [self.before.tokens[i] for i, _ in self.pairs]

    @cached_property
    def kl(self) -> Float[Tensor, "pair"]:
        """KL(before ‖ after) of the next-token distribution after each aligned token, in nats."""
        rows = torch.tensor(self.pairs, dtype=torch.long).reshape(-1, 2)
        p = self.before.logits[rows[:, 0]].log_softmax(-1)
        q = self.after.logits[rows[:, 1]].log_softmax(-1)
        return (p.exp() * (p - q)).sum(-1)

    @cached_property
    def next_tokens(self) -> list[tuple[str, float, float]]:
        """(token, probability before, probability after) at the end of each run: the five likeliest of either."""
        before, after = self.before.logits[-1].softmax(-1), self.after.logits[-1].softmax(-1)
        k = min(5, len(before))
        ids = set(before.topk(k).indices.tolist()) | set(after.topk(k).indices.tolist())
        order = sorted(ids, key=lambda i: -max(float(before[i]), float(after[i])))
        return [(self.before.name_token(i), float(before[i]), float(after[i])) for i in order]

    def attention_difference(self, layer: int, head: int) -> Float[Tensor, "query key"]:
        """Attention after minus before, on the tokens of the first run.

        The row of a token is that of its last reading; what it gives to any reading of a word counts for that word.
        So re-reading can fill the upper triangle: the second reading sees later words of the first. Rows of tokens
        that are gone are NaN.
        """
        folded = self._folded(self.after.attention(layer, head))
        difference = folded[[max(j, 0) for j in self.align]] - self.before.attention(layer, head)
        difference[[i for i, j in enumerate(self.align) if j < 0]] = float("nan")
        return difference

    def new_weight(self, layer: int, head: int) -> Float[Tensor, "query"]:
        """How much weight each token of the first run, in its last reading, gives to tokens that are new."""
        weights = self.after.attention(layer, head)
        new = weights[:, [k for k, i in enumerate(self.fold) if i < 0]].sum(-1)
        return new[[max(j, 0) for j in self.align]]

    def _folded(self, weights: Float[Tensor, "query key"]) -> Float[Tensor, "query before"]:
        known = [k for k, i in enumerate(self.fold) if i >= 0]
        folded = torch.zeros(weights.shape[0], len(self.align))
        return folded.index_add_(1, torch.tensor([self.fold[k] for k in known], dtype=torch.long), weights[:, known])


def compare(before: Trace, after: Trace) -> Comparison:
    """Align two runs of one model by piece and word.

    >>> import ctkit as ct
    >>> lm = ct.load()
    >>> c = ct.compare(ct.run(lm, "The key is in the box."), ct.run(lm, "The key is in the box.", ct.Reread()))
    >>> c.tokens == c.before.tokens
    True
    """
    for trace in (before, after):
        if not isinstance(trace, Trace):
            raise CtkitError(f"a comparison with {shown(trace)}", f"a {type(trace).__name__}", "two traces from ct.run")
    if before.shape != after.shape or before.logits.shape[-1] != after.logits.shape[-1]:
        raise CtkitError(
            "a comparison of two runs",
            f"models of different shape: {before.shape} and {after.shape}",
            "two runs of one model",
        )
    align, fold = alignment(before.encoding, after.encoding)
    return Comparison(before, after, align, fold)


def alignment(before: Encoding, after: Encoding) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """For each token of `before` its place in `after` (the last reading, or -1); for each of `after` its token in
    `before` (or -1). Readings are matched from the last one: the second of two is the first of one."""
    shift = _readings(after) - _readings(before)
    repeated = {place[0] for enc in (before, after) for place in enc.places if place[2] > 1}
    there = {key: j for j, key in enumerate(_keys(after))}
    here = {key: i for i, key in enumerate(_keys(before))}
    align = tuple(there.get(_moved(key, shift, repeated), -1) for key in here)
    fold = tuple(
        here.get(_moved(key, -shift, repeated), here.get(_moved(key, 1 - key[2], repeated), -1)) for key in there
    )
    return align, fold


def _readings(enc: Encoding) -> int:
    return max(place[2] for place in enc.places)


def _moved(key: tuple[str, int, int, int], by: int, repeated: set[str]) -> tuple[str, int, int, int]:
    """The same word some readings on; a piece that is never repeated (a cue) has only one."""
    return (*key[:2], key[2] + by, key[3]) if key[0] in repeated else key


def _keys(enc: Encoding) -> list[tuple[str, int, int, int]]:
    """A token's place and, where several tokens make up one character, which of them it is."""
    places = enc.places
    return [(*place, places[max(0, i - 8) : i].count(place)) for i, place in enumerate(places)]
