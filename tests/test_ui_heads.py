"""Attention of long texts in a view: small pictures at once, one head when it is asked for, never too many bytes."""

import json

import numpy as np
import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

import ctkit as ct
from ctkit import CtkitError
from ctkit.ui import look as looking
from ctkit.ui.cells import Pooling, even_edges, in_cells, joined_edges, mask_in_cells
from ctkit.ui.frame import frame_of
from ctkit.ui.heads import MOST_CELLS, head_of, most_changed, overview_of
from ctkit.ui.look import look
from ctkit.ui.static_view import figure_of
from ctkit.ui.units import sentence_starts, word_starts

from .families import TOKENIZER
from .test_ui import unpacked

STEP = 0.5 / 255 + 3e-4  # half a step of a byte, and what half precision rounds


@pytest.fixture(scope="module")
def wide():
    """As many blocks and heads as GPT-2, but narrow."""
    torch.manual_seed(0)
    config = GPT2Config(vocab_size=259, n_positions=1100, n_embd=96, n_layer=12, n_head=12, initializer_range=0.3)
    return ct.wrap(GPT2LMHeadModel(config).eval(), TOKENIZER)


def prompt_of(tokens: int) -> ct.Prompt:
    return ct.Prompt(("The key is in the box. The cup is in the jar.\n" * 100)[:tokens])  # a byte is a token


def size_of(value) -> int:
    """Bytes of a message: buffers as they are, the rest as JSON."""
    if isinstance(value, memoryview):
        return value.nbytes
    if isinstance(value, dict):
        return sum(size_of(v) + len(k) + 4 for k, v in value.items())
    return len(json.dumps(value))


@pytest.mark.parametrize("setup", [ct.Setup(), ct.Setup([ct.Mask("prefix")]), ct.Setup([ct.Reread()])])
def test_the_first_picture_of_512_tokens_and_144_heads_is_less_than_a_megabyte(wide, setup, record_property):
    prompt = prompt_of(512)
    before = look(wide, prompt, ct.Setup())
    assert len(before.trace.ids) == 512
    after = look(wide, prompt, setup, before) if len(setup) else None
    frame, heads = size_of(frame_of(wide, before, after, setup)), []
    for run in filter(None, (before, after)):
        n = len(run.trace.ids)
        edges = list(range(n + 1)) if n <= MOST_CELLS else list(even_edges(n, MOST_CELLS))
        heads.append(size_of(head_of(run, 3, 4, edges)))
    record_property("measured", f"512 tokens x 144 heads, {setup.to_code()}: frame {frame:,} B, head {heads} B")
    assert frame + sum(heads) <= 1_000_000
    assert max(heads) <= 300_000


@pytest.mark.parametrize("kept", [True, False])
def test_a_head_on_demand_has_the_weights_of_the_run(wide, kept, monkeypatch):
    monkeypatch.setattr(looking, "MOST_KEPT", 10**9 if kept else 0)
    setup = ct.Setup([ct.Mask("window", size=40), ct.Knockout([20], [3], heads=[5], layers=[7])])
    run = look(wide, prompt_of(90), setup, look(wide, prompt_of(90), ct.Setup()))
    assert (run.kept is not None) == kept and not run.whole
    found = head_of(run, 7, 5, list(range(91)))
    assert np.abs(unpacked(found["weights"]) / 255 - run.trace.attention(7, 5).numpy()).max() <= STEP
    assert np.array_equal(unpacked(found["allowed"]), run.trace.allowed(7)[5].numpy())
    assert not unpacked(found["allowed"])[20, 3]


def test_cells_average_what_reads_and_sum_what_is_read(wide):
    run = look(wide, prompt_of(90), ct.Setup())
    edges, whole = [0, 1, 7, 30, 31, 90], run.trace.attention(2, 3)
    found = unpacked(head_of(run, 2, 3, edges)["weights"]) / 255
    for i in range(5):
        for j in range(5):
            part = whole[edges[i] : edges[i + 1], edges[j] : edges[j + 1]]
            assert abs(found[i, j] - float(part.sum(1).mean())) <= STEP
    assert np.allclose(found.sum(1), 1, atol=5 * STEP)
    allowed = torch.ones(90, 90, dtype=torch.bool).tril(-40)
    pooled = mask_in_cells(allowed, tuple(edges))
    for i in range(5):
        for j in range(5):
            assert bool(pooled[i, j]) == bool(allowed[edges[i] : edges[i + 1], edges[j] : edges[j + 1]].any())


