"""How strongly to steer for a given side effect: the strength at which a target KL on a neutral text is reached."""

from dataclasses import replace
from math import copysign

import torch

from ..errors import CtkitError
from ..interventions import Setup, Steer
from ..interventions.steer import NEUTRAL
from .encode import encode
from .lm import LM
from .plan import Row
from .session import Session

GRID = 16  # strengths tried in one batch
ROUNDS = 4  # batches: each narrows the bracket 15 times
CLOSE = 0.02  # relative to the target; further off is said to be out of reach


def resolved(lm: LM, setup: Setup) -> Setup:
    """The setup with every `Steer(kl=…)` given its strength on this model; itself where there is none."""
    if not any(isinstance(intervention, Steer) and intervention.kl is not None for intervention in setup):
        return setup
    return Setup([_with_strength(lm, i) if isinstance(i, Steer) and i.kl is not None else i for i in setup])


def strength_for(lm: LM, steer: Steer) -> tuple[float, float]:
    """(strength, KL reached) for a `Steer(kl=…)`: KL(plain ‖ steered) of the token after the neutral text, in nats.

    Found in a few batches, each a row of strengths: first by powers, then between the two that have the target between
    them. Raises `CtkitError` where no strength comes near the target, with the KL that was reached.
    """
    if steer not in lm.strengths:
        lm.strengths[steer] = _search(lm, steer)
    strength, reached = lm.strengths[steer]
    if abs(reached - steer.kl) > CLOSE * steer.kl:
        raise CtkitError(
            f"steering {steer.direction.name!r} as far as KL {steer.kl:g}",
            f"KL {reached:.3g} at strength {strength:.3g}, and nothing nearer, after {NEUTRAL!r}",
            "another target, another layer, or a strength of your own",
        )
    return strength, reached


def _with_strength(lm: LM, steer: Steer) -> Steer:
    if steer.strength == 0:
        return replace(steer, kl=None)
    return replace(steer, kl=None, strength=copysign(strength_for(lm, steer)[0], steer.strength))


def _search(lm: LM, steer: Steer) -> tuple[float, float]:
    low, high, best = 1e-4, 1e4, (0.0, 0.0)
    for _ in range(ROUNDS):
        tried = torch.logspace(torch.tensor(low).log10(), torch.tensor(high).log10(), GRID).tolist()
        reached = _kl(lm, steer, tried)
        best = min([best, *zip(tried, reached, strict=True)], key=lambda pair: abs(pair[1] - steer.kl))
        above = next((n for n, kl in enumerate(reached) if kl >= steer.kl), None)
        if above == 0:
            break
        top = reached.index(max(reached))  # where none is above, one between the highest and its neighbours may be
        between = (top - 1, top + 1) if above is None else (above - 1, above)
        low, high = (tried[min(max(n, 0), GRID - 1)] for n in between)
    return best


def _kl(lm: LM, steer: Steer, strengths: list[float]) -> list[float]:
    """KL(plain ‖ steered) of the token after the neutral text at each strength, in one batch."""
    enc = encode(lm, NEUTRAL)
    tried = [replace(steer, kl=None, where="all", strength=copysign(s, steer.strength)) for s in (0.0, *strengths)]
    session = Session(lm, [Row(enc, Setup([one])) for one in tried], len(enc))
    with session.installed():
        ids = torch.tensor([enc.ids]).expand(len(tried), -1)
        logits = session.forward(ids, last=1).logits[:, -1].float().cpu().log_softmax(-1)
    plain, steered = logits[0], logits[1:]
    return (plain.exp() * (plain - steered)).sum(-1).nan_to_num(torch.inf).tolist()
