"""A setup is data: to JSON and back, to code and back, and the same logits after."""

import json
import re
from contextlib import suppress
from dataclasses import dataclass

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ctkit as ct
from ctkit import (
    CtkitError,
    Direction,
    Emphasize,
    Intervention,
    Knockout,
    Mask,
    PrependToken,
    Reread,
    Setup,
    Steer,
    Think,
    masks,
)
from ctkit.interventions.setup import as_setup

from .engine_fixtures import EVERY, PROMPT, direction
from .families import D_MODEL, N_HEADS, N_LAYERS, lm_of

# the type checker of the test runs draws at random from inside the strategies, which Hypothesis remarks on
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module")

places = st.one_of(
    st.integers(-4, 20),
    st.sampled_from(["all", "prompt", "generated", "reading 1", "reading 2"]),
    st.lists(st.integers(0, 20), max_size=3),
)
layers = st.none() | st.lists(st.integers(0, N_LAYERS - 1), max_size=3)
heads = st.none() | st.lists(st.integers(0, N_HEADS - 1), max_size=3, unique=True)
base_rules = st.one_of(
    st.builds(masks.causal),
    st.builds(masks.bidirectional),
    st.builds(masks.prefix, st.none() | st.integers(0, 30)),
    st.builds(masks.window, st.integers(1, 30)),
    st.builds(masks.between, places, places),
)
rules = st.recursive(
    base_rules,
    lambda r: st.one_of(
        st.builds(lambda a: ~a, r), st.builds(lambda a, b: a & b, r, r), st.builds(lambda a, b: a | b, r, r)
    ),
    max_leaves=5,
).map(lambda rule: rule | masks.window(1))  # a row keeps itself
floats = st.floats(-3, 3, width=32)
directions = st.builds(
    lambda seed, layer, name: Direction(direction(seed).vector, layer, name=name, reliability=0.25 if seed else None),
    st.integers(0, 99),
    st.integers(0, N_LAYERS),
    st.text(max_size=5),
)
interventions = st.one_of(
    st.builds(Mask, st.sampled_from(["causal", "bidirectional", "prefix"]) | rules, layers=layers, heads=heads),
    st.builds(Mask, st.just("prefix"), until=st.integers(0, 30)),
    st.builds(Mask, st.just("window"), size=st.integers(1, 9), layers=layers, heads=heads),
    st.builds(Knockout, places, places, layers=layers, heads=heads),
    st.builds(Emphasize, places, alpha=st.floats(0.001, 10), layers=layers, heads=heads),
    st.builds(Reread, st.integers(1, 2), st.sampled_from(["", "Again:", "\"quoted\" 'twice' \\ \n"])),
    st.builds(
        Steer, directions, layers=layers, strength=floats, op=st.sampled_from(["add", "unit", "relative"]), where=places
    ),
    st.builds(Think, st.booleans(), st.sampled_from(["Steps:", "é—"])),
)
setups = st.lists(interventions, max_size=4).map(Setup)
prepended = st.builds(
    PrependToken,
    st.integers(0, 1),
    st.integers(1, N_LAYERS),
    st.sampled_from(["normal", "mean"]),
    seed=st.integers(0, 9),
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(setups, st.none() | prepended)
def test_a_setup_survives_its_round_trip(setup, prepend):
    setup = Setup([*setup, *([prepend] if prepend else [])])
    text = setup.to_json()
    again = Setup.from_json(text)
    assert again == setup
    assert again.to_json() == text
    assert all(entry["intervention"] in Intervention.known for entry in json.loads(text))
    coded = eval(setup.to_code(), {"ct": ct})  # our own text, which a learner will run
    assert coded == setup
    lm = lm_of("llama")
    logits = ct.run(lm, PROMPT, setup).logits
    assert torch.equal(ct.run(lm, PROMPT, again).logits, logits)
    assert torch.equal(ct.run(lm, PROMPT, coded).logits, logits)


def test_code_says_only_what_is_not_by_default():
    setup = Setup([Reread(), Mask("prefix", until="question"), Think(on=False), Knockout("cue", (0, 1), heads=2)])
    assert setup.to_code() == (
        "ct.Setup([ct.Reread(), ct.Mask(kind='prefix', until='question'), ct.Think(on=False), "
        "ct.Knockout(queries='cue', keys=(0, 1), heads=(2,))])"
    )
    assert Setup().to_code() == "ct.Setup([])"
    assert Setup().to_json() == "[]"


@pytest.mark.parametrize("name", [n for n in EVERY if n not in ("slope", "dim", "blend", "stripes", "all at once")])
def test_the_setups_of_the_laws_survive_too(name):
    setup, lm = Setup(EVERY[name]), lm_of("gpt2")
    for again in (Setup.from_json(setup.to_json()), eval(setup.to_code(), {"ct": ct})):
        assert again == setup
        assert torch.equal(ct.run(lm, PROMPT, again).logits, ct.run(lm, PROMPT, setup).logits)


def test_ones_own_intervention_is_data_too():
    @dataclass(frozen=True)
    class Louder(Intervention):
        factor: float = 1.5
        at: tuple[int, ...] = (0,)

        def residual(self, x, enc, layer):
            return x * self.factor if layer in self.at else x

    setup = Setup([Louder(2.0, (1, 2))])
    assert json.loads(setup.to_json()) == [{"intervention": "Louder", "factor": 2.0, "at": [1, 2]}]
    assert Setup.from_json(setup.to_json()) == setup
    assert eval(setup.to_code(), {"ct": ct, "Louder": Louder}) == setup


def test_a_setup_is_flat_and_a_value():
    one, two = Reread(), Mask("prefix")
    assert as_setup(one, [two, [one]], Setup([two])) == Setup([one, two, one, two])
    assert as_setup() == Setup() == Setup([[], ()])
    assert len({Setup([one]), Setup([Reread()]), Setup([two])}) == 2
    assert list(Setup([one, two])) == [one, two]
    with pytest.raises(CtkitError, match="did you forget the brackets"):
        as_setup(Reread)
    for wrong in ("Reread", None, 3, {"intervention": "Reread"}):
        with pytest.raises(CtkitError, match="interventions such as"):
            as_setup(wrong)


ONE = '"direction": {"vector": "AACAPw==", "layer": 1}'  # the number 1.0
DEEP = '[{"intervention": "Mask", "kind": ' + '["not", ' * 3000 + '["causal"]' + "]" * 3000 + "}]"
MALICIOUS = {
    "no JSON": "[{]",
    "no list": '{"intervention": "Reread"}',
    "a word": '"Reread"',
    "no entry": "[3]",
    "no name": '[{"times": 2}]',
    "an unknown intervention": '[{"intervention": "os.system", "cmd": "ls"}]',
    "a name that is no text": '[{"intervention": ["Reread"]}]',
    "the base class": '[{"intervention": "Intervention"}]',
    "an unknown field": '[{"intervention": "Reread", "time": 2}]',
    "a dunder field": '[{"intervention": "Reread", "__class__": "x"}]',
    "a missing field": '[{"intervention": "Knockout", "keys": 0}]',
    "too many readings": '[{"intervention": "Reread", "times": 1000000000}]',
    "readings that are no number": '[{"intervention": "Reread", "times": "2"}]',
    "a phrase that is no text": '[{"intervention": "Reread", "phrase": 5}]',
    "an unknown mask": '[{"intervention": "Mask", "kind": "casual"}]',
    "a mask that is no text": '[{"intervention": "Mask", "kind": {"a": 1}}]',
    "a window of nothing": '[{"intervention": "Mask", "kind": "window", "size": 0}]',
    "a window of text": '[{"intervention": "Mask", "kind": "window", "size": "4"}]',
    "a prefix below zero": '[{"intervention": "Mask", "kind": "prefix", "until": -1}]',
    "layers in words": '[{"intervention": "Mask", "layers": "all"}]',
    "half a layer": '[{"intervention": "Mask", "layers": [0.5]}]',
    "layers in layers": '[{"intervention": "Mask", "layers": [[0]]}]',
    "an unknown rule": '[{"intervention": "Mask", "kind": ["__import__", "os"]}]',
    "a rule that is no text": '[{"intervention": "Mask", "kind": ["and", [["causal"]], ["causal"]]}]',
    "a rule without its size": '[{"intervention": "Mask", "kind": ["window"]}]',
    "a rule with a size below": '[{"intervention": "Mask", "kind": ["window", -3]}]',
    "a rule with too much": '[{"intervention": "Mask", "kind": ["causal", 1]}]',
    "a rule with half": '[{"intervention": "Mask", "kind": ["and", ["causal"]]}]',
    "a place that is none": '[{"intervention": "Mask", "kind": ["between", {"a": 1}, 3]}]',
    "a rule without end": DEEP,
    "places in places": '[{"intervention": "Knockout", "queries": [[1]], "keys": 0}]',
    "no place": '[{"intervention": "Knockout", "queries": null, "keys": 0}]',
    "a direction that is none": '[{"intervention": "Steer", "direction": [1, 2]}]',
    "a direction in bad base64": '[{"intervention": "Steer", "direction": {"vector": "!!", "layer": 1}}]',
    "a direction of half a number": '[{"intervention": "Steer", "direction": {"vector": "AAA=", "layer": 1}}]',
    "a direction that is not finite": '[{"intervention": "Steer", "direction": {"vector": "AADAfw==", "layer": 1}}]',
    "a strength that is no number": '[{"intervention": "Steer", "strength": NaN, ' + ONE + "}]",
    "a strength in words": '[{"intervention": "Steer", "strength": "2", ' + ONE + "}]",
    "an unknown operation": '[{"intervention": "Steer", "op": "exec", ' + ONE + "}]",
    "a start in words": '[{"intervention": "PrependToken", "start": "1"}]',
    "a switch in words": '[{"intervention": "Think", "on": "false"}]',
}


@pytest.mark.parametrize("case", MALICIOUS)
def test_what_no_setup_wrote_is_refused(case):
    with pytest.raises(CtkitError) as caught:
        Setup.from_json(MALICIOUS[case])
    assert caught.value.asked
    assert caught.value.found
    assert caught.value.remedy
    assert len(str(caught.value)) < 1500


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["Mask", "Knockout", "Emphasize", "Reread", "PrependToken", "Steer", "Think"]),
    st.dictionaries(
        st.sampled_from(
            [
                "kind",
                "until",
                "size",
                "layers",
                "heads",
                "queries",
                "keys",
                "times",
                "phrase",
                "start",
                "exit",
                "on",
                "where",
            ]
        ),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
            lambda v: st.lists(v, max_size=3),
            max_leaves=4,
        ),
        max_size=4,
    ),
)
def test_any_data_makes_a_setup_or_an_error_in_words(name, values):
    lm = lm_of("llama")
    data = [{"intervention": name} | values]
    if name == "Steer":
        data[0]["direction"] = Direction(torch.ones(D_MODEL), 1).to_data()
    with suppress(CtkitError):  # and nothing else
        ct.run(lm, PROMPT, Setup.from_data(data))


def test_only_what_a_person_can_ask_for_is_offered():
    """Interventions of the self-test have names, too."""
    ct.load()
    with pytest.raises(CtkitError) as caught:
        Setup.from_json('[{"intervention": "Rereed"}]')
    assert "Reread" in caught.value.remedy and not re.search(r"\b_[A-Z]", caught.value.remedy)