def test_a_short_text_in_cells_is_the_text_itself():
    weights = torch.rand(6, 6)
    assert in_cells(weights, tuple(range(7))) is weights
    assert even_edges(1, 64) == (0, 1) and even_edges(3, 64) == (0, 1, 2, 3)
    assert even_edges(200, 64)[:2] == (0, 1) and len(even_edges(200, 64)) == 65


def test_the_ranking_is_that_of_the_whole_weights_in_the_same_cells(wide):
    setup = ct.Setup([ct.Reread(), ct.Knockout([40], [2], heads=[3], layers=[4])])
    prompt = prompt_of(60)
    before = look(wide, prompt, ct.Setup())
    after = look(wide, prompt, setup, before)
    found, pair = overview_of(before, after), ct.compare(before.trace, after.trace)
    assert len(before.pooling.own) == 61, "each token is a cell of its own, so that the whole can be compared"
    for layer, head in [(0, 0), (4, 3), (11, 11)]:
        difference, new = pair.attention_difference(layer, head), pair.new_weight(layer, head)
        change = (difference.nan_to_num().abs().sum(1) + new).mean() / 2
        assert found["change"][12 * layer + head] == pytest.approx(float(change), abs=1e-4)
        hidden = (difference[:, 1:].nan_to_num().abs().sum(1) + new).mean() / 2
        assert found["change_hidden"][12 * layer + head] == pytest.approx(float(hidden), abs=1e-4)
    assert most_changed(before, after) == divmod(int(np.argmax(found["change"])), 12)


def test_small_pictures_are_pooled_weights(wide):
    run = look(wide, prompt_of(90), ct.Setup())
    small = overview_of(run, None)
    picture = unpacked(small["before"])
    assert picture.shape[:2] == (12, 12) and picture.shape[2] == picture.shape[3] <= 64
    whole = run.trace.attention(5, 6)
    assert abs(picture[5, 6, -1, 0] / 255 - float(whole[-2:, 0].mean())) < 0.02, "the first token is a column"
    assert np.allclose(picture[5, 6].sum(1) / 255, 1, atol=0.1)
    assert small["change"] == [] and len(small["interest"]) == 144


@pytest.mark.parametrize("wrong", [[0, 5], [0, 5, 3, 90], [1, 90], [0, 4.5, 90], "all", None, list(range(90))])
def test_edges_that_are_none_are_refused(wide, wrong):
    run = look(wide, prompt_of(90), ct.Setup())
    with pytest.raises(CtkitError, match="edges"):
        head_of(run, 0, 0, wrong)


def test_heads_and_sizes_that_are_none_are_refused(wide):
    run = look(wide, prompt_of(700), ct.Setup())
    with pytest.raises(CtkitError, match="12 of them"):
        head_of(run, 12, 0, [0, 700])
    with pytest.raises(CtkitError, match="12 of them"):
        head_of(run, 0, True, [0, 700])
    with pytest.raises(CtkitError, match="700 cells"):
        head_of(run, 0, 0, list(range(701)))


def test_a_pooling_beside_another_run_is_that_run_where_nothing_changed():
    weights = torch.rand(2, 9, 9)
    own, aligned = (p := Pooling.of((0, 1, 4, 9), (0, 1, 4, 9), range(9), range(9))).split(p(weights))
    torch.testing.assert_close(aligned[..., :-1], own)
    assert not aligned[..., -1].any(), "nothing is new"


def test_a_pooling_of_the_same_text_is_that_of_any_text():
    """What is quick where nothing moved gives what the general way gives."""
    weights, edges = torch.rand(2, 9, 9), (0, 1, 4, 9)
    quick = Pooling.of(edges, edges, range(9), range(9))
    general = Pooling.of((0, 2, 9), edges, range(9), range(9))
    assert quick.same and not general.same
    torch.testing.assert_close(quick.split(quick(weights))[1], general.split(general(weights))[1])
    assert quick.there.tolist() == general.there.tolist()


