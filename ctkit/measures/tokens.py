"""A token by its text: what a reader types, as the id that the model knows."""

from ..engine.encode import token_text
from ..engine.lm import LM
from ..errors import CtkitError, shown


def token_id(lm: LM, token: str | int) -> int:
    """The id of a token given as text or as an id. Text is taken as it stands in a sentence, with a space before it,
    where that is one token; else as it is written.

    >>> import ctkit as ct
    >>> lm = ct.load()
    >>> token_id(lm, "box") == token_id(lm, " box") != token_id(lm, "The")
    True
    """
    if isinstance(token, int) and not isinstance(token, bool):
        if not 0 <= token < lm.n_tokens:
            raise CtkitError(f"token {token}", f"{lm.n_tokens} tokens in {lm.name}", f"one from 0 to {lm.n_tokens - 1}")
        return token
    if not isinstance(token, str) or not token:
        raise CtkitError(f"the token {shown(token)}", f"a {type(token).__name__}", 'a word such as "box", or an id')
    forms = [lm.tokenizer(text, add_special_tokens=False)["input_ids"] for text in (f" {token}", token)]
    found = next((ids for ids in (forms if not token[0].isspace() else forms[1:]) if len(ids) == 1), None)
    if found is None:
        parts = ", ".join(repr(token_text(lm, id_)) for id_ in forms[-1])
        raise CtkitError(f"the token {shown(token)}", f"{len(forms[-1])} tokens in {lm.name}: {parts}", "one of these")
    return found[0]
