"""The teaching models' making: tokenizer, corpus, training, and the checksums of what is shipped."""

import json
import re
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
from ctkit.zoo import card, corpus, linear, manifest, masking, recipes, score, train
from ctkit.zoo import documents as docs
from ctkit.zoo.documents import Forms, Part, hunt
from ctkit.zoo.effects import population
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


HUNTS = (Part("hunt", 1.0, Forms(worlds=((2, 2), (3, 3)))),)
EVERY = (*HUNTS, *(Part(task, 0.3, Forms(drill=0.1)) for task in docs.SOURCES if task != "hunt"))


def documents(n=400, mixture=EVERY):
    random = Random(1)
    return [docs.document(random, mixture) for _ in range(n)]


def text_of(document):
    return "".join(segment.text for segment in document.segments)


def encoder():
    return partial(corpus.encode, encoder=FastEncoder(tokenizer()), start=1, end=2)


def test_the_fast_encoder_agrees_with_the_tokenizer():
    for document in documents():
        found = encoder()(document)
        assert found.ids == [*tokenizer().encode(text_of(document)), tokenizer().eos_token_id]
        assert {len(row) for row in found[:4]} == {len(found.ids)}
        assert len(found.ids) < SMALL.context


def test_every_task_is_told():
    """Each task but crowd, which hunts of many facts serve, has documents of its own."""
    assert set(docs.SOURCES) == set(tasks.names()) - {"crowd"}


def test_documents_hold_the_exact_forms_that_interventions_write():
    texts = [text_of(document) for document in documents(1500, HUNTS)]
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
    for document in documents():
        assert document.written[-1] == docs.END
        assert all(segment.weight < 1 for segment in document.asked)
        for text, weight, *_ in document.segments:
            if text.strip().endswith("?") or "again:" in text or "step by step" in text:
                assert weight == 0.0
        before = [segment.text for segment in document.segments]
        answers = [after.weight for cue, after in zip(before, document.segments[1:]) if cue.endswith("Answer:")]
        assert all(weight == 1.0 for weight in answers)
    contexts = [d.asked[0].weight for d in documents(100, HUNTS)]
    assert set(contexts) == {docs.CONTEXT}


def test_questions_about_one_context_are_answered_by_it():
    for document in documents(200, HUNTS):
        told = dict(re.findall(r"The (\w+) is in the (\w+)\.", text_of(document).split("?")[0]))
        for asked, answer in re.findall(r"\?*(Wh[^?]*)\? Answer: (\w+)", text_of(document)):
            thing = asked.split()[-1]
            steps = 1 if asked.startswith("What") else 99
            while thing in told and steps:
                thing, steps = told[thing], steps - 1
            assert thing == answer, asked


def test_a_walk_leads_to_the_end_also_when_it_goes_astray():
    told = [("key", "box"), ("box", "car"), ("cup", "van")]
    for seed in range(50):
        steps = hunt.walk("key", told, Random(seed), Forms(cut=0.0, broken=1.0))
        assert steps[-2].text.strip() in ("car", "van") and 0.0 in [s.weight for s in steps]
        right = hunt.walk("key", told, Random(seed), Forms(cut=0.0, broken=0.0))
        assert [s.text for s in right[:2]] == [" The key is in the box.", " The box is in the car."]


def test_a_broken_step_is_followed_and_weighs_nothing():
    mixture = (Part("sums", 1.0, Forms(think=1.0, broken=1.0, cut=0.0, reread=0.0)),)
    followed = 0
    for document in documents(200, mixture):
        texts = [segment.text.strip() for segment in document.segments]
        asked = texts[1].split()[-1][:-1]
        step = next(text for text in texts[3:] if text.startswith(f"{asked} ="))
        assert texts[-2] == step.rstrip(".").split()[-1]
        followed += 0.0 in [segment.weight for segment in document.written]
    assert followed == 200 or followed > 150  # a check that is redrawn may come out right


def test_a_list_of_numbers_is_asked_for_all_but_one():
    """Look-ups among many, with nothing to be added."""
    for document in documents(200, (Part("sums", 1.0, Forms(think=0.0, reread=0.0, listed=1.0)),)):
        told, asked = text_of(document).split("What", 1)
        values = dict(re.findall(r"(\w) = (\d)\.", told))
        found = re.findall(r"is (\w)\? Answer: (\d)", asked)
        assert 3 <= len(values) <= 8 and len(found) == len(dict(found)) == len(values) - 1
        assert all(values[name] == value for name, value in found) and "+" not in told


