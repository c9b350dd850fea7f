"""Tags that only a later word decides, read at every slot: masks, re-reading, and readers who see the past alone."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from random import Random
from statistics import fmean, pvariance

from torch import Tensor

from ...engine.lm import LM
from ...engine.run import run_many
from ...interventions import Mask, Reread, Setup
from ...prompt import Prompt
from ...tasks import Problem, get
from ...tasks.base import prompt_of
from ...tasks.hunt import THINGS
from ...tasks.tags import AGAIN, LAST, SLOT, SLOTS, TAIL, read_words
from .population import SETUPS, wilson
from .tables import percent, table

FORMS: dict[str, tuple[Setup, str]] = {  # form → the setup, and the piece whose slots are read
    "causal": (Setup(), "context"),
    "mask lifted": (Setup([Mask("bidirectional")]), "context"),
    "prefix": (Setup([Mask("prefix", until="question")]), "context"),
    "window": (Setup([Mask("window", size=16)]), "context"),
    "re-read": (Setup([Reread()]), "context (2)"),
    "blind": (SETUPS["blind"], "context (2)"),
}
PAST = "the past alone"
EXCHANGED = 50  # lists whose later words are exchanged
LOT = 100  # lists in memory at a time


def jobs(n: int, seed: int) -> list[tuple[str, tuple]]:
    """One job a difficulty."""
    return [("slots", (difficulty, n, seed)) for difficulty in reversed(get("tags").difficulties)]


def slots(lm: LM, difficulty: int, n: int, seed: int) -> dict[str, object]:
    """Accuracy at the slots of lists seed..seed + n - 1 in each form, and of a reader who learned from the past alone.

    "exchanged": by form, the most that a slot's logits move when the later words are exchanged for others.
    """
    task = get("tags")
    problems = [task.generate(seed + i, difficulty) for i in range(n)]
    accuracy = {}
    for form in FORMS:
        guessed = (guesses(logits) for logits in at_slots(lm, [p.prompt for p in problems], form))
        accuracy[form] = score([matches(g, task.tags(p)) for g, p in zip(guessed, problems)])
    schooling = [task.generate(seed + n + i, difficulty) for i in range(n)]
    accuracy[PAST] = score([matches(g, task.tags(p)) for g, p in zip(past_reader(schooling, problems), problems)])
    return {
        "difficulty": difficulty,
        "n": n,
        "accuracy": accuracy,
        "exchanged": {form: exchanged(lm, problems[:EXCHANGED], form) for form in FORMS},
        "lists exchanged": min(n, EXCHANGED),
    }


def at_slots(lm: LM, prompts: Sequence[Prompt], form: str) -> Iterator[Tensor]:
    """For each prompt the next-token logits of the two tags at its slots: (slot, [again, last])."""
    setup, piece = FORMS[form]
    tags = [lm.tokenizer.encode(f" {tag}", add_special_tokens=False)[0] for tag in (AGAIN, LAST)]
    for first in range(0, len(prompts), LOT):
        for trace in run_many(lm, prompts[first : first + LOT], setup):
            inside = range(len(trace.tokens))[trace.spans[piece]]
            places = [i for i in inside if trace.tokens[i].strip() == SLOT]
            yield trace.logits[places][:, tags]


def guesses(logits: Tensor) -> list[str]:
    """The likelier tag at each slot."""
    return [AGAIN if again > last else LAST for again, last in logits.tolist()]


def matches(guessed: Sequence[str], tags: Sequence[str]) -> list[bool]:
    """Which slots are right."""
    return [guess == tag for guess, tag in zip(guessed, tags, strict=True)]


def past_reader(schooling: Sequence[Problem], problems: Sequence[Problem]) -> list[list[str]]:
    """Guesses from the past: the tag most frequent in other lists at this place, for a word met as often before."""
    told: dict[tuple[int, int], Counter] = defaultdict(Counter)
    for problem in schooling:
        for sign, tag in zip(past(problem), get("tags").tags(problem), strict=True):
            told[sign][tag] += 1
    usual = {sign: tags.most_common(1)[0][0] for sign, tags in told.items()}
    return [[usual.get(sign, LAST) for sign in past(problem)] for problem in problems]


def past(problem: Problem) -> list[tuple[int, int]]:
    """For each slot its place, and how often its word stood before."""
    words = read_words(problem.prompt.pieces["context"])[:-TAIL]
    return [(i, words[:i].count(word)) for i, word in enumerate(words)]


def score(lists: Sequence[Sequence[bool]]) -> dict[str, int | float]:
    """The share of slots that are right, with its 95 % interval. `lists`: right or wrong, list by list, equally long.

    Slots of one list belong together, so the interval (Wilson) counts as many slots as would vary by chance as much as
    the lists' means do; the lists themselves where these do not vary.
    """
    means = [fmean(row) for row in lists]
    share, n_slots = fmean(means), sum(map(len, lists))
    variance = pvariance(means) / len(means)
    worth = min(n_slots, share * (1 - share) / variance) if variance else len(means)
    low, high = wilson(round(share * worth), round(worth))
    return {"slots": n_slots, "accuracy": share, "low": low, "high": high}


def exchanged(lm: LM, problems: Sequence[Problem], form: str) -> float:
    """The most that the logits at the first half of the slots move when all later words are exchanged."""
    half = SLOTS[problems[0].difficulty] // 2
    intact, others = [p.prompt for p in problems], [with_others(p, half) for p in problems]
    pairs = zip(at_slots(lm, intact, form), at_slots(lm, others, form))
    return max(float((a[:half] - b[:half]).abs().max()) for a, b in pairs)


def with_others(problem: Problem, kept: int) -> Prompt:
    """The list with every word after the first `kept` exchanged for one that is not in it."""
    words = read_words(problem.prompt.pieces["context"])
    fresh = Random(problem.seed).sample(sorted(set(THINGS) - set(words)), len(words) - kept)
    new = [*words[:kept], *fresh]
    slotted = [f"{word} {SLOT}" for word in new[:-TAIL]]
    return prompt_of(f"Words: {' '.join([*slotted, *new[-TAIL:]])}.", problem.prompt.pieces["question"])


def section(results: list[dict]) -> str:
    """What the card says."""
    cells = sorted(results, key=lambda cell: cell["difficulty"])
    rows = [
        [
            form,
            *(percent(a["accuracy"], a["low"], a["high"]) for a in (cell["accuracy"][form] for cell in cells)),
            f"{max(cell['exchanged'][form] for cell in cells):.2g}" if form in FORMS else "",
        ]
        for form in [*FORMS, PAST]
    ]
    counts = ", ".join(f"{cell['accuracy']['causal']['slots']}" for cell in cells)
    return f"""## Tags at their slots

Does this word come again? Only later words decide, as the task is built: who sees the past alone has an even chance. At
every slot “_” of {cells[0]["n"]} lists a difficulty ({counts} slots) the logit of “again”
is held against that of “last”; the tag is never written. In percent, with 95 % intervals (Wilson, widened for slots of
one list). Re-read: at the slots of the second copy. Blind: the same, but the second copy cannot attend to the first.
Window: 16 tokens. The past alone: for each slot, the tag most frequent in other lists at this place, for a word met as
often before.

{table(["form", *(f"difficulty {cell['difficulty']}" for cell in cells), "exchanged"], rows)}

Exchanged, the control: the most that the two logits move at the first half of a list's slots when all later words are
exchanged ({cells[0]["lists exchanged"]} lists a difficulty). It must be 0 wherever nothing later
can be seen: causal, window, blind.
"""
