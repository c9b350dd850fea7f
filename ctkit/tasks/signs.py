"""What is c, with minus signs? Chains of sums and differences modulo 10, which numbers alone do not solve.

Serves the lesson on shortcuts (Lin et al., ACL Findings 2025, arXiv 2503.07604). A model may skip the variables and
chain the numbers as they stand: that comes out right for "c = b + 3" and "c = b - 3", and wrong where the variable is
what is subtracted, as in "c = 7 - b". Difficulty = length of the chain that the answer needs, as in `sums`; `order`
says how many of its lines subtract the variable: "v0", "v1" and so on.
"""

from dataclasses import dataclass
from random import Random

from ..errors import CtkitError, shown
from .base import Problem, Task, get, prompt_of
from .sums import Line, chain_to, draw_lines, thought, values_of

PLUS, MINUS, FROM = "{0} + {1}", "{0} - {1}", "{1} - {0}"  # {0} is the variable, {1} the number


@dataclass(frozen=True)
class Signed(Line):
    """A line whose `form` says how the variable and the number `plus` stand: PLUS, MINUS or FROM."""

    form: str = PLUS

    def told(self) -> str:
        """The line as the context has it."""
        return f"{self.name} = {self.plus if self.start is None else self.form.format(self.start, self.plus)}."

    def worked(self, values: dict[str, int]) -> str:
        """The line as the thought has it, once the values before it are known."""
        if self.start is None:
            return self.told()
        return f"{self.name} = {self.form.format(values[self.start], self.plus)} = {self.value(values)}."

    def value(self, values: dict[str, int]) -> int:
        """What the line comes to, modulo 10."""
        if self.start is None:
            return self.plus
        return self.apply(self.form, values[self.start])

    def chained(self, before: int) -> int:
        """What comes out if the number is put behind the value before, whichever of the two is the variable."""
        return self.apply(MINUS if self.form == FROM else self.form, before)

    def apply(self, form: str, before: int) -> int:
        """The value before and the number, put together in a form, modulo 10."""
        sums = {PLUS: before + self.plus, MINUS: before - self.plus, FROM: self.plus - before}
        return sums[form] % 10


class Signs(Task):
    """Add and subtract along a chain of variables, modulo 10; `subtrahends` fixes in how many lines they are taken off.

    >>> from ctkit.tasks import get
    >>> get("signs").generate(1, difficulty=3, subtrahends=2).order
    'v2'
    """

    name = "signs"
    title = "What is c? Add and subtract along a chain"
    difficulties = range(1, 5)

    def generate(self, seed: int, difficulty: int | None = None, subtrahends: int | None = None) -> Problem:
        """As `Task.generate`; with `subtrahends` the same variables and numbers, with that many lines "number - name".

        They are fewer than the lines of the chain, since the first line has no variable to subtract.
        """
        drawn = super().generate(seed, difficulty)
        if subtrahends is None:
            return drawn
        most = (difficulty or self.difficulties[-1]) - 1
        if subtrahends not in range(most + 1):
            raise CtkitError(
                f"{shown(subtrahends)} lines that subtract the variable",
                f"0 to {most} in a chain of {most + 1}",
                f"a number from 0 to {most}, or a higher difficulty",
            )
        return self.draw(self.random("generate", seed, difficulty), seed, difficulty, subtrahends)

    def draw(self, random: Random, seed: int, difficulty: int | None, subtrahends: int | None = None) -> Problem:
        """A chain of `difficulty` lines, decoy lines among them; each number of subtrahends is drawn as often."""
        length = difficulty or random.choice([d for d in self.difficulties if d > (subtrahends or 0)])
        lines, asked = draw_signed(random, length, subtrahends)
        steps, labels = thought(lines, asked)
        answer = str(values_of(lines)[asked])
        prompt = prompt_of(" ".join(line.told() for line in lines), f"What is {asked}?")
        taken = sum(line.form == FROM for line in lines if line.name in chain_to(lines, asked))
        return Problem(prompt, answer, steps, labels, "signs", seed, length, f"v{taken}")

    def baselines(self, problem: Problem) -> dict[str, str | tuple[str, ...]]:
        """The chain's numbers as they stand, the number named last, the number in the line asked for."""
        lines = read_lines(problem.prompt.pieces["context"])
        asked = problem.prompt.pieces["question"].split()[-1][:-1]
        own = next(str(line.plus) for line in lines if line.name == asked)
        return {
            "numbers chained as they stand": str(chained(lines, asked)),
            "number named last": str(lines[-1].plus),
            "number beside the name": own,
        }

    def words(self) -> set[str]:
        """The variables and digits, and the words around them: those of `sums`."""
        return get("sums").words()


def draw_signed(random: Random, length: int, subtrahends: int | None = None) -> tuple[list[Signed], str]:
    """Lines as in `sums`, each with a form, and the variable asked for; `subtrahends` counts its chain's lines only."""
    lines, asked = draw_lines(random, length)
    needed = chain_to(lines, asked)[1:]
    drawn, turns = random.randrange(length), random.sample(needed, len(needed))
    forms = {name: random.choice((PLUS, MINUS)) for name in needed}
    forms |= dict.fromkeys(turns[: drawn if subtrahends is None else subtrahends], FROM)
    signed = []
    for line in lines:
        form = forms.get(line.name) or random.choice((PLUS, MINUS, FROM))
        signed.append(Signed(line.name, line.start, line.plus, PLUS if line.start is None else form))
    return signed, asked


def chained(lines: list[Signed], asked: str) -> int:
    """What the chain's numbers come to as they stand: the start, then each number added or subtracted in turn."""
    by_name = {line.name: line for line in lines}
    first, *rest = chain_to(lines, asked)
    value = by_name[first].plus
    for name in rest:
        value = by_name[name].chained(value)
    return value


def read_lines(context: str) -> list[Signed]:
    """The lines of a context, read back from its text."""
    lines = []
    for told in context.rstrip(".").split(". "):
        name, _, left, *rest = told.split()
        if not rest:
            lines.append(Signed(name, None, int(left)))
        elif left.isdigit():
            lines.append(Signed(name, rest[1], int(left), FROM))
        else:
            lines.append(Signed(name, left, int(rest[1]), PLUS if rest[0] == "+" else MINUS))
    return lines
