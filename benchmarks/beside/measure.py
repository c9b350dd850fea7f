"""One cell of the table: a library's answer to a job, checked, then timed."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from .jobs import TOLERANCE, Job
from .timing import Millis, Ratio, outside, paired


@dataclass(frozen=True)
class Cell:
    """What a library did with a job; all None where it cannot do it."""

    ratio: Ratio | None = None
    apart: float | None = None
    outside: Millis | None = None
    failed: str | None = None
    is_base: bool = False

    @property
    def ratio_text(self) -> str:
        """The cell as text."""
        if self.failed or self.is_base:
            return "failed" if self.failed else "1 (the base)"
        return "–" if self.ratio is None else str(self.ratio)

    @property
    def outside_text(self) -> str:
        """The time beside the forward as text."""
        return "failed" if self.failed else "–" if self.outside is None else str(self.outside)


def measured(library: Any, job: Job, right: Any, base: Callable[[], Any], pairs: int, clock: str) -> Cell:
    """The same numbers first; a library that gives others, or breaks, is reported and not timed."""
    call = getattr(library, job.name, None)
    if call is None:
        return Cell()
    try:
        answer = call()
        setups = answer if job.name == "switch" else []
        distance = job.distance([setup() for setup in setups] if setups else answer, right)
        if not distance <= TOLERANCE:
            return Cell(failed=f"other numbers, {distance:.1e} standard deviations (or tokens) apart")
        if call == base:
            return Cell(apart=distance, is_base=True)
        if not setups:
            return Cell(paired(call, base, pairs, clock), distance)
        turns = cycle(setups)
        ratio = paired(lambda: next(turns)(), base, pairs, clock)
        return Cell(ratio, distance, outside(*setups, library.model, pairs, clock))
    except Exception as err:  # a peer that breaks is a finding, told in its column
        return Cell(failed=f"{type(err).__name__}: {str(err).strip().splitlines()[0] if str(err).strip() else ''}")
