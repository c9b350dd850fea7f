"""Does the way to an answer, layer by layer, tell if it will be right? Residual cross-entropy over a population."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..engine.lm import LM
from ..engine.run import run_many
from ..engine.unembed import unembed
from ..errors import CtkitError, shown
from ..interventions.setup import Setup, as_setup
from ..tasks import Problem
from .intervals import auc, auc_difference
from .score import answers, is_right, thinks
from .tokens import token_id

TOGETHER = 256  # problems whose streams are held at a time
FOLDS = 5
TARGETS = ("written", "answer", "random")


@dataclass(frozen=True, eq=False)
class ResidualCrossEntropy:
    """−log probability of a token, by layer, where the answer begins; for every problem.

    `curves[problem, layer]` is in nats; the last layer is the model's own output. `right` says which problems the model
    answers right, `tokens` whose probability was read. An AUC is the chance that of a right and a wrong answer the
    right one has the lower cross-entropy: 0.5 tells nothing.
    """

    curves: Float[Tensor, "problem layer"] = field(repr=False)
    right: Bool[Tensor, "problem"] = field(repr=False)
    tokens: tuple[str, ...] = field(repr=False)
    target: str
    seed: int = 0

    @property
    def n(self) -> int:
        """How many problems."""
        return len(self.right)

    @property
    def accuracy(self) -> float:
        """The share that is answered right."""
        return float(self.right.double().mean())

    @cached_property
    def auc(self) -> list[tuple[float, float, float]]:
        """For each layer: how well its cross-entropy tells right from wrong, with the 95 % interval."""
        self._refuse_one_kind(1)
        return [auc(-self.curves[:, layer], self.right) for layer in range(self.curves.shape[1])]

    @cached_property
    def gain(self) -> tuple[float, float, float]:
        """What the earlier layers add: AUC of all layers together minus that of the last one alone, and its interval.

        Both are scores of a logistic regression for problems it was not fitted on (5 folds). The last layer alone is
        only the model's confidence, so an interval around 0 says that the way there adds nothing.
        """
        self._refuse_one_kind(FOLDS)
        last, every = (_held_out(part, self.right, self.seed) for part in (self.curves[:, -1:], self.curves))
        return auc_difference(last, every, self.right)

    def mean(self, right: bool) -> Float[Tensor, "layer"]:
        """The mean curve of the problems answered right, or of the others."""
        return self.curves[self.right == right].mean(0)

    def shuffled(self, seed: int = 0) -> "ResidualCrossEntropy":
        """The same curves with right and wrong dealt out by chance: every AUC must go to 0.5, and the gain to 0."""
        order = torch.randperm(self.n, generator=torch.Generator().manual_seed(seed))
        return replace(self, right=self.right[order])

    def __str__(self) -> str:
        head = f"residual cross-entropy of the {self.target} token over {self.n} problems, {self.accuracy:.0%} right"
        kinds = [kind for kind in (True, False) if (self.right == kind).any()]
        lines = [f"{head}\nlayer" + "".join(f"  {'right' if kind else 'wrong':>6}" for kind in kinds)]
        for layer in range(self.curves.shape[1]):
            lines.append(f"{layer:5d}" + "".join(f"  {float(self.mean(kind)[layer]):6.2f}" for kind in kinds))
            if len(kinds) == 2:
                lines[-1] += "   AUC {:.2f} ({:.2f} to {:.2f})".format(*self.auc[layer])
        if min(int(self.right.sum()), int((~self.right).sum())) >= FOLDS:
            lines.append("all layers − last alone: AUC {:+.3f} ({:+.3f} to {:+.3f})".format(*self.gain))
        return "\n".join(lines)

    def _refuse_one_kind(self, least: int) -> None:
        right, wrong = int(self.right.sum()), int((~self.right).sum())
        if min(right, wrong) < least:
            raise CtkitError(
                "what tells right answers from wrong ones",
                f"{right} right and {wrong} wrong: {least} of each are needed",
                "problems of which the model does some, of another difficulty, or more of them",
            )


def residual_cross_entropy(
    lm: LM,
    problems: Sequence[Problem],
    *setup: object,
    target: str = "written",
    seed: int = 0,
    on_progress: Callable[[int, int], object] | None = None,
) -> ResidualCrossEntropy:
    """The residual cross-entropy of every problem (Brothers et al. 2024, arXiv 2412.05768).

    The stream of each layer, where the answer begins, is read as if it were the last (see `ct.lens`); the curve is the
    cross-entropy of one token. `target`: "written", the token that the model writes there; "answer", the first one of
    the right answer (no news from the last layer: what is answered right was likely); "random", the first one of
    another problem's answer (not at 0.5: a sure model gives others less). Right or wrong is the whole answer, written
    greedily under the setup.
    Raises `CtkitError` for an empty list, an unknown target, or a thought before the answer.

    >>> import ctkit as ct
    >>> hunt = ct.tasks.get("hunt")
    >>> found = ct.residual_cross_entropy(ct.load(), [hunt.generate(seed, 4) for seed in range(30)])
    >>> found.n, found.curves.shape[1]
    (30, 5)
    """
    together, problems = as_setup(*setup), list(problems)
    _refuse_unfit(problems, together, target)
    prompts, expected = [p.prompt for p in problems], [p.answer for p in problems]
    given = answers(lm, prompts, expected, together)
    logits = []
    for first in range(0, len(problems), TOGETHER):
        logits.append(_by_layer(lm, prompts[first : first + TOGETHER], together))
        if on_progress is not None:
            on_progress(min(first + TOGETHER, len(problems)), len(problems))
    log_p = torch.cat(logits).log_softmax(-1)  # (problem, layer, vocab)
    ids = log_p[:, -1].argmax(-1) if target == "written" else _expected_ids(lm, expected, target, seed)
    curves = -log_p.gather(-1, ids[:, None, None].expand(-1, log_p.shape[1], 1)).squeeze(-1)
    right = torch.tensor([is_right(a, e) for a, e in zip(given, expected, strict=True)])
    return ResidualCrossEntropy(curves, right, tuple(lm.tokenizer.decode([i]) for i in ids.tolist()), target, seed)


def _by_layer(lm: LM, prompts: list, setup: Setup) -> Float[Tensor, "problem layer vocab"]:
    """The logits at each prompt's end, by layer."""
    traces = run_many(lm, prompts, setup, residual="all", last_only=True)
    streams = torch.stack([torch.stack([t.residual(layer)[-1] for layer in range(lm.n_layers)]) for t in traces])
    early = unembed(lm, streams.flatten(0, 1)).unflatten(0, streams.shape[:2])
    return torch.cat([early, torch.stack([t.logits[-1:] for t in traces])], dim=1)


