"""Writing along a guess: the same text as without one, in fewer passes, whatever the guess says."""

import random
import re
import signal
from functools import cache

import pytest
import torch

import ctkit as ct
from ctkit import CtkitError, Mask, Prompt, Reread, Swap, Think
from ctkit.engine.branches import Trunks
from ctkit.engine.draft import write_drafted
from ctkit.engine.generate import generate_many
from ctkit.engine.guess import WINDOW, Echoes, Writing
from ctkit.engine.rows import rows_of
from ctkit.engine.undrafted import Drafted
from ctkit.interventions.setup import as_setup
from ctkit.prompt import Piece

from .engine_fixtures import left_behind
from .families import CONTEXT, DEVICE, TOKENIZER, lm_of, new_model

FAMILIES = ["llama", "gpt2", "gpt_neox", "mixtral", "bloom", "mistral", "gpt_oss"]  # the last two share nothing
QUESTION = Prompt(context="Ann has a. Bob has b.", question="Who?", cue="Answer:")
STARTS = [QUESTION, QUESTION.then(a="Ann"), QUESTION.then(a="So it is"), Prompt("Ann?"), QUESTION.then(a="x" * 40)]


@cache
def writer_of(family: str):
    """A random model that writes letters, digits and stops: text that can be read back as the same tokens."""
    lm = ct.wrap(new_model(family), TOKENIZER)
    letters = TOKENIZER("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPRSTUVWXYZ 0123456789.,:!?")["input_ids"]
    only = torch.full((lm.n_tokens,), -1e4, device=DEVICE)
    only[letters] = 0
    lm.model.get_output_embeddings().register_forward_hook(lambda module, args, out: out + only)
    return lm


def plainly(lm, starts, *setup, until: str, most: int) -> list[tuple[str, str]]:
    """What the model writes without guesses: (text, why it stopped)."""
    found = []
    for generation in generate_many(lm, starts, *setup, max_new_tokens=most):
        text, came, _ = generation.text.partition(until)
        found.append((text, "until" if came else generation.stopped))
    return found


def guesses_for(lm, starts, *setup, most: int = 40) -> dict[str, list]:
    """Guesses right and wrong: what the model writes; that with letters changed, left out, put in; others; none."""
    texts = [g.text for g in generate_many(lm, starts, *setup, max_new_tokens=most)]
    dice = random.Random(0)

    def spoilt(text: str, change) -> str:
        letters = list(text)
        for place in sorted(dice.sample(range(len(letters)), min(5, len(letters))), reverse=True):
            change(letters, place)
        return "".join(letters)

    changes = {
        "changed": lambda letters, place: letters.__setitem__(place, "Q"),
        "left out": lambda letters, place: letters.pop(place),
        "put in": lambda letters, place: letters.insert(place, "QQQ"),
    }
    behind = {"right": texts, "other": ["QUITE another text, of some length." for _ in texts]}
    behind |= {name: [spoilt(text, change) for text in texts] for name, change in changes.items()}
    whole = {name: [_with(s, t) for s, t in zip(starts, few, strict=True)] for name, few in behind.items()}
    return whole | {"none": [None] * len(starts), "no beginning": [Prompt("Q")] * len(starts)}


def _with(start: Prompt, text: str) -> Prompt:
    """A start with a text right behind it."""
    return Prompt.of([*start.parts, Piece("guess", text or "Q", lead="", written=True)])


def cue_of(lm, *setup) -> str:
    """Two letters that the model writes somewhere behind the first start."""
    return generate_many(lm, STARTS[:1], *setup, max_new_tokens=30)[0].text[12:14] or "QQ"


@pytest.mark.families
@pytest.mark.parametrize("family", FAMILIES)
def test_a_guess_changes_no_token(family):
    lm = writer_of(family)
    before = left_behind(lm)
    for until in ("QQ never", cue_of(lm)):
        wanted = plainly(lm, STARTS, until=until, most=40)
        for name, guesses in guesses_for(lm, STARTS).items():
            trunks = Trunks(lm)
            trunks.grow(STARTS[:1])
            found = write_drafted(trunks, STARTS, guesses, until, max_new_tokens=40)
            assert [(one.text, one.stopped) for one in found] == wanted, name
    assert left_behind(lm) == before


@pytest.mark.parametrize(
    "setup", [[Reread()], [Swap("Ann", "Eve")], [Think(waits=2, wait="Hm")], [Think(budget=2)], [Mask("bidirectional")]]
)
def test_setups(setup):
    """Also such as put words in the model's mouth, and one that can share nothing."""
    lm = writer_of("llama")
    starts = [start for start in STARTS if "Ann" in start.text]
    wanted = plainly(lm, starts, *setup, until="QQ never", most=30)
    for name, guesses in guesses_for(lm, starts, *setup, most=30).items():
        found = write_drafted(Trunks(lm, setup), starts, guesses, "QQ never", max_new_tokens=30)
        assert [(one.text, one.stopped) for one in found] == wanted, name


