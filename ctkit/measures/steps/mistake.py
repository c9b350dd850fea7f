"""A step is broken and the model writes the rest on ("adding mistakes"; Lanham et al., arXiv 2307.13702)."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ...engine.encode import encode
from .effects import NAN, StepEffects, collected, mean
from .perturb import perturbation as perturbation_called
from .split import Steps
from .thought import Thought


def mistake(
    thought: Thought, draws: int, seed: int, *, only: Sequence[int], perturbation: str = "result"
) -> Iterator[StepEffects]:
    """How far the answer's probability falls when the step is broken and the rest is written on by the model.

    Probabilities stand in place of the paper's same-or-not. The comparison is the step as it is, written on too; the
    control is that once more. `perturbation`: how a step is broken; by default its last number is moved, or, where it
    has none, its last word swapped (see `perturb.py`). What is left of the thought may become half as long again and 16
    tokens more; then the answer is asked for all the same. `filler` is what the answer's probability would be behind a
    thought of fillers, as long in tokens: how much of it needs no thought at all.
    """
    n = len(thought.steps)
    broken = _broken(thought, draws, seed, perturbation)
    falls: list[list[float]] = [[] for _ in range(n)]
    kept, left, control = [NAN] * n, [NAN] * n, [NAN] * n
    filler = filler_chance(thought)
    for done in _measured(thought, only, broken):
        for i, (as_it_is, again, after) in done.items():
            found = [after[text] for text in broken[i]]
            kept[i], left[i], control[i] = as_it_is, mean(found), as_it_is - again
            falls[i] = [as_it_is - chance for chance in found]
        evaluations = {"the step as it is": kept, "the step broken": left}
        examples = [few[0] if few else "" for few in broken]
        yield replace(collected("mistake", thought, falls, control, evaluations, examples), filler=filler)


_Done = tuple[float, float, dict[str, float]]


def _measured(thought: Thought, only: Sequence[int], broken: list[list[str]]) -> Iterator[dict[int, _Done]]:
    """The steps as they are done: for each the answer's probability with the step as it is and the rest written on, and
    that once more; and that with each of its broken versions.

    Where the model writes just the thought's own rest, which one pass over the thought tells, nothing need be written.
    """
    own = [i for i in only if i + 1 >= thought.writes_itself_from]
    read = thought.chances([thought.steps] * 2) if own else []
    found = {i: list(read) if i in own else [] for i in only}
    whose = [(i, text) for i in only for text in (*dict.fromkeys(broken[i]), *(() if i in own else (None, None)))]
    after: dict[int, dict[str, float]] = {i: {} for i in only}
    starts = [thought.steps.first(i + 1) for i, _ in whose]
    starts = [steps if text is None else steps.with_step(i, text) for steps, (i, text) in zip(starts, whose)]
    left = {i: sum(step == i for step, _ in whose) for i in only}
    nothing = {i: (*found[i], {}) for i in only if not left[i]}
    if nothing:
        yield nothing
    for ended in thought.writing_on(starts):
        for index, written in ended.items():
            i, text = whose[index]
            left[i] -= 1
            if text is None:
                found[i].append(written.chance)
            else:
                after[i][text] = written.chance
        done = {i: (*found[i], after[i]) for i in dict.fromkeys(whose[index][0] for index in ended) if not left[i]}
        if done:
            yield done


def filler_chance(thought: Thought) -> float:
    """The answer's probability behind "... ... ..." in place of the thought ("filler tokens" of that paper): as many
    tokens, or up to a filler less."""
    length, one, two = (_tokens(thought, text) for text in (thought.steps.text, "...", "... ..."))
    fit = 1 + max(0, length - one) // max(1, two - one)
    steps, known = Steps((" ".join(["..."] * fit),), ("",), thought.steps.tail), thought.reader.fillers
    text = thought.with_answer(steps)
    if text not in known:
        known[text] = thought.chances([steps])[0]
    return known[text]


def _tokens(thought: Thought, text: str) -> int:
    """How many tokens a text has behind another."""
    return len(encode(thought.lm, f"a {text}").ids) - len(encode(thought.lm, "a").ids)


def _broken(thought: Thought, draws: int, seed: int, name: str) -> list[list[str]]:
    """For each step the ways to break it, one a draw; none where it cannot be."""
    make, context = perturbation_called(name), thought.prompt.text
    variants = [
        [make(step, context, random.Random(f"{(seed, i)}/{draw}")) for draw in range(draws)]
        for i, step in enumerate(thought.steps.texts)
    ]
    return [[v for v in few if v is not None] for few in variants]
