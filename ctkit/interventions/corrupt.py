"""Spoiling a prompt, so that a patch has something to restore: noise on some words, or other words."""

import re
from dataclasses import dataclass, replace

import torch

from .. import masks
from ..errors import CtkitError, shown
from ..prompt import Encoding, Prompt
from .base import Intervention


@dataclass(frozen=True)
class Noise(Intervention):
    """Blur some tokens: Gaussian noise on their embeddings, `sigma` times as wide as the model's embeddings are (causal
    tracing uses 3). Puts the model off its distribution; where a swap is possible, prefer `Swap`. `sigma=0` changes
    nothing.

    >>> Noise("question", sigma=3)
    Noise(where='question', sigma=3, seed=0)
    """

    where: masks.Where = "all"
    sigma: float = 3.0
    seed: int = 0

    def __post_init__(self):
        object.__setattr__(self, "where", masks.as_where(self.where))
        if isinstance(self.sigma, bool) or not isinstance(self.sigma, (int, float)) or not 0 <= self.sigma < 1e6:
            raise CtkitError(f"Noise(sigma={shown(self.sigma)})", "no width of a noise", "0 (no change), or 3")
        if not isinstance(self.seed, int):
            raise CtkitError(f"Noise(seed={shown(self.seed)})", "no seed", "a whole number")

    def touches(self, layer: int) -> bool:
        """Only what enters the first block."""
        return layer == 0 and self.sigma != 0

    def residual(self, x, enc: Encoding, layer: int):
        """The embeddings with the noise added; the noise of a position is always the same."""
        if not self.touches(layer):
            return x
        rows = [row for row in masks.positions(enc, self.where) if row < enc.n_prompt]
        noise = torch.randn(enc.n_prompt, x.shape[-1], generator=torch.Generator().manual_seed(self.seed))
        y = x.clone()
        y[rows] = x[rows] + self.sigma * enc.shape.embedding_std * noise[rows].to(x)
        return y


@dataclass(frozen=True)
class Swap(Intervention):
    """Say another word instead, everywhere in the prompt (symmetric token replacement): the corrupted run of a patch
    stays in distribution. Whole words only. Choose words of as many tokens, so that positions still match.

    >>> Swap("box", "car").edit(Prompt("The key is in the box.")).text
    'The key is in the car.'
    """

    old: str
    new: str

    def __post_init__(self):
        if not all(isinstance(word, str) and word.strip() for word in (self.old, self.new)):
            raise CtkitError(f"Swap({shown(self.old)}, {shown(self.new)})", "no two words", 'ct.Swap("box", "car")')

    def edit(self, prompt: Prompt) -> Prompt:
        """The prompt with the word replaced in all pieces."""
        word = re.compile(rf"(?<!\w){re.escape(self.old)}(?!\w)")
        if not any(word.search(part.text) for part in prompt.asked):
            raise CtkitError(
                f"another word for {self.old!r}", f"the text {shown(prompt.text)}", "a word that stands in the prompt"
            )
        new = [
            part if part.written else replace(part, text=word.sub(lambda _: self.new, part.text))
            for part in prompt.parts
        ]
        return Prompt.of(new)
