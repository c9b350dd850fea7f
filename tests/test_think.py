"""Thinking for longer or shorter: what is written in place of an ending, read off the thought alone."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ctkit as ct
from ctkit import CtkitError, Prompt, Setup, Think
from ctkit.engine.branches import Trunks
from ctkit.engine.draft import write_drafted
from ctkit.engine.generate import generate_many

from .engine_fixtures import PROMPT
from .families import lm_of

END = "<end>"
ASKED = Prompt(question="Who?", cue="Answer:")
words = st.sampled_from([" It", " is", " Ann", ".", " A", "\n", " Wait", ",", " Answer", ":", " Answer:", END])


def written(think: Think, tokens: list[str], prompt: Prompt = ASKED, most: int = 200) -> str:
    """What comes out where a model would write these tokens, whatever stands before them, and then end again and again:
    after each token it is asked, and what it is told takes the place of the token and of what is not kept before it."""
    text, rest, calls = "", list(tokens), 0
    while calls < most:
        calls += 1
        token = rest.pop(0) if rest else END
        ended = token == END
        said = think.goes_on(prompt, text if ended else text + token, ended)
        if said is None and ended:
            return text
        whole = text if ended else text + token
        if said is None:
            text = whole
        else:
            kept = think.keeps(prompt, whole, ended)
            text = (kept if text.startswith(kept) else text) + said
    raise AssertionError("it never ends")


def test_a_thought_is_left_alone_without_waits_and_budget():
    assert written(Think(), [" It", " is", " Ann", ".", " Answer", ":", " Ann"]) == " It is Ann. Answer: Ann"
    assert written(Think(on=False, waits=3, budget=1), [" It", " is", END]) == " It is"
    assert Think().waits == 0 and Think().budget is None


def test_wait_stands_in_place_of_the_cue_and_of_the_end():
    thought = [" It", " is", " Ann", ".", " Answer", ",", " or", " Bob", ".", " Answer", ":", " Bob"]
    assert written(Think(waits=1), thought) == " It is Ann. Wait, or Bob. Answer: Bob"
    assert written(Think(waits=2), [" Ann", ".", END, " Bob", ".", END, " Cid", "."]) == " Ann. Wait Bob. Wait Cid."
    assert written(Think(waits=1, wait="Hmm"), [" Ann", ".", " Answer:", " Bob", "."]) == " Ann. Hmm Bob."
    assert written(Think(waits=1), [" An", "swers"]) == " Answers Wait", "no cue"


def test_waits_that_stand_in_the_thought_are_spent():
    assert Think(waits=1).goes_on(ASKED, "Ann. Wait, Bob.", True) is None
    assert Think(waits=2).goes_on(ASKED, "Ann. Wait, Bob.", True) == " Wait"
    assert Think(waits=1).goes_on(ASKED, "Ann. Waiting, Bob.", True) == " Wait", "another word"
    assert Think(waits=1).goes_on(ASKED, "Ann. Answer: Wait", True) is None, "the answer is no thought"


def test_a_budget_puts_the_cue_behind_so_many_words():
    thought = [" It", " is", " Ann", ".", " Or", " Bob", ".", END]
    for budget, expected in ((0, " Answer:"), (2, " It is Answer:"), (3, " It is Ann. Answer:")):
        assert written(Think(budget=budget), thought).startswith(expected)
        assert Think(budget=budget).goes_on(ASKED, expected, False) is None
    assert written(Think(budget=5), thought) == " It is Ann. Or Bob. Answer:", "an end at the budget is no answer"
    assert written(Think(budget=6), thought) == " It is Ann. Or Bob."
    assert written(Think(budget=2, waits=5), thought).startswith(" It is Answer:"), "the budget goes before the waits"
    for text in (" It is Answer:", " It is", " It is Answer"):
        assert Think(budget=2, waits=5).goes_on(ASKED, text, False) is None, "spent: no wait in place of the cue"
    own = [" It", " is", " Answer", ":", " Ann"]
    assert written(Think(budget=2), own) == " It is Answer: Ann", "the model's own cue"


def test_the_cue_is_the_prompts_own():
    asked = Prompt(question="Who?", cue="So it is")
    assert Think(budget=1).goes_on(asked, "It was", False) == " So it is"
    assert Think(waits=1).goes_on(asked, "Ann. So it is", False) == " Wait", "a longer cue, when it is complete"
    assert Think(waits=1).goes_on(asked, "Ann. So it", False) is None
    assert Think(budget=1).goes_on(Prompt("Who?"), "It was", False) == " Answer:"
    assert Think(budget=1, cue="Thus:").goes_on(asked, "It was", False) == " Thus:"


@settings(max_examples=300, deadline=None)
@given(st.lists(words, max_size=30), st.integers(0, 4), st.none() | st.integers(0, 8))
def test_it_always_comes_to_an_end(tokens, waits, budget):
    think = Think(waits=waits, budget=budget)
    text = written(think, tokens)
    thought, cue, _ = text.partition("Answer:")
    own = "".join(token for token in tokens if token != END).count("Wait")
    assert thought.count("Wait") <= waits + own
    if budget is not None:
        assert len(thought.split()) <= budget + 1, (
            "one more only where it could have become the cue, and then that came"
        )
        assert cue or len(thought.split()) < budget
    plain = written(Think(), tokens)
    if not waits and budget is None:
        assert text == plain


def test_a_phrase_and_waits_survive_their_round_trip():
    setup = Setup([Think(waits=2, wait="Hmm", budget=40, cue="So:")])
    assert Setup.from_json(setup.to_json()) == setup == eval(setup.to_code(), {"ct": ct})
    assert setup.to_code() == "ct.Setup([ct.Think(waits=2, wait='Hmm', budget=40, cue='So:')])"
    assert setup.goes_on(PROMPT, "Ann.", True) == " Hmm"
    assert Setup([Think()]).goes_on(PROMPT, "Ann.", True) is None


@pytest.mark.parametrize(
    "wrong", [{"waits": -1}, {"waits": 1.5}, {"waits": True}, {"waits": 101}, {"wait": " "}, {"wait": 3}]
)
def test_what_cannot_be_waited_is_refused(wrong):
    with pytest.raises(CtkitError, match=r"(?s)Think\(waits=.*waits=0 \(none\)"):
        Think(**wrong)


@pytest.mark.parametrize("wrong", [{"budget": -1}, {"budget": "3"}, {"budget": 2.0}, {"cue": ""}, {"cue": 5}])
def test_what_is_no_budget_or_cue_is_refused(wrong):
    with pytest.raises(CtkitError, match=r"Think\((budget|cue)="):
        Think(**wrong)


def test_a_cue_of_several_tokens_is_taken_back_whole():
    asked = Prompt(question="Who?", cue="So it is")
    assert written(Think(waits=1), [" Ann", ".", " So", " it", " is", " Bob", "."], asked) == " Ann. Wait Bob."
    split = Prompt(question="Who?", cue="Answer:")
    assert written(Think(waits=1), [" Ann", ".", " An", "swer", " Bob", "."], split) == " Ann. Wait Bob."
    assert written(Think(budget=2), [" It", " is", " An", "other", " one"]) == " It is Answer: one"
    assert Think(waits=1).keeps(asked, "Ann.\nSo it is", False) == "Ann.\n"
    assert Think(waits=1).keeps(asked, "Ann. ", True) == "Ann. ", "an end takes nothing back"


@pytest.mark.parametrize("cache", ["dynamic", "static", "none"])
def test_a_model_writes_on_from_where_its_cue_began(cache):
    """What it would write anyway ("The car is …") as a cue of several tokens: that is taken back, and the text is the
    one that the same model writes behind the prompt, the thought and the word, read afresh."""
    lm, problem = ct.load(), ct.tasks.get("hunt").generate(0, 3)
    plain = ct.generate(lm, problem.prompt, Think(), max_new_tokens=60)
    first, second = plain.steps[:2]
    cue = " ".join(second.split()[:3])
    assert len(lm.tokenizer(f" {cue}", add_special_tokens=False)["input_ids"]) > 1 and plain.text.count(cue) == 1
    held = ct.generate(lm, problem.prompt, Think(waits=1, cue=cue), max_new_tokens=60, cache=cache)
    assert held.text.startswith(f" {first} Wait") and held.text.count("Wait") == 1
    start = problem.prompt.then(thought=f"{first} Wait")
    fresh = ct.generate(lm, start, Think(), max_new_tokens=60 - len(held.tokens[: held.text.index("Wait")]))
    behind = held.text.partition("Wait")[2]
    assert behind and (behind.startswith(fresh.text) or fresh.text.startswith(behind))
    assert len(held.logits) == held.n_written and held.stopped == "end"
    again = ct.run(lm, problem.prompt.then(thought=held.text.strip()), Think())
    assert held.trace.ids == again.ids


def test_writing_along_a_guess_takes_it_back_too():
    lm, problem = ct.load(), ct.tasks.get("hunt").generate(0, 3)
    plain = ct.generate(lm, problem.prompt, Think(), max_new_tokens=60)
    cue = " ".join(plain.steps[1].split()[:3])
    for waits in (1, 2):
        think = Think(waits=waits, cue=cue)
        held = ct.generate(lm, problem.prompt, think, max_new_tokens=60)
        trunks = Trunks(lm, think)
        guess = problem.prompt.then(thought=plain.text.strip())
        [drafted] = write_drafted(trunks, [problem.prompt], [guess], until="Answer:", max_new_tokens=60)
        assert trunks.shares and drafted.text == held.text.partition("Answer:")[0] and "Wait" in drafted.text


def test_what_is_taken_back_changes_no_neighbour_and_no_dice():
    lm, problem = ct.load(), ct.tasks.get("hunt").generate(0, 3)
    cue = " ".join(ct.generate(lm, problem.prompt, Think(), max_new_tokens=60).steps[1].split()[:3])
    held, other = Setup([Think(waits=2, cue=cue)]), Setup([Think()])
    options = {"max_new_tokens": 50, "temperature": 1.2}
    many = generate_many(lm, [(problem.prompt, held), (problem.prompt, other)], seed=[4, 7], **options)
    for written, setup, seed in zip(many, (held, other), (4, 7), strict=True):
        alone = ct.generate(lm, problem.prompt, setup, seed=seed, **options)
        assert written.ids == alone.ids and written.stopped == alone.stopped
    greedy = generate_many(lm, [(problem.prompt, held)] * 2, max_new_tokens=12)
    assert greedy[0].ids == greedy[1].ids and greedy[0].n_written == 12 and greedy[0].stopped == "length"


def test_a_prompt_reads_the_same_with_and_without():
    assert Think(waits=3, budget=5).edit(PROMPT) == Think().edit(PROMPT)
    lm = lm_of("llama")
    assert ct.run(lm, PROMPT, Think(waits=3)).logits.equal(ct.run(lm, PROMPT, Think()).logits)


def test_a_model_that_generates_is_held_to_it():
    lm, problem = ct.load(), ct.tasks.get("hunt").generate(0, 3)
    plain = ct.generate(lm, problem.prompt, Think(), max_new_tokens=60)
    thought, cue, answer = plain.text.partition("Answer:")
    assert cue and answer.split() == [problem.answer]
    idle = ct.generate(lm, problem.prompt, Think(waits=0, budget=None), max_new_tokens=60)
    assert idle.ids == plain.ids and idle.logits.equal(plain.logits)
    n = len(thought.split())
    for budget in (0, 3, 7):
        cut = ct.generate(lm, problem.prompt, Think(budget=budget), max_new_tokens=60)
        assert cut.text.partition("Answer:")[0].split() == thought.split()[:budget]
        assert len(cut.text.partition("Answer:")[2].split()) >= 1, "an answer all the same"
    roomy = ct.generate(lm, problem.prompt, Think(budget=n + 1), max_new_tokens=60)
    assert roomy.ids == plain.ids, "a budget that is not used up"
    for waits in (1, 2):
        think = Think(waits=waits, wait="The")  # a word that the model knows, and that it writes itself
        more = ct.generate(lm, problem.prompt, Think(waits=waits), max_new_tokens=90)
        assert more.text.startswith(thought.rstrip() + " Wait") and more.text.count(" Wait") == waits
        assert ct.generate(lm, problem.prompt, think, max_new_tokens=60).ids == plain.ids, "it spends them itself"
    runs = [
        ct.generate(lm, problem.prompt, Think(waits=1, budget=30), max_new_tokens=60, cache=c)
        for c in ("none", "static")
    ]
    assert runs[0].ids == runs[1].ids
