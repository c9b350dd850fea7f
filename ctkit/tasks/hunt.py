"""Where is the key? Chains of places, to be followed hop by hop.

Serves the lessons on re-reading (RE2; Xu et al., EMNLP 2024, arXiv 2309.06275) and on the order of facts under the
causal mask (Huang et al., ACL 2025, arXiv 2505.11754). Difficulty = hops from the thing asked for to the last place.
Further chains of the same length keep "the end of some chain" from being the answer.
"""

from random import Random

from ..errors import CtkitError, shown
from .base import Problem, Task, prompt_of

THINGS = (
    "bag barn barrel basin basket boat bottle bowl box bucket can car cart case chest crate cup drawer jar key kettle "
    "lamp locker pan pocket pot pouch purse ring sack shed ship tent tin trunk van vase wagon"
).split()
ORDERS = ("any", "forward", "backward")
Fact = tuple[str, str]  # a thing, and the thing it is in


class Hunt(Task):
    """Follow a thing from place to place; `order` lays the facts out along the chain, against it, or anyhow.

    >>> from ctkit.tasks import get
    >>> problem = get("hunt").generate(3, difficulty=2)
    >>> len(problem.steps), problem.labels
    (2, ('true', 'true'))
    """

    name = "hunt"
    title = "Where is the key? Follow the places"
    difficulties = range(1, 7)

    def generate(self, seed: int, difficulty: int | None = None, order: str = "any") -> Problem:
        """As `Task.generate`; with `order` "forward" or "backward" the same chains in another order."""
        if order not in ORDERS:
            raise CtkitError(
                f"facts in the order {shown(order)}", f"the orders {', '.join(ORDERS)}", "one of these names"
            )
        problem = super().generate(seed, difficulty)
        random = self.random("order", seed, difficulty)
        return problem if order == "any" else _problem(_chains_of(problem), order, seed, random)

    def draw(
        self, random: Random, seed: int, difficulty: int | None, order: str = "any", count: int | None = None
    ) -> Problem:
        """`count` chains of `difficulty` hops; the first one's start is asked for.

        Three chains up to two hops and two beyond, if `count` does not say otherwise.
        """
        hops = difficulty or random.choice(self.difficulties)
        count = count or (3 if hops <= 2 else 2)
        things = random.sample(THINGS, count * (hops + 1))
        chains = [things[i * (hops + 1) : (i + 1) * (hops + 1)] for i in range(count)]
        return _problem(chains, order, seed, random)

    def baselines(self, problem: Problem) -> dict[str, str | tuple[str, ...]]:
        """Any chain's end, the place named last, the first place of the thing asked for."""
        pairs = facts(problem)
        holders = dict(pairs)
        ends = tuple(sorted({place for _, place in pairs if place not in holders}))
        asked = problem.prompt.pieces["question"].split()[-1][:-1]
        return {"any chain's end": ends, "last place named": pairs[-1][1], "one hop only": holders[asked]}

    def words(self) -> set[str]:
        """The things, and the words around them."""
        return set(THINGS) | set("The the is in Where What holds".split())


def facts(problem: Problem) -> list[Fact]:
    """The facts of a problem's context, in the order in which they are told."""
    sentences = problem.prompt.pieces["context"].rstrip(".").split(". ")
    return [(words[1], words[-1]) for words in (sentence.split() for sentence in sentences)]


def sentence(fact: Fact) -> str:
    """One fact in words."""
    return f"The {fact[0]} is in the {fact[1]}."


def arrange(chains: list[list[str]], order: str, random: Random) -> list[Fact]:
    """All facts of the chains: "forward" and "backward" keep each chain in order and mix the chains."""
    lines = [list(zip(chain, chain[1:])) for chain in chains]
    if order == "backward":
        lines = [line[::-1] for line in lines]
    turns = [i for i, line in enumerate(lines) for _ in line]
    random.shuffle(turns)
    ordered = [lines[i].pop(0) for i in turns]
    if order == "any":
        random.shuffle(ordered)
    return ordered


def _problem(chains: list[list[str]], order: str, seed: int, random: Random) -> Problem:
    chain = chains[0]
    told = arrange(chains, order, random)
    steps = tuple(sentence(fact) for fact in zip(chain, chain[1:]))
    prompt = prompt_of(" ".join(map(sentence, told)), f"Where is the {chain[0]}?")
    return Problem(prompt, chain[-1], steps, ("true",) * len(steps), "hunt", seed, len(steps), order)


def _chains_of(problem: Problem) -> list[list[str]]:
    holders = dict(facts(problem))
    asked = problem.prompt.pieces["question"].split()[-1][:-1]
    starts = [asked, *sorted(set(holders) - set(holders.values()) - {asked})]
    chains = []
    for start in starts:
        chain = [start]
        while chain[-1] in holders:
            chain.append(holders[chain[-1]])
        chains.append(chain)
    return chains
