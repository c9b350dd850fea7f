"""Probes by layer: what is planted is found, what is dealt out by chance is not, and no text is learned by heart."""

import numpy as np
import pytest
import torch

import ctkit as ct
from ctkit import CtkitError, Knockout, Prompt
from ctkit.measures import depth as module
from ctkit.measures.depth import ConceptDepth, concept_depth
from ctkit.measures.probe import probe_hits
from ctkit.tasks.hunt import THINGS

from .families import N_LAYERS, lm_of

FIRST_HALF = set(sorted(THINGS)[: len(THINGS) // 2])
MOODS = [ct.tasks.get("mood").generate(seed, 1) for seed in range(60)]


def points(text: list, feature: list | None = None) -> torch.Tensor:
    """A random vector for each text; the first number is the feature where one is given."""
    vectors = {t: torch.randn(20, generator=torch.Generator().manual_seed(t)) for t in set(text)}
    x = torch.stack([vectors[t].clone() for t in text])
    if feature is not None:
        x[:, 0] = 4 * torch.tensor(feature, dtype=torch.float)
    return x


def test_a_planted_class_is_read_and_chance_is_not():
    labels = [n % 2 for n in range(120)]
    texts = list(range(120))
    assert probe_hits(points(texts, labels), labels, texts, 5, 0).mean() > 0.95
    assert 0.35 < probe_hits(points(texts), labels, texts, 5, 0).mean() < 0.65


def test_a_text_is_not_learned_by_heart():
    """Each text five times, its label by chance: told apart only by a probe that has met the text."""
    texts = [n // 5 for n in range(150)]
    source = np.random.default_rng(0)
    of_text = source.integers(0, 2, 30)
    labels = [int(of_text[t]) for t in texts]
    x = points(texts)
    assert probe_hits(x, labels, texts, 5, 0).mean() < 0.7
    assert probe_hits(x, labels, list(range(150)), 5, 0).mean() > 0.9, "as if each were a text of its own"


def test_more_features_than_texts_change_nothing():
    """The same vectors with many numbers that are always 0, or turned: the same hits."""
    labels, texts = [n % 2 for n in range(60)], list(range(60))
    x = points(texts, labels)
    wide = torch.cat([x, torch.zeros(60, 200)], dim=1)
    assert (probe_hits(wide, labels, texts, 5, 0) == probe_hits(x, labels, texts, 5, 0)).mean() > 0.95


def test_a_split_without_a_class_is_refused():
    with pytest.raises(CtkitError, match=r"(?s)2 folds.*only one class is left.*more texts"):
        probe_hits(points(list(range(8))), [0] * 4 + [1] * 4, [0] * 4 + [1] * 4, 2, 0)


@pytest.mark.parametrize("family", ["llama", "gpt2", "bloom"])
def test_the_last_letter_is_there_from_the_start(family):
    texts = [f"{number:03d} {letter}" for number in range(20) for letter in "ab"]
    depth = concept_depth(lm_of(family), texts, [text[-1] for text in texts])
    assert len(depth.accuracy) == N_LAYERS + 1 and depth.classes == ("a", "b")
    assert depth.accuracy[0] == 1 and depth.jump is None and depth.selectivity[0] > 0.2
    assert depth.chance == 0.5 and depth.n == 40
    if family == "llama":
        assert concept_depth(lm_of(family), texts, [text[-1] for text in texts]) == depth, "the same seed and numbers"


def test_moods_come_with_the_first_block(lm):
    prompts, labels = [p.prompt for p in MOODS], [p.answer for p in MOODS]
    depth = concept_depth(lm, prompts, labels)
    assert depth.accuracy[0] == pytest.approx(depth.chance, abs=0.06), "the last token is the same in all"
    assert depth.accuracy[1] > 0.9 and depth.jump == 1 / 4
    assert depth.intervals[1][0] > 0.8 > depth.control[1]
    blind = concept_depth(lm, prompts, labels, Knockout(("question", "cue"), "context"))
    assert all(low <= 0.6 for low, _ in blind.intervals), "the last token cannot see the story"
    told = concept_depth(lm, prompts, labels, Knockout(("question", "cue"), "context"), at="context")
    assert told.accuracy[1] > 0.9, "the story's own words know"


def test_labels_dealt_out_by_chance_are_not_read(lm, record_property):
    source = np.random.default_rng(1)
    labels = source.permutation([n % 2 for n in range(60)]).tolist()
    depth = concept_depth(lm, [p.prompt for p in MOODS], labels)
    record_property("measured", f"concept depth, moods with labels by chance:\n{depth}")
    assert all(low <= 0.5 <= high for low, high in depth.intervals[1:])
    assert max(map(abs, depth.selectivity)) < 0.25 and depth.jump is None and depth.converging is None


def test_each_hop_costs_a_block(lm, record_property):
    """Three hops: the thing asked for, the first place, the last place are read one layer after the other."""
    problems = [ct.tasks.get("hunt").generate(seed, 3) for seed in range(150)]
    prompts = [p.prompt for p in problems]
    concepts = {
        "asked": [p.prompt.pieces["question"].split()[-1][:-1] for p in problems],
        "hop 1": [p.steps[0].split()[-1][:-1] for p in problems],
        "answer": [p.answer for p in problems],
    }
    depths = {name: concept_depth(lm, prompts, [w in FIRST_HALF for w in words]) for name, words in concepts.items()}
    for name, depth in depths.items():
        record_property("measured", f"concept depth on hunt, 3 hops, {name}:\n{depth}")
    best = [int(np.argmax(depth.accuracy)) for depth in depths.values()]
    assert best == [1, 2, 4]
    assert depths["hop 1"].intervals[1][0] < 0.6 and depths["answer"].intervals[2][0] < 0.6


def handmade(*right: int) -> ConceptDepth:
    return ConceptDepth(tuple(10 * k for k in right), (500,) * len(right), 1000, 0.5, ("a", "b"))


def test_where_it_jumps_and_where_it_rests():
    depth = handmade(50, 50, 80, 100, 100, 99)
    assert depth.variation == pytest.approx([1, 1.6, 1.25, 1, 0.99])
    assert depth.jump == 2 / 5
    assert depth.converging == 4 / 5, "from there on, not only there: layer 1 was still as well"
    assert handmade(80, 80, 81).jump is None and handmade(80, 80, 81).converging == 1 / 2
    assert handmade(50, 55, 80).converging is None, "it moves until the end"
    assert handmade(50, 55, 80).jump == 1 / 2, "a tenth is enough"
    assert handmade(45, 50, 50).jump is None, "from below chance up to it"
    assert handmade(45, 50, 50).converging is None and handmade(45, 50, 50).told == [False] * 3
    few = ConceptDepth((50, 55, 80), (50,) * 3, 100, 0.5, ("a", "b"))
    assert few.jump == 2 / 2, "55 of 100 may be chance"
    assert handmade(0, 50, 50).variation[0] == float("inf")
    assert depth.selectivity == pytest.approx([0, 0, 0.3, 0.5, 0.5, 0.49])
    lines = str(depth).splitlines()
    assert "80% (77% to 82%)   control 50%   +30 points" in lines[3] and "jump point 0.40" in lines[-1]
    assert "jump point none" in str(handmade(80, 80, 81))


def test_batches_do_not_show(monkeypatch, lm):
    prompts, labels = [p.prompt for p in MOODS[:24]], [p.answer for p in MOODS[:24]]
    whole = module._streams(lm, prompts, ct.Setup(), -1)
    monkeypatch.setattr(module, "TOGETHER", 5)
    torch.testing.assert_close(module._streams(lm, prompts, ct.Setup(), -1), whole, atol=1e-4, rtol=1e-4)
    assert whole.shape == (lm.n_layers + 1, 24, lm.d_model) and len(labels) == 24


def test_what_has_no_depth_is_refused():
    lm = lm_of("llama")
    texts = [f"{n} a" for n in range(12)]
    for wrong, found in (("one", "one text"), (Prompt("one"), "one text"), (texts[:3], "3 texts and 12 labels")):
        with pytest.raises(CtkitError, match=rf"(?s)depth of a concept.*{found}.*the class of each"):
            concept_depth(lm, wrong, [n % 2 for n in range(12)])
    with pytest.raises(CtkitError, match=r"(?s)in 1 folds.*from 2 on"):
        concept_depth(lm, texts, [n % 2 for n in range(12)], folds=1)
    with pytest.raises(CtkitError, match=r"(?s)'0 a' with the labels 0 and 1.*one label"):
        concept_depth(lm, [*texts, "0 a"], [*[n % 2 for n in range(12)], 1])
    with pytest.raises(CtkitError, match=r"(?s)12 distinct texts of class 1.*two classes or more"):
        concept_depth(lm, texts, [1] * 12)
    with pytest.raises(CtkitError, match=r"(?s)9 distinct texts of class False, 3 .*6 distinct texts or more"):
        concept_depth(lm, texts, [n > 8 for n in range(12)])
    with pytest.raises(CtkitError, match=r"(?s)probes at \(\).*no token there"):
        concept_depth(lm, texts, [n % 2 for n in range(12)], at=())
