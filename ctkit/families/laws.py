"""The laws of reading that a model must keep under ctkit. A law returns what is wrong, in words, or None."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..engine.attention import current
from ..engine.run import run
from ..engine.trace import Trace
from ..interventions import Knockout, Setup, Steer
from .probes import CUT, OPENED, Bury, Halts, Open
from .subject import PROMPT, Subject


@dataclass(frozen=True)
class Law:
    """One law: what it says, which techniques it needs, how it is tested."""

    name: str
    needs: tuple[str, ...]
    test: Callable[[Subject], str | None]


def far(one: Tensor, other: Tensor, tolerance: float) -> str | None:
    """How far two tensors are apart, in words, where that is too far; shapes and numbers that are none count too."""
    if one.shape != other.shape:
        return f"shapes {tuple(one.shape)} and {tuple(other.shape)}"
    if not (one.isfinite().all() and other.isfinite().all()):
        return "numbers that are not finite"
    gap = float((one - other).abs().max()) if one.numel() else 0.0
    return f"numbers that are {gap:.1e} apart" if gap > tolerance else None


def idle_is_identity(subject: Subject) -> str | None:
    """A setup that changes nothing gives the plain model's logits to the bit, also while everything is recorded."""
    kept = _kept(subject)
    together = [intervention for setup in subject.idle().values() for intervention in setup]
    for name, setup in (subject.idle() | {"all of these": Setup(together)}).items():
        for recorded in ({}, kept):
            if not torch.equal(run(subject.lm, PROMPT, setup, **recorded).logits, subject.plain):
                return f"other logits under {name}{' while recording' if recorded else ''}"
    return None


def undo_is_exact(subject: Subject) -> str | None:
    """After runs, also failed ones, no hook is left, the attention is the old one, and the logits are the old ones."""
    before = _left_behind(subject)
    for setup in subject.setups().values():
        run(subject.lm, PROMPT, setup)
    if subject.can("steer"):
        try:
            run(subject.lm, PROMPT, *subject.setups().get("all at once", ()), Halts())
        except ArithmeticError:
            pass
        else:
            return "an error in an intervention that vanished"
    if _left_behind(subject) != before:
        return "something that a run left on the model"
    return None if torch.equal(subject.logits(subject.ids), subject.plain) else "other logits after a run"


def the_past_does_not_see_the_future(subject: Subject) -> str | None:
    """Changing the last token changes no logits before it."""
    other = (*subject.ids[:-1], subject.ids[0])
    return far(subject.logits(other)[:-1], subject.plain[:-1], subject.tolerance)


def a_forbidden_key_counts_for_nothing(subject: Subject) -> str | None:
    """Its weight is exactly 0 and the row sums to what it did; earlier rows stay at every layer, later ones change."""
    keys = tuple(range(CUT - 4, CUT))
    kept = _kept(subject)
    idle, cut = (run(subject.lm, PROMPT, *setup, **kept) for setup in ((), (Knockout(CUT, keys),)))
    for layer in subject.attending if subject.can("attention") else ():
        weights, before = cut.attention(layer), idle.attention(layer)
        if (weights[:, CUT, list(keys)] != 0).any():
            return f"a weight for a forbidden key in block {layer}"
        wrong = far(before.sum(-1), torch.ones_like(before.sum(-1)), subject.row_tolerance)
        if wrong and not _leaks_weight(subject, layer, before):
            return f"rows of weights that do not sum to 1 in block {layer}: {wrong}"
        if not wrong and (late := far(weights.sum(-1), before.sum(-1), subject.row_tolerance)):
            return f"rows of weights that no longer sum to 1 in block {layer}: {late}"
    for layer in range(subject.lm.n_layers + 1) if "residual" in kept else ():
        if wrong := far(cut.residual(layer)[:CUT], idle.residual(layer)[:CUT], subject.tolerance * _size(idle, layer)):
            return f"earlier tokens changed entering block {layer}: {wrong}"
    if wrong := far(cut.logits[:CUT], idle.logits[:CUT], subject.tolerance):
        return f"earlier logits changed: {wrong}"
    return None if far(cut.logits[CUT:], idle.logits[CUT:], subject.tolerance) else "a forbidden key that still counts"


def opening_leaves_earlier_rows(subject: Subject) -> str | None:
    """Letting some tokens see later ones changes their logits, and none before them."""
    idle, opened = run(subject.lm, PROMPT), run(subject.lm, PROMPT, Open())
    if wrong := far(opened.logits[:OPENED], idle.logits[:OPENED], subject.tolerance):
        return f"earlier logits changed: {wrong}"
    if not far(opened.logits[OPENED], idle.logits[OPENED], subject.tolerance):
        return "a token that may see later ones and does not"
    for layer in subject.attending if subject.can("attention") else ():
        ahead = opened.attention(layer)[:, OPENED]
        if (ahead[:, OPENED + 4 :] != 0).any():
            return f"a token that sees more than was opened in block {layer}"
    return None


def burying_a_key_is_forbidding_it(subject: Subject) -> str | None:
    """A score lowered by 10,000 does what a mask does: what is added is added to the scores, in the same place."""
    keys = tuple(range(CUT - 4, CUT))
    buried, cut = (run(subject.lm, PROMPT, setup).logits for setup in (Bury(keys=keys), Knockout(CUT, keys)))
    return far(buried, cut, subject.tolerance)


