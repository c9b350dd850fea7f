"""Texts that share beginnings: read on from what they share, they give what each gives read whole."""

import random
import signal
from functools import cache

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

import ctkit as ct
from ctkit import CtkitError, Knockout, Mask, Prompt, Reread, Setup, Steer, Swap, Think, masks
from ctkit.engine import able, beside, cascade
from ctkit.engine import branches as engine
from ctkit.engine.batch import BATCH_TOKENS
from ctkit.engine.branches import Trunks, chance, reads_on
from ctkit.engine.cascade import Cascade
from ctkit.engine.prefix import Going, shared
from ctkit.families.configs import model_of

from .engine_fixtures import TOLERANCE, direction, left_behind
from .families import BASE, TOKENIZER, WINDOWED, lm_of, new_model

FAMILIES = ["llama", "gpt2", "opt", "gpt_neox", "mixtral", "bloom", "falcon", "llama@eager"]  # share beginnings
OTHERS = [*WINDOWED, "gpt_neo"]
QUESTION = Prompt(context="Ann has a. Bob has b.", question="Who?", cue="Answer:")
STEPS = ("Ann has a.", "So a is hers.", "Bob has b.", "So b is his.")


def thought(*steps: str, answer: str = "Bob") -> Prompt:
    """The question, steps, the cue and an answer."""
    pieces = {f"step {i}": step for i, step in enumerate(steps)}
    return QUESTION.then(**pieces).then(**{"answer cue": "Answer:", "answer": answer})


def texts() -> list[Prompt]:
    """Thoughts cut and broken anywhere; a trunk itself, one longer, one shorter; one that shares nothing."""
    cut = [thought(*STEPS[:n]) for n in range(len(STEPS) + 1)]
    broken = [thought(*STEPS[:n], "So it is nobody's, I think.", answer="Ann") for n in range(len(STEPS))]
    return [*cut, *broken, QUESTION.then(a=STEPS[0]), thought(*STEPS, *STEPS), Prompt("Ann?"), Prompt("So it is Ann.")]


def whole(lm, prompts, *setup, last: int) -> list[torch.Tensor]:
    """The same by whole runs."""
    return [trace.logits[-last:] for trace in ct.run_many(lm, prompts, *setup)]


def same(found, wanted) -> None:
    """Compare lists of logits."""
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, **TOLERANCE)


@pytest.mark.families
@pytest.mark.parametrize("family", [*FAMILIES, *OTHERS])
def test_texts_read_on_are_texts_read_whole(family):
    lm = lm_of(family)
    before, dice = left_behind(lm), random.Random(0)
    for grown in ([], [thought(*STEPS)], [thought(*STEPS), thought("No.", *STEPS[1:]), Prompt("Bob")]):
        trunks = Trunks(lm)
        trunks.grow(grown)
        for last in (1, 3):
            mixed = dice.sample(texts(), len(texts()))
            same(trunks.logits(mixed, last), whole(lm, mixed, last=last))
    assert left_behind(lm) == before


@pytest.mark.families
@pytest.mark.parametrize("family", [*FAMILIES, *OTHERS])
def test_who_shares(family):
    """So that the comparison above is one of two ways."""
    lm, most = lm_of(family), sum(len(prompt.text) for prompt in texts())
    trunks = Trunks(lm)
    trunks.grow([thought(*STEPS)])
    trunks.logits(texts())
    assert trunks.shares == (trunks.tokens < most * 0.6) == (family not in OTHERS or reads_on(lm))
    assert trunks.shares or family not in FAMILIES
    assert not trunks.shares or family not in WINDOWED


@pytest.mark.families
@pytest.mark.parametrize("kind", ["jamba", "qwen3_next", "deepseek_v3", "gemma3n_text", "mamba2"])
def test_other_caches(kind):
    """Models that keep more than keys and values, or keys and values of other shapes."""
    lm = ct.wrap(model_of(kind), TOKENIZER)
    trunks = Trunks(lm)
    trunks.grow([thought(*STEPS)])
    for found, wanted in zip(trunks.logits(texts()), whole(lm, texts(), last=1), strict=True):
        torch.testing.assert_close(found, wanted, atol=1e-4, rtol=1e-4)


