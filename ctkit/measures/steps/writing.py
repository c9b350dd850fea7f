"""What the model itself writes: a thought, the rest of one, and the answer after it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...engine.encode import encode
from ...engine.generate import generate, generate_many
from ...engine.trace import Generation
from ...errors import CtkitError, shown
from ...prompt import Piece, Prompt
from .reader import Reader
from .split import Steps

if TYPE_CHECKING:
    from .thought import Thought

ANSWER_TOKENS = 20  # the longest answer
THOUGHT_TOKENS = 256  # the longest thought that is waited for
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

    lm, setup = thought.lm, thought.setup
    generation = generate(lm, asked, setup, max_new_tokens=ANSWER_TOKENS, on_token=goes_on)
    _count(thought.reader, [generation])
    answer = first_answer(generation.text)
    if not answer:
        raise CtkitError(
            "the effects of steps",
            f"a model that writes no answer after the thought, but {shown(generation.text)}",
            "another prompt or model, or the cue that it answers to: cue=…",
        )
    own = generation.text[: len(generation.text) - len(generation.text.lstrip())]
    before = len(thought.encoded(asked))
    forms = {}
    for lead in dict.fromkeys((own or " ", " ", "")):  # the space before, so that the tokens are those that it wrote
        whole = Prompt.of([*asked.parts, Piece("answer", answer, lead=lead, written=True)])
        forms[lead] = thought.encoded(whole).ids[before:]
    same = [lead for lead, ids in forms.items() if ids and tuple(generation.ids[: len(ids)]) == ids]
    lead = same[0] if same else own or " "
    return answer, lead, forms[lead]


def first_answer(text: str) -> str:
    """What is written behind an answer cue, up to the first stop, line break or closing bracket."""
    return _STOP.split(text.strip(), maxsplit=1)[0].strip()


def room_for(thought: "Thought") -> int:
    """How many tokens are waited for when a thought is written on, with its answer: as long as the whole thought, and
    half as much again."""
    length = len(encode(thought.lm, thought.steps.text).ids)
    ending = len(encode(thought.lm, thought.cue).ids) + len(thought.answer_ids) + 2
    return length + length // 2 + 16 + ending


@dataclass(frozen=True)
class Written:
    """What the model wrote behind an unfinished thought, and the probability of the answer then."""

    text: str
    chance: float


def ends_of(thought: "Thought", starts: Sequence[Steps]) -> list[Written]:
    """Each of some unfinished thoughts written on by the model up to its answer cue, and the answer's probability then.

    No longer than leaves room for the answer.
    """
    lm = thought.lm
    prompts = [thought.up_to(start) for start in starts]
    written = generate_many(lm, prompts, thought.setup, max_new_tokens=room_for(thought))
    _count(thought.reader, written)
    ending = len(encode(lm, thought.cue).ids) + len(thought.answer_ids) + 2
    texts = [_cut(generation, thought.cue.strip(), lm.context, ending) for generation in written]
    chances = thought.chances(starts, texts)
    return [Written(text, chance) for text, chance in zip(texts, chances, strict=True)]


def _cut(generation: Generation, cue: str, context: int | None, ending: int) -> str:
    text = generation.text.partition(cue)[0]
    over = 0 if context is None else len(generation.encoding) + ending - context
    if over <= 0 or len(text) < len(generation.text):
        return text
    return "".join(generation.tokens[: max(0, generation.n_written - over)])


def _count(reader: Reader, written: Sequence[Generation]) -> None:
    tokens = sum(g.n_written for g in written)
    reader.count(tokens, tokens)
