"""What thinking costs and what it brings: settings with their tokens, their accuracy and its interval."""

from dataclasses import dataclass, field
from statistics import fmean, stdev

from ...errors import CtkitError, shown
from ...interventions.setup import Setup
from ..effect import paired_interval
from ..intervals import wilson


@dataclass(frozen=True)
class Spent:
    """One setting of a method over n problems.

    `tokens` written for each problem, and whether what was chosen is `right`. `any_right`: whether any thought was,
    the oracle (None where there is one thought only). `ties`: problems in which another answer had as much for it;
    then the one said first was chosen. `unanswered`: problems that came to no answer; they count as wrong.
    """

    setting: int
    tokens: tuple[int, ...] = field(repr=False)
    right: tuple[bool, ...] = field(repr=False)
    any_right: tuple[bool, ...] | None = field(default=None, repr=False)
    ties: int = 0
    unanswered: int = 0

    @property
    def mean_tokens(self) -> float:
        """Tokens written for a problem, on average: thoughts and answers, not the prompts that were read."""
        return fmean(self.tokens)

    @property
    def tokens_interval(self) -> tuple[float, float]:
        """The 95 % interval of that mean."""
        half = 1.96 * stdev(self.tokens) / len(self.tokens) ** 0.5 if len(self.tokens) > 1 else 0.0
        return self.mean_tokens - half, self.mean_tokens + half

    @property
    def accuracy(self) -> float:
        """The share of problems answered right."""
        return fmean(self.right)

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the accuracy (Wilson)."""
        return wilson(sum(self.right), len(self.right))

    @property
    def oracle(self) -> float | None:
        """The share of problems that any of the thoughts answers right: more than choosing among them can reach."""
        return None if self.any_right is None else fmean(self.any_right)

    @property
    def oracle_interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the oracle (Wilson)."""
        return None if self.any_right is None else wilson(sum(self.any_right), len(self.any_right))


@dataclass(frozen=True)
class Spending:
    """Accuracy by what was spent, on the same problems throughout.

    `points` has a `Spent` for each setting; `greedy` is one thought at temperature 0, the cheapest rival there is.
    """

    method: str
    task: str
    difficulty: int | None
    temperature: float
    seed: int
    setup: Setup = field(repr=False)
    greedy: Spent = field(repr=False)
    points: tuple[Spent, ...] = field(repr=False)

    @property
    def n(self) -> int:
        """How many problems."""
        return len(self.greedy.right)

    def at(self, setting: int | str) -> Spent:
        """The figures at one setting, or those of "greedy"."""
        named = {"greedy": self.greedy} | {point.setting: point for point in self.points}
        if setting not in named:
            raise CtkitError(f"the setting {shown(setting)}", f"the settings {list(named)}", "one of these")
        return named[setting]

    def difference(self, before: int | str, after: int | str) -> tuple[float, float, float]:
        """How much more accurate one setting is than another, paired problem by problem, with the 95 % interval
        (Bonett and Price 2012)."""
        pairs = list(zip(self.at(before).right, self.at(after).right, strict=True))
        mended, broken = sum(b > a for a, b in pairs), sum(a > b for a, b in pairs)
        return ((mended - broken) / self.n, *paired_interval(mended, broken, self.n))

    def __str__(self) -> str:
        where = f"{self.n} problems of {self.task}" + ("" if self.difficulty is None else f" {self.difficulty}")
        rows = [f"{self.method} on {where} (seed {self.seed}), temperature {self.temperature:g}"]
        rows += [_line("greedy", self.greedy), *(_line(str(point.setting), point) for point in self.points)]
        return "\n".join(rows)


def _line(name: str, point: Spent) -> str:
    low, high = point.interval
    more = "" if point.oracle is None else f", any right {point.oracle:.1%}, {point.ties} ties"
    more += f", {point.unanswered} unanswered" if point.unanswered else ""
    return f"{name:>7}  {point.mean_tokens:7.1f} tokens  {point.accuracy:6.1%} ({low:.1%} to {high:.1%}){more}"
