"""Steering, formula by formula: what each operation does to the stream, a head and an MLP's output, and where."""

from dataclasses import replace
from math import cos, pi, sin

import pytest
import torch

import ctkit as ct
from ctkit import CtkitError, Direction, Setup, Steer
from ctkit.engine.generate import CACHES
from ctkit.engine.plan import Row
from ctkit.engine.run import run_many, traces, wanted

from .engine_fixtures import PROMPT, TOLERANCE, caches_of, left_behind
from .families import D_MODEL, N_HEADS, N_LAYERS, lm_of

FAMILIES = ["llama", "gpt2", "mixtral"]  # the last has experts in place of one MLP
SITES = ["residual", "heads", "mlp"]
SET = {"ablate": {}, "clamp": {"target": 1.5}, "angular": {"target": 70.0}}
OPS = {"add": {}, "unit": {}, "relative": {}, "sigma": {}, **SET}
HEAD, LAYER, SIGMA = 2, 1, 0.7


def direction(site: str, seed: int = 0) -> Direction:
    """A random direction at a site of block 1, with a plane and a σ of its own."""
    draw = torch.Generator().manual_seed(seed)
    v, second = torch.randn(2, D_MODEL // N_HEADS if site == "heads" else D_MODEL, generator=draw)
    head = HEAD if site == "heads" else None
    return Direction(v, LAYER, site=site, head=head, sigma=SIGMA, second=second)


def at(lm, site: str, *setup, prompt=PROMPT) -> torch.Tensor:
    """What is at the site in block 1 (token width); of heads, that of the one that is steered."""
    stream = getattr(ct.run(lm, prompt, *setup, **{site: [LAYER]}), site)(LAYER)
    return stream[:, HEAD] if site == "heads" else stream


def expected(x: torch.Tensor, d: Direction, op: str, s: float, target: float | None) -> torch.Tensor:
    """The formulas, token by token, in double precision."""
    v, rows = d.vector.double(), []
    b1 = v / v.norm()
    b2 = d.second.double() - (d.second.double() @ b1) * b1
    b2 = b2 / b2.norm()
    for h in x.double():
        moved = {
            "add": lambda h: h + s * v,
            "unit": lambda h: h + s * b1,
            "relative": lambda h: h + s * h.norm() * b1,
            "sigma": lambda h: h + s * SIGMA * b1,
            "ablate": lambda h: h - s * (h @ b1) * b1,
            "clamp": lambda h: h + s * (target - h @ b1) * b1,
            "angular": lambda h: h + s * _turned(h, b1, b2, target),
        }[op]
        rows.append(moved(h))
    return torch.stack(rows).float()


def _turned(h, b1, b2, degrees):
    inside = (h @ b1) * b1 + (h @ b2) * b2
    angle = degrees * pi / 180
    return inside.norm() * (cos(angle) * b1 + sin(angle) * b2) - inside


@pytest.mark.families
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("op", OPS)
def test_each_operation_does_what_its_formula_says(family, site, op):
    lm, d = lm_of(family), direction(site)
    before = at(lm, site)
    for s in (1.0, -0.5, 0.25, 3.0):
        after = at(lm, site, Steer(d, strength=s, op=op, **OPS[op]))
        torch.testing.assert_close(after, expected(before, d, op, s, OPS[op].get("target")), **TOLERANCE)
        assert not torch.allclose(after, before, atol=1e-3)


@pytest.mark.families
@pytest.mark.parametrize("family", [*FAMILIES, "gpt_neo", "bloom"])
@pytest.mark.parametrize("site", SITES)
def test_strength_0_changes_nothing_whatever_the_operation(family, site):
    lm = lm_of(family)
    plain, before = ct.run(lm, PROMPT), left_behind(lm)
    for op, more in OPS.items():
        idle = Steer(direction(site), strength=0, op=op, **more)
        assert torch.equal(ct.run(lm, PROMPT, idle).logits, plain.logits), op
        assert torch.equal(
            ct.run(lm, PROMPT, Steer(direction(site), strength=2, op=op, where=(), **more)).logits, plain.logits
        )
        assert not torch.equal(ct.run(lm, PROMPT, replace(idle, strength=1.0)).logits, plain.logits), op
    assert left_behind(lm) == before


@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_set_is_set(family, site):
    lm, d = lm_of(family), direction(site)
    unit = d.vector / d.vector.norm()
    before = at(lm, site)
    gone = at(lm, site, Steer(d, op="ablate"))
    assert (gone @ unit).abs().max() < 1e-5
    other = torch.linalg.qr(torch.stack([unit, d.second], dim=1)).Q[:, 1]
    torch.testing.assert_close(gone @ other, before @ other, **TOLERANCE)
    for target in (0.0, 1.5, -4.0):
        fixed = at(lm, site, Steer(d, op="clamp", target=target))
        torch.testing.assert_close(fixed @ unit, torch.full((len(before),), target), **TOLERANCE)
        torch.testing.assert_close(fixed - (fixed @ unit)[:, None] * unit, gone, **TOLERANCE)
    torch.testing.assert_close(at(lm, site, Steer(d, op="clamp", target=0.0)), gone, **TOLERANCE)
    halves = at(lm, site, Steer(d, op="ablate", strength=0.5))
    torch.testing.assert_close(halves @ unit, before @ unit / 2, **TOLERANCE)
    torch.testing.assert_close(at(lm, site, Steer(d, op="ablate"), Steer(7 * d, op="ablate")), gone, **TOLERANCE)


@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("family", FAMILIES)
def test_turning_keeps_the_length_and_ends_at_its_angle(family, site):
    lm, d = lm_of(family), direction(site)
    before = at(lm, site)
    b1 = d.vector / d.vector.norm()
    b2 = d.second - (d.second @ b1) * b1
    b2 = b2 / b2.norm()
    for target in (0.0, 30.0, 180.0, -100.0):
        turn = Steer(d, op="angular", target=target)
        after = at(lm, site, turn)
        torch.testing.assert_close(after.norm(dim=-1), before.norm(dim=-1), **TOLERANCE)
        angles = torch.atan2(after @ b2, after @ b1) * 180 / pi
        assert ((angles - target + 180) % 360 - 180).abs().max() < 1e-2
        outside = [x - (x @ b1)[:, None] * b1 - (x @ b2)[:, None] * b2 for x in (before, after)]
        torch.testing.assert_close(*outside, **TOLERANCE)
        again = at(lm, site, Steer(d, op="angular", target=77.0), turn)
        torch.testing.assert_close(again, after, **TOLERANCE)
    row = 4
    own = float(torch.atan2(before[row] @ b2, before[row] @ b1) * 180 / pi)
    torch.testing.assert_close(at(lm, site, Steer(d, op="angular", target=own))[row], before[row], **TOLERANCE)


@pytest.mark.parametrize("site", SITES)
def test_only_the_one_site_of_the_one_layer_is_moved(site):
    lm, d = lm_of("llama"), direction(site)
    every = dict.fromkeys((*SITES, "neurons"), "all")
    base, steered = ct.run(lm, PROMPT, **every), ct.run(lm, PROMPT, Steer(d, strength=2.0), **every)
    for (name, layer), x in base.kept_streams.items():
        same = torch.equal(steered.kept_streams[name, layer], x)
        order = ["residual", "heads", "mlp"]
        earlier = layer < LAYER or (layer == LAYER and name != "neurons" and order.index(name) < order.index(site))
        earlier = earlier or (site == "mlp" and (name, layer) == ("neurons", LAYER))
        assert same == earlier, (name, layer)
    if site == "heads":
        rest = [head for head in range(N_HEADS) if head != HEAD]
        assert torch.equal(steered.heads(LAYER)[:, rest], base.heads(LAYER)[:, rest])
    two = ct.run(lm, PROMPT, Steer(d, layers=[0, 2], strength=2.0), **{site: "all"})
    moved = two.kept_streams[site, 0] - base.kept_streams[site, 0]
    moved = moved[:, HEAD] if site == "heads" else moved
    torch.testing.assert_close(moved, (2.0 * d.vector).expand_as(moved), **TOLERANCE)


# --- where ---


@pytest.mark.parametrize("site", SITES)
def test_where_names_the_tokens(site):
    lm, d = lm_of("llama"), direction(site)
    base, enc = at(lm, site), ct.run(lm, PROMPT).encoding
    n = len(enc)
    span = {name: set(range(own.start, own.stop)) for name, own in enc.spans.items()}
    places = {
        "all": set(range(n)),
        "prompt": set(range(n)),
        "generated": set(),
        "question": span["question"],
        "after context": set(range(enc.span("context").stop, n)),
        "before question": set(range(enc.span("question").start)),
        (0, -1): {0, n - 1},
        range(3, 6): {3, 4, 5},
        ("cue", 2): span["cue"] | {2},
    }
    for where, rows in places.items():
        moved = (at(lm, site, Steer(d, strength=2.0, where=where)) - base).abs().amax(-1)
        assert {i for i in range(n) if moved[i] > 0} == rows, where
    with pytest.raises(CtkitError, match="'nowhere'"):
        ct.run(lm, PROMPT, Steer(d, where="nowhere"))


@pytest.mark.families
@pytest.mark.parametrize("family", [*FAMILIES, "bloom"])
def test_what_is_written_is_steered_where_it_was_asked(family):
    lm = lm_of(family)
    for site in SITES:
        d = direction(site)
        for where, rows in (
            ("all", lambda enc: range(len(enc))),
            ("prompt", lambda enc: range(enc.n_prompt)),
            ("generated", lambda enc: range(enc.n_prompt, len(enc))),
            ("after context", lambda enc: range(enc.span("context").stop, len(enc))),
            ("question", lambda enc: range(enc.span("question").start, enc.span("question").stop)),
        ):
            steer = Steer(d, strength=3.0, where=where)
            runs = [ct.generate(lm, PROMPT, steer, max_new_tokens=4, cache=cache) for cache in caches_of(lm)]
            for run in runs:
                assert run.ids == runs[0].ids
                torch.testing.assert_close(run.logits, runs[0].logits, **TOLERANCE)
            assert runs[0].n_written
            enc, n = runs[0].encoding, len(runs[0].encoding)
            plain = traces(lm, [Row(enc, Setup())], wanted(lm, **{site: [LAYER]}), last_only=False)[0]
            change = getattr(runs[0].trace, site)(LAYER) - plain.kept_streams[site, LAYER]
            moved = [i for i in range(n) if change[i].abs().max() > 1e-3]
            assert moved == [i for i in range(n) if i in rows(enc)], (site, where)


# --- a row for each of the first positions ---


@pytest.mark.parametrize("family", FAMILIES)
def test_rows_are_added_to_the_first_positions(family):
    lm, site = lm_of(family), "residual"
    rows = torch.randn(3, D_MODEL, generator=torch.Generator().manual_seed(1))
    d = Direction(rows, LAYER)
    base = at(lm, site)
    moved = at(lm, site, Steer(d, strength=2.0)) - base
    torch.testing.assert_close(moved[:3], 2 * rows, **TOLERANCE)
    assert moved[3:].eq(0).all()
    some = at(lm, site, Steer(d, strength=2.0, where=(2, 0, 7))) - base
    torch.testing.assert_close(some[[0, 2]], 2 * rows[[0, 2]], **TOLERANCE)
    assert some[1].eq(0).all() and some[3:].eq(0).all()
    short = at(lm, site, Steer(d), prompt="ab") - at(lm, site, prompt="ab")
    torch.testing.assert_close(short, rows[:2], **TOLERANCE)
    for cache in CACHES:
        written = ct.generate(lm, "ab", Steer(d, strength=2.0), max_new_tokens=3, cache=cache)
        assert written.ids == ct.generate(lm, "ab", Steer(d, strength=2.0), max_new_tokens=3, cache="none").ids
    torch.testing.assert_close(
        written.trace.residual(LAYER + 1)[:1],
        ct.run(lm, "ab", Steer(d, strength=2.0)).residual(LAYER + 1)[:1],
        **TOLERANCE,
    )


# --- in company ---


def test_a_batch_of_all_operations_changes_nothing():
    lm = lm_of("llama")
    entries = [
        ("Ann has a."[: 3 + n], Steer(direction(site), strength=0.8, op=op, **more))
        for n, (op, more) in enumerate(OPS.items())
        for site in SITES
    ]
    for trace, entry in zip(run_many(lm, entries), entries, strict=True):
        torch.testing.assert_close(trace.logits, ct.run(lm, *entry).logits, **TOLERANCE)


def test_opposite_strengths_and_vectors():
    lm, d = lm_of("llama"), direction("residual")
    for op in ("add", "unit", "relative", "sigma"):
        one, other = (
            ct.run(lm, PROMPT, Steer(d, strength=-2.0, op=op)),
            ct.run(lm, PROMPT, Steer(-d, strength=2.0, op=op)),
        )
        torch.testing.assert_close(one.logits, other.logits, **TOLERANCE)
    for op in ("unit", "relative", "sigma", "ablate"):
        one, other = (ct.run(lm, PROMPT, Steer(own, op=op)) for own in (d, 9 * d))
        torch.testing.assert_close(one.logits, other.logits, **TOLERANCE)
    for op in ("unit", "relative", "sigma", "ablate"):
        assert torch.equal(ct.run(lm, PROMPT, Steer(0 * d, op=op)).logits, ct.run(lm, PROMPT).logits), op


@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("op", OPS)
def test_a_setup_survives_its_round_trip(site, op):
    lm = lm_of("llama")
    setup = Setup([Steer(direction(site), layers=[0, 2], strength=-1.5, op=op, where="after context", **OPS[op])])
    logits = ct.run(lm, PROMPT, setup).logits
    for copy in (Setup.from_json(setup.to_json()), eval(setup.to_code(), {"ct": ct})):
        assert copy == setup
        assert torch.equal(ct.run(lm, PROMPT, copy).logits, logits)


# --- no, in words ---


def test_what_an_operation_lacks_is_said():
    d = direction("residual")
    wrong = {
        r"(?s)op='sigma'.*σ was not measured": lambda: Steer(replace(d, sigma=None), op="sigma"),
        r"(?s)op='clamp'.*no target": lambda: Steer(d, op="clamp"),
        r"(?s)op='angular'.*no target": lambda: Steer(d, op="angular"),
        r"(?s)op='angular'.*spans no plane": lambda: Steer(replace(d, second=None), op="angular", target=9),
        r"(?s)op='angular'.*no plane": lambda: Steer(replace(d, second=-2 * d.vector), op="angular", target=9),
        r"(?s)op='mul'.*add, unit, relative, sigma, ablate, clamp, angular": lambda: Steer(d, op="mul"),
        r"(?s)a row for each position.*op=\"add\"": lambda: Steer(Direction(torch.ones(2, D_MODEL), 0), op="unit"),
        r"(?s)strength=.*no finite number": lambda: Steer(d, strength=float("inf")),
        r"(?s)target=.*no finite number": lambda: Steer(d, op="clamp", target="up"),
        r"(?s)kl=.*no finite number": lambda: Steer(d, kl=True),
        r"(?s)kl=0.*a kl above 0": lambda: Steer(d, kl=0.0),
        r"(?s)kl=0.1, op='ablate'.*no amount": lambda: Steer(d, kl=0.1, op="ablate"),
        r"ct\.fit_direction": lambda: Steer(d.vector),
    }
    for words, make in wrong.items():
        with pytest.raises(CtkitError, match=words):
            make()


def test_what_the_model_lacks_is_said():
    lm = lm_of("llama")
    head = direction("heads")
    wrong = {
        r"(?s)layer 4.*layers 0 to 3": Steer(direction("residual"), layers=[N_LAYERS + 1]),
        r"(?s)layer 3.*layers 0 to 2": Steer(direction("mlp"), layers=[N_LAYERS]),
        r"(?s)at layer 3.*layers 0 to 2": Steer(head, layers=[N_LAYERS]),
        r"(?s)head 4.*heads 0 to 3": Steer(replace(head, head=N_HEADS)),
        r"(?s)7,\) wide.*a stream 32 wide": Steer(Direction(torch.ones(7), 1)),
        r"(?s)7 wide.*heads 8 wide": Steer(Direction(torch.ones(7), 1, site="heads", head=0)),
    }
    for words, steer in wrong.items():
        with pytest.raises(CtkitError, match=words):
            ct.run(lm, PROMPT, steer)
