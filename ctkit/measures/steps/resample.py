"""A step is drawn anew, with all that follows (counterfactual importance; thought anchors, arXiv 2506.19143)."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import log
from statistics import median

from ...engine.generate import generate_many
from ...errors import CtkitError, shown
from ...sentences import sentences
from ..intervals import share_difference
from .effects import NAN, StepEffects, collected
from .lots import length, lots
from .thought import Thought
from .writing import first_answer, room_for

MOST = 1024  # rollouts, and steps: each rollout has dice of its own
Similarity = Callable[[str, str], float]  # of two steps: 1 the same, 0 nothing in common


@dataclass(frozen=True)
class Rollout:
    """A thought drawn to its end from some step on: the step that came there, and the answer ("" where none came)."""

    step: str
    answer: str


@dataclass(frozen=True)
class Anew:
    """What drawing one step anew does. `score` is NaN where every draw came out like the step itself.

    `kept`, `others`: the share of rollouts that come to the own answer, with the step kept, and with a dissimilar one.
    `kl`: KL(dissimilar ‖ kept) between the distributions of answers, each answer counted once more than seen;
    `jensen_shannon`: of the shares as they are; both in nats. `similar`: the share of draws like the step.
    `overdetermined`: 1 − different draws / draws.
    """

    score: float
    interval: tuple[float, float]
    kept: float
    others: float
    kl: float
    jensen_shannon: float
    similar: float
    overdetermined: float
    example: str


def resample(
    thought: Thought,
    draws: int,
    seed: int,
    *,
    only: Sequence[int],
    rollouts: int = 12,
    temperature: float = 0.8,
    similarity: str | Similarity = "same",
    threshold: float | str = 0.8,
) -> Iterator[StepEffects]:
    """How far the share of rollouts that come to the model's own answer falls when a step is replaced by another that
    the model might have written.

    For each step, `rollouts` thoughts are drawn that keep the steps before it, and as many that keep it too (those of
    the next step, which are drawn once). Of the first, those whose new step is like the old one are set aside: they say
    nothing about doing without it. `similarity`: "same" (1 or 0, apart from case, spaces and end marks), "overlap" (of
    words: those in both by those in either), or a function of two steps; a step is like the other from `threshold` on
    (the paper's code has 0.8), or above the "median" of the draws (the paper). Where no draw is unlike the step, as at
    temperature 0, its score is NaN: not measurable. Intervals are those of a difference of shares (Newcombe 1998,
    method 10). More numbers are in `extras`. `draws` is for other measures.
    """
    _refuse_unfit(rollouts, temperature, threshold)
    alike = _similarity(similarity)
    drawn: dict[int, list[Rollout]] = {}
    found: dict[int, Anew] = {}
    for lot in lots(thought, only, rollouts * length(thought)):
        places = sorted({place for i in lot for place in (i, i + 1)} - set(drawn))
        drawn |= _drawn(thought, places, rollouts, temperature, seed)
        for i in lot:
            found[i] = anew(thought.steps.texts[i], thought.answer, drawn[i], drawn[i + 1], alike, threshold)
        yield _effects(thought, found)


def anew(
    step: str,
    answer: str,
    without: Sequence[Rollout],
    kept: Sequence[Rollout],
    alike: Similarity,
    threshold: float | str,
) -> Anew:
    """What drawing a step anew does, from the rollouts `without` it and those with it `kept`."""
    likeness = [alike(step, rollout.step) for rollout in without]
    limit = median(likeness) if threshold == "median" else threshold
    unlike = [r for r, value in zip(without, likeness, strict=True) if value < limit or not value]
    before, after = _answers(kept), _answers(unlike)
    distinct = len({normal(rollout.step) for rollout in without})
    shared = {"similar": 1 - len(unlike) / len(without), "overdetermined": 1 - distinct / len(without)}
    stays = before[answer] / len(kept)
    if not unlike:
        return Anew(NAN, (NAN, NAN), stays, NAN, NAN, NAN, example="", **shared)
    low, high = share_difference(before[answer], len(kept), after[answer], len(unlike))
    left = after[answer] / len(unlike)
    return Anew(
        stays - left, (low, high), stays, left, divergence(after, before), jensen_shannon(after, before),
        example=unlike[0].step, **shared,
    )  # fmt: skip


def counterpart(step: str, text: str) -> str:
    """The part of a newly written text that stands where the step stood: as many sentences as it has; where it is no
    whole sentence, as many words.

    >>> counterpart("a = 3.", "b = 4. c = 5."), counterpart("a = 3", "b = 4 + 1.")
    ('b = 4.', 'b = 4')
    """
    if re.search(r"[.!?]\W*$", step.strip()):
        return " ".join(sentences(text)[: len(sentences(step))])
    return " ".join(text.split()[: len(step.split())])


def normal(step: str) -> str:
    """A step without what does not matter: case, spaces, marks at its ends.

    >>> normal(" So  b = 4. ")
    'so b = 4'
    """
    return " ".join(step.lower().split()).strip(" .,;:!?")


def overlap(step: str, other: str) -> float:
    """The words in both by the words in either (Jaccard); 1 for two empty steps.

    >>> overlap("b = 4.", "c = 4.")
    0.5
    """
    one, two = (set(re.findall(r"\w+|[^\w\s]", normal(text))) for text in (step, other))
    return len(one & two) / len(one | two) if one | two else 1.0


def divergence(p: Counter, q: Counter) -> float:
    """KL(p ‖ q) in nats between two lots of answers, every answer of either counted once more than it was seen.

    >>> divergence(Counter("aab"), Counter("aab"))
    0.0
    """
    answers = sorted(p | q)
    ours, theirs = (p.total() + len(answers), q.total() + len(answers))
    return sum((p[a] + 1) / ours * log((p[a] + 1) / ours * theirs / (q[a] + 1)) for a in answers)


def jensen_shannon(p: Counter, q: Counter) -> float:
    """The Jensen-Shannon divergence of two lots of answers, in nats: 0 (the same shares) to log 2 (none in common).

    >>> round(jensen_shannon(Counter("aa"), Counter("bb")), 4)
    0.6931
    """
    total = 0.0
    for answer in p | q:
        ours, theirs = p[answer] / p.total(), q[answer] / q.total()
        middle = (ours + theirs) / 2
        total += sum(x * log(x / middle) / 2 for x in (ours, theirs) if x)
    return total


def _answers(rollouts: Sequence[Rollout]) -> Counter:
    return Counter(rollout.answer for rollout in rollouts)


def _drawn(
    thought: Thought, places: Sequence[int], rollouts: int, temperature: float, seed: int
) -> dict[int, list[Rollout]]:
    """Rollouts that keep the first so many steps, for each of some places; all in few batches."""
    texts = [(place, j) for place in places for j in range(rollouts)]
    if not texts:
        return {}
    starts = [thought.up_to(thought.steps.first(place)) for place, _ in texts]
    written = generate_many(
        thought.lm,
        starts,
        thought.setup,
        max_new_tokens=room_for(thought),
        temperature=temperature,
        seed=[((seed % MOST) * MOST + place) * MOST + j for place, j in texts],
    )
    tokens = sum(generation.n_written for generation in written)
    thought.reader.count(tokens, tokens)
    found: dict[int, list[Rollout]] = {}
    for (place, _), generation in zip(texts, written, strict=True):
        text, cue, rest = generation.text.partition(thought.cue.strip())
        step = counterpart(thought.steps.texts[place], text) if place < len(thought.steps) else ""
        found.setdefault(place, []).append(Rollout(step, first_answer(rest) if cue else ""))
    return found


def _effects(thought: Thought, found: dict[int, Anew]) -> StepEffects:
    n = len(thought.steps)
    rows = [found.get(i) for i in range(n)]

    def column(name: str) -> list[float]:
        return [NAN if row is None else getattr(row, name) for row in rows]

    said = {"the step kept": column("kept"), "another step in its place": column("others")}
    names = ("kl", "jensen_shannon", "similar", "overdetermined")
    return replace(
        collected("resample", thought, [[]] * n, [NAN] * n, said, [row.example if row else "" for row in rows]),
        scores=column("score"),
        intervals=[(NAN, NAN) if row is None else row.interval for row in rows],
        done=len(found),
        extras={name.replace("_", "-"): column(name) for name in names},
    )


def _similarity(asked: str | Similarity) -> Similarity:
    if callable(asked):
        return asked
    if asked == "overlap":
        return overlap
    if asked == "same":
        return lambda step, other: float(normal(step) == normal(other))
    raise CtkitError(f"the similarity {shown(asked)}", "no such one", '"same", "overlap", or a function of two steps')


def _refuse_unfit(rollouts: int, temperature: float, threshold: float | str) -> None:
    if not isinstance(rollouts, int) or isinstance(rollouts, bool) or not 2 <= rollouts <= MOST:
        raise CtkitError(
            f"steps drawn anew with rollouts={shown(rollouts)}", "no share of so few", "rollouts=12, or 100"
        )
    if not isinstance(temperature, (int, float)) or not 0 <= temperature < float("inf"):
        raise CtkitError(f"temperature={shown(temperature)}", "no temperature", "0.6 to 1; 0 draws nothing anew")
    if threshold != "median" and (not isinstance(threshold, (int, float)) or not 0 < threshold <= 1):
        asked = f"steps drawn anew with threshold={shown(threshold)}"
        raise CtkitError(asked, "no likeness", 'a number above 0, at most 1, such as 0.8; or "median"')
