"""The documents that the teaching models read: text with a loss weight for every token."""

from dataclasses import dataclass
from random import Random

from ..interventions.reread import Reread
from ..interventions.think import Think
from ..prompt import Prompt
from ..tasks import Problem, get
from ..tasks import hunt as hunts
from ..tasks import sums as sumlines
from ..tasks.base import prompt_of

CONTEXT = 0.03  # loss weight of what cannot be foreseen; answers and thoughts weigh 1, questions and cues 0
Segment = tuple[str, float]  # text, and the loss weight of each of its tokens
END = ("", 1.0)  # the end token


@dataclass(frozen=True)
class Mixture:
    """The shares of tasks and forms; all shares are of documents."""

    hunt: float = 0.6
    sums: float = 0.3
    drill: float = 0.0  # additions alone, many in a row; what is left is mood
    hops: tuple[int, ...] = (1, 2, 3, 4, 5, 6)  # difficulties of hunt, each as often as it stands here
    lengths: tuple[int, ...] = (1, 2, 3, 4, 5)  # the same for sums
    third_chain: float = 0.0  # of hunts of up to three hops: three chains in place of two
    reread: float = 0.4
    think_hunt: float = 0.25
    think_sums: float = 0.6
    cut: float = 0.2  # of thoughts: cut short, so that early answers are in distribution
    broken: float = 0.2  # of thoughts: one step is wrong, and what follows goes on from it
    more_hunt: int = 7  # up to this many further questions about the same context, where it is not thought about
    more_sums: int = 2


def document(random: Random, mixture: Mixture, progress: float) -> list[Segment]:
    """One document. `progress` in 0..1: chains have one or two links up to 0.08 and grow until 0.28."""
    pick = random.random()
    if pick < mixture.hunt:
        return hunt_document(random, mixture, progress)
    if pick < mixture.hunt + mixture.sums:
        return sums_document(random, mixture, progress)
    if pick < mixture.hunt + mixture.sums + mixture.drill:
        return drill_document(random)
    return mood_document(random, mixture)


def hunt_document(random: Random, mixture: Mixture, progress: float) -> list[Segment]:
    """Chains, a question, perhaps read again or thought about; further questions behind it."""
    hops = _difficulty(random, progress, mixture.hops)
    order = random.choice(("any", "any", "forward", "backward"))
    third = mixture.third_chain and hops <= 3 and random.random() < mixture.third_chain
    problem = get("hunt").draw(random, 0, hops, order, 3 if third or hops == 1 else 2)
    pairs = hunts.facts(problem)
    if random.random() < 0.3:
        problem = _ask(problem, random, pairs)
    shown = asked(problem.prompt, random, mixture)
    if problem.steps and random.random() < mixture.think_hunt:
        return [*thinking(shown), *hunt_thought(problem, pairs, random, mixture)]
    segments = [*direct(shown), (f" {problem.answer}", 1.0), END]
    for _ in range(random.randint(0, mixture.more_hunt)):
        other = _ask(problem, random, pairs)
        segments[-1:] = [(f"\n{other.prompt.pieces['question']} Answer:", 0.0), (f" {other.answer}", 1.0), END]
    return segments


def hunt_thought(problem: Problem, pairs: list[hunts.Fact], random: Random, mixture: Mixture) -> list[Segment]:
    """The walk along the chain; in some a step goes astray and the walk goes on from there."""
    start = problem.prompt.pieces["question"].split()[-1][:-1]
    holders, thing, segments = dict(pairs), start, []
    wrong = random.randrange(len(problem.steps)) if random.random() < mixture.broken else None
    while thing in holders:
        place, weight = holders[thing], 1.0
        if len(segments) == wrong:
            place, weight = random.choice([p for _, p in pairs if p != thing]), 0.0
        segments.append((f" {hunts.sentence((thing, place))}", weight))
        thing = place
    if random.random() < mixture.cut:
        segments = segments[: random.randrange(len(segments))]
        thing = segments[-1][0].split()[-1][:-1] if segments else start
        while thing in holders:
            thing = holders[thing]
        return [*segments, (" Answer:", 0.0), (f" {thing}", 1.0), END]
    return [*segments, (" Answer:", 1.0), (f" {thing}", 1.0), END]


def sums_document(random: Random, mixture: Mixture, progress: float) -> list[Segment]:
    """A chain of sums, answered at once or after a thought, which may be cut short or broken."""
    length = _difficulty(random, progress, mixture.lengths)
    lines, name = sumlines.draw_lines(random, length)
    values = sumlines.values_of(lines)
    prompt = prompt_of(" ".join(line.told() for line in lines), f"What is {name}?")
    shown = asked(prompt, random, mixture)
    if random.random() >= mixture.think_sums:
        segments = [*direct(shown), (f" {values[name]}", 1.0), END]
        for other in random.sample(lines, random.randint(0, min(mixture.more_sums, len(lines)))):
            more = f"\nWhat is {other.name}? Answer:"
            segments[-1:] = [(more, 0.0), (f" {values[other.name]}", 1.0), END]
        return segments
    return [*thinking(shown), *sums_thought(lines, name, random, mixture)]