def test_on_tiny_with_real_words():
    lm = ct.load("tiny")
    problem = ct.tasks.get("sums").generate(0, difficulty=5)
    trunks = Trunks(lm, Think())
    start = problem.prompt.then(thought=" ".join(problem.steps))
    trunks.grow([start])
    ends = [start.then(end=f"Answer: {n}") for n in range(10)]
    ends += [problem.prompt.then(thought=" ".join(problem.steps[:n]), end="Answer: 1") for n in range(1, 8)]
    same(trunks.logits(ends, last=4), whole(lm, ends, Think(), last=4))
    assert trunks.shares and trunks.passes == 2


# --- setups ---

TEXT_ONLY = {
    "reread": [Reread()],
    "think": [Think(waits=1)],
    "swap": [Swap("Ann", "Bob")],
    "reread and swap": [Reread(), Swap("Ann", "Eve")],
}
BEYOND = {
    "mask": [Mask("bidirectional")],
    "steer": [Steer(direction(), layers=[0, 2], strength=2.0)],
    "reread and steer": [Reread(), Steer(direction(), where="reading 2")],
}


@pytest.mark.parametrize("name", [*TEXT_ONLY, *BEYOND])
@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_setups(family, name):
    lm, setup = lm_of(family), (TEXT_ONLY | BEYOND)[name]
    trunks = Trunks(lm, setup)
    trunks.grow([thought(*STEPS)])
    same(trunks.logits(texts()), whole(lm, texts(), setup, last=1))
    assert trunks.shares == (name in TEXT_ONLY)


MASKS = {
    "later": [Knockout("after step 2", "step 2")],
    "one block": [Knockout("after step 1", "step 0", layers=[1])],
    "one head": [Knockout("after step 1", "step 0", layers=[0], heads=[1])],
    "window": [Mask("window", size=70)],
    "opened": [Mask(masks.causal() | masks.between("step 2", "step 3"))],
    "all": [Mask("bidirectional")],
    "reread": [Reread(), Knockout("after step 2", "step 2")],
}


@pytest.mark.families
@pytest.mark.parametrize("family", [*FAMILIES, *OTHERS])
def test_texts_under_masks_go_on_from_texts_without(family):
    """Beginnings are shared as far as no block's mask is another one, and no further."""
    lm = lm_of(family)
    for name, setup in MASKS.items():
        trunks = Trunks(lm, *[i for i in setup if not i.overrides("allow")])
        trunks.grow([thought(*STEPS), thought("No.", *STEPS[1:])])
        own = Setup([i for i in setup if i.overrides("allow")])
        pairs = [(thought(*STEPS), own), (thought(*STEPS[:3], "So be it.", "Or not."), own), thought(*STEPS)]
        read = trunks.tokens
        for last in (1, 40):
            same(trunks.logits(pairs, last), whole(lm, pairs, *trunks.setup, last=last))
        half = sum(len(row.enc) for row in trunks.rows(pairs))
        assert name in ("all", "window") or not reads_on(lm) or trunks.tokens - read < half


def test_trunks_grow_under_masks_on_later_tokens():
    lm = lm_of("llama")
    for name, setup in MASKS.items():
        trunks = Trunks(lm, setup)
        trunks.grow([thought(*STEPS)])
        assert len(trunks.kept) == (name != "all")
        texts = [thought(*STEPS), thought(*STEPS, "So be it.")]
        same(trunks.logits(texts, last=3), whole(lm, texts, setup, last=3))


def test_a_text_with_a_setup_of_its_own():
    lm = lm_of("llama")
    trunks = Trunks(lm)
    trunks.grow([thought(*STEPS)])
    pairs = [(thought(*STEPS), Setup(setup)) for setup in ([], [Reread()], [Mask("bidirectional")])]
    same(trunks.logits(pairs), whole(lm, pairs, last=1))
    same(trunks.logits(pairs[:2]), whole(lm, pairs[:2], last=1))


# --- chances ---


