"""Where is the key? Two hops, among more and more facts.

Serves the lesson on re-reading (RE2; Xu et al., EMNLP 2024, arXiv 2309.06275): what fails is finding the two facts in a
crowd, not the depth of the model. Difficulty = how crowded: 6, 9, 12, 15 or 18 facts, in chains of three told in any
order; the thing asked for is always two hops from the last place of its chain.
"""

from random import Random

from .base import Problem, Task, prompt_of
from .hunt import THINGS, Hunt, arrange, sentence

HOPS = 2


class Crowd(Task):
    """Follow a thing for two hops among chains of three facts, told in any order.

    >>> from ctkit.tasks import get
    >>> problem = get("crowd").generate(0, difficulty=2)
    >>> problem.prompt.pieces["context"].count("."), len(problem.steps)
    (9, 2)
    """

    name = "crowd"
    title = "Where is the key? Among many facts"
    difficulties = range(1, 6)

    def draw(self, random: Random, seed: int, difficulty: int | None) -> Problem:
        """Chains of three facts, one more than the difficulty; the second place of the first one is asked for."""
        level = difficulty or random.choice(self.difficulties)
        things = random.sample(THINGS, 4 * (level + 1))
        chains = [things[i : i + 4] for i in range(0, len(things), 4)]
        told = arrange(chains, "any", random)
        walk = chains[0][-1 - HOPS :]
        steps = tuple(sentence(fact) for fact in zip(walk, walk[1:]))
        prompt = prompt_of(" ".join(map(sentence, told)), f"Where is the {walk[0]}?")
        return Problem(prompt, walk[-1], steps, ("true",) * HOPS, self.name, seed, level, "any")

    def baselines(self, problem: Problem) -> dict[str, str | tuple[str, ...]]:
        """The shortcuts of hunt: any chain's end, the place named last, the first place of the thing asked for."""
        return Hunt().baselines(problem)

    def words(self) -> set[str]:
        """The words of hunt."""
        return Hunt().words()
