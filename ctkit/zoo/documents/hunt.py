"""Documents about chains of places: many questions about one context, or a walk along the chain."""

from random import Random

from ...tasks import hunt as hunts
from ...tasks.base import prompt_of
from .base import END, Document, Forms, Segment, answered, asked, thinking

Chains = list[list[str]]


def document(random: Random, forms: Forms) -> Document:
    """Chains in a drawn order, perhaps read again; every question about them, or one with a thought."""
    chains, told = world(random, forms.worlds)
    if random.random() < forms.think:
        if forms.deep:
            chains, told = world(random, forms.deep)
        thing = random.choice(sorted(dict(told)))
        prompt = asked(prompt_of(" ".join(map(hunts.sentence, told)), f"Where is the {thing}?"), random, forms)
        return Document(thinking(prompt), walk(thing, told, random, forms))
    answers = questions(chains, random, forms)
    context = " ".join(map(hunts.sentence, told))
    return answered(asked(prompt_of(context, answers[0][0]), random, forms), answers)


def world(random: Random, worlds: tuple[tuple[int, int], ...]) -> tuple[Chains, list[hunts.Fact]]:
    """Chains of one length, and their facts in the order in which they are told."""
    count, hops = random.choice(worlds)
    things = random.sample(hunts.THINGS, count * (hops + 1))
    chains = [things[i * (hops + 1) : (i + 1) * (hops + 1)] for i in range(count)]
    return chains, hunts.arrange(chains, random.choice(("any", "any", "forward", "backward")), random)


def questions(chains: Chains, random: Random, forms: Forms) -> list[tuple[str, str]]:
    """Questions of one kind with their answers, most often those about the starts of chains first.

    That order keeps a model from finding the end of a chain in the answer to an earlier question.
    """
    kind, pairs = random.random(), []
    for chain in chains:
        for place, thing in enumerate(chain[:-1]):
            steps = random.randint(1, len(chain) - 1 - place)
            if kind < forms.counted:
                found = (f"Where is the {thing} after {steps}?", chain[place + steps])
            elif kind < forms.counted + 0.1:
                found = (f"What holds the {thing}?", chain[place + 1])
            else:
                found = (f"Where is the {thing}?", chain[-1])
            turn = random.random()
            if len(chain) - 1 - place <= forms.reach:
                pairs.append((place, turn, found))
    if random.random() < 0.7:
        pairs.sort()
    else:
        random.shuffle(pairs)
    return [found for _, _, found in pairs[: 1 + forms.more]]


def walk(start: str, told: list[hunts.Fact], random: Random, forms: Forms) -> list[Segment]:
    """The thought: hop by hop to the last place. In some a step goes astray and the walk goes on from there."""
    holders, thing, steps = dict(told), start, []
    length = hops_from(start, holders)
    astray = random.randrange(length) if random.random() < forms.broken else None
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


def hops_from(thing: str, holders: dict[str, str]) -> int:
    """How many hops it is from a thing to its last place."""
    hops = 0
    while thing in holders:
        thing, hops = holders[thing], hops + 1
    return hops
