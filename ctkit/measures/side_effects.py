"""What steering does beside what it is for: on neutral text, against random directions, with the sign turned round."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from math import exp
from statistics import fmean, quantiles
from typing import Any

import torch

from ..engine.lm import LM
from ..engine.run import run_many
from ..engine.trace import Trace
from ..errors import CtkitError, shown
from ..interventions.setup import Setup, as_setup
from ..prompt import Prompt
from ..tasks import get
from .compare import compare
from .controls import opposite, randomized, steers, unsteered
from .tokens import token_id

Metric = str | int | tuple[str | int, str | int] | Callable[[Trace], float]
MOST = 2**28  # logits that are held at a time: 1 GiB
NEUTRAL = {"hunt": 2, "copy": 1}  # tasks whose contexts are plain text of no mood, with a difficulty each


@dataclass(frozen=True)
class SideEffects:
    """A steered model beside the same model unsteered.

    `clean`, `steered`, `opposite` and `random` are the target metric: without steering, with it, with the sign turned
    round, and along random directions of the same norm. `kl` is KL(clean ‖ steered) in nats, the mean over the tokens
    of neutral text; `cross_entropy` the mean over its words, before and after.
    """

    metric: str
    clean: float
    steered: float
    opposite: float
    random: tuple[float, ...] = field(repr=False)
    kl: float
    opposite_kl: float
    random_kl: tuple[float, ...] = field(repr=False)
    cross_entropy: tuple[float, float]
    token_kl: tuple[tuple[tuple[str, float], ...], ...] = field(repr=False)  # neutral text → (token, nats after it)

    @property
    def effect(self) -> float:
        """The metric with steering minus without."""
        return self.steered - self.clean

    @property
    def random_effects(self) -> list[float]:
        """The same for each random direction."""
        return [value - self.clean for value in self.random]

    @property
    def random_interval(self) -> tuple[float, float]:
        """Where the middle 95 % of the random effects lie."""
        cuts = quantiles(self.random_effects, n=40, method="inclusive")
        return cuts[0], cuts[-1]

    @property
    def as_large(self) -> float:
        """The share of random directions with an effect as large, of either sign; the direction itself counted among
        them, so never 0."""
        larger = sum(abs(effect) >= abs(self.effect) for effect in self.random_effects)
        return (1 + larger) / (1 + len(self.random))

    @property
    def perplexity(self) -> tuple[float, float]:
        """Perplexity of neutral text, before and after."""
        before, after = self.cross_entropy
        return exp(before), exp(after)

    def __str__(self) -> str:
        low, high = self.random_interval
        (before, after), (was, now) = self.cross_entropy, self.perplexity
        rows = [
            (self.metric, f"{self.clean:.3f} → {self.steered:.3f} ({self.effect:+.3f})"),
            ("opposite sign", f"{self.clean:.3f} → {self.opposite:.3f} ({self.opposite - self.clean:+.3f})"),
            (f"{len(self.random)} random directions", f"{fmean(self.random_effects):+.3f} ({low:+.3f} to {high:+.3f})"),
            ("as large by chance", f"{self.as_large:.0%}"),
            ("KL on neutral text", f"{self.kl:.3f} nats a token (random {fmean(self.random_kl):.3f})"),
            ("perplexity there", f"{was:.1f} → {now:.1f} (cross-entropy {after - before:+.3f})"),
        ]
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)


def side_effects(
    lm: LM,
    prompt: Prompt | str | Sequence[Prompt | str],
    *setup: Any,
    metric: Metric,
    texts: Sequence[Prompt | str] | None = None,
    n_random: int = 20,
    seed: int = 0,
) -> SideEffects:
    """The panel that belongs beside every steering result: its controls, and what it costs.

    Steering is every intervention of the setup that holds a direction, such as `ct.Steer`; the rest of the setup stays
    in all runs. `metric` is read at the end of a prompt (or as the mean over several): a token, for its probability; a
    pair of tokens, for the difference of their logits; or a function of a trace. `texts` is neutral text, with the
    pieces that the setup names, if it names any; left out, `neutral_texts()`. With `ct.Steer(kl=…)` each direction is
    given the strength that it needs, so that the controls stand at equal cost. All runs go through the model in few
    padded passes.
    Raises `CtkitError` for a setup that steers nothing, no text, or a text of one token.

    >>> import ctkit as ct
    >>> lm = ct.load()
    >>> d = ct.fit_direction(lm, ["The day was happy."], ["The day was sad."], layer=2)
    >>> panel = ct.side_effects(lm, "The day was", ct.Steer(d, strength=0.0), metric=("happy", "sad"))
    >>> panel.effect, panel.kl, panel.as_large
    (0.0, 0.0, 1.0)
    """
    together, targets = as_setup(*setup), [prompt] if isinstance(prompt, str | Prompt) else list(prompt)
    texts = neutral_texts() if texts is None else texts
    _refuse_unfit(together, targets, texts, n_random)
    name, measured = _measured(lm, metric)
    variants = [together, opposite(together), *(randomized(together, (seed, draw)) for draw in range(n_random))]
    clean = run_many(lm, [*targets, *texts], unsteered(together))
    neutral = clean[len(targets) :]
    _refuse_short(neutral)
    values, divergences, steered = [], [], None
    for own in _runs(lm, variants, [*targets, *texts], clean):
        values.append(fmean(measured(trace) for trace in own[: len(targets)]))
        divergences.append([compare(*pair).kl for pair in zip(neutral, own[len(targets) :], strict=True)])
        steered = steered or own[len(targets) :]
    means = [float(torch.cat(parts).mean()) for parts in divergences]
    return SideEffects(
        metric=name,
        clean=fmean(measured(trace) for trace in clean[: len(targets)]),
        steered=values[0],
        opposite=values[1],
        random=tuple(values[2:]),
        kl=means[0],
        opposite_kl=means[1],
        random_kl=tuple(means[2:]),
        cross_entropy=(_cross_entropy(neutral), _cross_entropy(steered)),
        token_kl=tuple(
            tuple(zip(t.tokens, kl.tolist(), strict=True)) for t, kl in zip(neutral, divergences[0], strict=True)
        ),
    )


def neutral_texts() -> list[str]:
    """Eight plain texts about things, places and people, which the models in the box have a language for.

    >>> neutral_texts()[0]
    'The key is in the basin. The jar is in the key. ...'
    """
    drawn = [get(name).generate(seed, difficulty) for name, difficulty in NEUTRAL.items() for seed in range(4)]
    return [problem.prompt.pieces["context"] for problem in drawn]


def _runs(lm: LM, variants: list[Setup], prompts: list[Prompt | str], clean: list[Trace]) -> Iterator[list[Trace]]:
    """The traces of all prompts under each variant; so many variants at a time that their logits can be held."""
    at_once = max(1, MOST // sum(trace.logits.numel() for trace in clean))
    for first in range(0, len(variants), at_once):
        group = variants[first : first + at_once]
        traces = run_many(lm, [(prompt, variant) for variant in group for prompt in prompts])
        yield from (traces[start : start + len(prompts)] for start in range(0, len(traces), len(prompts)))


def _measured(lm: LM, metric: Metric) -> tuple[str, Callable[[Trace], float]]:
    """What a metric is called, and the function that reads it."""
    if callable(metric):
        return getattr(metric, "__name__", "metric").strip("<>"), lambda trace: float(metric(trace))
    if isinstance(metric, tuple):
        if len(metric) != 2:
            raise CtkitError(f"the metric {shown(metric)}", f"{len(metric)} tokens", "a pair such as ('happy', 'sad')")
        first, second = (token_id(lm, token) for token in metric)
        return f"logit of {metric[0]!r} − {metric[1]!r}", lambda t: float(t.logits[-1, first] - t.logits[-1, second])
    token = token_id(lm, metric)
    return f"probability of {metric!r}", lambda trace: float(trace.logits[-1].softmax(-1)[token])


def _cross_entropy(traces: list[Trace]) -> float:
    """The mean −log probability of each next token of the texts, in nats."""
    losses = []
    for trace in traces:
        log_p = trace.logits[:-1].log_softmax(-1)
        losses.append(-log_p.gather(-1, torch.tensor(trace.ids[1:])[:, None]).squeeze(-1))
    return float(torch.cat(losses).mean())


def _refuse_unfit(setup: Setup, targets: list, texts: Sequence[Prompt | str], n_random: int) -> None:
    asked = "the side effects of steering"
    if not any(steers(intervention) for intervention in setup):
        raise CtkitError(asked, f"a setup that steers nothing: {setup.to_code()}", "one with a ct.Steer(direction, …)")
    if not targets or isinstance(texts, str | Prompt) or not len(texts):
        raise CtkitError(asked, "no prompt, or no list of neutral texts", "a prompt, and texts in a list")
    if not isinstance(n_random, int) or n_random < 2:
        raise CtkitError(f"{asked}, n_random={shown(n_random)}", "no interval of so few", "n_random=20")


def _refuse_short(neutral: list[Trace]) -> None:
    short = next((trace for trace in neutral if len(trace.ids) < 2), None)
    if short is not None:
        found = f"a text of one token: {short.tokens[0]!r}"
        raise CtkitError("the cross-entropy of neutral text", found, "texts of two words or more")
