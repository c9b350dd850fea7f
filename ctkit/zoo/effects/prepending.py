"""Token prepending on the one-word form: likeness of scenes at the same layer without it, and who hears of whom."""

import torch
from torch import Tensor

from ...engine.lm import LM
from ...engine.run import run_many
from ...interventions import PrependToken, Setup
from ...measures.embed import FORMS, embed_layers
from ...tasks.meaning import pairs, triplets
from .meaning import KINDS, OTHER, against, right
from .tables import percent, points, table

FORM = FORMS["one word"]
WITHOUT, UNTOLD = "without", "a token that is told nothing"
BLOCKS = ((1, 2), (1, 3), (2, 4))  # start and exit
RESAMPLED = 1000  # draws for an interval
TEXTS = 100  # for the logits at start = exit


def jobs(n: int, seed: int) -> list[tuple[str, tuple]]:
    """Both measures once."""
    return [("likeness", (n, seed)), ("told", (n, seed))]


def setups(lm: LM) -> dict[str, Setup]:
    """The one-word form as it is, with a placeholder that is told nothing, and with token prepending in some blocks."""
    told = {
        f"start {start}, exit {exit}": Setup([PrependToken(start, exit, before="quote")])
        for start, exit in BLOCKS
        if exit <= lm.n_layers
    }
    return {WITHOUT: Setup(), UNTOLD: Setup([PrependToken(1, 2, before="quote", source="itself")]), **told}