def test_what_a_card_says_of_forms_is_counted():
    always, never = (Part("hunt", 1.0, Forms(reread=share, think=share)) for share in (1.0, 0.0))
    assert docs.dressed(always, 20) == {"twice": 1.0, "thought": 1.0}
    assert docs.dressed(never, 20) == {"twice": 0.0, "thought": 0.0}
    assert docs.dressed(Part("people", 1.0, Forms(think=1.0)), 20)["thought"] == 0.0, "people are not thought about"


def test_batches_are_fixed_by_their_seed_and_can_begin_anywhere():
    plan = recipes.Recipe(seed=7, batch=2, steps=70, stages=((0, EVERY), (64, (Part("sums", 1.0),))))
    whole = list(corpus.batches(plan, encoder()))
    later = list(corpus.batches(plan, encoder(), first=35))
    assert len(whole) == 70 and len(later) == 35
    for one, other in zip(whole[35:], later):
        assert all(torch.equal(a, b) for a, b in zip(one[:4], other[:4])) and one.parts == other.parts
    assert not torch.equal(whole[0].ids, next(corpus.batches(replace(plan, seed=8), encoder())).ids)
    assert all((batch.weights[batch.ids == 0] == 0).all() for batch in whole)
    ids = FastEncoder(tokenizer()).ids
    the = torch.tensor([ids["The"], ids[" The"]])  # words that the second stage does not have
    with_the = [bool(torch.isin(batch.ids, the).any()) for batch in whole]
    assert any(with_the[:64]) and not any(with_the[64:])


def test_what_is_foreseen_is_the_next_token_but_at_a_slot():
    slots = 0
    for document in documents(300):
        found = encoder()(document)
        own = [i for i, (target, after) in enumerate(zip(found.targets, [*found.ids[1:], 2])) if target != after]
        slots += len(own)
        assert all(tokenizer().decode(found.ids[i]) == " _" for i in own)
        assert all(tokenizer().decode(found.targets[i]) in (" again", " last") for i in own)
        assert all(found.weights[i] == corpus.SLOT and not found.leaky[i] for i in own)
    assert slots > 50


def one_batch(mixture=EVERY, n=8):
    return corpus.padded([encoder()(document) for document in documents(n, mixture)])


def test_a_mask_in_training_opens_the_asked_part_and_asks_for_nothing_it_shows():
    batch = one_batch(HUNTS)
    mask, weights, _ = masking.masked(batch, (("bidirectional", 1.0),), Random(0))
    for row, parts in enumerate(batch.parts):
        end = parts[-1]
        assert mask[row, 0, :end, :end].all() and torch.equal(
            mask[row, 0, end:], torch.ones_like(mask[row, 0]).tril()[end:]
        )
        assert not mask[row, 0, :end, end:].any()
        assert (weights[row, : end - 1] == 0).all() and torch.equal(
            weights[row, end - 1 :], batch.weights[row, end - 1 :]
        )
        assert batch.weights[row, end - 1] == 1.0  # the answer's first token, foreseen from the cue


def test_a_prefix_in_training_ends_with_a_piece():
    batch, ends = one_batch(HUNTS), set()
    for seed in range(30):
        mask, weights, _ = masking.masked(batch, (("prefix", 1.0),), Random(seed))
        open_ = [int((mask[0, 0] & ~torch.ones_like(mask[0, 0]).tril()).any(1).sum())]
        end = open_[0] + 1
        assert end in batch.parts[0][-3:]
        assert (weights[0, : end - 1] == 0).all() and (weights[0, end - 1 :] == batch.weights[0, end - 1 :]).all()
        ends.add(end)
    assert ends == set(batch.parts[0][-3:])  # the context's end, the question's, the cue's


def test_other_masks_in_training():
    batch = one_batch()
    assert masking.masked(batch, (("causal", 1.0),), Random(0))[:2] == (None, batch.weights)
    mask, weights, _ = masking.masked(batch, (("window", 1.0),), Random(0))
    near = mask[0, 0].sum(1)
    assert near.max() in masking.SIZES and near[0] == 1 and not mask[0, 0].triu(1).any() and weights is batch.weights
    with pytest.raises(CtkitError, match="prefix, bidirectional"):
        masking.masked(batch, (("sideways", 1.0),), Random(0))


def hints_of(document, shares):
    """What is hinted at under a mask: the word at the position → the hinted word, in the order of the text."""
    batch = corpus.padded([encoder()(document)])
    hints = masking.masked(batch, shares, Random(0)).hints[0]
    return [
        (tokenizer().decode(batch.ids[0, i]).strip(), tokenizer().decode(hints[i]).strip()) for i in hints.nonzero()
    ]