def test_every_head_is_at_hand_after_one_run(wide, monkeypatch):
    """A text whose weights fill no memory: the view's first cut comes with the run, another one with one run more."""
    monkeypatch.setattr(looking, "MOST_KEPT", 0)
    passes, whole = [], looking.traces
    monkeypatch.setattr(looking, "traces", lambda *asked, **more: passes.append(1) or whole(*asked, **more))
    run = look(wide, prompt_of(600), ct.Setup())
    first = joined_edges(600, [0], MOST_CELLS)
    assert first[:3] == (0, 2, 4) and first[-1] == 600 and run.kept is None
    for layer, head in [(0, 0), (5, 7), (11, 11)]:
        found = unpacked(head_of(run, layer, head, list(first))["weights"]) / 255
        whole_head = in_cells(run.trace.attention(layer, head), first).numpy()
        assert np.abs(found - whole_head).max() <= STEP
    assert len(passes) == 1
    for layer, head in [(3, 3), (4, 4)]:
        head_of(run, layer, head, [0, 100, 600])
    assert len(passes) == 2


def test_cells_begin_anew_with_each_piece():
    assert joined_edges(6, [0, 4], 9) == (0, 1, 2, 3, 4, 5, 6)
    assert joined_edges(7, [0, 3], 4) == (0, 2, 3, 5, 7)
    assert joined_edges(7, [0, 1, 2], 2) == (0, 7), "more pieces than cells"


def test_a_view_answers_for_a_head_beside_its_other_work(wide):
    view = ct.AttentionView(wide, prompt_of(300), ct.Mask("prefix"))
    assert view.wait(120) and view.frame["heads"] is not None and view.before["attention"] is None
    view._told(
        view, {"type": "head", "layer": 1, "head": 2, "side": "after", "key": "word", "edges": [0, 100, 300]}, []
    )
    assert view.wait(60)
    detail = view.detail
    assert (detail["layer"], detail["head"], detail["side"], detail["key"]) == (1, 2, "after", "word")
    assert detail["seq"] == view.frame["seq"] and detail["weights"]["shape"] == [2, 2]
    view._told(view, {"type": "head", "layer": 99, "head": 2, "side": "after", "key": "word", "edges": [0, 300]}, [])
    assert view.wait(60) and "layer 99" in view.error["asked"] and view.detail == detail
    assert view._repr_mimebundle_()[0]["image/png"].startswith("iVBOR")


def test_words_and_sentences_of_a_text(lm):
    prompt = ct.Prompt(context="The key isn't here. It costs 3.5.\nThe cup is.", question="Where?", cue="Answer:")
    enc = ct.run(lm, prompt, ct.Reread()).encoding

    def texts(starts):
        return ["".join(enc.tokens[a:b]).strip() for a, b in zip(starts, [*starts[1:], len(enc)], strict=True)]

    once = ["The key isn't here.", "It costs 3.5.", "The cup is.", "Where?"]
    assert texts(sentence_starts(enc))[1:] == [*once, "Read the question again:", *once, "Answer:"]
    words = ["The", "key", "isn't", "here", ".", "It", "costs", "3.5", ".", "The", "cup", "is", ".", "Where", "?"]
    assert texts(word_starts(enc))[1:16] == words


def test_a_question_of_an_older_picture_is_let_go(lm):
    """A flip came first: its text may have another number of tokens, so the answer would be of no picture on show."""
    view = ct.AttentionView(lm, "The key is in the box.")
    assert view.wait(60)
    old = view.detail
    view._told(view, {"type": "head", "seq": view._shown[0] - 1, "layer": 0, "head": 0, "edges": [0, 7]}, [])
    assert view.wait(60) and view.detail == old and view.error is None


def test_the_run_before_of_a_long_text_is_not_run_again(wide, monkeypatch):
    """It takes as long as the other; of two long texts only the newest is kept."""
    ran = []
    monkeypatch.setattr(looking, "look", lambda lm, *asked: ran.append(asked[1].to_code()) or look(lm, *asked))
    runs, [one, other] = looking.Looks(), [prompt_of(100), prompt_of(90)]
    nothing = ct.Setup()
    before, _ = runs.both(wide, one, nothing, nothing)
    for setup in (ct.Setup([ct.Mask("prefix")]), ct.Setup([ct.Mask("window", size=4)])):
        assert runs.both(wide, one, setup, nothing)[0] is before
    assert len(ran) == 3
    runs.both(wide, other, nothing, nothing)
    assert runs.both(wide, one, nothing, nothing)[0] is not before


def test_a_still_picture_of_a_long_text_has_few_shapes(wide):
    """A shape for each row of the mask takes long to draw."""
    before = look(wide, prompt_of(1000), ct.Setup())
    for ax in figure_of(before, None).axes[:2]:
        assert len(ax.patches) == 1 and ax.images[0].get_array().size <= 512**2
