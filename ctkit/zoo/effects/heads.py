"""Retrieval heads: which heads look at the token that is copied next, and what becomes of copying without them.

Knocked out is the attention from the cue and the answer's tokens to the context, in the chosen heads alone: they work
on in every other way (to silence a head's output would also take what it does while the context is read).
"""

from collections.abc import Sequence
from random import Random
from statistics import fmean, stdev
from typing import Any

from ...engine.encode import encode
from ...engine.generate import generate_many
from ...engine.lm import LM
from ...engine.run import run_many
from ...interventions import Knockout
from ...interventions.emphasize import places_of
from ...masks import Where
from ...measures.effect import paired_interval
from ...measures.heads import retrieval_heads
from ...measures.score import is_right
from ...prompt import Encoding
from ...tasks import Problem, get
from .population import wilson
from .tables import percent, points, table

TOP = 3  # heads knocked out together
DRAWS = 20  # draws of as many other heads
SHOWN = 8  # heads in the table of scores
PART = 4  # each draw is measured on one problem in so many

Head = tuple[int, int]  # block, head in it


def jobs(n: int, seed: int) -> list[tuple[str, tuple]]:
    """One job: the knock-outs need the scores."""
    return [("measure", (n, seed))]


def measure(lm: LM, n: int, seed: int, difficulty: int = 3) -> dict[str, object]:
    """Scores of the heads, and accuracy with the best ones knocked out, by what they may no longer look at.

    "control": the largest change of a logit where no head is knocked out. A model that answers nothing right has none.
    """
    problems = [get("copy").generate(seed + i, difficulty) for i in range(n)]
    base = right(lm, problems, [[]] * n)
    if not any(base):
        return {"difficulty": difficulty, "n": n, "right": 0}
    found, kept_from = retrieval_heads(lm, problems), places(lm, problems)
    top, others = found.top(TOP), found.ranked[TOP:]
    rows = {
        place: against(base, right(lm, problems, [cut(top, keys[place]) for keys in kept_from]))
        for place in ("context", "needle", "haystack")
    }
    random, draws = Random(f"heads {seed}"), []
    for i in range(DRAWS):
        heads, some = random.sample(others, min(TOP, len(others))), problems[i % PART :: PART]
        kept = right(lm, some, [cut(heads, "context")] * len(some))
        draws.append({"heads": sorted(heads)} | against(base[i % PART :: PART], kept))
    return {
        "difficulty": difficulty,
        "n": n,
        "right": found.n,
        "scores": [[*head, float(found.scores[head])] for head in found.ranked],
        "top": top,
        "rows": rows,
        "draws": draws,
        "control": moved(lm, problems[:50], [Knockout(("cue", "generated"), "context", heads=())] * 50),
    }


def places(lm: LM, problems: Sequence[Problem]) -> list[dict[str, Where]]:
    """For each problem, what a head can be kept from: the context, in it the needle, in it all else."""
    return [_places(encode(lm, problem.prompt), problem.steps[0]) for problem in problems]


def _places(enc: Encoding, needle: str) -> dict[str, Where]:
    inside = places_of(enc, needle)
    around = [position for position in places_of(enc, "context") if position not in inside]
    return {"context": "context", "needle": tuple(inside), "haystack": tuple(around)}


def cut(heads: Sequence[Head], keys: Where) -> list[Knockout]:
    """In these heads, the cue and what is written cannot attend to the keys."""
    return [Knockout(("cue", "generated"), keys, layers=[layer], heads=[head]) for layer, head in heads]


def right(lm: LM, problems: Sequence[Problem], setups: Sequence[Any]) -> list[bool]:
    """Which problems are answered right, each under its own setup."""
    entries = [(problem.prompt, setup) for problem, setup in zip(problems, setups)]
    expected = [problem.answer for problem in problems]
    return [is_right(text, answer) for text, answer in zip(written(lm, entries, expected), expected)]


def written(lm: LM, entries: Sequence[Any], expected: Sequence[str]) -> list[str]:
    """The first words that are written after each entry, as many tokens as the longest expected answer has."""
    room = max(len(lm.tokenizer(" " + text, add_special_tokens=False)["input_ids"]) for text in expected)
    return [generation.text.strip() for generation in generate_many(lm, entries, max_new_tokens=room)]


def against(before: Sequence[bool], after: Sequence[bool]) -> dict[str, object]:
    """Two shares on the same problems, each with its interval, and their difference with its own."""
    mended, broken = sum(a > b for b, a in zip(before, after)), sum(b > a for b, a in zip(before, after))
    n = len(before)
    return {
        "n": n,
        "before": [fmean(before), *wilson(sum(before), n)],
        "after": [fmean(after), *wilson(sum(after), n)],
        "difference": [(mended - broken) / n, *paired_interval(mended, broken, n)],
    }


def moved(lm: LM, problems: Sequence[Problem], setups: Sequence[Any]) -> float:
    """The largest change of a logit of the last position under setups, one for each problem."""
    plain = run_many(lm, [problem.prompt for problem in problems], last_only=True)
    edited = run_many(lm, [(problem.prompt, s) for problem, s in zip(problems, setups)], last_only=True)
    return max(float((b.logits - a.logits).abs().max()) for a, b in zip(plain, edited))


def section(results: list[dict]) -> str:
    """What the card says."""
    [found] = results
    if not found["right"]:
        told = f"Copy, difficulty {found['difficulty']}: none of {found['n']} problems is answered right."
        return f"## Retrieval heads\n\n{told}\n"
    first = found["rows"]["context"]
    rows = [["nothing", str(first["n"]), percent(*first["before"]), ""]]
    names = {"context": "the context", "needle": "the needle alone", "haystack": "the context without the needle"}
    for place, name in names.items():
        row = found["rows"][place]
        label = f"the top {TOP} from {name}"
        rows.append([label, str(row["n"]), percent(*row["after"]), points(*row["difference"])])
    draws = found["draws"]
    mean = percent(*_mean([draw["after"][0] for draw in draws]))
    change = points(*_mean([draw["difference"][0] for draw in draws]))
    rows.append([f"{TOP} others, at random, from the context", f"{DRAWS} × {draws[0]['n']}", mean, change])
    worst = min(draws, key=lambda draw: draw["difference"][0])
    best = [[f"{layer}, {head}", f"{score:.2f}"] for layer, head, score in found["scores"][:SHOWN]]
    return f"""## Retrieval heads

Copy, difficulty {found["difficulty"]}. A head's score: the share of the answer's tokens that its largest attention
weight rested on, in the needle, just before they were written; over the {found["right"]} of {found["n"]} problems
answered right. The highest of {len(found["scores"])} heads:

{table(["block, head", "score"], best)}

Accuracy in percent when heads are knocked out: in these heads alone, the cue and the answer's tokens cannot attend to
a part of the context.

{table(["kept from", "n", "accuracy", "change"], rows)}

Random heads: the mean of {DRAWS} draws with its interval over the draws; the worst one, {_named(worst["heads"])}:
{points(*worst["difference"])}. No head knocked out: the largest change of a logit is {found["control"]:.1g}.
"""


def _named(heads: Sequence[Sequence[int]]) -> str:
    return " and ".join(f"({layer}, {head})" for layer, head in heads)


def _mean(values: Sequence[float]) -> tuple[float, float, float]:
    """A mean with its 95 % interval."""
    half = 1.959964 * stdev(values) / len(values) ** 0.5
    return fmean(values), fmean(values) - half, fmean(values) + half