def test_a_right_guess_costs_few_passes():
    lm = writer_of("llama")
    passes = {}
    for name, guesses in guesses_for(lm, STARTS, most=48).items():
        trunks = Trunks(lm)
        write_drafted(trunks, STARTS, guesses, "QQ never", max_new_tokens=48)
        passes[name] = trunks.passes
    assert passes["none"] == 48 + 1, "a token a pass; the long start is read apart"
    assert passes["other"] >= 40
    assert passes["right"] <= 2 * (48 // WINDOW + 1)
    assert passes["right"] < passes["changed"] < passes["none"] / 2
    assert passes["left out"] < passes["none"] / 1.5
    assert passes["put in"] < passes["none"] / 1.5


# --- thoughts on tiny ---


def thoughts():
    """Broken thoughts on sums: (the setup, starts, guesses, endings)."""
    problem = ct.tasks.get("sums").generate(3, difficulty=4)
    steps = list(problem.steps)

    def told(texts, rest: str = "", end: bool = True) -> Prompt:
        pieces = {f"step {i}": text for i, text in enumerate(texts)} | ({"rest": rest} if rest.strip() else {})
        return problem.prompt.then(**pieces | ({"answer cue": "Answer:", "answer": problem.answer} if end else {}))

    broken = [
        [*steps[:i], re.sub(r"\d\.", lambda m: f"{(int(m[0][0]) + 3) % 10}.", step)] for i, step in enumerate(steps)
    ]
    starts = [told(texts, end=False) for texts in broken]
    guesses = [told([*texts, *steps[len(texts) :]]) for texts in broken]
    return told(steps), starts, guesses, lambda i, text: told(broken[i], text)


def test_thoughts_are_written_on_and_the_answer_asked_for():
    lm = ct.load("tiny")
    whole, starts, guesses, ending = thoughts()
    trunks = Trunks(lm, Think())
    trunks.grow([whole])
    found = write_drafted(trunks, starts, guesses, "Answer:", max_new_tokens=96, ending=ending)
    wanted = plainly(lm, starts, Think(), until="Answer:", most=96)
    assert [(one.text, one.stopped) for one in found] == wanted
    ended = [ending(i, text) for i, (text, _) in enumerate(wanted)]
    chances = Trunks(lm, Think()).chances(ended)
    torch.testing.assert_close([one.chance for one in found], chances, atol=1e-5, rtol=1e-4)
    assert {one.stopped for one in found} == {"until"} and len({one.text for one in found}) > 3
    assert trunks.passes < 40 < sum(one.n_written for one in found)


@pytest.mark.parametrize("family", ["llama", "mistral"])
@pytest.mark.parametrize("until", ["QQ never", "cue"])
def test_an_ending_that_nobody_guessed(family, until):
    lm = writer_of(family)
    until = cue_of(lm) if until == "cue" else until

    def ending(index: int, text: str) -> Prompt:
        return STARTS[index].then(rest=text or "-", answer="He is.")

    for guesses in guesses_for(lm, STARTS).values():
        found = write_drafted(Trunks(lm), STARTS, guesses, until, max_new_tokens=20, ending=ending)
        chances = Trunks(lm).chances([ending(i, one.text) for i, one in enumerate(found)])
        assert [one.chance for one in found] == pytest.approx(chances, rel=1e-3)
        assert {len(one.scores) for one in found} <= {len("He is."), len(" He is.")}


# --- where it stops ---


def test_at_the_end_of_the_context():
    for family in ("llama", "mistral"):
        lm = writer_of(family)
        starts = [Prompt("x" * n) for n in (CONTEXT - 5, CONTEXT, 20)]
        guesses = [start.then(rest="x" * 30) for start in (Prompt("y"), Prompt("y"), starts[2])]
        found = write_drafted(Trunks(lm), starts, guesses, "QQ never", max_new_tokens=30)
        wanted = plainly(lm, starts, until="QQ never", most=30)
        assert [(one.text, one.stopped) for one in found] == wanted
        assert [one.stopped for one in found[:2]] == ["context", "context"]
        spared = write_drafted(Trunks(lm), starts[::2], guesses[::2], "QQ never", max_new_tokens=30, spare=3)
        assert spared[0].n_written == 2 and spared[1] == Drafted(found[2].text, found[2].n_written, "length")


def test_at_the_models_own_end():
    lm = writer_of.__wrapped__("llama")  # one of its own, to be changed
    said = ct.generate(lm, QUESTION, max_new_tokens=20).ids
    end = next(id_ for i, id_ in enumerate(said) if i > 3 and id_ not in said[:i])
    lm.model.generation_config.eos_token_id = end
    guesses = [_with(QUESTION, TOKENIZER.decode(said))]
    [found] = write_drafted(Trunks(lm), [QUESTION], guesses, "QQ never", max_new_tokens=20)
    assert (found.stopped, found.n_written) == ("end", said.index(end))
    assert [(found.text, "end")] == plainly(lm, [QUESTION], until="QQ never", most=20)


@pytest.mark.parametrize("until", ["", " "])
def test_nothing_to_wait_for(until):
    with pytest.raises(CtkitError, match="no words to wait for"):
        write_drafted(Trunks(lm_of("llama")), [QUESTION], [None], until)


def test_nothing_to_write():
    with pytest.raises(CtkitError, match="max_new_tokens"):
        write_drafted(Trunks(lm_of("llama")), [QUESTION], [None], "x", max_new_tokens=0)


# --- the guess ---


def follow(guess: str, said: str, limit: int = 99) -> tuple[str, int]:
    """A text said letter by letter, whatever is offered: (what was taken down, passes)."""
    lm = lm_of("llama")
    ids = TOKENIZER(said)["input_ids"]
    writing = Writing(lm, rows_of(lm, ["Q"], as_setup())[0], TOKENIZER(guess)["input_ids"], "!", limit)
    passes = 0
    while not writing.stopped:
        offered, n = writing.offer(), len(writing.written)
        writing.hear(ids[n : n + len(offered) + 1])
        passes += 1
    return writing.text, passes


@pytest.mark.parametrize(
    ("guess", "said", "passes"),
    [
        ("", "abc!", 4),
        ("abc!", "abc!", 1),
        ("abcdefghijklmno" * 4, "abcdefghijklmno" * 3 + "!", 4),  # 8 and one further, twice; then 16 and one; the rest
        ("abcdefgh!", "abXdefgh!", 3),  # one token is another; fewer are tried then
        ("abcdefgh!", "aXcdXfgX!", 4),
        ("abcdefgh!", "abdefgh!", 3),  # one is left out: behind "d" and "e" the place is found again
        ("abcdefgh!", "abXYcdefgh!", 5),  # two are put in
        ("zzzz", "abc!", 4),
        ("", "abcde" * 12 + "!", 13),  # there is no guess, but it says the same again: ever more of it at once
    ],
)
def test_how_far_a_guess_leads(guess, said, passes):
    assert follow(guess, said) == (said[:-1], passes)


def test_what_one_text_has_said_is_the_guess_of_another():
    lm, echoes, passes = lm_of("llama"), Echoes(), []
    for guess, said in (("abcdefgh!", "abcXuvwxyz!"), ("1bcdefgh!", "2bcXuvwxyz!")):
        ids = TOKENIZER(said)["input_ids"]
        row = rows_of(lm, ["Q"], as_setup())[0]
        writing = Writing(lm, row, TOKENIZER(guess)["input_ids"], "!", 99, echoes)
        passes.append(0)
        while not writing.stopped:
            offered, n = writing.offer(), len(writing.written)
            writing.hear(ids[n : n + len(offered) + 1])
            passes[-1] += 1
        assert writing.text == said[:-1]
    assert passes == [8, 5]


def test_no_more_is_written_than_may_be():
    assert follow("abcdefgh!", "abcdefgh!", limit=3)[0] == "abc"


# --- interrupts, progress ---


def test_an_interrupt_leaves_all_as_it_was():
    lm = writer_of("llama")
    before, calls = left_behind(lm), []

    def stops(*_):
        calls.append(1)
        if len(calls) == 7:
            signal.raise_signal(signal.SIGINT)

    trunks = Trunks(lm)
    trunks.grow(STARTS[:1])
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    hook = lm.blocks[1].register_forward_pre_hook(stops)
    try:
        with pytest.raises(KeyboardInterrupt):
            write_drafted(trunks, STARTS, [None] * len(STARTS), "QQ never", max_new_tokens=20)
    finally:
        hook.remove()
        signal.signal(signal.SIGINT, handler)
    assert len(calls) == 7
    assert left_behind(lm) == before
    found = write_drafted(trunks, STARTS, [None] * len(STARTS), "QQ never", max_new_tokens=20)
    assert [(one.text, one.stopped) for one in found] == plainly(lm, STARTS, until="QQ never", most=20)


def test_progress_counts_texts():
    heard = []
    guesses = [_with(STARTS[0], "Q"), *[None] * (len(STARTS) - 1)]
    write_drafted(
        Trunks(lm_of("llama")), STARTS, guesses, "e", max_new_tokens=9, on_progress=lambda *done: heard.append(done)
    )
    assert heard[-1] == (len(STARTS), len(STARTS)) and heard == sorted(heard)
