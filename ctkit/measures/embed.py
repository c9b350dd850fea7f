"""Sentence embeddings: a text set in a form, and the mean of the stream over one place of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from ..engine.lm import LM
from ..engine.run import run_many
from ..engine.trace import Trace
from ..errors import CtkitError, shown
from ..masks import Where, positions
from ..prompt import Piece, Prompt

TOGETHER = 256  # texts whose streams are held at a time


@dataclass(frozen=True)
class Form:
    """How a text is put to the model, and the place whose mean stream is its embedding.

    In the pieces "{}" stands for the text. `pooled` is a place as masks know them: a piece, or -1 for the last token.
    """

    pieces: tuple[Piece, ...]
    pooled: Where

    def prompt(self, text: str) -> Prompt:
        """The text in this form, in named pieces.

        >>> FORMS["one word"].prompt("The kid ran.").text
        'This sentence: "The kid ran." means in one word: "'
        """
        return Prompt.of([replace(piece, text=piece.text.replace("{}", text)) for piece in self.pieces])


_TEXT, _REWRITE = Piece("sentence", "{}"), Piece("form", "Rewrite the sentence:")
FORMS = {
    "mean": Form((_TEXT,), "sentence"),
    "prompted": Form((_REWRITE, _TEXT), "sentence"),
    "last": Form((_TEXT,), -1),
    "echo": Form(
        (
            _REWRITE,
            _TEXT,
            Piece("phrase (2)", "The rewritten sentence:", origin="phrase", reading=2),
            Piece("sentence (2)", "{}", origin="sentence", reading=2),
        ),
        "sentence (2)",
    ),
    "one word": Form(
        (
            Piece("form", "This sentence:"),
            Piece("quote", '"'),
            replace(_TEXT, lead=""),
            Piece("ask", '" means in one word: "', lead=""),
        ),
        -1,
    ),
}


def embed(
    lm: LM, texts: Sequence[str], *interventions: Any, form: Form | str = "mean", layer: int | None = None
) -> Float[Tensor, "text d_model"]:
    """A vector for each text; `torch.cosine_similarity` says how alike two of them are.

    Forms: "mean", over the text's own tokens (no start token); "last", its last token; "echo", the text twice and the
    mean over the second reading, whose early words have seen the late ones (Springer et al., arXiv 2402.15449);
    "prompted", the mean behind the words that open the echo, its fair comparison: the first word of all has a stream of
    its own that may drown the others in "mean"; "one word", the last token of a form that asks for one word (PromptEOL,
    arXiv 2307.16645), in which `PrependToken(before="quote")` stands where its paper puts it.
    `Knockout("reading 2", "sentence")` undoes the echo.

    `layer`: the stream entering this block. Left out: leaving the last block, before the model's final norm.

    >>> import ctkit as ct
    >>> lm = ct.load()
    >>> embed(lm, ["The key is in the box.", "The box is in the car."], form="echo").shape == (2, lm.d_model)
    True
    """
    return embed_layers(lm, texts, *interventions, form=form, layers=[lm.n_layers if layer is None else layer])[0]


def embed_layers(
    lm: LM, texts: Sequence[str], *interventions: Any, form: Form | str = "mean", layers: Iterable[int] | None = None
) -> Float[Tensor, "layer text d_model"]:
    """`embed` at several layers from the same passes (left out: all, from the embeddings to the last block's stream).

    >>> import ctkit as ct
    >>> lm = ct.load()
    >>> len(embed_layers(lm, ["The key is in the box."])) == lm.n_layers + 1
    True
    """
    form, texts = as_form(form), _checked(texts)
    layers = list(range(lm.n_layers + 1) if layers is None else layers)
    found = []
    for i in range(0, len(texts), TOGETHER):
        prompts = [form.prompt(text) for text in texts[i : i + TOGETHER]]
        for trace in run_many(lm, prompts, *interventions, residual=layers, last_only=True):
            found.append(torch.stack([pool(trace, form.pooled, layer) for layer in layers]))
    return torch.stack(found, dim=1)


def pool(trace: Trace, where: Where, layer: int) -> Float[Tensor, " d_model"]:
    """The mean stream over a place of a prompt, entering block `layer` (`n_layers`: leaving the last).

    >>> import ctkit as ct
    >>> trace = ct.run(ct.load(), FORMS["echo"].prompt("The key is in the box."))
    >>> bool((pool(trace, "sentence", 0) - pool(trace, "sentence (2)", 0)).norm() < 1e-4)
    True
    """
    places = positions(trace.encoding, where)
    if not places:
        raise CtkitError(f"the mean over {shown(where)}", "no token there", f"one of {list(trace.spans)}")
    return trace.residual(layer)[places].mean(0)


def as_form(form: Form | str) -> Form:
    """A form, or the one of that name."""
    if isinstance(form, Form):
        return form
    if not isinstance(form, str) or form not in FORMS:
        raise CtkitError(f"the form {shown(form)}", "no form of that name", f"one of {', '.join(FORMS)}, or a Form")
    return FORMS[form]


def _checked(texts: Sequence[str]) -> list[str]:
    if isinstance(texts, str) or not len(texts):
        raise CtkitError(f"embeddings of {shown(texts)}", "no list of texts", "a list with one text or more")
    wrong = next((text for text in texts if not isinstance(text, str) or not text.strip()), None)
    if wrong is not None:
        raise CtkitError(f"an embedding of {shown(wrong)}", "no text", "texts with at least one word")
    return list(texts)
