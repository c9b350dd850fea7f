"""Masks and texts from a stranger's setup: each is made, or refused in words; nothing else ever comes out."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ctkit as ct
from ctkit import CtkitError, Setup

from .engine_fixtures import PROMPT
from .families import lm_of

MADE_UP = {
    "documents that are a number": '[{"intervention": "Permute", "documents": 3}]',
    "documents in documents": '[{"intervention": "Permute", "documents": [["a"]]}]',
    "an order of nothing": '[{"intervention": "Permute", "documents": "a", "order": null}]',
    "no documents": '[{"intervention": "Permute"}]',
    "half a distance": '[{"intervention": "Permute", "documents": "a", "distance": 0.5}]',
    "a code that is a number": '[{"intervention": "MaskGroups", "code": 1000}]',
    "a code without end": '[{"intervention": "MaskGroups", "code": "' + "01" * 2000 + '"}]',
    "groups of another kind": '[{"intervention": "MaskGroups", "code": "10", "kind": ["os.system", "ls"]}]',
    "an echo of nothing": '[{"intervention": "Echo", "ask": 5}]',
    "a prefix that is none": '[{"intervention": "FixedPrefix", "text": null}]',
    "a split of nothing": '[{"intervention": "Split", "piece": ["a"]}]',
    "waits without end": '[{"intervention": "Think", "waits": 1000000000}]',
    "a budget in words": '[{"intervention": "Think", "budget": "ten"}]',
    "a painted mask too large": '[{"intervention": "Mask", "kind": ["painted", "9999:99980001"]}]',
    "a painted mask too small": '[{"intervention": "Mask", "kind": ["painted", "9:1"]}]',
    "a painted mask of nothing": '[{"intervention": "Mask", "kind": ["painted", {"a": 1}]}]',
    "a cell of one": '[{"intervention": "Mask", "kind": ["cells", [1]]}]',
    "a segment that is none": '[{"intervention": "Mask", "kind": ["parallel", null]}]',
    "sinks without a number": '[{"intervention": "Mask", "kind": ["sinks"]}]',
    "pieces that are none": '[{"intervention": "Mask", "kind": "parallel", "pieces": {"a": 1}}]',
    "one of two pieces": '[{"intervention": "Mask", "kind": "mutual", "pieces": ["a"]}]',
    "pairs and layers": '[{"intervention": "Knockout", "queries": 0, "keys": 0, "heads": [[0, 1]], "layers": [0]}]',
}
values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 2**70) | st.floats() | st.text("ab01:, é", max_size=4)
    | st.sampled_from(["context", "question", "random", "distance", "mutual", "parallel", "suppress", "sinks", "101"]),
    lambda v: st.lists(v, max_size=3),
    max_leaves=4,
)  # fmt: skip
fields = ["kind", "pieces", "size", "sinks", "code", "documents", "order", "gold", "distance", "seed", "piece", "text"]
fields += ["ask", "phrase", "waits", "budget", "wait", "cue", "queries", "keys", "heads", "layers", "until"]
kinds = ["Mask", "MaskGroups", "Knockout", "Permute", "Split", "Echo", "FixedPrefix", "Think", "Emphasize"]
ops = ["painted", "cells", "parallel", "mutual", "suppress", "sinks", "prefix", "not", "and"]


@pytest.mark.parametrize("case", MADE_UP)
def test_what_no_setup_wrote_is_refused(case):
    with pytest.raises(CtkitError) as caught:
        Setup.from_json(MADE_UP[case])
    assert caught.value.found and caught.value.remedy and len(str(caught.value)) < 1500


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(kinds), st.dictionaries(st.sampled_from(fields), values, max_size=4))
def test_any_data_makes_a_setup_or_an_error_in_words(name, given_fields):
    with suppress(CtkitError):  # and nothing else
        setup = Setup.from_data([{"intervention": name} | given_fields])
        ct.run(lm_of("llama"), PROMPT, setup)
        assert Setup.from_json(setup.to_json()) == setup


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(ops), st.lists(values, max_size=3))
def test_any_rule_is_made_or_refused_in_words(op, arguments):
    with suppress(CtkitError):
        setup = Setup.from_data([{"intervention": "Mask", "kind": ["or", [op, *arguments], ["causal"]]}])
        ct.run(lm_of("llama"), PROMPT, setup)
        assert Setup.from_json(setup.to_json()) == setup
