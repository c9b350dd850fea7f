"""What a view measures beside the picture: a part for each panel that has numbers of its own. Knows no widget.

A part is made once for a view (so that it may remember) and then asked, after each change, with a `Job`. What it
publishes arrives in the view's trait of the same name, and the panel of that name (`widgets/src/playground/panels`)
draws it. To add one: a file in this folder with such a function, a line in `PARTS`, a trait in `view.py`, a panel.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..engine.lm import LM
from ..engine.trace import Trace
from ..interventions.setup import Setup
from ..prompt import Prompt
from ..tasks import Problem
from .dose import dose_of
from .generated import Generated
from .lens import LensLines
from .population import Population
from .steps import Measuring

Found = dict[str, Any] | None  # plain values for the view; None: nothing to show, and the panel says why
Publish = Callable[[Found], None]


@dataclass(frozen=True)
class Job:
    """What is on when a part is asked: the prompt and the setup, the two runs that are painted already, the panel's own
    options, and whether something newer waits. `before` ran under `against` (mostly nothing); `after` is None where the
    setup is the same."""

    lm: LM
    prompt: Prompt
    setup: Setup
    before: Trace
    after: Trace | None
    state: dict[str, Any]
    problem: Problem | None
    stale: Callable[[], bool]
    options: dict[str, Any] = field(default_factory=dict)
    against: Setup = field(default_factory=Setup)


Part = Callable[[Job, Publish], None]


def population_part(lm: LM) -> Part:
    """Accuracy on fresh problems, in growing lines."""
    numbers = Population(lm)

    def measure(job: Job, publish: Publish) -> None:
        if not job.state.get("task"):
            publish(None)
        else:
            numbers.measure(job.state, job.setup, job.stale, publish, job.against)

    return measure


def lens_part(lm: LM) -> Part:
    """What each layer would say next."""
    lines = LensLines(lm)
    return lambda job, publish: publish(lines.of(job.before, job.after))


def generated_part(lm: LM) -> Part:
    """What the model writes before and after, as it is written."""
    texts = Generated(lm)
    return lambda job, publish: texts.write(job.prompt, job.setup, job.options, job.stale, publish, job.against)


def dose_part(lm: LM) -> Part:
    """How likely some tokens are at each strength of steering."""

    def measure(job: Job, publish: Publish) -> None:
        both = (job.before, job.after or job.before)
        dose_of(job.lm, job.prompt, job.setup, both, job.options.get("token"), job.stale, publish)

    return measure


# in the order in which they are measured: what is quick first
PARTS: dict[str, Callable[[LM], Part]] = {
    "lens": lens_part,
    "dose": dose_part,
    "generated": generated_part,
    "steps": Measuring,
    "population": population_part,
}

SLOW = ("generated", "steps", "population")  # of these a panel says that it is being measured
