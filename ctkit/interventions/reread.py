"""Re-reading: the prompt once more, so that every token of the second copy can see the whole first one."""

from dataclasses import dataclass, replace

from ..errors import CtkitError, shown
from ..prompt import CUE, Piece, Prompt
from .base import Intervention

MOST = 20  # readings: more than any model gains from, and a bound on what a saved setup can ask for


@dataclass(frozen=True)
class Reread(Intervention):
    """Read the prompt `times` times, with a phrase between the copies (RE2; Xu et al., EMNLP 2024, arXiv 2309.06275).

    A pure change of text: under the causal mask a token of the second copy may attend to *later* words of the first.
    The answer cue is not repeated. `times=1` changes nothing. `phrase=""` is bare duplication. The phrase and the line
    break before it are those of the paper (its code writes a blank line).

    >>> Reread().edit(Prompt(question="Where is the key?", cue="Answer:")).text
    'Where is the key?\\nRead the question again: Where is the key? Answer:'
    """

    times: int = 2
    phrase: str = "Read the question again:"

    def __post_init__(self):
        if not isinstance(self.times, int) or not 1 <= self.times <= MOST:
            raise CtkitError(
                f"Reread(times={shown(self.times)})",
                "no such number of readings",
                f"1 (no change), 2 or 3; at most {MOST}",
            )
        if not isinstance(self.phrase, str):
            raise CtkitError(
                f"Reread(phrase={shown(self.phrase)})", f"a {type(self.phrase).__name__}", 'a text; "" for none'
            )

    def edit(self, prompt: Prompt) -> Prompt:
        """The pieces, for each further reading the phrase and the pieces again, then the cue and what was written."""
        if self.times == 1:
            return prompt
        body, tail = body_of(prompt)
        done = max(part.reading for part in body)
        copies = list(body)
        for reading in range(done + 1, done + self.times):
            copies += again(body, reading, self.phrase, lead="\n")
        return Prompt.of(copies + tail)


def body_of(prompt: Prompt) -> tuple[list[Piece], list[Piece]]:
    """The pieces that can be read again, and the rest: the cue, and what was written behind the prompt."""
    body = [part for part in prompt.asked if part.name not in (CUE, "think")]
    if not body:
        raise CtkitError(
            "a second reading",
            f"the pieces {list(prompt.pieces)}, of which none is re-read",
            "a prompt with a question",
        )
    return body, [part for part in prompt.parts if part not in body]


def again(body: list[Piece], reading: int, phrase: str, lead: str) -> list[Piece]:
    """The pieces of a first reading once more, behind a phrase that `lead` leads to."""
    first = [part for part in body if part.reading == 1 and not part.is_placeholder and part.origin != "phrase"]
    copies = [replace(part, name=f"{part.origin} ({reading})", reading=reading) for part in first]
    if not phrase:
        return [replace(copies[0], lead=lead), *copies[1:]]
    return [Piece(f"phrase ({reading})", phrase, origin="phrase", reading=reading, lead=lead), *copies]
