"""Masks painted by hand: a whole matrix for one prompt, or single cells of any rule."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from operator import index

import torch
from jaxtyping import Bool
from torch import Tensor

from ..errors import CtkitError, shown
from ..prompt import START, Encoding
from .places import positions
from .rule import Rule, add_kind

LARGEST = 8192  # tokens: a bound on what a saved setup can ask for


def cells(*pairs: tuple[int, int]) -> Rule:
    """Single edges (query, key), and nothing else: to open with | or close with & ~. Positions as in `masks.positions`.

    >>> cells((5, 9), (6, 9))
    cells((5, 9), (6, 9))
    """
    return Rule("cells", tuple(_pair(pair) for pair in pairs))


def retouched(base: Rule, painted_cells: Iterable[tuple[int, int, bool]]) -> Rule:
    """A rule with some cells painted over: triples (query, key, may it see it?), of which the last for a cell counts.

    >>> from ctkit.masks import causal
    >>> retouched(causal(), [(3, 5, True), (4, 0, False)])
    (causal() | cells((3, 5))) & ~cells((4, 0))
    """
    paint: dict[tuple[int, int], bool] = {}
    for cell in painted_cells:
        try:
            query, key, allowed = cell
        except (TypeError, ValueError) as err:
            raise CtkitError(
                f"the painted cell {shown(cell)}", "no query, key and colour", "(3, 5, True): token 3 may see token 5"
            ) from err
        paint[_pair((query, key))] = bool(allowed)
    opened = [pair for pair, allowed in paint.items() if allowed]
    closed = [pair for pair, allowed in paint.items() if not allowed]
    rule = base | cells(*opened) if opened else base
    return rule & ~cells(*closed) if closed else rule


def painted(matrix: "Tensor | Sequence[Sequence[bool]] | str", pieces: "Sequence[tuple[str, int]]" = ()) -> Rule:
    """A whole matrix by hand, for one prompt: `matrix[query][key]` is true where token `query` may see token `key`.

    What is generated behind the prompt is causal. The rule keeps the matrix as a short text, and takes that text too.

    `pieces` says what the tokens were when it was painted: each piece with its number of tokens, in order ("" are those
    that the tokenizer puts in front). The paint then belongs to the pieces and fits any prompt: where a piece has as
    many tokens as it had, they keep their paint among each other; the paint of a piece that has more or fewer tokens,
    or is gone, rests, and its tokens are causal (`resting` names them; a token all of whose keys are gone sees itself).
    Without `pieces` a prompt of another length is refused.

    >>> painted([[1, 1], [1, 1]])
    painted('2:1,1,2')
    >>> painted([[1, 1], [1, 1]], [("context", 1), ("question", 1)])
    painted('2:1,1,2', (('context', 1), ('question', 1)))
    """
    if isinstance(matrix, str):
        square = _matrix(matrix)
    else:
        try:
            square = torch.as_tensor(matrix)
        except (TypeError, ValueError, RuntimeError) as err:
            raise CtkitError(f"the painted mask {shown(matrix)}", str(err), "rows of zeros and ones") from err
    if square.ndim != 2 or square.shape[0] != square.shape[1] or not 0 < len(square) <= LARGEST:
        raise CtkitError(
            f"a painted mask of shape {tuple(square.shape)}",
            "no square of queries and keys",
            f"as many rows as columns, one for each token of the prompt; at most {LARGEST}",
        )
    layout = _layout(pieces, len(square))
    return Rule("painted", (_code(square.cpu() != 0), *([layout] if layout else [])))


def resting(rule: Rule, enc: Encoding) -> tuple[str, ...]:
    """The pieces of a painted rule whose paint does not fit an encoding; none for any other rule."""
    if rule.op != "painted" or len(rule.args) < 2:
        return ()
    return tuple(name for name, count in rule.args[1] if count and len(_tokens(enc, name)) != count)


def _cells(enc: Encoding, *pairs: tuple[int, int]) -> Tensor:
    allowed = torch.zeros(len(enc), len(enc), dtype=torch.bool)
    for query, key in pairs:
        allowed[positions(enc, query), positions(enc, key)] = True
    return allowed


def _painted(enc: Encoding, code: str, pieces: tuple[tuple[str, int], ...] = ()) -> Tensor:
    matrix = _matrix(code)
    if pieces:
        return _by_piece(enc, matrix, pieces)
    ends = [enc.spans[part.name].stop for part in enc.prompt.parts if part.name in enc.spans]
    read = max([enc.n_prompt, *ends])  # with what was written behind the prompt before the run
    if len(matrix) not in (enc.n_prompt, read):
        raise CtkitError(
            f"a mask painted for {len(matrix)} tokens",
            f"a prompt of {enc.n_prompt} tokens",
            "a mask painted for this prompt; or a rule that names its pieces, which fits any",
        )
    allowed = torch.ones(len(enc), len(enc), dtype=torch.bool).tril()
    allowed[: len(matrix), : len(matrix)] = matrix
    return allowed


def _by_piece(enc: Encoding, matrix: Bool[Tensor, "token token"], pieces: tuple[tuple[str, int], ...]) -> Tensor:
    """Causal, but for the tokens of pieces that are as long as when they were painted."""
    allowed = torch.ones(len(enc), len(enc), dtype=torch.bool).tril()
    here: list[int] = []
    there: list[int] = []
    first = 0
    for name, count in pieces:
        tokens = _tokens(enc, name)
        if len(tokens) == count:
            here += tokens
            there += range(first, first + count)
        first += count
    now, then = torch.tensor(here, dtype=torch.long), torch.tensor(there, dtype=torch.long)
    allowed[now[:, None], now[None]] = matrix[then[:, None], then[None]]
    bereft = now[~allowed[now].any(-1) & matrix[then].any(-1)]  # all that they were to see is gone
    allowed[bereft, bereft] = True
    return allowed


def _tokens(enc: Encoding, name: str) -> list[int]:
    """The positions of a piece; of "" those that the tokenizer puts in front."""
    if not name:
        return [i for i, place in enumerate(enc.places) if place[0] == START]
    return list(range(len(enc)))[enc.spans[name]] if name in enc.spans else []


def _layout(pieces: object, tokens: int) -> tuple[tuple[str, int], ...]:
    try:
        layout = tuple((name, index(count)) for name, count in pieces)
        fits = all(isinstance(name, str) and count >= 0 for name, count in layout)
        fits = fits and len({name for name, _ in layout}) == len(layout)
    except (TypeError, ValueError):
        layout, fits = (), False
    if not fits or (layout and sum(count for _, count in layout) != tokens):
        raise CtkitError(
            f"a painted mask for the pieces {shown(pieces)}",
            f"a mask of {tokens} tokens",
            'each piece once, with its number of tokens: [("context", 24), ("question", 5)]',
        )
    return layout


def _code(matrix: Bool[Tensor, "token token"]) -> str:
    """A square as "size:runs": row by row, how many cells are as in the causal mask, how many are not, and so on."""
    other = (matrix ^ torch.ones_like(matrix).tril()).flatten()
    turns = (other[1:] ^ other[:-1]).nonzero().flatten() + 1
    edges = [0, *([0] if other[0] else []), *turns.tolist(), len(other)]
    return f"{len(matrix)}:{','.join(str(b - a) for a, b in pairwise(edges))}"


@lru_cache(maxsize=8)
def _matrix(code: str) -> Bool[Tensor, "token token"]:
    """The square that `_code` wrote; anything else is refused. Kept, as each block asks for it: do not change it."""
    parsed = re.fullmatch(r"(\d{1,4}):(\d{1,8}(?:,\d{1,8})*)", code, re.ASCII)
    n, runs = (int(parsed[1]), [int(run) for run in parsed[2].split(",")]) if parsed else (0, [])
    if not 0 < n <= LARGEST or sum(runs) != n * n:
        raise CtkitError(
            f"the painted mask {shown(code)}",
            f"{sum(runs)} cells for {n} × {n}" if parsed else 'no "size:runs"',
            "the text of a rule that ct.masks.painted(matrix) made",
        )
    other = torch.arange(len(runs)).remainder(2).bool().repeat_interleave(torch.tensor(runs))
    return other.reshape(n, n) ^ torch.ones(n, n, dtype=torch.bool).tril()


def _pair(pair: object) -> tuple[int, int]:
    try:
        query, key = pair
        return index(query), index(key)
    except (TypeError, ValueError) as err:
        raise CtkitError(
            f"the cell {shown(pair)}", "no pair of a query and a key", "two positions, such as (3, 5)"
        ) from err


add_kind(cells, _cells)
add_kind(painted, _painted)
