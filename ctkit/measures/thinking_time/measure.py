"""Test-time compute: thoughts drawn, shortened, drawn out or hinted at, over fresh problems of a task."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf, isclose
from typing import Any

import torch

from ...engine.generate import generate_many
from ...engine.lm import LM
from ...engine.trace import Generation
from ...errors import CtkitError, shown
from ...interventions import Think
from ...interventions.setup import Setup, as_setup
from ...prompt import Prompt
from ...tasks import Problem, get
from ..score import after_cue, answer_cue, is_right
from .choosing import Thought, likeliest, majority, shares
from .hints import HINT, refined, with_hint
from .result import Spending, Spent

SETTINGS = {
    "self-consistency": (1, 2, 4, 8),
    "best-of-n": (1, 2, 4, 8),
    "budget": (0, 8, 16, 32, 64),
    "waits": (0, 1, 2, 4),
    "hints": (1, 2, 3),
}  # method → the settings it is measured at, if nobody says otherwise
FORCED = ("budget", "waits")
AT_ONCE = 2**27  # logits held at a time: half a GiB
MOST = 1024  # thoughts for a problem


def thinking_time(
    lm: LM,
    task: Any,
    method: str = "self-consistency",
    *setup: Any,
    settings: Sequence[int] | None = None,
    n: int = 200,
    seed: int = 0,
    difficulty: int | None = None,
    temperature: float | None = None,
    max_new_tokens: int = 128,
    samples: int = 8,
    hint: str = HINT,
    least: float = 0.1,
    on_progress: Callable[[int, int], Any] | None = None,
) -> Spending:
    """Accuracy against tokens spent on thinking (test-time compute), over `n` fresh problems, seeds from `seed` on.

    `method`, and what its `settings` are:

    - "self-consistency": so many thoughts, drawn independently, and the answer that most of them come to (Wang et al.,
      ICLR 2023, arXiv 2203.11171).
    - "best-of-n": the answer of the thought that the model itself finds likeliest: the mean log-probability of a token
      over thought and answer, at temperature 1.
    - "budget": at most so many words of thought, then the answer cue; "waits": so many times "Wait" in place of it
      (budget forcing; Muennighoff et al. 2025, arXiv 2501.19393). A setting of waits may write `max_new_tokens` once
      more for each of them.
    - "hints": so many rounds of hint marginalisation (Pal et al., arXiv 2412.13292). Round 1 draws `samples` thoughts;
      each further one gives every answer that is not rare (a share of `least`) back as a `hint` in the prompt, draws as
      many thoughts under it, and adds up. The thoughts under a hint share their dice with those without, so that a hint
      that says nothing changes nothing, exactly. The models in the box never read a hint in training.

    Thoughts are drawn at `temperature`; left out, 0.8, or 0 for "budget" and "waits", and each has dice of its own.
    The first k of a problem's thoughts are those of the setting k, so settings are paired. Thinking is on; any `setup`
    can be on meanwhile. A Ctrl-C ends it with nothing left behind.

    >>> import ctkit as ct
    >>> found = ct.thinking_time(ct.load(), "sums", "budget", settings=[0, 40], n=20, difficulty=3)
    >>> found.at(0).mean_tokens, found.at(40).accuracy
    (3.0, 1.0)
    """
    settings = _checked(method, settings)
    if temperature is None:
        temperature = 0.0 if method in FORCED else 0.8
    _refuse_unfit(method, n, temperature, samples, hint, least)
    task = get(task) if isinstance(task, str) else task
    work = Work(
        lm,
        [task.generate(seed + i, difficulty) for i in range(n)],
        _thinking(as_setup(*setup)),
        float(temperature),
        max_new_tokens,
        on_progress,
    )
    greedy = replace(work, temperature=0.0, on_progress=None).several([1], _voted)[0]
    if method in FORCED:
        points = [work.forced(method, setting) for setting in settings]
    elif method == "hints":
        points = work.hinted(settings, samples, hint, least)
    else:
        points = work.several(settings, _voted if method == "self-consistency" else likeliest)
    one = replace(greedy, any_right=None)
    return Spending(method, task.name, difficulty, work.temperature, seed, work.setup, one, tuple(points))


@dataclass(frozen=True)
class Work:
    """Problems to think about, under a setup that thinks."""

    lm: LM
    problems: list[Problem]
    setup: Setup
    temperature: float
    room: int
    on_progress: Callable[[int, int], Any] | None

    def several(self, settings: Sequence[int], choose: "Choose") -> list[Spent]:
        """So many thoughts a problem, and one answer chosen among them."""
        most = max(settings)
        drawn = self.drawn([(i, problem.prompt) for i, problem in enumerate(self.problems)], most)
        return [self.spent(k, [thoughts[:k] for thoughts in drawn], choose) for k in settings]

    def forced(self, method: str, setting: int) -> Spent:
        """One thought a problem, held to a length."""
        more = {"budget": {"budget": setting}, "waits": {"waits": setting}}[method]
        held = Setup([replace(i, **more) if isinstance(i, Think) else i for i in self.setup])
        room = self.room * (1 + setting) if method == "waits" else self.room
        one = replace(self, setup=held, room=room).several([1], _voted)[0]
        return replace(one, setting=setting, any_right=None)

    def hinted(self, settings: Sequence[int], samples: int, hint: str, least: float) -> list[Spent]:
        """Hint marginalisation, round by round."""
        first = self.drawn([(i, problem.prompt) for i, problem in enumerate(self.problems)], samples)

        def ask(pairs: list[tuple[int, str]]) -> list[tuple[dict[str, float], int]]:
            texts = [hint.replace("{answer}", given) for _, given in pairs]
            asked = [(i, with_hint(self.problems[i].prompt, text)) for (i, _), text in zip(pairs, texts, strict=True)]
            drawn = self.drawn(asked, samples)
            return [(shares([t.answer for t in own]), sum(t.tokens for t in own)) for own in drawn]

        rounds = refined([shares([t.answer for t in own]) for own in first], max(settings), least, ask)
        spent, points = [sum(t.tokens for t in own) for own in first], {}
        for k, found in enumerate(rounds, 1):
            spent = [before + new for before, (_, new) in zip(spent, found, strict=True)]
            chosen = [_mode(p) for p, _ in found]
            points[k] = self._point(k, spent, chosen, [list(p) for p, _ in found])
        return [points[setting] for setting in settings]

    def spent(self, setting: int, drawn: Sequence[Sequence[Thought]], choose: "Choose") -> Spent:
        """What some thoughts of each problem cost and come to."""
        tokens = [sum(t.tokens for t in own) for own in drawn]
        return self._point(setting, tokens, [choose(own) for own in drawn], [[t.answer for t in own] for own in drawn])

    def _point(self, setting: int, tokens: list[int], chosen: list[tuple[str, bool]], said: list[list[str]]) -> Spent:
        expected = [problem.answer for problem in self.problems]
        return Spent(
            setting,
            tuple(tokens),
            tuple(is_right(answer, e) for (answer, _), e in zip(chosen, expected, strict=True)),
            tuple(any(is_right(answer, e) for answer in own) for own, e in zip(said, expected, strict=True)),
            sum(tied for _, tied in chosen),
            sum(not answer for answer, _ in chosen),
        )

    def drawn(self, asked: Sequence[tuple[int, Prompt]], k: int) -> list[list[Thought]]:
        """`k` thoughts for each prompt, given with the number of its problem. Thought j of a problem has the same dice
        whatever its prompt, and no two have the same."""
        texts = [(prompt, i, j) for i, prompt in asked for j in range(k)]
        lot, found = max(1, AT_ONCE // (self.room * self.lm.n_tokens)), []
        for first in range(0, len(texts), lot):
            some = texts[first : first + lot]
            written = generate_many(
                self.lm,
                [prompt for prompt, _, _ in some],
                self.setup,
                max_new_tokens=self.room,
                temperature=self.temperature,
                seed=[self.problems[i].seed * MOST + j for _, i, j in some],
            )
            found += [_thought(g, answer_cue(prompt)) for g, (prompt, _, _) in zip(written, some, strict=True)]
            if self.on_progress is not None:
                self.on_progress(len(found), len(texts))
        return [found[first : first + k] for first in range(0, len(found), k)]


Choose = Callable[[Sequence[Thought]], tuple[str, bool]]


def _thought(generation: Generation, cue: str) -> Thought:
    ids = torch.tensor(generation.ids)
    chances = generation.logits.log_softmax(-1)
    score = float(chances[torch.arange(len(ids)), ids].mean()) if len(ids) else -inf
    return Thought(after_cue(generation, cue), generation.n_written, score)


def _voted(thoughts: Sequence[Thought]) -> tuple[str, bool]:
    return majority([thought.answer for thought in thoughts])


def _mode(p: dict[str, float]) -> tuple[str, bool]:
    """The likeliest answer, and whether another is as likely."""
    if not p:
        return "", False
    most = max(p.values())
    tied = [answer for answer, share in p.items() if isclose(share, most)]
    return tied[0], len(tied) > 1


def _thinking(setup: Setup) -> Setup:
    """The setup, with thinking on."""
    return setup if any(isinstance(i, Think) and i.on for i in setup) else Setup([*setup, Think()])


def _checked(method: str, settings: Sequence[int] | None) -> list[int]:
    """The settings of a method, smallest first."""
    if method not in SETTINGS:
        raise CtkitError(f"the method {shown(method)}", "no such way to spend tokens", f"one of {', '.join(SETTINGS)}")
    least, most = (0, 100) if method == "waits" else (int(method != "budget"), MOST)
    chosen = list(SETTINGS[method] if settings is None else settings)
    whole = all(isinstance(k, int) and not isinstance(k, bool) and least <= k <= most for k in chosen)
    if not chosen or not whole:
        remedy = f"whole numbers from {least} to {most}, such as {list(SETTINGS[method])}"
        raise CtkitError(f"{method} at the settings {shown(settings)}", "nothing to measure", remedy)
    return sorted(set(chosen))


def _refuse_unfit(method: str, n: int, temperature: float, samples: int, hint: str, least: float) -> None:
    for name, value, most in (("n", n, None), ("samples", samples, MOST)):
        if not isinstance(value, int) or isinstance(value, bool) or value < 1 or (most and value > most):
            raise CtkitError(f"thinking time with {name}={shown(value)}", "nothing to measure", f"{name}=8 or so")
    if method not in FORCED and temperature == 0:
        found = "thoughts that are all the same"
        raise CtkitError(f"{method} at temperature 0", found, "a temperature above 0, such as 0.8")
    if not isinstance(hint, str) or not isinstance(least, (int, float)) or not 0 <= least <= 1:
        asked = f"hint={shown(hint)}, least={shown(least)}"
        raise CtkitError(asked, "no text, or no share", f'hint="{HINT}", least=0.1')
