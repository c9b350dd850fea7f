"""What a student's own intervention returns wrongly is said in words, and nothing is left behind."""

from dataclasses import dataclass

import pytest
import torch

import ctkit as ct
from ctkit import Intervention, Knockout, Reread, Steer

from .engine_fixtures import PROMPT, direction, left_behind
from .families import N_HEADS, lm_of
from .test_errors import refused


@pytest.fixture(scope="module")
def lm():
    return lm_of("llama")


@dataclass(frozen=True)
class Returns(Intervention):
    """Returns something wrong from one of the five functions."""

    function: str
    value: object

    def edit(self, prompt):
        return self.value(prompt) if self.function == "edit" else prompt

    def allow(self, allowed, enc, layer):
        return self.value(allowed) if self.function == "allow" else allowed

    def bias(self, enc, layer):
        return self.value(torch.zeros(1, len(enc), len(enc))) if self.function == "bias" else None

    def heads(self, z, enc, layer):
        return self.value(z) if self.function == "heads" else z

    def residual(self, x, enc, layer):
        return self.value(x) if self.function == "residual" else x


def spoiled(x):
    x = x.clone()
    x[..., -1] = float("nan")
    return x


WRONG = {
    ("edit", "None"): lambda p: None,
    ("edit", "text"): lambda p: p.text,
    ("allow", "None"): lambda a: None,
    ("allow", "numbers"): lambda a: a.float(),
    ("allow", "one axis too few"): lambda a: a[0],
    ("allow", "too few rows"): lambda a: a[:, 1:],
    ("allow", "too many heads"): lambda a: a.expand(N_HEADS + 1, -1, -1),
    ("allow", "an empty row"): lambda a: a & False,
    ("bias", "numbers"): lambda b: 3.0,
    ("bias", "too few rows"): lambda b: b[:, 1:],
    ("bias", "NaN"): spoiled,
    ("bias", "minus infinity"): lambda b: b - float("inf"),
    ("heads", "None"): lambda z: None,
    ("heads", "too few"): lambda z: z[:, 1:],
    ("heads", "NaN"): spoiled,
    ("residual", "None"): lambda x: None,
    ("residual", "a list"): lambda x: [x],
    ("residual", "too few tokens"): lambda x: x[1:],
    ("residual", "too narrow"): lambda x: x[:, 1:],
    ("residual", "NaN"): spoiled,
    ("residual", "infinity"): lambda x: x / 0,
}


@pytest.mark.parametrize(("function", "what"), WRONG)
@pytest.mark.parametrize("more", [(), (Reread(), Knockout(3, 0, heads=1), Steer(direction()))])
def test_what_ones_own_intervention_returns_wrongly(lm, function, what, more):
    before = left_behind(lm)
    error = refused(ct.run, lm, PROMPT, Returns(function, WRONG[function, what]), *more)
    if what == "None":
        assert "did you forget to return it?" in error.remedy
    refused(ct.generate, lm, PROMPT, Returns(function, WRONG[function, what]), *more, max_new_tokens=2)
    assert left_behind(lm) == before


def test_other_precisions_and_views_are_welcome(lm):
    plain = ct.run(lm, PROMPT).logits
    for value in (lambda x: x.double(), lambda x: x.t().contiguous().t(), lambda x: x.detach()):
        assert torch.equal(ct.run(lm, PROMPT, Returns("residual", value)).logits, plain)
    per_head = ct.run(lm, PROMPT, Returns("allow", lambda a: a.expand(N_HEADS, -1, -1).clone()))
    assert torch.equal(per_head.logits, plain)
