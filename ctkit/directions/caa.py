"""Contrastive activation addition: pairs of texts that differ in an answer, read at that answer (CAA)."""

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import CtkitError, shown
from ..interventions import Direction
from ..prompt import Encoding
from .probe import accuracy, reliability
from .request import NAME, Request, States, at, traces


def fit(request: Request) -> Direction:
    """The mean over pairs of the difference at the answer's token (Rimsky et al., ACL 2024, arXiv 2312.06681)."""
    request.paired("caa")
    read = [list(traces(request.lm, texts, **{request.site: [request.layer]})) for texts in request.sides]
    plus, minus, answers = [], [], []
    for one, other in zip(*read, strict=True):
        places = answer_places(one.encoding, other.encoding)
        for trace, place, states in zip((one, other), places, (plus, minus), strict=True):
            states.append(at(trace, request.site, request.layer, request.head)[place : place + 1])
            answers.append(trace.tokens[place])
    if request.name == NAME:
        kinds = list(dict.fromkeys(answers))
        request = replace(request, name=f"{NAME} at {', '.join(map(repr, kinds[:4]))}{' …' if kinds[4:] else ''}")
    order = sorted(range(len(plus)), key=lambda i: answers[2 * i])  # letters take turns: each half is to have both
    sides = [[side[i] for i in order] for side in (plus, minus)]
    measured = {"reliability": reliability(mean_difference, *sides), "accuracy": accuracy(plus, minus, request.seed)}
    return request.direction(mean_difference(plus, minus), "caa", **measured)


def mean_difference(plus: States, minus: States) -> Float[Tensor, "d_model"]:
    """The mean over pairs of positive minus negative, each text's tokens averaged first."""
    return torch.stack([one.mean(0) - other.mean(0) for one, other in zip(plus, minus, strict=True)]).mean(0)


def answer_places(one: Encoding, other: Encoding) -> tuple[int, int]:
    """The position of the answer in both texts of a pair: the last token before the ending that they share, as the
    letter in "(A)" and "(B)". Texts that differ in more than a word are no such pair."""
    before = 0
    shorter = min(len(one), len(other))
    while before < shorter and one.ids[before] == other.ids[before]:
        before += 1
    after = 0
    while after < shorter - before and one.ids[-1 - after] == other.ids[-1 - after]:
        after += 1
    answers = ["".join(enc.tokens[before : len(enc) - after]).strip() for enc in (one, other)]
    same = len(one) == len(other) == before
    if not same and (not all(answers) or any(len(answer.split()) > 1 for answer in answers)):
        raise CtkitError(
            f"the answers of {shown(one.prompt.text[-60:], 80)} and {shown(other.prompt.text[-60:], 80)}",
            f"texts that differ in {shown(answers[0])} and {shown(answers[1])}",
            'pairs of one text that end in two answers, such as "… (A)" and "… (B)"',
        )
    return len(one) - after - 1, len(other) - after - 1
