"""Is an answer right? The one place where written text is held against a problem's answer."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from ..engine.generate import generate_many
from ..engine.lm import LM
from ..engine.trace import Generation
from ..interventions.setup import Setup
from ..prompt import CUE, Prompt, as_prompt

ANSWER_CUE = "Answer:"
THOUGHT_TOKENS = 96  # the longest thought that is waited for


def answer_cue(prompt: Prompt) -> str:
    """The words that ask for the answer in this prompt ("Answer:" where it has none of its own)."""
    return next((part.text for part in prompt.parts if part.name == CUE), ANSWER_CUE)


def thinks(setup: Setup, prompt: Prompt) -> bool:
    """Whether the model is asked to write a thought before its answer."""
    return "think" in setup.edit(prompt).pieces


def answers(
    lm: LM,
    prompts: Sequence[Prompt],
    expected: Sequence[str],
    setup: Setup,
    on_progress: Callable[[int, int], Any] | None = None,
) -> list[str]:
    """What the model answers to each prompt: the first words it writes, as many tokens as the expected answer has; with
    thinking on, the first words after the answer cue that it writes itself ("" where it writes none)."""
    prompts = [as_prompt(p) for p in prompts]
    if prompts and thinks(setup, prompts[0]):
        written = generate_many(lm, prompts, setup, max_new_tokens=THOUGHT_TOKENS, on_progress=on_progress)
        return [after_cue(g, answer_cue(p)) for g, p in zip(written, prompts, strict=True)]
    room = max(len(lm.tokenizer(" " + text, add_special_tokens=False)["input_ids"]) for text in expected)
    written = generate_many(lm, prompts, setup, max_new_tokens=room, on_progress=on_progress)
    return [generation.text.strip() for generation in written]


def after_cue(generation: Generation, cue: str) -> str:
    """What stands behind the answer cue in a written thought, up to the first stop; "" without a cue."""
    _, found, rest = generation.text.partition(cue)
    return first_words(rest) if found else ""


def first_words(text: str) -> str:
    """A text up to its first stop or line break."""
    return re.split(r"[.\n]", text.strip(), maxsplit=1)[0].strip()


def is_right(answer: str, expected: str) -> bool:
    """Whether an answer begins with the expected words, as whole words."""
    return re.match(re.escape(expected.strip()) + r"(?!\w)", answer.strip()) is not None