def test_the_chance_of_an_answer_of_several_tokens():
    lm = lm_of("llama")
    prompts = [thought(*STEPS, answer=answer) for answer in ("Bob", "I", "nobody at all")]
    found = Trunks(lm).chances(prompts, "answer")
    for prompt, got in zip(prompts, found, strict=True):
        trace, product = ct.run(lm, prompt), 1.0
        for place in range(*trace.spans["answer"].indices(len(trace.ids))):
            product *= float(trace.logits[place - 1].softmax(-1)[trace.ids[place]])
        assert got == pytest.approx(product, rel=1e-4)


def test_chances_sum_to_one():
    logits = torch.randn(1, 5)
    assert sum(chance(logits, [id_]) for id_ in range(5)) == pytest.approx(1)


@pytest.mark.parametrize(("prompt", "piece"), [(thought(*STEPS), "step 0"), (Prompt("Who?"), "text")])
def test_a_piece_whose_chance_cannot_be_told(prompt, piece):
    with pytest.raises(CtkitError, match="piece"):
        Trunks(lm_of("llama")).chances([prompt], piece)


def test_more_positions_than_there_are():
    for last in (0, 5):
        with pytest.raises(CtkitError, match="positions"):
            Trunks(lm_of("llama")).logits([Prompt("Who?")], last)


# --- what it costs ---


def test_nothing_is_read_twice():
    lm = lm_of("llama")
    trunks = Trunks(lm)
    trunks.grow([thought(*STEPS)])
    read = trunks.tokens
    assert read == len(thought(*STEPS).text), "a byte is a token"
    trunks.grow([thought(*STEPS), QUESTION, QUESTION.then(a=STEPS[0])])
    assert trunks.tokens == read, "what is there already"
    trunks.logits([thought(*STEPS)])
    assert trunks.tokens == read + 1, "but for the token that speaks"


