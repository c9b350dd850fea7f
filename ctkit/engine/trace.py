"""What came out of a run: tokens, logits, attention, the stream, text. Frozen values, on the CPU."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..errors import CtkitError, shown
from ..prompt import Encoding
from ..sentences import sentences


@dataclass(frozen=True, eq=False)
class Trace:
    """One forward pass over one prompt.

    `logits[t]` are the scores of the token after position t. Attention and stream are read when they are first asked
    for, by one more pass (which gives the same numbers), unless `run` was told to keep them.
    """

    encoding: Encoding
    logits: Float[Tensor, "position vocab"]
    setup: Any = field(repr=False)
    name_token: Callable[[int], str] = field(repr=False)
    again: Callable[..., "Trace"] = field(repr=False)
    kept_attention: dict[tuple[int, int], Float[Tensor, "query key"]] = field(default_factory=dict, repr=False)
    kept_streams: dict[tuple[str, int], Float[Tensor, "token ..."]] = field(default_factory=dict, repr=False)

    def __repr__(self) -> str:
        token, probability = self.next_tokens(1)[0]
        text = shown("".join(self.tokens), 80)
        return f"Trace({text}, {len(self.ids)} tokens, next {token!r} {probability:.2f}, {self.setup.to_code()[:200]})"

    @property
    def tokens(self) -> list[str]:
        """The tokens as text, as the model met them."""
        return list(self.encoding.tokens)

    @property
    def ids(self) -> list[int]:
        """The token ids."""
        return list(self.encoding.ids)

    @property
    def spans(self) -> dict[str, slice]:
        """The positions of each piece."""
        return dict(self.encoding.spans)

    @property
    def shape(self):
        """The sizes of the model."""
        return self.encoding.shape

    def attention(self, layer: int, head: int | None = None) -> Float[Tensor, "..."]:
        """Attention weights of one head (query, key), or of all heads of a block (head, query, key). Rows sum to 1."""
        self._check("attention", layer, self.shape.n_layers - 1)
        if not self.shape.n_heads:
            raise CtkitError("attention weights", "a model without attention", "the stream: trace.residual(layer)")
        if head is not None and (not isinstance(head, int) or not 0 <= head < self.shape.n_heads):
            raise CtkitError(
                f"attention of head {head!r}",
                f"{self.shape.n_heads} heads in a block",
                f"a head from 0 to {self.shape.n_heads - 1}",
            )
        wanted = [(layer, h) for h in (range(self.shape.n_heads) if head is None else [head])]
        if any(pair not in self.kept_attention for pair in wanted):
            self.kept_attention.update(self.again(attention=[layer]).kept_attention)
        weights = [self.kept_attention[pair] for pair in wanted]
        return torch.stack(weights) if head is None else weights[0]

    def residual(self, layer: int) -> Float[Tensor, "token d_model"]:
        """The stream entering block `layer` (after any steering there); `n_layers`: leaving the last block."""
        return self._stream("residual", "the stream", layer, self.shape.n_layers)

    def heads(self, layer: int) -> Float[Tensor, "token head d_head"]:
        """The heads' outputs of a block, before the output projection (after any change there)."""
        return self._stream("heads", "the heads", layer, self.shape.n_layers - 1)

    def mlp(self, layer: int) -> Float[Tensor, "token d_model"]:
        """What the MLP of a block gives out, before a norm that may follow; it is then added to the stream."""
        return self._stream("mlp", "the MLP", layer, self.shape.n_layers - 1)

    def neurons(self, layer: int) -> Float[Tensor, "token d_mlp"]:
        """The hidden layer of a block's MLP, behind its nonlinearity."""
        return self._stream("neurons", "the MLP", layer, self.shape.n_layers - 1)

    def _stream(self, site: str, what: str, layer: int, last: int) -> Float[Tensor, "token ..."]:
        self._check(what, layer, last)
        if (site, layer) not in self.kept_streams:
            self.kept_streams.update(self.again(**{site: [layer]}).kept_streams)
        return self.kept_streams[site, layer]

    def allowed(self, layer: int) -> Bool[Tensor, "#head query key"]:
        """Who might attend to whom in a block, by the causal mask and the setup (a model's own window not counted)."""
        self._check("the mask", layer, self.shape.n_layers - 1)
        causal = torch.ones(1, len(self.ids), len(self.ids), dtype=torch.bool).tril()
        return self.setup.allow(causal, self.encoding, layer)

    def next_tokens(self, k: int = 10, at: int = -1) -> list[tuple[str, float]]:
        """The `k` likeliest next tokens after position `at`, with their probabilities."""
        if not isinstance(at, int) or not -len(self.logits) <= at < len(self.logits):
            raise CtkitError(
                f"the token after position {at!r}",
                f"logits of {len(self.logits)} positions",
                "one of these positions; -1 is the last",
            )
        if not isinstance(k, int) or k < 1:
            raise CtkitError(f"the next tokens, k={k!r}", "no number of tokens", "how many are wanted, such as 10")
        top = self.logits[at].softmax(-1).topk(min(k, self.logits.shape[-1]))
        return [(self.name_token(i), p) for i, p in zip(top.indices.tolist(), top.values.tolist(), strict=True)]

    def _check(self, what: str, layer: int, last: int) -> None:
        if not isinstance(layer, int) or not 0 <= layer <= last:
            raise CtkitError(f"{what} at layer {layer!r}", f"layers 0 to {last}", f"a layer from 0 to {last}")


@dataclass(frozen=True, eq=False)
class Generation:
    """Text written after a prompt.

    `stopped` says why it ends: "end" (a token of the model's), "length", "context", "asked" (by `on_token`) or
    "interrupted". `logits[i]` are the scores from which token i was chosen.
    """

    encoding: Encoding  # the prompt with the written tokens behind it
    n_written: int
    text: str
    logits: Float[Tensor, "written vocab"]
    stopped: str
    setup: Any = field(repr=False)
    again: Callable[[], Trace] = field(repr=False)

    def __repr__(self) -> str:
        return f"Generation({shown(self.text, 200)}, {self.n_written} tokens, stopped={self.stopped!r})"

    @cached_property
    def trace(self) -> Trace:
        """The prompt and all that was written, read once more under the same setup, which gives the same numbers: who
        attended to whom, and the streams, of written tokens too."""
        return self.again()

    def attention(self, layer: int, head: int | None = None) -> Float[Tensor, "..."]:
        """Attention weights of the prompt's and the written tokens, as in a `Trace`."""
        return self.trace.attention(layer, head)

    @property
    def ids(self) -> list[int]:
        """The ids of the written tokens."""
        return list(self.encoding.ids[len(self.encoding) - self.n_written :])

    @property
    def tokens(self) -> list[str]:
        """The written tokens as text."""
        return list(self.encoding.tokens[len(self.encoding) - self.n_written :])

    @property
    def steps(self) -> list[str]:
        """The written text in sentences: the steps of a thought."""
        return sentences(self.text)

    @property
    def spans(self) -> Mapping[str, slice]:
        """The positions of each piece; what was written is "generated"."""
        return self.encoding.spans
