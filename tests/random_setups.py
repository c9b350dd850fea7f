"""Setups drawn at random: up to four interventions of every technique, with parameters that fit the prompt below."""

from dataclasses import replace

import torch
from hypothesis import strategies as st

from ctkit import (
    Activation,
    Direction,
    Echo,
    Emphasize,
    FixedPrefix,
    Knockout,
    Mask,
    MaskGroups,
    Noise,
    Patch,
    Permute,
    Pine,
    PrependToken,
    Prompt,
    Reread,
    Setup,
    Split,
    Steer,
    SteerClusters,
    SteerHeads,
    Swap,
    Think,
    masks,
)
from ctkit.interventions import Intervention

from .families import D_MODEL, N_HEADS, N_LAYERS

PROMPT = Prompt(intro="Hi.", context="Ann has a. Bob has b.", question="Who?", cue="A:")
LENGTH = len(PROMPT.text)  # a byte is a token
PIECES = ("intro", "context", "question", "cue")

strengths = st.sampled_from([-2.0, -0.5, 0.0, 0.3, 1.0, 3.0])
positions = st.integers(-5, LENGTH - 1)
names = st.sampled_from([*PIECES, "all", "prompt", "generated", "after context", "before cue", "every context", "has"])
now_and_then = st.sampled_from(["context (2)", "reading 2", "context 1", "context 2", "prefix", "think"])
places = st.one_of(positions, names, names, st.lists(positions | names, max_size=3), now_and_then)
layers = st.none() | st.lists(st.integers(0, N_LAYERS - 1), min_size=1, max_size=2, unique=True)
heads = st.none() | st.lists(st.integers(0, N_HEADS - 1), min_size=1, max_size=3, unique=True)
pairs = st.lists(st.tuples(st.integers(0, N_LAYERS - 1), st.integers(0, N_HEADS - 1)), min_size=1, max_size=3)
chosen = st.builds(lambda layers, heads: {"layers": layers, "heads": heads}, layers, heads)
chosen = chosen | pairs.map(lambda pairs: {"heads": pairs})


