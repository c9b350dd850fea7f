"""Emphasis on the newer of two facts in conflict: all heads, one block, few heads chosen on other problems.

The side effect: accuracy on hunts of one hop, where a stretch of the context, as long as the fact, is emphasised.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from ...engine.encode import encode
from ...engine.lm import LM
from ...interventions import Emphasize
from ...interventions.emphasize import places_of
from ...measures.score import is_right
from ...tasks import Problem, get
from ...tasks.emphasis import note_of
from .heads import against, moved, right, written
from .tables import percent, points, table

ALPHAS = (0.1, 0.01)
BEST = (1, 2, 4)  # how many heads are few
OTHER_SEEDS = 50_000  # from here on: the problems on which the few are chosen
WHERE = ("all heads", "each block", "few heads")

Heads = list[tuple[int, int]]  # block, head in it


def jobs(n: int, seed: int) -> list[tuple[str, tuple]]:
    """All heads, each block, few heads."""
    return [("measure", (n, seed, where)) for where in WHERE]


def measure(lm: LM, n: int, seed: int, where: str) -> dict[str, object]:
    """The share of problems answered with the newer place, by the heads steered and alpha.

    "profile": that share for each head alone, on the problems where the few are chosen. "control": the largest change
    of a logit at alpha 1, and with emphasis on the whole prompt.
    """
    problems = [get("emphasis").generate(seed + i, 2) for i in range(n)]
    every = [(layer, head) for layer in range(lm.n_layers) for head in range(lm.n_heads)]
    ranked = profile(lm, every, -(-n // 5), seed + OTHER_SEEDS) if where == "few heads" else []
    chosen: dict[str, Heads] = {"all heads": every}
    if where == "each block":
        chosen = {f"block {i}": [head for head in every if head[0] == i] for i in range(lm.n_layers)}
    elif where == "few heads":
        chosen = {f"best {k}": [head for head, _ in ranked[:k]] for k in BEST}
    scene = scene_of(lm, problems, seed)
    rows = [scene.row(label, heads, alpha) for label, heads in chosen.items() for alpha in ALPHAS]
    idle = [[Emphasize(newer(p), 1.0), Emphasize("prompt", 0.01)] for p in problems[:50]]
    return {
        "where": where,
        "n": n,
        "rows": rows,
        "profile": [[*head, share] for head, share in ranked],
        "profiled": -(-n // 5) if ranked else 0,
        "control": moved(lm, problems[:50], idle),
    }


@dataclass(frozen=True)
class Scene:
    """The problems, hunts for the side effect, and what is answered to them without emphasis."""

    lm: LM
    problems: Sequence[Problem]
    said: Sequence[str]  # "new", "old" or ""
    hunts: Sequence[Problem]
    stretches: Sequence[tuple[int, ...]]  # of each hunt's context, to be emphasised
    solved: Sequence[bool]

    @property
    def half(self) -> Sequence[Problem]:
        """As many problems as there are hunts."""
        return self.problems[: len(self.hunts)]

    def row(self, label: str, heads: Heads, alpha: float) -> dict[str, object]:
        """Emphasis in these heads: on the newer fact, on the old one (half of the problems), on hunts (as many)."""
        steered = says(self.lm, self.problems, [Emphasize(newer(p), alpha, heads) for p in self.problems])
        opposite = says(self.lm, self.half, [Emphasize(older(p), alpha, heads) for p in self.half])
        hunts = right(self.lm, self.hunts, [Emphasize(place, alpha, heads) for place in self.stretches])
        return {
            "label": label,
            "heads": heads,
            "alpha": alpha,
            "newer": against(shares(self.said, "new"), shares(steered, "new")),
            "older": against(shares(self.said, "old"), shares(steered, "old")),
            "opposite": against(shares(self.said[: len(self.half)], "new"), shares(opposite, "new")),
            "hunts": against(self.solved, hunts),
        }


def scene_of(lm: LM, problems: Sequence[Problem], seed: int) -> Scene:
    """The problems, half as many hunts, and the model as it is."""
    hunts = [get("hunt").generate(seed + i, 1) for i in range(-(-len(problems) // 2))]
    length = len(places_of(encode(lm, problems[0].prompt), newer(problems[0])))
    said, solved = says(lm, problems, [[]] * len(problems)), right(lm, hunts, [[]] * len(hunts))
    return Scene(lm, problems, said, hunts, stretches(lm, hunts, length), solved)


def profile(lm: LM, heads: Heads, n: int, seed: int, alpha: float = 0.01) -> list[tuple[tuple[int, int], float]]:
    """Each head steered alone on problems of other seeds, with its share of newer places; the best first."""
    problems = [get("emphasis").generate(seed + i, 2) for i in range(n)]
    found = [(head, says(lm, problems, [Emphasize(newer(p), alpha, [head]) for p in problems])) for head in heads]
    return sorted(((head, sum(shares(said, "new")) / n) for head, said in found), key=lambda pair: -pair[1])


def newer(problem: Problem) -> str:
    """The sentence with the newer fact about the thing asked for."""
    return get("emphasis").newer(problem)


def older(problem: Problem) -> str:
    """The sentence with the old fact about it."""
    return get("emphasis").older(problem)


def says(lm: LM, problems: Sequence[Problem], setups: Sequence[object]) -> list[str]:
    """Each answer, under a setup of its own: "new" or "old" for the place of that age, "" for any other."""
    notes = [note_of(problem) for problem in problems]
    expected = [place for note in notes for place in (note.new, note.old)]
    texts = written(lm, [(problem.prompt, setup) for problem, setup in zip(problems, setups)], expected)
    ages = [[age for age in ("new", "old") if is_right(text, note.place(age))] for text, note in zip(texts, notes)]
    return [found[0] if found else "" for found in ages]


def shares(said: Sequence[str], age: str) -> list[bool]:
    """Which answers are of this age."""
    return [each == age for each in said]


def stretches(lm: LM, problems: Sequence[Problem], length: int) -> list[tuple[int, ...]]:
    """In each context so many tokens in a row, anywhere."""
    random, found = Random(f"emphasis {problems[0].seed}"), []
    for problem in problems:
        context = places_of(encode(lm, problem.prompt), "context")
        start = random.randint(0, max(0, len(context) - length))
        found.append(tuple(context[start : start + length]))
    return found


def section(results: list[dict]) -> str:
    """What the card says."""
    rows = [row for result in results for row in result["rows"]]
    first, [few] = rows[0], [result for result in results if result["where"] == "few heads"]
    none = [percent(*first["newer"]["before"]), "", percent(*first["older"]["before"])]
    none += [percent(*first[name]["before"]) for name in ("opposite", "hunts")]
    lines = [["none", "1", *none], *map(_line, rows)]
    head = ["heads", "alpha", "newer", "change", "old", "newer, old emphasised", "hunts"]
    shares_alone = [share for _, _, share in few["profile"]]
    return f"""## Emphasis

Emphasis, difficulty 2: an old and a newer fact in conflict, and nothing said on which to trust. The attention of the
chosen heads to all tokens of the prompt but the newer fact is scaled by alpha. In percent of {results[0]["n"]}
problems: answers with the newer place, their change in points, answers with the old place. To compare, on half as many:
the newer place where the old fact is emphasised instead; accuracy on hunts of one hop where as many tokens of the
context, anywhere, are emphasised.

{table(head, lines)}

The few are the best of {len(few["profile"])} heads, each steered alone on {few["profiled"]} problems of other seeds,
which gave the newer place in {100 * min(shares_alone):.0f} to {100 * max(shares_alone):.0f} percent: best 4 are
{", ".join(f"({layer}, {head})" for layer, head, _ in few["profile"][: BEST[-1]])}. Alpha 1, and emphasis on the whole
prompt: the largest change of a logit is {max(result["control"] for result in results):.1g}.
"""


def _line(row: dict) -> list[str]:
    found = [percent(*row["newer"]["after"]), points(*row["newer"]["difference"]), percent(*row["older"]["after"])]
    return [row["label"], str(row["alpha"]), *found, *(percent(*row[name]["after"]) for name in ("opposite", "hunts"))]