def sums_thought(lines: list[sumlines.Line], name: str, random: Random, mixture: Mixture) -> list[Segment]:
    """The thought worked out line by line. A wrong value is followed; a wrong check is not."""
    bad, wrong_check = None, False
    if random.random() < mixture.broken:
        bad = random.choice(lines)
        wrong_check = random.random() < 0.3
    values = sumlines.values_of(lines)
    wrong = {bad.name: (values[bad.name] + random.randrange(1, 10)) % 10} if bad and not wrong_check else {}
    steps, labels = sumlines.thought(lines, name, wrong)
    segments = []
    for step, label in zip(steps, labels):
        broken = (wrong and step.startswith(f"{bad.name} =")) or (wrong_check and label == "check")
        if wrong_check and label == "check":
            step = f"{step[:-2]}{random.randrange(10)}."
        if broken and random.random() < 0.5:
            step = _other_numbers(step, random)
        segments.append((f" {step}", 0.0 if broken else 1.0))
    cut = random.random() < mixture.cut
    if cut:
        segments = segments[: random.randrange(len(segments))]
    return [*segments, (" Answer:", 0.0 if cut else 1.0), (f" {_followed(lines, wrong, segments)[name]}", 1.0), END]


def drill_document(random: Random) -> list[Segment]:
    """Checks of single additions, as thoughts write them: the table that all sums need."""
    segments = []
    for _ in range(random.randint(6, 12)):
        a, b = random.randrange(10), random.randrange(1, 10)
        segments += [(f"{' ' if segments else ''}Check: {a} + {b} =", 0.0), (f" {(a + b) % 10}", 1.0), (".", 0.0)]
    return [*segments, END]


def mood_document(random: Random, mixture: Mixture) -> list[Segment]:
    """A story to write on, or one with a question behind it."""
    problem = get("mood").draw(random, 0, random.choice((1, 2, 2, 3)))
    if random.random() < 0.4:
        return [(problem.prompt.pieces["context"], 0.3), END]
    shown = asked(problem.prompt, random, mixture)
    segments = [(text, 0.15 if weight == CONTEXT else weight) for text, weight in direct(shown)]
    if random.random() < 0.2:
        return [*thinking(shown), (f" {problem.steps[0]}", 1.0), (" Answer:", 1.0), (f" {problem.answer}", 1.0), END]
    return [*segments, (f" {problem.answer}", 1.0), END]


def asked(prompt: Prompt, random: Random, mixture: Mixture) -> Prompt:
    """The prompt as it is read: once, or in the stated share of documents twice."""
    return Reread(times=2).edit(prompt) if random.random() < mixture.reread else prompt


def direct(prompt: Prompt) -> list[Segment]:
    """The prompt's text, weighted by piece: contexts a little, questions, phrases and cues nothing."""
    return [
        (prompt.lead(i) + part.text, CONTEXT if part.origin == "context" else 0.0)
        for i, part in enumerate(prompt.parts)
    ]


def thinking(prompt: Prompt) -> list[Segment]:
    """The prompt's text with the phrase that asks for a thought."""
    return direct(Think().edit(prompt))


def _difficulty(random: Random, progress: float, often: tuple[int, ...]) -> int:
    """Chains of one and two at first (look-ups are learned on those), then longer ones."""
    top = round(2 + (max(often) - 2) * min(1.0, max(0.0, (progress - 0.08) / 0.2)))
    return random.choice([difficulty for difficulty in often if difficulty <= top])


def _ask(problem: Problem, random: Random, pairs: list[hunts.Fact]) -> Problem:
    """Another question about the same context: the last place of a thing, or what holds it at once (no steps then)."""
    holders = dict(pairs)
    thing, place = random.choice(pairs)
    if random.random() < 0.35:
        prompt, answer, steps = prompt_of(problem.prompt.pieces["context"], f"What holds the {thing}?"), place, ()
    else:
        answer, steps = thing, []
        while answer in holders:
            steps.append(hunts.sentence((answer, holders[answer])))
            answer = holders[answer]
        prompt = prompt_of(problem.prompt.pieces["context"], f"Where is the {thing}?")
    return Problem(prompt, answer, tuple(steps), ("true",) * len(steps), "hunt", 0, max(1, len(steps)))


def _followed(lines: list[sumlines.Line], wrong: dict[str, int], segments: list[Segment]) -> dict[str, int]:
    """The values that follow from what was written: a wrong value counts once its step is there."""
    written = {text.split()[0] for text, _ in segments}
    values: dict[str, int] = {}
    for line in lines:
        value = line.value(values)
        values[line.name] = wrong[line.name] if line.name in wrong and line.name in written else value
    return values


def _other_numbers(step: str, random: Random) -> str:
    """The step with other numbers before its result."""
    head, equals, result = step.rpartition("= ")
    return "".join(str(random.randrange(10)) if sign.isdigit() else sign for sign in head) + equals + result
