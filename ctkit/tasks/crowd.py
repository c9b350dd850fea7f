"""Where is the key? One of three long chains, entered somewhere along it.

Serves the lesson on re-reading (RE2; Xu et al., EMNLP 2024, arXiv 2309.06275): few hops, but nine facts to look
through, so that what fails is finding them and not the depth of the model. Difficulty = hops from the thing asked for
to the last place; three chains of three facts always, so that difficulty changes nothing but the hops.
"""

from random import Random

from .base import Problem, Task, prompt_of
from .hunt import THINGS, Hunt, arrange, sentence


class Crowd(Task):
    """Follow a thing among three chains of three facts, told in any order.

    >>> from ctkit.tasks import get
    >>> problem = get("crowd").generate(0, difficulty=2)
    >>> problem.prompt.pieces["context"].count("."), len(problem.steps)
    (9, 2)
    """

    name = "crowd"
    title = "Where is the key? Among many facts"
    difficulties = range(1, 4)

    def draw(self, random: Random, seed: int, difficulty: int | None) -> Problem:
        """Three chains of three facts; a thing of the first one is asked for."""
        hops = difficulty or random.choice(self.difficulties)
        things = random.sample(THINGS, 12)
        chains = [things[0:4], things[4:8], things[8:12]]
        told = arrange(chains, "any", random)
        walk = chains[0][3 - hops :]
        steps = tuple(sentence(fact) for fact in zip(walk, walk[1:]))
        prompt = prompt_of(" ".join(map(sentence, told)), f"Where is the {walk[0]}?")
        return Problem(prompt, walk[-1], steps, ("true",) * hops, self.name, seed, hops, "any")

    def baselines(self, problem: Problem) -> dict[str, str | tuple[str, ...]]:
        """The shortcuts of hunt: any chain's end, the place named last, the first place of the thing asked for."""
        return Hunt().baselines(problem)

    def words(self) -> set[str]:
        """The words of hunt."""
        return Hunt().words()
