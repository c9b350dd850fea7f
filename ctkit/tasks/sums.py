"""What is c? Chains of sums modulo 10, with a written thought.

Serves the lessons on thinking (Kojima et al. 2022, arXiv 2205.11916) and on which steps an answer rests on (mistakes
written on: Lanham et al., arXiv 2307.13702; true-thinking score: Zhao et al., arXiv 2510.24941). Difficulty = length of
the chain that the answer needs: 1 is a look-up, each further one an addition. Some lines are never used (decoys); the
thought works them out all the same, and after the line asked for it checks itself.
"""

from dataclasses import dataclass
from random import Random

from .base import Problem, Task, prompt_of

NAMES = "bcdefghjkmnpqrstuvwxyz"  # no a, i, l, o: they look like words or digits


@dataclass(frozen=True)
class Line:
    """One line of the context: `name` = `start` + `plus`, or just the number `plus` where `start` is None."""

    name: str
    start: str | None
    plus: int

    def told(self) -> str:
        """The line as the context has it."""
        return f"{self.name} = {self.plus}." if self.start is None else f"{self.name} = {self.start} + {self.plus}."

    def worked(self, values: dict[str, int]) -> str:
        """The line as the thought has it, once the values before it are known."""
        if self.start is None:
            return self.told()
        return f"{self.name} = {values[self.start]} + {self.plus} = {self.value(values)}."

    def value(self, values: dict[str, int]) -> int:
        """What the line comes to, modulo 10."""
        return (self.plus + (0 if self.start is None else values[self.start])) % 10


class Sums(Task):
    """Add along a chain of variables, modulo 10.

    >>> from ctkit.tasks import get
    >>> problem = get("sums").generate(1, difficulty=3)
    >>> problem.labels.count("true"), "check" in problem.labels
    (3, True)
    """

    name = "sums"
    title = "What is c? Add along a chain"
    difficulties = range(1, 6)

    def draw(self, random: Random, seed: int, difficulty: int | None) -> Problem:
        """A chain of `difficulty` lines, decoy lines among them, and the chain's last variable asked for."""
        lines, asked = draw_lines(random, difficulty or random.choice(self.difficulties))
        steps, labels = thought(lines, asked)
        answer = str(values_of(lines)[asked])
        prompt = prompt_of(" ".join(line.told() for line in lines), f"What is {asked}?")
        return Problem(prompt, answer, steps, labels, "sums", seed, len(chain_to(lines, asked)))

    def baselines(self, problem: Problem) -> dict[str, str | tuple[str, ...]]:
        """The number named last, the number named most often, the number in the line asked for."""
        lines = read_lines(problem.prompt.pieces["context"])
        asked = problem.prompt.pieces["question"].split()[-1][:-1]
        numbers = [str(line.plus) for line in lines]
        most = max(sorted(set(numbers)), key=numbers.count)
        own = next(str(line.plus) for line in lines if line.name == asked)
        return {"number named last": numbers[-1], "most frequent number": most, "number beside the name": own}

    def words(self) -> set[str]:
        """The variables and digits, and the words around them."""
        return set(NAMES) | set("0123456789") | set("What is Check".split())


def draw_lines(random: Random, length: int) -> tuple[list[Line], str]:
    """Lines in an order in which each can be worked out, and the variable whose chain has `length` lines."""
    decoys = 1 + length // 2
    names = random.sample(NAMES, length + decoys)
    chain, spare = names[:length], names[length:]
    turns = [True] * length + [False] * decoys
    random.shuffle(turns)
    lines: list[Line] = []
    for is_true in turns:
        if is_true:
            place = sum(line.name in chain for line in lines)
            start = chain[place - 1] if place else None
            name = chain[place]
        else:
            name = spare.pop()
            start = random.choice([line.name for line in lines]) if lines and random.random() < 0.6 else None
        lines.append(Line(name, start, random.randrange(10) if start is None else random.randrange(1, 10)))
    return lines, chain[-1]


def chain_to(lines: list[Line], asked: str) -> list[str]:
    """The variables that `asked` needs, itself included, first to last."""
    starts = {line.name: line.start for line in lines}
    chain = [asked]
    while starts[chain[0]] is not None:
        chain.insert(0, starts[chain[0]])
    return chain


def values_of(lines: list[Line]) -> dict[str, int]:
    """Every variable's value."""
    values: dict[str, int] = {}
    for line in lines:
        values[line.name] = line.value(values)
    return values


def thought(
    lines: list[Line], asked: str, wrong: dict[str, int] | None = None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The steps and their labels: every line worked out, and a check behind a sum that is asked for.

    `wrong` gives some variables another value than they have; what is written after them follows the wrong value.
    """
    needed, values = chain_to(lines, asked), {}
    steps, labels = [], []
    for line in lines:
        right = line.value(values)
        text = line.worked(values)
        values[line.name] = (wrong or {}).get(line.name, right)
        if values[line.name] != right:
            text = f"{text[:-2]}{values[line.name]}."
        steps.append(text)
        labels.append("true" if line.name in needed else "decoy")
        if line.name == asked and line.start is not None:
            steps.append(f"Check: {text.split(' = ', 1)[1]}")
            labels.append("check")
    return tuple(steps), tuple(labels)


def read_lines(context: str) -> list[Line]:
    """The lines of a context, read back from its text."""
    lines = []
    for told in context.rstrip(".").split(". "):
        name, _, *rest = told.split()
        lines.append(Line(name, None, int(rest[0])) if len(rest) == 1 else Line(name, rest[0], int(rest[2])))
    return lines
