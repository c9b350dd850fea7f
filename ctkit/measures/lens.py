"""The logit lens: what the model would say next if it stopped after each layer."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..engine.lm import LM
from ..engine.run import run
from ..engine.trace import Trace
from ..engine.unembed import unembed
from ..errors import CtkitError, shown
from ..interventions.setup import as_setup
from ..masks import Where, as_where, positions
from ..prompt import Prompt
from .tokens import token_id

MOST = 2**29  # logits that are held at a time: 2 GiB


@dataclass(frozen=True, eq=False)
class Lens:
    """The next-token logits of the stream at every layer, at some positions of a prompt.

    Layer l is the stream entering block l, as in `trace.residual(l)`; the last one, `n_layers`, gives the model's own
    logits. A token is given as text ("box") or as an id. `at` is a position in the prompt; -1 is the last.
    """

    trace: Trace
    positions: tuple[int, ...]
    logits: Float[Tensor, "layer position vocab"] = field(repr=False)
    id_of: Callable[[str | int], int] = field(repr=False)

    @property
    def tokens(self) -> list[str]:
        """The tokens at the positions that were read."""
        return [self.trace.tokens[i] for i in self.positions]

    @cached_property
    def log_probabilities(self) -> Float[Tensor, "layer position vocab"]:
        """The logarithm of every token's probability."""
        return self.logits.log_softmax(-1)

    @cached_property
    def final(self) -> Int[Tensor, "position"]:
        """The id of the token that the whole model finds likeliest, after each position."""
        return self.logits[-1].argmax(-1)

    @cached_property
    def settled(self) -> Int[Tensor, "position"]:
        """The first layer from which on the likeliest token is the final one, after each position."""
        same = self.logits.argmax(-1) == self.final
        return len(same) - same.flip(0).long().cumprod(0).sum(0)

    @cached_property
    def kl(self) -> Float[Tensor, "layer position"]:
        """KL(whole model ‖ layer) of the next-token distribution, in nats: 0 at the last layer."""
        whole = self.log_probabilities[-1]
        return (whole.exp() * (whole - self.log_probabilities)).sum(-1)

    def probability(self, token: str | int | None = None) -> Float[Tensor, "layer position"]:
        """The probability of a token (left out: the final one of each position)."""
        return (-self.cross_entropy(token)).exp()

    def cross_entropy(self, token: str | int | None = None) -> Float[Tensor, "layer position"]:
        """−log probability of a token, in nats. Left out: the token that the whole model finds likeliest after each
        position, which makes this the residual cross-entropy (Brothers et al. 2024, arXiv 2412.05768)."""
        return -self.log_probabilities.gather(-1, self._wanted(token)).squeeze(-1)

    def rank(self, token: str | int | None = None) -> Int[Tensor, "layer position"]:
        """The place of a token among all, 1 = likeliest (of equals the better place)."""
        return 1 + (self.logits > self.logits.gather(-1, self._wanted(token))).sum(-1)

    def next_tokens(self, k: int = 5, at: int = -1) -> list[list[tuple[str, float]]]:
        """For each layer the `k` likeliest next tokens after a position, with their probabilities."""
        top = self.logits[:, self.index(at)].softmax(-1).topk(min(k, self.logits.shape[-1]))
        pairs = zip(top.indices.tolist(), top.values.tolist(), strict=True)
        return [[(self.trace.name_token(i), p) for i, p in zip(*row, strict=True)] for row in pairs]

    def index(self, at: int) -> int:
        """Where a position of the prompt stands among those that were read."""
        n = len(self.trace.ids)
        place = at + n if isinstance(at, int) and at < 0 else at
        if place not in self.positions:
            raise CtkitError(
                f"the lens at position {shown(at)}",
                f"the positions {shown(list(self.positions))} of {n} tokens",
                'one of these, or a lens over more of them: at="all"',
            )
        return self.positions.index(place)

    def __str__(self) -> str:
        at = self.positions[-1]
        lines = [f"after token {at} ({self.trace.tokens[at]!r}), by layer:"]
        for layer, row in enumerate(self.next_tokens(3, at)):
            lines.append(f"{layer:3d}  " + "  ".join(f"{token!r} {p:.2f}" for token, p in row))
        return "\n".join(lines)

    def _wanted(self, token: str | int | None) -> Tensor:
        ids = self.final if token is None else torch.full_like(self.final, self.id_of(token))
        return ids[None, :, None].expand(len(self.logits), -1, 1)


def lens(lm: LM, prompt: Prompt | str, *setup: Any, at: Where = "all") -> Lens:
    """Read the stream of every layer as if it were the last (logit lens; nostalgebraist 2020).

    The model's own final norm and unembedding do the reading. Early layers were not trained to be read so: a token
    that the lens finds there is there, one that it does not find may still be. `at`: the positions to read, as masks
    know them: "all", a piece, -1 for the last.
    Raises `CtkitError` where the stream cannot be changed in this model, or where it would take more than 2 GiB.

    >>> import ctkit as ct
    >>> found = ct.lens(ct.load(), "The key is in the box. Where is the key? Answer:", at=-1)
    >>> found.next_tokens(k=1)[-1][0][0], found.rank("box")[-1].tolist()
    (' box', [1])
    """
    return lens_of(lm, run(lm, prompt, as_setup(*setup), residual="all"), at)


def lens_of(lm: LM, trace: Trace, at: Where = "all") -> Lens:
    """`lens` of a run that is there already. Streams that the run did not keep are read by one more pass."""
    if any(("residual", layer) not in trace.kept_streams for layer in range(lm.n_layers)):
        trace.kept_streams.update(trace.again(residual="all").kept_streams)
    places = positions(trace.encoding, as_where(at))
    if not places:
        raise CtkitError(f"a lens at {shown(at)}", "no token there", f"one of {list(trace.spans)}, or a position")
    if (lm.n_layers + 1) * len(places) * trace.logits.shape[-1] > MOST:
        raise CtkitError(
            f"a lens over {len(places)} positions",
            f"{lm.n_layers + 1} layers and {trace.logits.shape[-1]} tokens: more than 2 GiB",
            "fewer positions, such as at=-1",
        )
    streams = torch.cat([trace.residual(layer)[places] for layer in range(lm.n_layers)])
    early = unembed(lm, streams).unflatten(0, (lm.n_layers, len(places)))
    logits = torch.cat([early, trace.logits[None, places]])
    return Lens(trace, tuple(places), logits, lambda token: token_id(lm, token))
