"""The laws once more, on the model that everybody meets first; for random models see test_engine_laws.py."""

from dataclasses import dataclass

import pytest
import torch

import ctkit as ct
from ctkit.engine.attention import current
from ctkit.engine.generate import generate_many
from ctkit.tasks import get

from .families import plain

PROMPT = get("hunt").generate(3, 3).prompt
FUNCTIONS = ("edit", "allow", "bias", "heads", "residual")


@pytest.fixture(scope="module")
def direction(lm):
    happy, sad = (get("mood").texts(style, 8) for style in ("happy", "sad"))
    return ct.fit_direction(lm, happy, sad, layer=2)


@pytest.fixture(scope="module")
def setups(direction):
    return [
        ct.Setup([ct.Mask("bidirectional")]),
        ct.Setup([ct.Reread(), ct.Mask("prefix", layers=[1, 2])]),
        ct.Setup([ct.PrependToken(1, 3), ct.Steer(direction, strength=3, where="question")]),
        ct.Setup([ct.Reread(3), ct.Knockout("reading 3", "reading 1", heads=[0, 2]), ct.Think(), ct.Steer(direction)]),
    ]


def close(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Equal to 1e-5 of the largest logit: float32 rounding, in another order."""
    return one.shape == other.shape and float((one - other).abs().max()) <= 1e-5 * max(1.0, float(one.abs().max()))


def test_idle_is_identity(lm, direction):
    idle = [ct.Mask("causal"), ct.Reread(1), ct.Steer(direction, strength=0), ct.PrependToken(2, 2), ct.Think(on=False)]
    for setup in ([], *[[one] for one in idle], idle):
        trace = ct.run(lm, PROMPT, setup, attention="all", residual="all")
        assert torch.equal(trace.logits, plain(lm, trace.ids))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_undo_is_exact_after_failures(lm, function):
    hooks = [(len(m._forward_hooks), len(m._forward_pre_hooks)) for m in lm.model.modules()]
    before = plain(lm, ct.run(lm, PROMPT).ids)
    for layer in range(20):
        with pytest.raises(RuntimeError, match="on purpose"):
            ct.run(lm, PROMPT, ct.Mask("prefix"), Failing(function, layer % lm.n_layers), ct.Reread())
    assert hooks == [(len(m._forward_hooks), len(m._forward_pre_hooks)) for m in lm.model.modules()]
    assert lm.model.config._attn_implementation == "sdpa" and current.get() is None
    assert torch.equal(before, plain(lm, ct.run(lm, PROMPT).ids))


def test_a_forbidden_key_has_no_weight_and_the_rest_sums_to_one(lm):
    trace = ct.run(lm, PROMPT, ct.Knockout("question", "context"))
    weights = torch.stack([trace.attention(layer) for layer in range(lm.n_layers)])
    assert not weights[..., trace.spans["question"], trace.spans["context"]].any()
    assert torch.allclose(weights.sum(-1), torch.ones(weights.shape[:-1]), atol=1e-5)


def test_a_cache_changes_nothing(lm, setups):
    for setup in setups:
        written = [
            ct.generate(lm, PROMPT, setup, max_new_tokens=12, cache=kind) for kind in ("none", "dynamic", "static")
        ]
        for other in written[1:]:
            assert other.ids == written[0].ids
            assert close(other.logits, written[0].logits)


def test_a_batch_changes_nothing(lm, setups):
    prompts = [(get("hunt").generate(i, 1 + i).prompt, setup) for i, setup in enumerate(setups)]
    for one, many in zip([ct.run(lm, *pair) for pair in prompts], ct.run_many(lm, prompts), strict=True):
        assert close(one.logits, many.logits)
    alone = [ct.generate(lm, *pair, max_new_tokens=6).ids for pair in prompts]
    assert alone == [g.ids for g in generate_many(lm, prompts, max_new_tokens=6)]


def test_the_captured_stream_shows_the_steering(lm, direction):
    before, after = ct.run(lm, PROMPT), ct.run(lm, PROMPT, ct.Steer(direction, strength=2))
    moved = after.residual(direction.layer) - before.residual(direction.layer)
    assert torch.allclose(moved, (2 * direction.vector).expand_as(moved), atol=1e-4)
    assert torch.equal(before.residual(direction.layer - 1), after.residual(direction.layer - 1))


def test_a_setup_survives_json_and_code(lm, setups):
    for setup in setups:
        again = [ct.Setup.from_json(setup.to_json()), eval(setup.to_code(), {"ct": ct})]
        for other in again:
            assert other == setup
            assert torch.equal(ct.run(lm, PROMPT, other).logits, ct.run(lm, PROMPT, setup).logits)


def test_the_second_reading_needs_the_first_only_where_it_may_see_it(lm):
    """With second → first attention cut, no head gives weight across, whatever the model learned."""
    trace = ct.run(lm, PROMPT, ct.Reread(), ct.Knockout("reading 2", "reading 1"))
    first, second = trace.spans["context"].start, trace.spans["context (2)"]
    for layer in range(lm.n_layers):
        assert not trace.attention(layer)[:, second, first : trace.spans["question"].stop].any()


@dataclass(frozen=True)
class Failing(ct.Intervention):
    """Fails in one of its functions, at one layer where there are layers."""

    function: str
    layer: int = 0

    def _fail(self, layer, value):
        if layer == self.layer:
            raise RuntimeError("on purpose")
        return value

    def edit(self, prompt):
        return self._fail(self.layer if self.function == "edit" else -1, prompt)

    def allow(self, allowed, enc, layer):
        return self._fail(layer if self.function == "allow" else -1, allowed)

    def bias(self, enc, layer):
        return self._fail(layer if self.function == "bias" else -1, None)

    def heads(self, z, enc, layer):
        return self._fail(layer if self.function == "heads" else -1, z)

    def residual(self, x, enc, layer):
        return self._fail(layer if self.function == "residual" else -1, x)
