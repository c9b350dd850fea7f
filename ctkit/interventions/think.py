"""Thinking on or off: the cue that makes a model write its steps before the answer, and how long it is to go on."""

import re
from dataclasses import dataclass
from math import inf

from ..errors import CtkitError, shown
from ..prompt import CUE, Piece, Prompt
from .base import Intervention

ANSWER = "Answer:"  # the cue of a prompt that has none of its own
MOST = 100  # waits: a bound on what a saved setup can ask for


@dataclass(frozen=True)
class Think(Intervention):
    """Ask for the steps before the answer (zero-shot chain of thought; Kojima et al. 2022, arXiv 2205.11916).

    The answer cue makes room for the phrase; the model then writes its steps, and the cue itself, when it generates.
    `on=False` changes nothing.

    How long it thinks can be forced (budget forcing, s1; Muennighoff et al. 2025, arXiv 2501.19393): up to `waits`
    times, where it is about to stop, `wait` is written in place of its answer cue or its end; and once it has written
    `budget` words (None: no limit) the answer cue is put there. The budget goes before the waits. `cue` is the answer
    cue; None is the prompt's own, or "Answer:". Without waits and budget, a thought is as the model writes it.

    >>> Think().edit(Prompt(question="Where is the key?", cue="Answer:")).text
    "Where is the key? Let's think step by step."
    """

    on: bool = True
    phrase: str = "Let's think step by step."
    waits: int = 0
    wait: str = "Wait"
    budget: int | None = None
    cue: str | None = None

    def __post_init__(self):
        if not isinstance(self.on, bool) or not isinstance(self.phrase, str):
            raise CtkitError(
                f"Think(on={shown(self.on)}, phrase={shown(self.phrase)})",
                "no switch, or no text",
                "Think(on=True) or Think(on=False)",
            )
        if not _whole(self.waits) or self.waits > MOST or not _text(self.wait):
            raise CtkitError(
                f"Think(waits={shown(self.waits)}, wait={shown(self.wait)})",
                "no number of times, or no word to write",
                f'waits=0 (none) to {MOST}, and a word such as "Wait"',
            )
        if self.budget is not None and not _whole(self.budget):
            raise CtkitError(
                f"Think(budget={shown(self.budget)})", "no number of words", "0, 1, 2 …; None for no limit"
            )
        if self.cue is not None and not _text(self.cue):
            raise CtkitError(f"Think(cue={shown(self.cue)})", "no words", 'words such as "Answer:"; None for the own')

    def edit(self, prompt: Prompt) -> Prompt:
        """The prompt with the phrase where the cue was, or behind everything where there is none."""
        if not self.on:
            return prompt
        body = [part for part in prompt.asked if part.name not in (CUE, "think")]
        return Prompt.of([*body, Piece("think", self.phrase), *prompt.written])

    def goes_on(self, prompt: Prompt, written: str, ended: bool) -> str | None:
        """What to write in place of the token that the model has just written (or of its end), to go on thinking or to
        stop; None to let it have its way.

        Nothing is remembered from call to call, all is read off `written`: `wait` has been spent as often as it stands
        there (a model that writes the word itself spends one too), and the budget is counted in words. The word too
        many is replaced when it cannot become the cue. A cue of one word is noticed at that word, before its colon; a
        longer one when it is complete; `keeps` takes all of it back. Once the cue stands there, all that follows is
        answer.

        >>> Think(waits=1).goes_on(Prompt("Who?"), "It is Ann. Answer", ended=False)
        ' Wait'
        >>> Think(waits=1).goes_on(Prompt("Who?"), "It is Ann. Wait, it is Bob. Answer", ended=False) is None
        True
        >>> Think(budget=3).goes_on(Prompt("Who?"), "It is Ann. Or", ended=False)
        ' Answer:'
        """
        if not self.on or (not self.waits and self.budget is None):
            return None
        cue = self._cue(prompt)
        thought, found, answer = written.partition(cue)
        if found and answer.strip():
            return None
        left = inf if self.budget is None else self.budget - len(thought.split())
        if not found and left < ended and (ended or not cue.startswith(_behind(thought, self.budget))):
            return f" {cue}"
        stopping = ended or bool(found) or _ends_with_word(written, cue)
        spent = len(re.findall(rf"(?<!\w){re.escape(self.wait)}(?!\w)", thought))
        return f" {self.wait}" if stopping and left > 0 and spent < self.waits else None

    def keeps(self, prompt: Prompt, written: str, ended: bool) -> str:
        """The thought before the cue that is not to be there yet, or before the word too many.

        >>> Think(waits=1).keeps(Prompt(question="Who?", cue="So it is"), "It is Ann. So it is", ended=False)
        'It is Ann.'
        """
        cue = self._cue(prompt)
        thought, found, _ = written.partition(cue)
        if self.budget is not None and len(thought.split()) > self.budget:
            thought = thought[: len(thought) - len(_behind(thought, self.budget))]
        elif ended:
            return written
        elif not found and _ends_with_word(written, cue):
            thought = thought[: -len(re.match(r"\w+", cue)[0])]
        return thought.rstrip(" ")

    def overrides(self, function: str) -> bool:
        """Without waits and budget there is nothing to say while the model writes, so it is not asked."""
        silent = function == "goes_on" and not (self.on and (self.waits or self.budget is not None))
        return super().overrides(function) and not silent

    def _cue(self, prompt: Prompt) -> str:
        if self.cue is not None:
            return self.cue.strip()
        return prompt.pieces.get(CUE, "").strip() or ANSWER


def _ends_with_word(written: str, cue: str) -> bool:
    """Whether a cue of one word has just begun: the text ends with that word, without what follows it."""
    word = re.fullmatch(r"(\w+)\W*", cue)
    return bool(word) and re.search(rf"(?<!\w){re.escape(word[1])}\Z", written) is not None


def _behind(thought: str, words: int) -> str:
    """A thought without its first words."""
    return "".join(thought.split(None, words)[words:])


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