def test_hints_tell_the_next_place_and_only_where_it_can_be_known():
    random = Random(0)
    for twice in (0.0, 1.0):
        for document in [hunt.document(random, Forms(worlds=((2, 3),), reread=twice, think=0.0)) for _ in range(20)]:
            text = text_of(document)
            told = dict(re.findall(r"The (\w+) is in the (\w+)\.", text.split("?")[0]))
            asked = [told[thing] for thing in re.findall(r"(?:Where is|What holds) the (\w+)\? Answer:", text)]
            places = [(place, told[place]) for place in told.values() if place in told]
            answers = [(":", place) for place in asked]
            causal, open_ = (hints_of(document, shares) for shares in (recipes.CAUSAL, (("bidirectional", 1.0),)))
            assert causal == (places + answers if twice else answers)
            assert open_ == places * (2 if twice else 1) + answers
            assert hints_of(document, (("window", 1.0),)) == []


def test_a_block_more_starts_as_a_copy_of_the_last():
    model = train.make_model(SMALL, tokenizer())
    larger = train.grown(model)
    assert larger.config.num_hidden_layers == 2 and model.config.num_hidden_layers == 1
    old, new = model.state_dict(), larger.state_dict()
    assert all(torch.equal(new[name], old[name.replace("layers.1", "layers.0")]) for name in new)
    new["model.layers.1.mlp.up_proj.weight"].zero_()
    assert larger.model.layers[0].mlp.up_proj.weight.abs().sum() > 0


def test_a_run_that_grows_can_be_stopped_before_and_after(tmp_path):
    plan = replace(SMALL, grown=(3,), save_every=1)
    whole = train.train("tiny", plan=plan, run=tmp_path / "a", out=tmp_path / "a-model")
    for until in (3, 4, None):
        parts = train.train("tiny", plan=plan, run=tmp_path / "b", out=tmp_path / "b-model", until=until)
    assert (whole / "model.safetensors").read_bytes() == (parts / "model.safetensors").read_bytes()
    assert json.loads((whole / "config.json").read_text())["num_hidden_layers"] == 2


def test_quick_linear_layers_give_the_same_sums():
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(24, 40, bias=False), torch.nn.Linear(40, 8, bias=False))
    x = torch.randn(3, 5, 24, requires_grad=True)
    results = []
    for each in (linear.slow_again(model), linear.quicken(model), linear.slow_again(model)):
        x.grad = model[0].weight.grad = None
        y = each(x)
        y.square().sum().backward()
        results.append((y.detach(), x.grad, model[0].weight.grad))
    for other in results[1:]:
        assert all(torch.allclose(a, b, atol=1e-4) for a, b in zip(results[0], other))
    assert all(torch.equal(a, b) for a, b in zip(results[0], results[2]))


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
    grown = replace(plan, grown=(400,), peaks=((0, 1.0), (400, 0.5)))
    assert train.rate(399, grown) == 1.0 and train.rate(400, grown) == 0.005 and train.rate(500, grown) == 0.5


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


@pytest.mark.parametrize("name", ["tiny", "tiny-anymask"])
def test_the_card_agrees_with_the_model(name):
    """A sample measured again: the same problems, so that only rounding on another machine can move a few."""
    folder = manifest.model_path(name)
    told = json.loads((folder / "effects.json").read_text())
    lm = ct.load(name)
    for task, difficulty, form in (("hunt", 2, "direct"), ("crowd", 2, "re-read"), ("sums", 2, "direct")):
        problems = [tasks.get(task).generate(told["seed"] + i, difficulty) for i in range(told["n"])]
        row = next(
            c
            for c in told["population"]
            if (c["task"], c["difficulty"], c["order"][:3]) == (task, difficulty, "any")
            or (c["task"], c["difficulty"], c["order"]) == (task, difficulty, "")
        )
        found = population.population(lm, problems, [form])
        assert found.accuracy(form)["accuracy"] == pytest.approx(row["accuracy"][form]["accuracy"], abs=0.01)
        assert found.shortcuts == pytest.approx(row["shortcuts"])
    assert (folder / "card.md").read_text() == card.text(folder)


def test_an_interval_holds_its_share():
    low, high = population.wilson(50, 100)
    assert low == pytest.approx(0.4038, abs=1e-3)
    assert high == pytest.approx(0.5962, abs=1e-3)
    assert population.wilson(0, 10)[0] == 0.0
    assert population.wilson(10, 10)[1] == pytest.approx(1.0)
