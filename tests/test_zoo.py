"""The teaching models' making: tokenizer, corpus, training, and the checksums of what is shipped."""

import json
from dataclasses import replace
from functools import cache, partial
from random import Random

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

import ctkit as ct
from ctkit import tasks
from ctkit.engine.shipped import data_root
from ctkit.errors import CtkitError
from ctkit.interventions import Reread, Think
from ctkit.zoo import card, corpus, effects, manifest, recipes, score, train
from ctkit.zoo import documents as docs
from ctkit.zoo.tokenizer import END, FastEncoder, corpus_tokens, known_ids, make_tokenizer, unknown_ids

SMALL = recipes.Recipe(
    layers=1, heads=2, width=16, inner=16, steps=6, batch=4, warm_up=2, save_every=3, score_every=100
)


@cache
def tokenizer():
    return make_tokenizer()


def test_every_corpus_word_is_one_token():
    for word in corpus_tokens():
        assert len(tokenizer().encode(word, add_special_tokens=False)) == 1, word
    assert {"The", " The", " key", "key", " 7", "7", "\n", " Answer", ":"} <= set(corpus_tokens())


@settings(max_examples=200, deadline=None)
@given(st.text())
@example("a<|end|>b <|start|>")
@example("  two  spaces\n\n\ttab 12 12345 café 🔑 .")
@example("")
def test_any_text_comes_back_exactly(text):
    ids = tokenizer().encode(text)
    assert ids[0] == tokenizer().bos_token_id
    assert tokenizer().decode(ids[1:]) == text
    assert tokenizer().eos_token_id not in ids


def test_digits_never_join():
    assert tokenizer().convert_ids_to_tokens(tokenizer().encode("127", add_special_tokens=False)) == ["1", "2", "7"]


def test_words_outside_the_corpus_are_marked(tmp_path):
    tokenizer().save_pretrained(tmp_path)
    for each in (tokenizer(), AutoTokenizer.from_pretrained(tmp_path)):
        unknown = unknown_ids(each)
        assert not unknown & set(each.encode("The key is in the box. Where is the key? Answer: box"))
        assert unknown & set(each.encode("The zebra"))
        assert known_ids(each) | unknown == set(range(len(each)))


MIXTURE = docs.Mixture()


def documents(n=400, mixture=MIXTURE):
    random = Random(1)
    return [docs.document(random, mixture, 1.0) for _ in range(n)]


def test_the_fast_encoder_agrees_with_the_tokenizer():
    start, end = tokenizer().bos_token_id, tokenizer().eos_token_id
    encoder = FastEncoder(tokenizer())
    for segments in documents():
        text = "".join(text for text, _ in segments)
        ids, weights = corpus.encode(segments, encoder, start, end)
        assert ids == [*tokenizer().encode(text), end] and len(ids) == len(weights)
        assert len(ids) < SMALL.context


def test_documents_hold_the_exact_forms_that_interventions_write():
    texts = ["".join(text for text, _ in segments) for segments in documents(1500)]
    problem = tasks.get("hunt").generate(0, 2).prompt
    again, think = Reread().edit(problem).text, Think().edit(problem).text
    phrase, thought = again[again.index("\n") :][: len("\nRead the question again:")], think[think.index("Let's") :]
    assert phrase == "\nRead the question again:"
    share = sum(phrase in text for text in texts) / len(texts)
    assert 0.3 < share < 0.5
    assert sum(f"? {thought} " in text for text in texts) / len(texts) > 0.15
    for text in texts:
        if phrase in text:
            first, second = text.split("\n")[0], text.split("\n")[1].removeprefix("Read the question again: ")
            assert second.startswith(first)


def test_loss_weights_are_as_stated():
    for segments in documents():
        assert segments[-1] == docs.END
        for text, weight in segments:
            if text.strip().endswith("?") or "again:" in text or "step by step" in text:
                assert weight == 0.0
        answers = [weight for (before, _), (_, weight) in zip(segments, segments[1:]) if before.endswith("Answer:")]
        assert all(weight == 1.0 for weight in answers)
    contexts = [w for s in documents() for t, w in s[:1] if "is in the" in t]
    assert contexts and set(contexts) == {docs.CONTEXT}


def test_a_broken_step_is_followed_and_weighs_nothing():
    mixture = docs.Mixture(hunt=0.0, sums=1.0, think_sums=1.0, broken=1.0, cut=0.0, reread=0.0)
    followed = 0
    for segments in documents(200, mixture):
        texts = [text.strip() for text, _ in segments]
        asked = texts[1].split()[-1][:-1]
        step = next(text for text in texts[3:] if text.startswith(f"{asked} ="))
        assert segments[-2][0].strip() == step.rstrip(".").split()[-1]
        followed += 0.0 in [weight for text, weight in segments[3:]]
    assert followed == 200 or followed > 150  # a check that is redrawn may come out right


