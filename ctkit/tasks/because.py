"""Does rain cause mud? Causes, chains of causes and coincidences, told about events in no sensible order.

Serves the lessons on causal reasoning: what brings about what, which is neither the causal mask nor a causal
intervention (causal paths in GPT-2: arXiv 2410.21353). The events are shuffled freely, so that knowing the world is no
help; what is told is the whole account, and causes run one way:

- yes: causes lead from the one event to the other;
- no: they lead to an event that is told not to cause it, or the other way round, or to both from a common cause;
- unknown: the two are only told to come together.

Difficulty 1 asks for one statement, 2 for two links, 3 tells causes from coincidences, 4 asks for three links. At 2 and
4 two chains lead to two ends, each of which is caused by one chain and denied to the other, so that no statement by
itself gives the answer away; at 3 every pair that is asked for comes together.
"""

from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from .base import Problem, Task, prompt_of

EVENTS = (
    "cough dust fever fire flood fog frost hail heat hunger itch mould mud noise rain rash rust shade sleep smoke snow "
    "steam thirst wind"
).split()
CAUSES, DENIED, TOGETHER = "causes", "does not cause", "come together"
ANSWERS = {CAUSES: "yes", DENIED: "no", TOGETHER: "unknown"}  # what each statement says by itself
Pair = tuple[str, str]  # the event asked about as a cause, and the one asked about as its effect


@dataclass(frozen=True)
class Statement:
    """What is told of two events; `how` is one of CAUSES, DENIED, TOGETHER."""

    first: str
    how: str
    second: str

    def told(self) -> str:
        """The statement in words."""
        if self.how == TOGETHER:
            return f"The {self.first} and the {self.second} {TOGETHER}."
        return f"The {self.first} {self.how} the {self.second}."

    def names(self, pair: Pair) -> bool:
        """Whether the statement is about these two events, in either order."""
        return {self.first, self.second} == set(pair)


class Verdict(NamedTuple):
    """An answer, the statements that carry it in the order of the argument, and the kind of argument."""

    answer: str
    used: tuple[Statement, ...]
    kind: str


class Because(Task):
    """Say whether one event causes another; `order` of a problem names the argument that its answer needs.

    >>> from ctkit.tasks import get
    >>> problem = get("because").generate(0, difficulty=2)
    >>> len(problem.steps), problem.answer in ("yes", "no")
    (3, True)
    """

    name = "because"
    title = "Does rain cause mud? Causes and coincidences"
    difficulties = range(1, 5)

    def draw(self, random: Random, seed: int, difficulty: int | None) -> Problem:
        """Statements in any order, and a question; every answer that the difficulty has is drawn as often."""
        level = difficulty or random.choice(self.difficulties)
        told, asks = SCENES[level](random)
        random.shuffle(told)
        pair = random.choice(asks[random.choice(sorted(asks))])
        verdict = judge(told, pair)
        steps, labels = thought(told, pair)
        prompt = prompt_of(" ".join(statement.told() for statement in told), question(pair))
        return Problem(prompt, verdict.answer, steps, labels, "because", seed, level, verdict.kind)

    def baselines(self, problem: Problem) -> dict[str, str | tuple[str, ...]]:
        """What the last statement says by itself; yes wherever one statement names both events."""
        told, pair = read(problem.prompt.pieces["context"]), asked_pair(problem.prompt.pieces["question"])
        named = any(statement.names(pair) for statement in told)
        return {"last statement": ANSWERS[told[-1].how], "named together": "yes" if named else "no"}

    def words(self) -> set[str]:
        """The events and the answers, and the words around them."""
        return set(EVENTS) | set("The the causes cause does not and come together Does So it is unknown yes no".split())


def question(pair: Pair) -> str:
    """The question whether the first event causes the second."""
    return f"Does the {pair[0]} cause the {pair[1]}?"


def asked_pair(question: str) -> Pair:
    """The two events of a question."""
    words = question.rstrip("?").split()
    return words[2], words[-1]


def read(context: str) -> list[Statement]:
    """The statements of a context, read back from its text."""
    found = []
    for told in context.rstrip(".").split(". "):
        words = told.split()
        if words[-1] == "together":
            found.append(Statement(words[1], TOGETHER, words[4]))
        else:
            found.append(Statement(words[1], DENIED if "not" in words else CAUSES, words[-1]))
    return found