def likeness(lm: LM, n: int, seed: int) -> dict[str, object]:
    """How well cosines rank pairs by the concepts they share (Spearman), and triplets, against the same layer without.

    "layer": each setup's best on a quarter as many other pairs; "chosen": the correlation there; "last": leaving the
    last block; "layers": at all layers. Triplets at the layer chosen.
    """
    tried, fresh = pairs(-(-n // 4), seed + OTHER), pairs(n, seed)
    grades = torch.tensor([grade for *_, grade in fresh])
    base = cosines(lm, fresh, Setup())
    base_right = {kind: right(lm, n, seed, kind, "one word", Setup()) for kind in KINDS}
    rows: dict[str, dict] = {}
    for name, setup in setups(lm).items():
        layer = best(cosines(lm, tried, setup), torch.tensor([grade for *_, grade in tried]))
        found = base if name == WITHOUT else cosines(lm, fresh, setup)
        rows[name] = {"layer": layer, "layers": [spearman(row, grades) for row in found]}
        for place, at in {"chosen": layer, "last": lm.n_layers}.items():
            rows[name][place] = correlation(found[at], base[at], grades)
        for kind in KINDS:
            seen = base_right[kind] if name == WITHOUT else right(lm, n, seed, kind, "one word", setup)
            rows[name][kind] = against(seen[layer], base_right[kind][layer])
    return {"what": "likeness", "n": n, "setups": rows}


def cosines(lm: LM, found: list[tuple[str, str, float]], setup: Setup) -> Tensor:
    """The cosines of sentence pairs in the one-word form: a row a layer."""
    first, second, _ = zip(*found)
    a, b = (embed_layers(lm, texts, setup, form=FORM) for texts in (first, second))
    return torch.cosine_similarity(a, b, -1)


def best(rows: Tensor, grades: Tensor) -> int:
    """The layer whose cosines rank best."""
    return max(range(len(rows)), key=lambda layer: spearman(rows[layer], grades))


def correlation(found: Tensor, base: Tensor, grades: Tensor) -> dict[str, float]:
    """Spearman's correlation with the grades and its difference from a base; intervals by resampling pairs."""
    chance, n = torch.Generator().manual_seed(0), len(grades)
    drawn = [torch.randint(n, (n,), generator=chance) for _ in range(RESAMPLED)]
    again = torch.tensor([[spearman(row[i], grades[i]) for row in (found, base)] for i in drawn])
    share, here, there = torch.tensor([0.025, 0.975]), spearman(found, grades), spearman(base, grades)
    low, high = again[:, 0].quantile(share).tolist()
    least, most = (again[:, 0] - again[:, 1]).quantile(share).tolist()
    difference = {"difference": here - there, "least": least, "most": most}
    return {"correlation": here, "low": low, "high": high} | difference


def spearman(a: Tensor, b: Tensor) -> float:
    """The correlation of ranks; 0 where one side is all equal.

    >>> spearman(torch.tensor([1.0, 2.0, 9.0]), torch.tensor([0.0, 0.5, 0.5]))
    0.8660254037844387
    """
    spread = torch.stack([ranks(a), ranks(b)])
    spread -= spread.mean(1, keepdim=True)
    length = spread.norm(dim=1).prod()
    return float(spread[0] @ spread[1] / length) if length else 0.0


def ranks(values: Tensor) -> Tensor:
    """Each value's rank; equal values share the mean of theirs."""
    _, which, counts = values.unique(return_inverse=True, return_counts=True)
    return (counts.cumsum(0) - (counts - 1) / 2)[which].double()


def told(lm: LM, n: int, seed: int) -> dict[str, object]:
    """How far the stream of a sentence's first word moves, by layer, when only its last word is another one.

    "moved": the mean move over the stream's own length; "most": the largest. "identical": the largest change of any
    logit by token prepending with start = exit.
    """
    _, near, far = zip(*triplets(n, seed, "twin"))
    moved = {}
    for name, setup in setups(lm).items():
        a, b = (firsts(lm, texts, setup) for texts in (near, far))
        moves = (a - b).norm(dim=-1) / a.norm(dim=-1)
        moved[name] = {"moved": moves.mean(0).tolist(), "most": moves.max(0).values.tolist()}
    prompts = [FORM.prompt(text) for text in near[:TEXTS]]
    both = zip(run_many(lm, prompts), run_many(lm, prompts, PrependToken(1, 1, before="quote")))
    identical = max(float((a.logits - b.logits).abs().max()) for a, b in both)
    return {"what": "told", "n": n, "first": moved, "identical": identical}


def firsts(lm: LM, texts: tuple[str, ...], setup: Setup) -> Tensor:
    """The stream of each sentence's first word: text, layer, width."""
    traces = run_many(lm, [FORM.prompt(text) for text in texts], setup, residual="all", last_only=True)
    layers = range(lm.n_layers + 1)
    return torch.stack([torch.stack([t.residual(i)[t.spans["sentence"].start] for i in layers]) for t in traces])


def section(results: list[dict]) -> str:
    """What the card says."""
    found = {each["what"]: each for each in results}
    rows = found["likeness"]["setups"]
    first = found["told"]["first"]
    layers = range(len(first[WITHOUT]["moved"]))
    moves = [[name, *(f"{move:.2g}" for move in row["moved"])] for name, row in first.items()]
    return f"""## Token prepending

The one-word form: how well cosines rank {found["likeness"]["n"]} pairs of scenes by the concepts that they share
(Spearman × 100), and the triplets from above, in percent. In brackets: the difference from the same layer without it.
Each setup at its own best layer, picked on other pairs, and leaving the last block.

{table(["setup", "layer", "likeness", "likeness, last layer", *KINDS], [_row(*row) for row in rows.items()])}

How far the stream of the first word moves, in shares of its length, when only the last word of the sentence is another
one; mean over {found["told"]["n"]} sentences, entering each block and leaving the last. The largest move without:
{max(first[WITHOUT]["most"]):.1g}. The largest change of a logit at start = exit: {found["told"]["identical"]:.1g}.

{table(["setup", *map(str, layers)], moves)}
"""


def _row(name: str, row: dict) -> list[str]:
    likenesses = [_cell(name, row[at], "correlation") for at in ("chosen", "last")]
    return [name, str(row["layer"]), *likenesses, *(_cell(name, row[kind], "share") for kind in KINDS)]


def _cell(name: str, found: dict, what: str) -> str:
    figure = percent(found[what], found["low"], found["high"])
    return figure if name == WITHOUT else f"{figure} [{points(found['difference'], found['least'], found['most'])}]"