def _expected_ids(lm: LM, expected: list[str], target: str, seed: int) -> Tensor:
    """The first token of each answer; for "random" of some other problem's answer, each dealt out once."""
    firsts = [lm.tokenizer(f" {text}", add_special_tokens=False)["input_ids"][0] for text in expected]
    ids = torch.tensor([token_id(lm, id_) for id_ in firsts])
    if target == "answer":
        return ids
    return ids[torch.randperm(len(ids), generator=torch.Generator().manual_seed(seed))]


def _held_out(features: Tensor, right: Tensor, seed: int) -> Tensor:
    """A logistic regression's score for each problem, fitted on the other folds."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    model = make_pipeline(StandardScaler(), LogisticRegression())
    scores = cross_val_predict(model, features.numpy(), right.numpy(), cv=folds, method="decision_function")
    return torch.as_tensor(scores, dtype=torch.float64).float()


def _refuse_unfit(problems: list[Problem], setup: Setup, target: str) -> None:
    if target not in TARGETS:
        raise CtkitError(
            f"the cross-entropy of the token {shown(target)}", "no such choice", f"one of {', '.join(TARGETS)}"
        )
    if not problems or not all(isinstance(problem, Problem) for problem in problems):
        found = "no problems" if not problems else f"a {type(problems[0]).__name__}"
        raise CtkitError("residual cross-entropy", found, 'problems such as ct.tasks.get("hunt").generate(0, 4)')
    if thinks(setup, problems[0].prompt):
        raise CtkitError(
            "residual cross-entropy under ct.Think()",
            "a thought between the prompt and the answer",
            "the same setup without thinking",
        )
