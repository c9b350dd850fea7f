"""The steps of a thought as a view of its own: one line in a lesson."""

import base64
import io
from typing import Any

from ..engine.lm import LM
from ..interventions import Think
from ..interventions.setup import as_setup
from ..measures.score import thinks
from ..plots import steps as figure_of
from ..prompt import Prompt, as_prompt
from ..tasks import Problem, get
from .steps import given
from .view import View

PATIENCE = 5.0  # seconds that a still picture waits for the steps to be measured


class StepsView(View):
    """What each step of a thought does to the answer; any step can be edited, and the answer moves.

    `prompt`: a text, a prompt or a task's problem (then the steps have labels; by default a long sum). `steps`: the
    thought, as a text or a list of steps; by default the model thinks for itself. Any `setup` can be on; what it
    changes is seen beside the bare thought. `method` is one of those of `ct.step_effects`, `by` the grain of a step:
    "token", "word", "sentence", "line".

    >>> import ctkit as ct
    >>> view = ct.StepsView(ct.load(), "a = 3. b = a + 4. What is b? Answer:", ["a = 3.", "b = 3 + 4 = 7."])
    >>> view.wait(60), [row["text"] for row in view.steps["steps"]]
    (True, ['a = 3.', 'b = 3 + 4 = 7.'])
    """

    PANELS = ("text", "steps")

    def __init__(
        self,
        lm: LM | None = None,
        prompt: Prompt | Problem | str | None = None,
        steps: Any = None,
        setup: Any = (),
        method: str = "mistake",
        by: str = "sentence",
    ):
        prompt = get("sums").generate(0, difficulty=4) if prompt is None else prompt
        problem = prompt if isinstance(prompt, Problem) else None
        asked, setup = as_prompt(prompt if problem is None else problem.prompt), as_setup(setup)
        pieces = [{"name": name, "text": text} for name, text in asked.pieces.items()]
        options = {"method": method, "by": by}
        if steps is None:
            setup = setup if thinks(setup, asked) else as_setup(setup, Think())
        else:
            options |= given(steps, pieces)
        super().__init__(lm, asked, setup, options={"steps": options})
        if problem is not None:
            self._problem_seed = problem.seed
            self._set(task=problem.task, difficulty=problem.difficulty)

    def _repr_mimebundle_(self, **kwargs: Any):
        bundle = super()._repr_mimebundle_(**kwargs)
        self.wait(PATIENCE)
        part = self._parts["steps"]
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        if part.effects is None or data is None:
            return bundle
        buffer = io.BytesIO()
        figure_of(part.effects, part.before).savefig(
            buffer, format="png", metadata={"Software": None}, bbox_inches="tight"
        )
        return data | {"image/png": base64.b64encode(buffer.getvalue()).decode("ascii")}, metadata
