"""Writing a few tokens behind a text of which the trunks may have read most already: an answer behind a thought."""

from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from .branches import Trunks
from .encode import token_text
from .plan import PLAIN, Row
from .prefix import Going, Prefix
from .writer import end_ids


def written_behind(trunks: Trunks, text: Any, goes_on: Callable[[str], Any], most: int) -> list[int]:
    """The tokens that `generate` writes behind a text at temperature 0: at most so many, or up to the one at which
    `goes_on(token)` is False. Read is only what no trunk has, and what was read becomes one.

    For setups with which `trunks.share` what they have read, and that put nothing in the model's mouth.
    """
    lm, [row], read = trunks.lm, trunks.rows([text]), None
    room = most if lm.context is None else min(most, lm.context - len(row.enc))
    written: list[int] = []
    while len(written) < room:
        read, best = _further(trunks, row, written, read)
        if best in end_ids(lm):
            break
        written.append(best)
        if goes_on(token_text(lm, best)) is False:
            break
    if read is not None:
        trunks.keep([read.own()])
    return written


def _further(trunks: Trunks, row: Row, written: list[int], read: Prefix | None) -> tuple[Prefix, int]:
    """The text read to the last token written, and the one that comes next."""
    ids = (*row.enc.ids, *written)
    whole = Row(replace(row.enc, ids=ids, tokens=(), places=(), spans=MappingProxyType({})), PLAIN)
    going = trunks.going(whole, 1) if read is None else Going(whole, read, len(read.ids), 1, taken=True)
    [(_, reading)] = trunks.passing([going], keep=True)
    return reading.prefix(0), reading.best[0][-1]