def test_a_batch_has_its_bounds():
    lm = lm_of("llama")
    trunks = Trunks(lm)
    trunks.grow([thought(*STEPS)])
    goings = [trunks.going(row, 1 + n % 3) for n, row in enumerate(trunks.rows(texts() * 20))]
    for room, vocab in ((BATCH_TOKENS, 1), (500, 1), (30_000, 1), (10**9, 10**6), (1, 1)):
        found = list(engine.batches(goings, room, vocab))
        assert sorted(i for batch in found for i in batch) == list(range(len(goings)))
        for batch in found:
            some = [goings[i] for i in batch]
            assert len(batch) == 1 or len(batch) * max(len(going.row.enc) for going in some) <= room
            assert len(batch) == 1 or len(batch) * max(going.last for going in some) * vocab <= engine.LOGITS
            to_read = [going.to_read for going in some]
            assert len(batch) * max(to_read) <= BATCH_TOKENS
            assert len(batch) * max(to_read) - sum(to_read) <= max(engine.PASS, sum(to_read) // 2)
        assert (room < 100) == (len(found) == len(goings))


def test_trunks_are_dropped_when_there_are_many(monkeypatch):
    lm = lm_of("llama")
    monkeypatch.setattr(engine, "KEPT", 100)
    trunks = Trunks(lm)
    trunks.grow([Prompt(f"{n} {'x' * 40}") for n in range(4)])
    assert [TOKENIZER.decode(trunk.ids[:1]) for trunk in trunks.kept] == ["2", "3"]
    trunks.grow([Prompt("y" * 200)])
    assert len(trunks.kept) == 1, "the newest, however long"
    same(trunks.logits(texts()), whole(lm, texts(), last=1))


@pytest.mark.parametrize(
    ("one", "other", "length"),
    [
        ((), (), 0),
        ((1,), (), 0),
        ((1,), (1,), 1),
        ((1, 2, 3), (1, 2, 4), 2),
        ((2, 1), (1, 1), 0),
        ((1, 2), (1, 2, 3), 2),
    ],
)
def test_what_two_texts_share(one, other, length):
    assert shared(one, other) == shared(other, one) == length


# --- a beginning read where it lies ---


@pytest.mark.parametrize("family", [*FAMILIES, *OTHERS])
def test_who_reads_a_beginning_where_it_lies(family):
    lm = lm_of(family)
    assert able.cascades(lm) == (family in ("llama", "gpt2", "opt", "gpt_neox", "mixtral"))


def test_a_model_with_which_that_fails_has_it_copied(monkeypatch):
    lm = ct.wrap(new_model("llama"), TOKENIZER)
    true = Cascade.attend
    monkeypatch.setattr(Cascade, "attend", lambda *args: true(*args) * 1.1)
    trunks = Trunks(lm)
    trunks.grow([thought(*STEPS)])
    assert trunks.shares and not able.cascades(lm)
    same(trunks.logits(texts()), whole(lm, texts(), last=1))


def test_scores_that_a_model_changes_are_not_read_so():
    enc = Trunks(lm_of("llama")).rows([thought(*STEPS)])[0]
    prefix = Trunks(lm_of("llama")).passing([Going(enc, None, 0, 1)], keep=True)
    [(_, reading)] = prefix
    whole_row = Cascade([Going(enc, reading.prefix(0), 5, 1)], 3, 4, torch.device("cpu"))
    with pytest.raises(CtkitError, match="scores that the model changes"):
        whole_row.attend(0, *[torch.zeros(1, 4, 3, 8)] * 3, {"softcap": 30.0})


def test_rows_in_parts_give_what_they_give_together(monkeypatch):
    lm = lm_of("llama")
    trunks = Trunks(lm)
    trunks.grow([thought(*STEPS)])
    together = trunks.logits(texts(), last=2)
    true, sizes = Cascade.__init__, set()

    def watched(self, *args):
        true(self, *args)
        sizes.update(run.rows.stop - run.rows.start for run in self.runs)

    monkeypatch.setattr(Cascade, "__init__", watched)
    monkeypatch.setattr(cascade, "SCORES", 1)
    same(trunks.logits(texts(), last=2), together)
    assert sizes == {1}


def test_a_window_longer_than_what_is_tried_out_is_no_place_to_read_in():
    config = AutoConfig.for_model("mistral", **BASE | {"sliding_window": 64})
    lm = ct.wrap(AutoModelForCausalLM.from_config(config).eval(), TOKENIZER)
    long = [thought(*STEPS, *STEPS), thought(*STEPS, *reversed(STEPS))]
    assert not able.cascades(lm) and len(ct.run(lm, long[0]).encoding) > 2 * 64
    trunks = Trunks(lm)
    trunks.grow(long[:1])
    same(trunks.logits(long), whole(lm, long, last=1))


# --- long thoughts ---


@cache
def deep():
    """A random model of 12 layers that reads long texts."""
    sizes = {"num_hidden_layers": 12, "max_position_embeddings": 4096}
    return ct.wrap(AutoModelForCausalLM.from_config(AutoConfig.for_model("llama", **BASE | sizes)).eval(), TOKENIZER)


def questions(n: int, draws: int = 2) -> tuple[list[Prompt], list[Prompt]]:
    """A thought of `n` steps and its broken versions; and, right behind each step, all four ways to have it and those
    before it broken or not."""
    chains = [[f"{d}{i:02d} is {c}." for i in range(n)] for d, c in zip(range(draws + 1), "abc")]
    whole, texts = chains[0], []
    for i in range(n):
        texts.append([*whole[: i + 1]])
        for broken in chains[1:]:
            texts += [[*whole[:i], broken[i]], [*broken[:i], whole[i]], broken[: i + 1]]
    return [QUESTION.then(**{f"{i}": step for i, step in enumerate(chain)}) for chain in chains], [
        thought(*steps) for steps in texts
    ]


@pytest.mark.parametrize("in_place", [True, False])
def test_a_thought_of_sixty_steps(monkeypatch, in_place):
    """Passes and tokens grow as the steps, not as their square, and no pass takes more room than it may; none at all
    for what its rows share, where that is read where it lies."""
    lm, largest = deep(), []
    assert engine.cascades(lm)
    monkeypatch.setattr(engine, "cascades", lambda lm: in_place)
    monkeypatch.setattr(engine, "BYTES", 0)  # a small model's tokens take so few that there would be room for all
    true = beside._rooms
    monkeypatch.setattr(beside, "_rooms", lambda *args: largest.append(true(*args)[0].numel()) or true(*args))
    cost = {}
    for n in (15, 30, 60):
        grown, asked = questions(n)
        trunks = Trunks(lm)
        trunks.grow(grown)
        found = trunks.logits(asked)
        cost[n] = (trunks.passes, trunks.tokens, sum(len(prompt.text) for prompt in asked))
        some = random.Random(0).sample(range(len(asked)), 3)
        same([found[i] for i in some], whole(lm, [asked[i] for i in some], last=1))
    assert cost[60][0] <= 12 and cost[60][0] <= 2 * cost[30][0]
    assert cost[60][1] <= 2.2 * cost[30][1] <= 2.2 * 2.2 * cost[15][1]
    assert cost[60][2] > 3.3 * cost[30][2] > 3.3 * 3 * cost[15][2], "read whole they would grow as the square"
    places = BATCH_TOKENS * lm.n_layers * 2 * 8  # key heads, and the width of each
    assert not largest if in_place else places / 3 < max(largest) <= places


# --- models that do not keep the law, interrupts ---


def lies(module, args, kwargs, out):
    """A hook that changes the logits of a batch that goes on from a cache."""
    cache = kwargs.get("past_key_values")
    if cache is not None and out.logits.shape[1] < cache.get_seq_length() and len(out.logits) > 1:
        out.logits = out.logits * 1.1
    return out


def test_a_model_that_reads_on_otherwise_is_read_whole():
    lm = ct.wrap(new_model("llama"), TOKENIZER)
    lm.model.register_forward_hook(lies, with_kwargs=True)
    trunks = Trunks(lm)
    trunks.grow([thought(*STEPS)])
    assert not trunks.shares
    same(trunks.logits(texts()), whole(lm, texts(), last=1))


def test_a_model_that_breaks_is_read_whole(monkeypatch):
    lm = ct.wrap(new_model("llama"), TOKENIZER)

    def fails(*_):
        raise RuntimeError("no")

    monkeypatch.setattr(able, "read_on", fails)
    trunks = Trunks(lm)
    trunks.grow([thought(*STEPS)])
    same(trunks.logits(texts()), whole(lm, texts(), last=1))


def test_progress_counts_texts():
    heard = []
    Trunks(lm_of("llama")).logits(texts() * 20, on_progress=lambda done, all_: heard.append((done, all_)))
    assert len(heard) > 1 and heard[-1] == (len(texts()) * 20,) * 2
    assert heard == sorted(heard)


def test_an_interrupt_leaves_all_as_it_was():
    lm, dice = lm_of("llama"), random.Random(0)
    before = left_behind(lm)
    trunks = Trunks(lm)
    trunks.grow([thought(*STEPS)])
    kept = list(trunks.kept)
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)

    def stop(done, all_):
        raise KeyboardInterrupt

    at = dice.randrange(lm.n_layers)
    hook = lm.blocks[at].register_forward_pre_hook(lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        for ask in (lambda: trunks.grow([Prompt("Who?")]), lambda: trunks.logits(texts())):
            with pytest.raises(KeyboardInterrupt):
                ask()
        hook.remove()
        with pytest.raises(KeyboardInterrupt):
            trunks.logits(texts(), on_progress=stop)
    finally:
        hook.remove()
        signal.signal(signal.SIGINT, handler)
    assert trunks.kept == kept
    assert left_behind(lm) == before
    same(trunks.logits(texts()), whole(lm, texts(), last=1))


def test_scores_are_tensors_like_any_other(lm):
    prompt, trunks = Prompt(context="The key is in the box.", question="Where is the key?", cue="Answer:"), Trunks(lm)
    trunks.grow([prompt])
    [scores] = trunks.logits([prompt.then(answer="box")], last=2)
    scores += 1  # torch refuses this for what comes straight out of its inference mode
    assert not scores.is_inference() and scores.untyped_storage().nbytes() == scores.numel() * 4