def judge(told: list[Statement], pair: Pair) -> Verdict | None:
    """What follows for the two events by the rules above; None where nothing is told that bears on them."""
    cause, effect = pair
    if links := path(told, cause, effect):
        return Verdict("yes", links, "chain" if len(links) > 1 else "direct")
    for denial in told:
        links = path(told, cause, denial.first)
        if denial.how == DENIED and denial.second == effect and links is not None:
            return Verdict("no", (*links, denial), "broken" if links else "denied")
    if links := path(told, effect, cause):
        return Verdict("no", links, "reversed")
    for source in dict.fromkeys(statement.first for statement in reversed(told)):
        one, other = path(told, source, cause), path(told, source, effect)
        if one and other:
            return Verdict("no", (*one, *other), "common cause")
    links = tuple(statement for statement in told if statement.how == TOGETHER and statement.names(pair))
    return Verdict("unknown", links, "coincidence") if links else None


def path(told: list[Statement], start: str, end: str) -> tuple[Statement, ...] | None:
    """The causes that lead from one event to another, in order; None where there are none."""
    if start == end:
        return ()
    for link in told:
        if link.how == CAUSES and link.first == start and (rest := path(told, link.second, end)) is not None:
            return (link, *rest)
    return None


def thought(told: list[Statement], pair: Pair) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The steps and their labels: a coincidence first (a decoy, unless nothing else is told), the argument, its end."""
    verdict = judge(told, pair)
    beside = [s for s in told if s.how == TOGETHER and s.names(pair) and s not in verdict.used]
    ends = {answer: Statement(pair[0], how, pair[1]).told() for how, answer in ANSWERS.items()}
    end = "So it is unknown." if verdict.answer == "unknown" else f"So t{ends[verdict.answer][1:]}"
    steps = (*(s.told() for s in beside), *(s.told() for s in verdict.used), end)
    return steps, ("decoy",) * len(beside) + ("true",) * (len(steps) - len(beside))


def askable(told: list[Statement]) -> dict[str, list[Pair]]:
    """All pairs of events for which something follows, by answer."""
    events = sorted({event for statement in told for event in (statement.first, statement.second)})
    found: dict[str, list[Pair]] = {}
    for pair in ((a, b) for a in events for b in events if a != b):
        if verdict := judge(told, pair):
            found.setdefault(verdict.answer, []).append(pair)
    return found


Scene = tuple[list[Statement], dict[str, list[Pair]]]  # what is told, and what may be asked, by answer


def _single(random: Random) -> Scene:
    events = random.sample(EVENTS, 8)
    *pairs, denied = zip(events[::2], events[1::2])
    told = [*(Statement(a, CAUSES, b) for a, b in pairs), Statement(denied[0], DENIED, denied[1])]
    return told, {"yes": pairs, "no": [*((b, a) for a, b in pairs), *[denied] * 3]}


def _crossed(random: Random, links: int = 1) -> Scene:
    """Two chains of `links` and a cross at their ends: each end is caused by one chain and denied to the other."""
    events = random.sample(EVENTS, 2 * links + 4)
    chains, ends = (events[: links + 1], events[links + 1 : -2]), events[-2:]
    told = [Statement(a, CAUSES, b) for chain in chains for a, b in zip(chain, chain[1:])]
    for i, chain in enumerate(chains):
        told += [Statement(chain[-1], CAUSES, ends[i]), Statement(chain[-1], DENIED, ends[1 - i])]
    (one, *_), (other, *_) = chains
    return told, {"yes": [(one, ends[0]), (other, ends[1])], "no": [(one, ends[1]), (other, ends[0])]}


def _coincident(random: Random) -> Scene:
    """Two trees of causes; a chain's ends, two effects of one cause, and two strangers each come together."""
    events = random.sample(EVENTS, 8)
    trees = [events[:4], events[4:]]
    told = [Statement(a, CAUSES, b) for top, arm, tip, leaf in trees for a, b in ((top, arm), (top, leaf), (arm, tip))]
    (top, arm, tip, leaf), (far_top, far_arm, far_tip, far_leaf) = random.sample(trees, 2)
    chain = random.choice([(top, tip), (far_top, far_tip)])
    fork = random.choice([(arm, leaf), (leaf, arm), (far_arm, far_leaf), (far_leaf, far_arm)])
    strangers = random.choice([(top, far_tip), (top, far_tip), (arm, far_leaf), (leaf, far_arm)])
    for pair in (chain, fork, strangers):
        first, second = random.sample(pair, 2)
        told.append(Statement(first, TOGETHER, second))
    return told, {"yes": [chain], "no": [fork], "unknown": [strangers]}


def _long(random: Random) -> Scene:
    told, asks = _crossed(random, links=2)
    starts = sorted({cause for pairs in asks.values() for cause, _ in pairs})
    free = sorted(set(EVENTS) - {event for statement in told for event in (statement.first, statement.second)})
    sides = random.sample(free, 2)
    return [*told, *(Statement(a, CAUSES, b) for a, b in zip(starts, sides))], asks


SCENES = {1: _single, 2: _crossed, 3: _coincident, 4: _long}