def vector(seed: int, *shape: int) -> torch.Tensor:
    """Some vector, always the same one for a seed."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


base_rules = st.one_of(
    st.builds(masks.causal),
    st.builds(masks.bidirectional),
    st.builds(masks.prefix, st.none() | st.integers(0, LENGTH) | st.sampled_from(PIECES)),
    st.builds(masks.window, st.integers(1, 12)),
    st.builds(masks.sinks, st.integers(0, 5)),
    st.builds(masks.between, places, places),
    st.builds(masks.mutual, names, names),
    st.builds(masks.suppress, names),
    st.lists(st.tuples(positions, positions), min_size=1, max_size=3).map(lambda found: masks.cells(*found)),
    st.integers(0, 99).map(lambda seed: masks.painted(vector(seed, LENGTH, LENGTH) > 0)),
)
rules = st.recursive(
    base_rules,
    lambda r: st.one_of(r.map(lambda a: ~a), st.builds(lambda a, b: a & b, r, r), st.builds(lambda a, b: a | b, r, r)),
    max_leaves=4,
).map(lambda rule: rule | masks.window(1))  # a row keeps itself


@st.composite
def mask(draw) -> Mask:
    """Of any kind, for all blocks and heads or for some."""
    kind = draw(
        st.sampled_from(["bidirectional", "prefix", "window", "sinks", "parallel", "mutual", "suppress"]) | rules
    )
    more = draw(chosen)
    if kind in ("window", "sinks"):
        more |= {"size": draw(st.integers(1, 12)), "sinks": draw(st.integers(0, 5))}
    if kind in ("parallel", "mutual"):
        more["pieces"] = draw(st.permutations(PIECES))[:2]
    if kind == "suppress":
        more["pieces"] = draw(names)
    if kind == "prefix":
        more["until"] = draw(st.none() | st.integers(0, LENGTH) | st.sampled_from(PIECES))
    return Mask(kind, **more)


@st.composite
def direction(draw, site: str) -> Direction:
    """A random one at a site, with all that any operation needs."""
    seed, head = draw(st.integers(0, 99)), draw(st.integers(0, N_HEADS - 1)) if site == "heads" else None
    width, layer = D_MODEL // N_HEADS if site == "heads" else D_MODEL, draw(st.integers(0, N_LAYERS - 1))
    more = {"site": site, "head": head, "second": vector(seed + 100, width)}
    return Direction(vector(seed, width), layer, sigma=draw(st.sampled_from([0.5, 2.0])), **more)


@st.composite
def steer(draw) -> Steer:
    """At any site, by any operation, or of several rows."""
    site = draw(st.sampled_from(["residual", "residual", "heads", "mlp"]))
    own, where, strength = draw(direction(site)), draw(places), draw(strengths)
    if site == "residual" and draw(st.integers(0, 4)) == 0:
        several = replace(own, vector=vector(draw(st.integers(0, 99)), 5, D_MODEL), second=None)
        return Steer(several, strength=strength, where=where)
    last = N_LAYERS - (site != "residual")
    where_to = draw(st.none() | st.lists(st.integers(0, last), min_size=1, max_size=2, unique=True))
    op = draw(st.sampled_from(["add", "unit", "relative", "sigma", "ablate", "clamp", "angular"]))
    return Steer(own, where_to, strength, op, where, target=draw(st.sampled_from([-1.0, 30.0])))


@st.composite
def patch(draw) -> Patch:
    """Numbers of another run, as many as there are places."""
    site = draw(st.sampled_from(["residual", "heads", "mlp"]))
    where = draw(st.lists(st.integers(0, LENGTH - 1), max_size=4, unique=True))
    head = draw(st.integers(0, N_HEADS - 1)) if site == "heads" else None
    width = D_MODEL // N_HEADS if site == "heads" else D_MODEL
    layer = draw(st.integers(0, N_LAYERS - (site != "residual")))
    return Patch(Activation(vector(draw(st.integers(0, 99)), len(where), width), layer, site, head), where)


@st.composite
def clusters(draw) -> SteerClusters:
    """Two groups at one block."""
    seed, layer = draw(st.integers(0, 99)), draw(st.integers(0, N_LAYERS))
    rows = [Direction(vector(seed + i, D_MODEL), layer) for i in range(4)]
    return SteerClusters(rows[:2], rows[2:], (0.5, -0.5), draw(strengths), draw(places))


budgets = st.none() | st.integers(0, 2)
documents = st.sampled_from(["context", ("context", "question"), ("intro", "context", "question")])
techniques = {
    "Reread": st.builds(Reread, st.integers(1, 2), st.sampled_from(["", "Again:", "\"q\" 'r' \\ \n"])),
    "Echo": st.builds(Echo, st.sampled_from(["Say:", ""]), st.sampled_from(["Said:", ""])),
    "FixedPrefix": st.builds(FixedPrefix, st.sampled_from(["", "Now.", "é —\n"])),
    "Think": st.builds(Think, st.booleans(), st.sampled_from(["Hm.", "é—"]), st.integers(0, 1), budget=budgets),
    "Permute": st.builds(Permute, documents, st.sampled_from(["original", "backward", "random", (1, 0), "forward"])),
    "Split": st.builds(Split, st.sampled_from(["context", "question"])),
    "Swap": st.builds(Swap, st.sampled_from(["Ann", "has"]), st.sampled_from(["Eve", "got", "sold"])),
    "Mask": mask(),
    "MaskGroups": st.builds(MaskGroups, st.sampled_from(["1", "0", "10", "011"]), st.just("bidirectional") | rules),
    "Knockout": st.builds(lambda q, k, more: Knockout(q, k, **more), places, places, chosen),
    "Emphasize": st.builds(
        lambda p, a, more: Emphasize(p, a, **more), places, st.sampled_from([0.01, 0.5, 1.0, 4.0]), chosen
    ),
    "Pine": st.sampled_from(
        [("context", "question"), ("question", "context"), ("cue",), ("context 1", "context 2")]
    ).map(Pine),
    "PrependToken": st.builds(
        PrependToken,
        st.integers(0, 1),
        st.integers(1, N_LAYERS),
        st.sampled_from(["normal", "mean"]),
        source=st.sampled_from(["last", "itself"]),
    ),
    "Steer": steer(),
    "SteerHeads": st.builds(SteerHeads, st.lists(direction("heads"), min_size=1, max_size=2), strengths),
    "SteerClusters": clusters(),
    "Patch": patch(),
    "Noise": st.builds(Noise, places, st.sampled_from([3.0, 0.0, 1.0]), st.integers(0, 9)),
}
interventions = st.one_of(*techniques.values())
setups = st.lists(interventions, min_size=1, max_size=4).map(Setup)


def setups_with(technique: str) -> st.SearchStrategy[Setup]:
    """Up to four interventions, of which one is of a technique."""
    others = st.lists(interventions, max_size=3)
    return st.builds(
        lambda own, few, at: Setup([*few[:at], own, *few[at:]]), techniques[technique], others, st.integers(0, 3)
    )


IDLE = {
    Mask: lambda old: Mask("causal", layers=old.layers, heads=old.heads),
    MaskGroups: lambda old: replace(old, code="0" * len(old.code)),
    Knockout: lambda old: replace(old, keys=()),
    Emphasize: lambda old: replace(old, alpha=1),
    Pine: lambda old: replace(old, pieces=old.pieces[:1]),
    Reread: lambda old: replace(old, times=1),
    FixedPrefix: lambda old: replace(old, text=""),
    Think: lambda old: replace(old, on=False),
    Permute: lambda old: replace(old, order="original"),
    Swap: lambda old: replace(old, new=old.old),
    PrependToken: lambda old: replace(old, exit=old.start),
    Steer: lambda old: replace(old, strength=0),
    SteerHeads: lambda old: replace(old, strength=0),
    SteerClusters: lambda old: replace(old, strength=0),
    Patch: lambda old: Patch(replace(old.activation, values=old.activation.values[:0]), ()),
    Noise: lambda old: replace(old, sigma=0),
    Split: lambda old: old,  # the text stays as it is
}
WITHOUT_IDLE = (Echo,)


def idle(intervention: Intervention) -> Intervention | None:
    """The same intervention with nothing to do; None where there is no such."""
    kind = type(intervention)
    return None if kind in WITHOUT_IDLE else IDLE[kind](intervention)
