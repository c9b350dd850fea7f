"""The kinds of rules, each a function that makes one: causal, prefix, window and the others that have a name."""

import torch
from torch import Tensor

from ..errors import CtkitError, shown
from ..prompt import Encoding
from .places import Where, as_where, parts_of, positions
from .rule import Rule, add_kind


def causal() -> Rule:
    """A query sees itself and what stands before it."""
    return Rule("causal")


def bidirectional() -> Rule:
    """Everything sees everything: the causal mask lifted."""
    return Rule("bidirectional")


def prefix(until: int | str | None = None) -> Rule:
    """Causal, but the first tokens see each other freely (prefix language model; MHQA, arXiv 2505.11754).

    `until`: how many tokens, or the piece with which the prefix ends; None is the whole prompt. A prefix of one token
    is exactly causal.
    """
    if until is not None and not isinstance(until, str) and (not isinstance(until, int) or until < 0):
        raise CtkitError(
            f"a prefix until {shown(until)}",
            "no end of a prefix",
            "a number of tokens, or the piece with which it ends",
        )
    return Rule("prefix", () if until is None else (until,))


def window(size: int) -> Rule:
    """A query sees itself and the `size - 1` tokens before it (sliding window)."""
    if not isinstance(size, int) or size < 1:
        raise CtkitError(
            f"a window of {shown(size)}", "not a whole number of tokens", "a window of 1 (only itself) or more"
        )
    return Rule("window", (size,))


def sinks(count: int) -> Rule:
    """A query sees the first `count` tokens that stand before it or are itself, and nothing else: attention sinks.

    By itself it leaves later tokens only the sinks; with a window it is the mask of StreamingLLM (Xiao et al., ICLR
    2024, arXiv 2309.17453). There positions are counted within the cache; here every token keeps its own.

    >>> sinks(4) | window(16)
    sinks(4) | window(16)
    """
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise CtkitError(f"{shown(count)} attention sinks", "not a number of tokens", "4, as the paper; 0 for none")
    return Rule("sinks", (count,))


def between(queries: Where, keys: Where) -> Rule:
    """The queries see the keys, and nothing else sees anything: a rectangle to open with | or close with & ~."""
    return Rule("between", (as_where(queries), as_where(keys)))


def mutual(queries: Where, keys: Where) -> Rule:
    """The queries see those keys that stand ahead of them: it makes a causal mask span-mutual (AKI, arXiv 2503.02597).

    Alone it shows nothing behind; join it: `causal() | mutual("context", "question")` lets the context look ahead at
    the question. Where the keys stand before the queries it opens nothing. What is not written yet is seen by nobody.
    """
    return Rule("mutual", (as_where(queries), as_where(keys)))


def parallel(*segments: Where) -> Rule:
    """Causal, but segments do not see each other, as if read side by side (Parallel Context Windows; Ratner et al., ACL
    2023, arXiv 2212.10947). Positions stay as they are.

    What is in no segment sees and is seen as before. A piece that was split counts as its parts: `parallel("context")`
    behind `ct.Split("context")` keeps its sentences apart. With one segment or none it is causal.

    >>> parallel("context", "question")
    parallel('context', 'question')
    """
    return Rule("parallel", tuple(as_where(segment) for segment in segments))


def suppress(span: Where) -> Rule:
    """Causal, but nothing behind a span sees it (attention suppression; Bogdan et al. 2025, arXiv 2506.19143).

    Inside the span everything is as before, so that it is read and only then forgotten. Tokens that do not stand
    together are spans of their own. An empty span is exactly causal.
    """
    return Rule("suppress", (as_where(span),))


def _causal(enc: Encoding) -> Tensor:
    return torch.ones(len(enc), len(enc), dtype=torch.bool).tril()


def _bidirectional(enc: Encoding) -> Tensor:
    return torch.ones(len(enc), len(enc), dtype=torch.bool)


def _prefix(enc: Encoding, until: int | str | None = None) -> Tensor:
    if isinstance(until, str):
        until = max(positions(enc, until), default=-1) + 1
    length = enc.n_prompt if until is None else until
    allowed = _causal(enc)
    allowed[:length, :length] = True
    return allowed


def _window(enc: Encoding, size: int) -> Tensor:
    return _causal(enc).triu(1 - size)


def _sinks(enc: Encoding, count: int) -> Tensor:
    allowed = _causal(enc)
    allowed[:, count:] = False
    return allowed


def _between(enc: Encoding, queries: Where, keys: Where) -> Tensor:
    allowed = torch.zeros(len(enc), len(enc), dtype=torch.bool)
    rows = torch.tensor(positions(enc, queries), dtype=torch.long)
    columns = torch.tensor(positions(enc, keys), dtype=torch.long)
    allowed[rows[:, None], columns[None, :]] = True
    return allowed


def _mutual(enc: Encoding, queries: Where, keys: Where) -> Tensor:
    return _between(enc, queries, keys).triu(1)


def _parallel(enc: Encoding, *segments: Where) -> Tensor:
    owner = [-1] * len(enc)
    places = [
        part for own in segments for part in (parts_of(enc, own) if isinstance(own, str) else [positions(enc, own)])
    ]
    for number, inside in enumerate(places):
        twice = [at for at in inside if owner[at] >= 0]
        if twice:
            raise CtkitError(
                f"segments side by side, {shown(segments)}",
                f"token {twice[0]} ({enc.tokens[twice[0]]!r}) in two of them",
                "segments that do not overlap",
            )
        for at in inside:
            owner[at] = number
    rows, columns = torch.tensor(owner)[:, None], torch.tensor(owner)[None]
    return _causal(enc) & ~((rows != columns) & (rows >= 0) & (columns >= 0))


def _suppress(enc: Encoding, span: Where) -> Tensor:
    allowed, inside = _causal(enc), set(positions(enc, span))
    first = None
    for at in sorted(inside):
        first = at if first is None else first
        if at + 1 not in inside:
            allowed[at + 1 :, first : at + 1] = False
            first = None
    return allowed


add_kind(causal, _causal)
add_kind(bidirectional, _bidirectional)
add_kind(prefix, _prefix)
add_kind(window, _window)
add_kind(sinks, _sinks)
add_kind(between, _between)
add_kind(mutual, _mutual)
add_kind(parallel, _parallel)
add_kind(suppress, _suppress)
