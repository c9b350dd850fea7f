"""A prompt with the thought that a model writes behind it, ready for the answer."""

from typing import Any

from ..engine.generate import generate
from ..engine.lm import LM
from ..interventions.setup import as_setup
from ..prompt import CUE, Piece, Prompt, as_prompt
from .score import THOUGHT_TOKENS, answer_cue, thinks


def with_thought(lm: LM, prompt: Prompt | str, setup: Any) -> Prompt:
    """The prompt with the model's own thought (the piece "thought") and the answer cue behind it ("answer cue").

    A setup that does not ask for a thought leaves the prompt as it is. Run under the same setup, what comes next is the
    answer: `ct.run(lm, ct.with_thought(lm, prompt, setup), setup)`.

    >>> import ctkit as ct
    >>> prompt = ct.Prompt(context="a = 3. b = a + 4.", question="b?", cue="Answer:")
    >>> list(with_thought(ct.load(), prompt, ct.Think()).pieces)
    ['context', 'question', 'cue', 'thought', 'answer cue']
    >>> with_thought(ct.load(), prompt, ct.Reread()) == prompt
    True
    """
    prompt, setup = as_prompt(prompt), as_setup(setup)
    if not thinks(setup, prompt):
        return prompt
    cue = answer_cue(prompt)
    written = generate(lm, prompt, setup, max_new_tokens=THOUGHT_TOKENS)
    thought = written.text.partition(cue)[0].strip()
    thought_too = prompt.then(thought=thought) if thought else prompt
    return Prompt.of([*thought_too.parts, Piece("answer cue", cue, origin=CUE, written=True)])  # the same cue, later
