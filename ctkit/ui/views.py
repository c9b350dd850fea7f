"""Single views for a lesson: one line each, made of the playground's own panels."""

from typing import Any

from ..engine.lm import LM
from ..engine.load import load
from ..interventions import Steer
from ..interventions.setup import as_setup
from ..prompt import Prompt
from ..tasks import get
from .concepts import concept_directions
from .examples import examples
from .share import checked_numbers
from .view import View


class AttentionView(View):
    """Who reads whom: the text, all heads, and the chosen one before, after and as a difference.

    >>> import ctkit as ct
    >>> view = ct.AttentionView(prompt="The key is in the box.", setup=ct.Mask("bidirectional"))
    >>> view.setup
    Setup([Mask(kind='bidirectional')])
    """

    PANELS = ("text", "attention")


class LensView(View):
    """When the next token is decided: what each layer would say, before and after.

    >>> import ctkit as ct
    >>> view = ct.LensView(prompt="The key is in the box. Where is the key? Answer:", setup=ct.Reread())
    >>> view.wait(), view.lens["tokens"][0]["token"], view.lens["note"]
    (True, ' box', '')
    """

    PANELS = ("text", "next", "lens")


class PopulationView(View):
    """Accuracy before and after on fresh problems of a task, filling up as it runs.

    `task` and `difficulty` choose the problems (the first preset's by default), `n` how many, `seed` the first of them;
    they are the problems of `ct.effect` with the same numbers.

    >>> import ctkit as ct
    >>> view = ct.PopulationView(setup=ct.Reread(), task="sums", difficulty=2, n=100)
    >>> view.state["task"], view.state["n"]
    ('sums', 100)
    """

    PANELS = ("text", "population")

    def __init__(
        self,
        lm: LM | None = None,
        prompt: Prompt | str | None = None,
        setup: Any = (),
        *,
        task: str | None = None,
        difficulty: int | None = None,
        n: int = 200,
        seed: int = 10_000,
        **more: Any,
    ):
        state: dict[str, Any] = {"n": n, "seed": seed}
        if task is not None:
            problem = get(task).generate(0, difficulty)
            state |= {"task": task, "difficulty": problem.difficulty}
            prompt = problem.prompt if prompt is None else prompt
        super().__init__(lm, prompt, setup, state=checked_numbers(state), **more)


class MaskPainter(View):
    """The mask itself, to paint: drag over cells to let tokens see each other or not, and see what comes next.

    >>> import ctkit as ct
    >>> painter = ct.MaskPainter(prompt="The key is in the box.")
    >>> painter.setup = ct.Mask(ct.masks.painted([[1, 1], [1, 1]], [("", 1), ("text", 1)]))
    """

    PANELS = ("text", "painter", "next")


class SteeringView(View):
    """Steering with its dose-response curve: how likely the next tokens are at each strength, beside random directions.

    Without a prompt or a setup it begins with a story, pushed from sad to happy.

    >>> import ctkit as ct
    >>> view = ct.SteeringView()
    >>> [type(one).__name__ for one in view.setup]
    ['Steer']
    """

    PANELS = ("text", "switches", "next", "dose", "generated")
    SWITCHES = ("steer",)

    def __init__(self, lm: LM | None = None, prompt: Prompt | str | None = None, setup: Any = (), **options: Any):
        lm = load() if lm is None else lm
        if prompt is None:
            prompt = next(example for example in examples() if example.id == "mood").prompt
        if isinstance(lm, LM) and not len(as_setup(setup)):
            setup = [Steer(direction, strength=4.0) for direction in concept_directions(lm)[:1]]
        super().__init__(lm, prompt, setup, **options)
