"""Documents about chains of places: many questions about one context, or a walk along the chain."""

from random import Random

from ...interventions.reread import Reread
from ...tasks import hunt as hunts
from ...tasks.base import prompt_of
from .base import CONTEXT, END, Document, Forms, Segment, direct, thinking

Chains = list[list[str]]
Holders = dict[str, str]  # thing → the place it is in


def document(random: Random, forms: Forms) -> Document:
    """Chains in a drawn order, perhaps read again; every question about them, or one with a thought."""
    thinks, twice = random.random() < forms.think, random.random() < forms.reread
    worlds = (forms.deep if thinks else forms.worlds_twice if twice else ()) or forms.worlds
    chains, told = world(random, worlds)
    holders, context = dict(told), " ".join(map(hunts.sentence, told))
    if thinks:
        wanted = [(f"Where is the {thing}?", "", thing) for thing in random.sample(sorted(holders), 1)]
    else:
        reach = forms.reach_twice if twice else forms.reach
        wanted = questions(chains, random, forms, reach)
    prompt = prompt_of(context, wanted[0][0])
    prompt = Reread().edit(prompt) if twice else prompt
    if thinks:
        return Document(thinking(prompt), walk(wanted[0][2], told, random, forms))
    before = [part for segment in direct(prompt) for part in hinted(segment, holders)]
    before[-1] = before[-1]._replace(hint=holders[wanted[0][2]])
    return Document(before, answers(wanted, holders), first=2 * len(told))


def world(random: Random, worlds: tuple[tuple[int, int], ...]) -> tuple[Chains, list[hunts.Fact]]:
    """Chains of one length, and their facts in the order in which they are told."""
    count, hops = random.choice(worlds)
    things = random.sample(hunts.THINGS, count * (hops + 1))
    chains = [things[i * (hops + 1) : (i + 1) * (hops + 1)] for i in range(count)]
    return chains, hunts.arrange(chains, random.choice(("any", "any", "forward", "backward")), random)


def questions(chains: Chains, random: Random, forms: Forms, reach: int) -> list[tuple[str, str, str]]:
    """Questions of one kind with their answers and the thing asked about, most often the deep ones first.

    That order keeps a model from finding the end of a chain in the answer to an earlier question.
    """
    at_once, found = random.random() < 0.1, []
    for chain in chains:
        for place, thing in enumerate(chain[:-1]):
            if len(chain) - 1 - place <= reach:
                asked = ("What holds", chain[place + 1]) if at_once else ("Where is", chain[-1])
                found.append((place, random.random(), (f"{asked[0]} the {thing}?", asked[1], thing)))
    if random.random() < 0.7:
        found.sort()
    else:
        random.shuffle(found)
    return [question for _, _, question in found[: 1 + forms.more]]


def answers(wanted: list[tuple[str, str, str]], holders: Holders) -> list[Segment]:
    """The answer, then further questions with theirs. The hint where an answer begins: the first place on the way."""
    written = [Segment(f" {wanted[0][1]}", 1.0)]
    for question, answer, thing in wanted[1:]:
        written += [Segment(f"\n{question} Answer:", 0.0, hint=holders[thing]), Segment(f" {answer}", 1.0)]
    return [*written, END]


def hinted(segment: Segment, holders: Holders) -> list[Segment]:
    """A context fact by fact, with a hint at each place that is itself somewhere: where that is."""
    if segment.weight != CONTEXT:
        return [segment]
    parts = []
    for told in segment.text.split(".")[:-1]:
        parts += [Segment(told, CONTEXT, hint=holders.get(told.split()[-1], "")), Segment(".", CONTEXT)]
    return parts


def walk(start: str, told: list[hunts.Fact], random: Random, forms: Forms) -> list[Segment]:
    """The thought: hop by hop to the last place. In some a step goes astray and the walk goes on from there."""
    holders, thing, steps = dict(told), start, []
    astray = random.randrange(hops_from(start, holders)) if random.random() < forms.broken else None
    while thing in holders:
        place, weight = holders[thing], 1.0
        if len(steps) == astray:
            place, weight = random.choice([place for _, place in told if place != thing]), 0.0
        steps.append(Segment(f" {hunts.sentence((thing, place))}", weight))
        thing = place
    if random.random() < forms.cut:
        steps = steps[: random.randrange(len(steps))]
        thing = steps[-1].text.split()[-1][:-1] if steps else start
        while thing in holders:
            thing = holders[thing]
        return [*steps, Segment(" Answer:", 0.0), Segment(f" {thing}", 1.0), END]
    return [*steps, Segment(" Answer:", 1.0), Segment(f" {thing}", 1.0), END]


def hops_from(thing: str, holders: Holders) -> int:
    """How many hops it is from a thing to its last place."""
    hops = 0
    while thing in holders:
        thing, hops = holders[thing], hops + 1
    return hops