def test_batches_are_fixed_by_their_seed_and_can_begin_anywhere():
    encoder = FastEncoder(tokenizer())
    encode = partial(corpus.encode, encoder=encoder, start=1, end=2)
    plan = recipes.Recipe(
        seed=7, batch=2, steps=70, stages=((0, docs.Mixture()), (64, docs.Mixture(hunt=0.0, sums=1.0)))
    )
    whole = list(corpus.batches(plan, encode))
    later = list(corpus.batches(plan, encode, first=35))
    assert len(whole) == 70 and len(later) == 35
    assert all(torch.equal(a, c) and torch.equal(b, d) for (a, b), (c, d) in zip(whole[35:], later))
    other = next(corpus.batches(replace(plan, seed=8), encode))
    assert not torch.equal(whole[0][0], other[0])
    assert all((weights[ids == 0] == 0).all() for ids, weights in whole)
    the = torch.tensor([encoder.ids["The"], encoder.ids[" The"]])  # a word of hunts, of which the second stage has none
    with_the = [bool(torch.isin(ids, the).any()) for ids, _ in whole]
    assert any(with_the[:64]) and not any(with_the[64:])


def test_a_stopped_run_goes_on_as_if_it_had_not_stopped(tmp_path):
    whole = train.train("tiny", plan=SMALL, run=tmp_path / "a", out=tmp_path / "a-model")
    train.train("tiny", plan=SMALL, run=tmp_path / "b", out=tmp_path / "b-model", until=3)
    assert not (tmp_path / "b-model").exists()
    parts = train.train("tiny", plan=SMALL, run=tmp_path / "b", out=tmp_path / "b-model")
    assert (whole / "model.safetensors").read_bytes() == (parts / "model.safetensors").read_bytes()
    record = json.loads((parts / "train.json").read_text())
    assert record["log"][-1]["step"] == 6 and record["recipe"]["steps"] == 6
    assert (parts / "loss.png").stat().st_size > 1000


def test_another_seed_gives_another_model(tmp_path):
    few = replace(SMALL, steps=2)
    one = train.train("tiny", plan=few, run=tmp_path / "a", out=tmp_path / "a-model")
    two = train.train("tiny", plan=replace(few, seed=1), run=tmp_path / "b", out=tmp_path / "b-model")
    assert (one / "model.safetensors").read_bytes() != (two / "model.safetensors").read_bytes()


def test_the_rate_rises_holds_and_falls():
    plan = recipes.Recipe(steps=1000, warm_up=100, cool_down=0.3)
    rates = [train.rate(step, plan) for step in range(1000)]
    assert rates[0] == 0.01 and rates[100] == rates[699] == 1.0 and 0.01 <= rates[-1] < 0.011
    assert rates[850] == pytest.approx(0.5, abs=0.01)


def test_an_unknown_recipe_is_named():
    with pytest.raises(CtkitError, match="tiny"):
        recipes.recipe("huge")


def test_the_answer_of_a_thought():
    assert score.answer_in("b = 3. Answer: 3") == "3"
    assert score.answer_in("b = 3.") == ""
    assert score.answer_in("Answer: 3\nAnswer: 4") == "3"


def test_shipped_files_are_the_recorded_ones():
    assert manifest.verify() == []
    assert "tiny" in manifest.names()
    assert manifest.model_path("tiny") == data_root() / "models" / "tiny"


def test_a_changed_file_is_reported(tmp_path, monkeypatch):
    folder = tmp_path / "models" / "toy"
    folder.mkdir(parents=True)
    (folder / "card.md").write_text("a")
    manifest.record("toy", {"": "ctkit card toy"}, tmp_path)
    monkeypatch.setattr(manifest, "data_root", lambda: tmp_path)
    assert manifest.verify() == []
    (folder / "card.md").write_text("b")
    (folder / "more").write_text("c")
    assert manifest.verify() == [
        "models/toy/card.md is not the file that 'ctkit card toy' made",
        "models/toy/more is not in the manifest",
    ]
    (folder / "card.md").unlink()
    assert "models/toy/card.md is missing" in manifest.verify()


def test_a_model_that_is_not_in_the_box():
    with pytest.raises(CtkitError, match="huge"):
        manifest.model_path("huge")


def test_the_shipped_tokenizer_is_the_one_that_the_code_makes():
    shipped = AutoTokenizer.from_pretrained(manifest.model_path("tiny"))
    assert shipped.get_vocab() == tokenizer().get_vocab()
    assert shipped.eos_token == END


def test_the_card_agrees_with_the_model():
    """A sample measured again: the same problems, so that only rounding on another machine can move a few."""
    folder = manifest.model_path("tiny")
    told = json.loads((folder / "effects.json").read_text())
    lm = ct.load("tiny")
    for task, difficulty, form in (("hunt", 2, "direct"), ("crowd", 2, "re-read"), ("sums", 2, "direct")):
        problems = [tasks.get(task).generate(told["seed"] + i, difficulty) for i in range(told["n"])]
        cell = next(c for c in told["cells"] if (c["task"], c["difficulty"]) == (task, difficulty))
        found = effects.population(lm, problems, [form])
        assert found.accuracy(form)["accuracy"] == pytest.approx(cell["accuracy"][form]["accuracy"], abs=0.01)
        assert found.shortcuts == pytest.approx(cell["shortcuts"])
    page = (folder / "card.md").read_text()
    assert page == card.page(told, json.loads((folder / "train.json").read_text()))


def test_an_interval_holds_its_share():
    low, high = effects.wilson(50, 100)
    assert low == pytest.approx(0.4038, abs=1e-3)
    assert high == pytest.approx(0.5962, abs=1e-3)
    assert effects.wilson(0, 10)[0] == 0.0
    assert effects.wilson(10, 10)[1] == pytest.approx(1.0)
