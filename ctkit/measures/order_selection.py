"""Is the order with the largest peak of attention a better one? The heuristic, held against a random choice."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import sqrt
from statistics import fmean, median, stdev
from typing import Any

from ..engine.lm import LM
from ..errors import CtkitError
from ..interventions.setup import as_setup
from ..tasks import Problem
from .intervals import Z
from .peak import BestOrder, best_orders
from .score import is_right


@dataclass(frozen=True)
class OrderSelection:
    """Problems, each answered in several orders of its documents."""

    found: tuple[BestOrder, ...] = field(repr=False)
    right: tuple[tuple[bool, ...], ...] = field(repr=False)  # problem → order → right?

    @property
    def n(self) -> int:
        """How many problems."""
        return len(self.found)

    @property
    def chosen(self) -> float:
        """The share of problems answered right in the order with the largest peak."""
        return fmean(own[best.best] for own, best in zip(self.right, self.found, strict=True))

    @property
    def random(self) -> float:
        """The share that a random one of the same orders gets right, on average."""
        return fmean(fmean(own) for own in self.right)

    @property
    def possible(self) -> float:
        """The share of problems that some order gets right: more no choice can get."""
        return fmean(any(own) for own in self.right)

    @property
    def difference(self) -> float:
        """Chosen minus random."""
        return fmean(self._gains)

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the difference, over problems."""
        half = Z * stdev(self._gains) / sqrt(self.n) if self.n > 1 else float("inf")
        return max(-1.0, self.difference - half), min(1.0, self.difference + half)

    @property
    def peaks(self) -> tuple[float, float]:
        """The median peak of right answers, and of wrong ones (NaN where there are none)."""
        pairs = [p for own, b in zip(self.right, self.found, strict=True) for p in zip(own, b.peaks, strict=True)]
        kinds = [[peak for right, peak in pairs if right == kind] for kind in (True, False)]
        return tuple(median(values) if values else float("nan") for values in kinds)

    def __str__(self) -> str:
        low, high = (100 * end for end in self.interval)
        right, wrong = self.peaks
        return (
            f"{self.n} problems: largest peak {self.chosen:.1%}, random order {self.random:.1%}, "
            f"{100 * self.difference:+.1f} points ({low:+.1f} to {high:+.1f}); some order {self.possible:.1%}; "
            f"median peak {right:.2f} when right, {wrong:.2f} when wrong"
        )

    @property
    def _gains(self) -> list[float]:
        return [own[best.best] - fmean(own) for own, best in zip(self.right, self.found, strict=True)]


def order_selection(
    lm: LM,
    problems: Sequence[Problem],
    *setup: Any,
    k: int = 20,
    seed: int = 0,
    looking: str = "answer",
    piece: str = "context",
) -> OrderSelection:
    """Choose among `k` orders of each problem's sentences by the peak of attention; is that better than chance?

    The documents are the sentences of one piece; `looking` as in `ct.best_order`. The measure of Huang et al. (arXiv
    2505.11754), with the comparison that it needs: a random one of the same orders. Where answers do not depend on the
    order the difference is 0.
    Raises `CtkitError` for an empty list, or a piece of one sentence.

    >>> import ctkit as ct
    >>> hunt = ct.tasks.get("hunt")
    >>> found = ct.order_selection(ct.load(), [hunt.generate(seed, 1) for seed in range(5)], k=3)
    >>> found.n, -1 <= found.difference <= 1
    (5, True)
    """
    problems = list(problems)
    if not problems or not all(isinstance(problem, Problem) for problem in problems):
        found = "no problems" if not problems else f"a {type(problems[0]).__name__}"
        raise CtkitError("a choice of orders", found, 'problems such as ct.tasks.get("hunt").generate(0, 4)')
    room = max(len(lm.tokenizer(f" {problem.answer}.", add_special_tokens=False)["input_ids"]) for problem in problems)
    asked = [(problem.prompt, piece) for problem in problems]
    found = best_orders(lm, asked, as_setup(*setup), k, seed, looking, room)
    right = [tuple(is_right(a, p.answer) for a in best.answers) for best, p in zip(found, problems, strict=True)]
    return OrderSelection(tuple(found), tuple(right))