def heads_are_apart(subject: Subject) -> str | None:
    """A mask in one head of a block changes that head's output, and no other's."""
    layer, head = subject.attending[0], 1
    idle = run(subject.lm, PROMPT, heads=[layer])
    cut = run(
        subject.lm, PROMPT, Knockout(CUT, tuple(range(CUT - 4, CUT)), layers=[layer], heads=[head]), heads=[layer]
    )
    change = (cut.heads(layer) - idle.heads(layer)).abs().amax((0, 2))
    others = torch.cat([change[:head], change[head + 1 :]])
    if others.max() > subject.tolerance:
        return f"another head's output that changed by {float(others.max()):.1e}"
    return None if change[head] > 2 * others.max() else "the head's own output unchanged"


def steering_shows(subject: Subject) -> str | None:
    """The recorded stream shows the direction at the layer that was steered, and the logits follow."""
    for layer in (0, 1, subject.lm.n_layers):
        steer = Steer(subject.direction(layer))
        idle, steered = run(subject.lm, PROMPT, residual=[layer]), run(subject.lm, PROMPT, steer, residual=[layer])
        moved = steered.residual(layer) - idle.residual(layer)
        expected = subject.direction().vector.expand_as(moved)
        if wrong := far(moved, expected, subject.tolerance * _size(idle, layer)):
            return f"at layer {layer}: {wrong}"
        if torch.equal(idle.logits, steered.logits):
            return f"logits that do not follow at layer {layer}"
    return None


def attention_is_the_models_own(subject: Subject) -> str | None:
    """Recorded weights are those that the model gives out itself with plain attention."""
    given = None if subject.twin is None else _own(subject, "attentions")
    if given is None or len(given) != len(subject.attending):
        subject.unchecked.append("weights: the model gives none out")
        return None
    trace = run(subject.lm, PROMPT, attention=subject.attending)
    for layer, weights in zip(subject.attending, given, strict=True):
        if wrong := far(trace.attention(layer), weights[0].float(), max(subject.tolerance, 1e-5)):
            return f"in block {layer}: {wrong}"
    return None


def the_stream_is_the_models_own(subject: Subject) -> str | None:
    """Recorded streams are those that the model gives out itself as hidden states (the last one is behind a norm)."""
    given = _own(subject, "hidden_states")
    if given is None or len(given) < subject.lm.n_layers:
        subject.unchecked.append("streams: the model gives none out")
        return None
    trace = run(subject.lm, PROMPT, residual="all")
    as_entering, as_left = (_stream_off(subject, trace, given, first) for first in (0, 1))
    return None if as_left is None else as_entering  # most lists begin with what enters the first block, some behind it


def a_setup_survives_json(subject: Subject) -> str | None:
    """Written as JSON and read back, a setup gives the same logits to the bit."""
    for name, setup in subject.setups().items():
        again = Setup.from_json(setup.to_json())
        if not torch.equal(run(subject.lm, PROMPT, again).logits, run(subject.lm, PROMPT, setup).logits):
            return f"other logits under {name}"
    return None


def _kept(subject: Subject) -> dict:
    """All that the model lets itself be asked to record."""
    wanted = {"attention": subject.attending, "heads": subject.attending, "residual": "all", "mlp": "all"}
    needs = {"residual": "steer"}
    return {site: layers for site, layers in wanted.items() if subject.can(needs.get(site, site))}


def _stream_off(subject: Subject, trace: Trace, given: list[Tensor], first: int) -> str | None:
    """What differs between the recorded streams and a model's own list, if that begins with block `first`."""
    for layer in range(first, subject.lm.n_layers):
        own = given[layer - first][0].float()
        if wrong := far(trace.residual(layer), own, subject.tolerance * _size(trace, layer)):
            return f"entering block {layer}: {wrong}"
    return None


def _size(trace: Trace, layer: int) -> float:
    """The largest number in a stream, if it is larger than 1: rounding grows with it."""
    return max(1.0, float(trace.residual(layer).abs().max()))


def _left_behind(subject: Subject) -> dict:
    """All that a run could leave on a model: hooks, another attention, ctkit's own state, training mode."""
    modules = dict(subject.lm.model.named_modules())
    hooks = {
        name: {kind: len(held) for kind, held in vars(module).items() if kind.endswith("_hooks")}
        for name, module in modules.items()
    }
    attention = {name: m.config._attn_implementation for name, m in modules.items() if hasattr(m, "config")}
    return {"hooks": hooks, "attention": attention, "now": current.get(), "training": subject.lm.model.training}


def _own(subject: Subject, what: str) -> list[Tensor] | None:
    """What the model itself gives out of its blocks, if anything."""
    model = subject.twin if what == "attentions" else subject.lm.model
    with torch.no_grad():
        try:
            output = model(input_ids=torch.tensor([subject.ids]), use_cache=False, **{f"output_{what}": True})
        except (TypeError, ValueError, AttributeError, IndexError):
            return None
    given = getattr(output, what, None)
    return [part for part in given if part is not None] if given else None


def _leaks_weight(subject: Subject, layer: int, weights: Tensor) -> bool:
    """Whether the model's own weights do not sum to 1 either: some give a part of them to a sink beside the tokens."""
    given = None if subject.twin is None else _own(subject, "attentions")
    if given is None or len(given) != len(subject.attending):
        return False
    own = given[subject.attending.index(layer)][0].float()
    return far(own, weights, subject.tolerance) is None
