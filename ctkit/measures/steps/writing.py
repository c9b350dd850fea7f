"""What the model itself writes: a thought, the rest of one, and the answer after it."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from ...engine.behind import written_behind
from ...engine.draft import drafted
from ...engine.encode import encode
from ...engine.generate import generate
from ...engine.trace import Generation
from ...engine.undrafted import Drafted
from ...engine.writer import written_text
from ...errors import CtkitError, shown
from ...interventions import Intervention, Think
from ...prompt import Piece, Prompt
from .lots import at_once
from .reader import Reader
from .split import Steps

if TYPE_CHECKING:
    from .thought import Thought

ANSWER_TOKENS = 20  # the longest answer
THOUGHT_TOKENS = 256  # the longest thought that is waited for
AT_ONCE = 32  # tokens of a text that are read in a pass, about: so texts are under way at once as a lot has room for
_STOP = re.compile(r"\.(?!\d)|\n|[)\]}]")  # the end of an answer; "3.14" is one


def thought_of(reader: Reader, prompt: Prompt, cue: str) -> str:
    """The thought that the model writes by itself, up to its answer cue."""
    text = ""

    def goes_on(token: str) -> bool:
        nonlocal text
        text += token
        return cue.strip() not in text

    generation = generate(reader.lm, prompt, reader.setup, max_new_tokens=THOUGHT_TOKENS, on_token=goes_on)
    _count(reader, [generation])
    thought = generation.text.partition(cue.strip())[0]
    if not thought.strip():
        raise CtkitError(
            "the steps of the model's thought",
            f"no steps in what it wrote: {shown(generation.text)}",
            "steps of your own: steps=[…]",
        )
    return thought.strip()


def answer_of(thought: "Thought", asked: Prompt) -> tuple[str, str, tuple[int, ...]]:
    """The answer that the model gives to a text that asks for it: the words, the space before them, and the tokens.

    It ends at the first stop, line break or closing bracket, or with the text.
    """
    said = ""

    def goes_on(token: str) -> bool:
        nonlocal said
        said += token
        stop = _STOP.search(said.lstrip())
        return stop is None or stop.end() == len(said.lstrip())  # one token more: is it a number that goes on?

    text, written = _written(thought, asked, goes_on)
    answer = first_answer(text)
    if not answer:
        raise CtkitError(
            "the effects of steps",
            f"a model that writes no answer after the thought, but {shown(text)}",
            "another prompt or model, or the cue that it answers to: cue=…",
        )
    own = text[: len(text) - len(text.lstrip())]
    before = len(thought.encoded(asked))
    forms = {}
    for lead in dict.fromkeys((own or " ", " ", "")):  # the space before, so that the tokens are those that it wrote
        whole = Prompt.of([*asked.parts, Piece("answer", answer, lead=lead, written=True)])
        forms[lead] = thought.encoded(whole).ids[before:]
    same = [lead for lead, ids in forms.items() if ids and tuple(written[: len(ids)]) == ids]
    lead = same[0] if same else own or " "
    return answer, lead, forms[lead]


def _written(thought: "Thought", asked: Prompt, goes_on: Callable[[str], bool]) -> tuple[str, list[int]]:
    """What the model writes behind a text, as text and as tokens: from the trunks on, where they may be."""
    lm, trunks = thought.lm, thought.reader.trunks
    if trunks.share(trunks.rows([asked])) and not any(map(speaks, thought.setup)):
        ids = written_behind(trunks, asked, goes_on, ANSWER_TOKENS)
        return written_text(lm, ids), ids
    generation = generate(lm, asked, thought.setup, max_new_tokens=ANSWER_TOKENS, on_token=goes_on)
    _count(thought.reader, [generation])
    return generation.text, generation.ids


def speaks(intervention: Intervention) -> bool:
    """Whether an intervention says what is written, in the model's place."""
    plain = isinstance(intervention, Think) and not intervention.waits and intervention.budget is None
    return intervention.overrides("goes_on") and not plain


def first_answer(text: str) -> str:
    """What is written behind an answer cue, up to the first stop, line break or closing bracket."""
    return _STOP.split(text.strip(), maxsplit=1)[0].strip()


def room_for(thought: "Thought", n_first: int = 0) -> int:
    """How many tokens are waited for when a thought is written on behind its first steps, with its answer: what is left
    of it, half as much again, and 16 more. A rest that has not come to its cue by then is asked for its answer
    there."""
    told = thought.steps.first(n_first).text
    whole, told = (len(encode(thought.lm, f"a {text}").ids) for text in (thought.steps.text, told))
    left = whole - told
    return left + left // 2 + 16 + _ending(thought)


def _ending(thought: "Thought") -> int:
    """How many tokens the cue and the answer have, about."""
    return len(encode(thought.lm, thought.cue).ids) + len(thought.answer_ids) + 2


def endings(thought: "Thought", starts: Sequence[Steps]) -> Iterator[dict[int, Drafted]]:
    """Each of some unfinished thoughts written on by the model up to its answer cue, and the answer's probability then;
    as they end, by their index.

    The thought's own steps are the guess of what comes, which costs time only where it is wrong.
    """
    if not starts:
        return
    room = {n: room_for(thought, n) for n in dict.fromkeys(map(len, starts))}
    yield from drafted(
        thought.reader.trunks,
        [thought.up_to(start) for start in starts],
        [thought.with_answer(_continued(start, thought.steps)) for start in starts],
        thought.cue.strip(),
        max_new_tokens=[room[len(start)] for start in starts],
        ending=lambda index, text: thought.with_answer(starts[index], text),
        spare=_ending(thought),
        at_once=at_once(thought.lm, AT_ONCE),
    )


def _continued(start: Steps, whole: Steps) -> Steps:
    """Some first steps, perhaps in other words, and the rest of the thought as it was."""
    n = len(start)
    return Steps((*start.texts, *whole.texts[n:]), (*start.leads, *whole.leads[n:]), whole.tail)


def _count(reader: Reader, written: Sequence[Generation]) -> None:
    tokens = sum(g.n_written for g in written)
    reader.count(tokens, tokens)
