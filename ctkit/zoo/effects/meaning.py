"""Embeddings of scenes: is a sentence nearer to what means the same? Mean pooling against echo and other readings.

Every reading picks its own layer, on other triplets (seed + 50,000), and is also shown at the last one.
"""

import torch
from torch import Tensor

from ...engine.lm import LM
from ...engine.run import run_many
from ...interventions import Knockout, Mask, Setup
from ...masks import positions
from ...measures.effect import paired_interval
from ...measures.embed import FORMS, embed_layers, pool
from ...tasks.meaning import triplets
from .population import wilson
from .tables import percent, points, table

BASE = "mean"
READINGS = {  # name → form, and what is done to the reading; the base first
    BASE: ("mean", Setup()),
    "mean, prompted": ("prompted", Setup()),
    "echo": ("echo", Setup()),
    "echo, blind": ("echo", Setup([Knockout("reading 2", "sentence")])),
    "last token": ("last", Setup()),
    "one word": ("one word", Setup()),
    "mean, mask lifted": ("mean", Setup([Mask("bidirectional")])),
}
PAIRED = (("echo", "mean, prompted"), ("echo", "echo, blind"), ("echo, blind", "mean, prompted"))
TWINS = (BASE, "echo", "echo, blind", "mean, mask lifted")
KINDS = ("late", "early")
OTHER = 50_000  # how far off the seeds lie on which a layer is picked


def jobs(n: int, seed: int) -> list[tuple[str, tuple]]:
    """Both measures once."""
    return [("nearer", (n, seed)), ("twins", (n, seed))]


def nearer(lm: LM, n: int, seed: int) -> dict[str, object]:
    """The share of triplets of each kind in which the query is nearer to what means the same, by reading.

    "layer": the one with the best mean share of both kinds on a quarter as many other triplets; "chosen": the share
    there, against mean pooling at its own; "last": leaving the last block; "layers": at all layers. "paired": the same
    for pairs of readings.
    """
    found = {name: {kind: right(lm, n, seed, kind, *how) for kind in KINDS} for name, how in READINGS.items()}
    picked = {name: best_layer(lm, -(-n // 4), seed + OTHER, *how) for name, how in READINGS.items()}

    def held(name: str, base: str, kind: str) -> dict[str, dict]:
        here, there = found[name][kind], found[base][kind]
        return {"chosen": against(here[picked[name]], there[picked[base]]), "last": against(here[-1], there[-1])}

    rows = {a: {"layer": picked[a]} | {kind: held(a, BASE, kind) for kind in KINDS} for a in READINGS}
    for name, row in rows.items():
        row["layers"] = {kind: sides.double().mean(1).tolist() for kind, sides in found[name].items()}
    paired = [{"of": a, "against": b} | {kind: held(a, b, kind) for kind in KINDS} for a, b in PAIRED]
    return {"what": "nearer", "n": n, "readings": rows, "paired": paired}


def best_layer(lm: LM, n: int, seed: int, form: str, setup: Setup) -> int:
    """The layer at which most triplets of both kinds come out right."""
    tried = torch.stack([right(lm, n, seed, kind, form, setup) for kind in KINDS])
    return int(tried.double().mean((0, 2)).argmax())


def right(lm: LM, n: int, seed: int, kind: str, form: str, setup: Setup) -> Tensor:
    """Whether the query is nearer to the one that means the same: a row a layer, a column a triplet."""
    query, near, far = (embed_layers(lm, texts, setup, form=form) for texts in zip(*triplets(n, seed, kind)))
    return torch.cosine_similarity(query, near, -1) > torch.cosine_similarity(query, far, -1)


def against(row: Tensor, base: Tensor) -> dict[str, float]:
    """The share right with its interval, and the paired difference from a base with its own."""
    n, mended, broken = len(row), int((row & ~base).sum()), int((base & ~row).sum())
    (low, high), (least, most) = wilson(int(row.sum()), n), paired_interval(mended, broken, n)
    difference = {"difference": (mended - broken) / n, "least": least, "most": most}
    return {"share": int(row.sum()) / n, "low": low, "high": high} | difference


def twins(lm: LM, n: int, seed: int) -> dict[str, object]:
    """How far a likeness can tell two sentences of one beginning apart, if only that beginning is pooled.

    |sim(query, near) − sim(query, far)| without the last word and the full stop, at the last layer. Near and far are
    read in two passes of one shape, so that what is equal comes out equal to the bit.
    """
    texts = list(zip(*triplets(n, seed, "twin")))
    gaps = {}
    for name in TWINS:
        query, near, far = (beginnings(lm, side, *READINGS[name]) for side in texts)
        gap = (torch.cosine_similarity(query, near) - torch.cosine_similarity(query, far)).abs()
        gaps[name] = {"mean": float(gap.mean()), "most": float(gap.max())}
    return {"what": "twins", "n": n, "gaps": gaps}


def beginnings(lm: LM, texts: tuple[str, ...], form: str, setup: Setup) -> Tensor:
    """The mean over all of a sentence but its last word and the full stop, where the form pools."""
    prompts, last = [FORMS[form].prompt(text) for text in texts], lm.n_layers
    traces = run_many(lm, prompts, setup, residual=[last], last_only=True)
    places = [tuple(positions(trace.encoding, FORMS[form].pooled)[:-2]) for trace in traces]
    return torch.stack([pool(trace, where, last) for trace, where in zip(traces, places)])


def section(results: list[dict]) -> str:
    """What the card says."""
    found = {each["what"]: each for each in results}
    head = ["reading", "layer", *KINDS, *(f"{kind}, last layer" for kind in KINDS)]
    paired = [[f"{row['of']} − {row['against']}", *_differences(row)] for row in found["nearer"]["paired"]]
    gaps = [
        [name, f"{gap['mean']:.2g}" if gap["most"] else "0", f"{gap['most']:.2g}"]
        for name, gap in found["twins"]["gaps"].items()
    ]
    return f"""## Embeddings

Triplets of scenes: the share in which a query is nearer (cosine) to the sentence that says the same in other words than
to one that differs in one concept, told by the last word (late) or by the first noun (early); counting shared words
gives 50. In brackets: the difference from mean pooling on the same triplets, in points. Prompted: behind “Rewrite the
sentence:”. Echo: the sentence twice, pooled over the second reading; blind: the second reading cannot attend to the
first. The one word follows from the deed and the last word, not from the first noun. Each reading at its own best
layer, picked on other triplets (0: the words' embeddings), and leaving the last block.

{table(head, [_row(name, row) for name, row in found["nearer"]["readings"].items()])}

What the look back gives, apart from the words in front: differences in points, again at each one's own best layer and
at the last. The last row is the control.

{table(["difference", *head[2:]], paired)}

Two sentences that differ in the last word only, pooled without it: by how much their likeness to a third one differs,
over {found["twins"]["n"]} triplets. A reading that cannot look ahead cannot tell them apart.

{table(["reading", "mean", "largest"], gaps)}
"""


def _row(name: str, row: dict) -> list[str]:
    shares = [percent(cell["share"], cell["low"], cell["high"]) for cell in _cells(row)]
    beside = [""] * len(shares) if name == BASE else [f" [{difference}]" for difference in _differences(row)]
    return [name, str(row["layer"]), *(share + more for share, more in zip(shares, beside))]


def _differences(row: dict) -> list[str]:
    return [points(cell["difference"], cell["least"], cell["most"]) for cell in _cells(row)]


def _cells(row: dict) -> list[dict]:
    return [row[kind][at] for at in ("chosen", "last") for kind in KINDS]
