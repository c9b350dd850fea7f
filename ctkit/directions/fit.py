"""The one way in: two sets of texts and a method to a direction, with how far that direction can be relied on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from ..engine.lm import LM
from ..errors import CtkitError, shown
from ..interventions import Direction
from ..interventions.base import as_tuple, check_heads
from ..prompt import Prompt
from . import actadd, caa, diffmean, features, heads, pca, plane, random
from . import clusters as g_act
from .request import NAME, Request, check_texts


@dataclass(frozen=True)
class Method:
    """How a method fits, at which sites it can (its own first), over which tokens (None: the choice is not the
    user's), and whether it looks for a layer by itself."""

    fit: Callable[[Request], Direction]
    sites: tuple[str, ...] = ("residual",)
    tokens: str | int | None = None
    finds_layer: bool = False


SITES = ("residual", "heads", "mlp")
METHODS = {
    "diffmean": Method(diffmean.fit, SITES, "all"),
    "actadd": Method(actadd.fit),
    "caa": Method(caa.fit, SITES),
    "iti": Method(partial(heads.best_head, method="iti"), ("heads",), "last", finds_layer=True),
    "nl-iti": Method(partial(heads.best_head, method="nl-iti"), ("heads",), 2, finds_layer=True),
    "g-act": Method(g_act.fit, ("residual",), "last"),
    "snmf": Method(features.fit, ("mlp",)),
    "pca": Method(pca.fit, SITES, "all"),
    "plane": Method(plane.fit, ("residual",), "all", finds_layer=True),
    "random": Method(random.fit, SITES, "all"),
}


def fit_direction(
    lm: LM,
    positive: Sequence[Prompt | str],
    negative: Sequence[Prompt | str],
    method: str = "diffmean",
    layer: int | None = None,
    name: str = NAME,
    tokens: str | int | None = None,
    site: str | None = None,
    head: int | None = None,
    seed: int = 0,
) -> Direction:
    """A direction that tells two sets of texts apart, at a site of block `layer` (default: the middle one).

    `method`:

    - "diffmean": the difference of the mean states.
    - "actadd": the difference between one prompt and one other, position by position (Turner et al., arXiv 2308.10248).
    - "caa": the mean difference of pairs of texts at the answer in which they differ (Rimsky et al., ACL 2024, arXiv
      2312.06681). The paper counts the stream that leaves a block; its layer 13 is our 14.
    - "iti", "nl-iti": the mean difference in the one head, of all or of `layer`, that a probe reads best (Li et al.,
      NeurIPS 2023, arXiv 2306.03341; Hoscilowicz et al., arXiv 2403.18680). Several heads: `ct.fit_heads`.
    - "g-act": the mean difference of the largest group of like pairs (Sharma & Raman, arXiv 2506.18887). All groups,
      and the probe that chooses between them: `ct.fit_clusters`.
    - "snmf": the feature of the MLP's neurons that differs most (Shafran et al., arXiv 2506.10920). All features:
      `ct.fit_features`.
    - "pca": the first principal component, pointing to the positive texts.
    - "plane": the difference of means, with a second vector to turn in (angular steering).
    - "random": as long as the difference in means; the control.

    `site`: "residual", "heads" (with a `head`) or "mlp", where the method leaves a choice. `tokens`: "all", over all
    tokens but those that the tokenizer puts in front, "last", over each text's last token, where what comes next is
    decided, or how many of the last. `seed` is for what is drawn: folds, starts, random directions.

    With two texts or more on each side, `reliability` is the cosine between the directions of two halves of the texts;
    with four or more, `accuracy` is the share that a linear probe at this place tells apart unseen. Raises `CtkitError`
    for an unknown method, site or choice of tokens, a missing side or pair, a place the model does not have.

    >>> import ctkit as ct
    >>> ct.fit_direction(ct.load(), ["The day was happy."], ["The day was sad."], layer=2).layer
    2
    """
    if method not in METHODS:
        raise CtkitError(
            f"the method {shown(method)}", "no such way to fit a direction", f"one of {', '.join(METHODS)}"
        )
    for side, texts in (("positive", positive), ("negative", negative)):
        check_texts(f"a direction from the {side} texts", texts)
    way = METHODS[method]
    site = way.sites[0] if site is None else site
    if site not in way.sites:
        raise CtkitError(
            f"the method {method!r} at the site {shown(site)}", "no way to fit one there", f"one of {list(way.sites)}"
        )
    _check_tokens(method, way.tokens, tokens)
    _check_head(lm, site, head, way.finds_layer)
    if layer is None and not way.finds_layer:
        layer = lm.n_layers // 2
    tokens = (way.tokens or "all") if tokens is None else tokens
    return way.fit(Request(lm, list(positive), list(negative), layer, site, head, tokens, name, seed))


def _check_tokens(method: str, own: str | int | None, tokens: object) -> None:
    if own is None and tokens is not None:
        raise CtkitError(
            f"{method!r} over the tokens {shown(tokens)}", "a method that chooses them itself", "no tokens"
        )
    counted = isinstance(tokens, int) and not isinstance(tokens, bool) and tokens > 0
    if tokens not in (None, "all", "last") and not counted:
        raise CtkitError(
            f"a direction over the tokens {shown(tokens)}", "no such choice", '"all" or "last", or how many of the last'
        )


def _check_head(lm: LM, site: str, head: int | None, finds: bool) -> None:
    if site != "heads" and head is not None:
        raise CtkitError(f"head {shown(head)} at the site {site!r}", "a site without heads", 'site="heads", or no head')
    if site == "heads" and head is None and not finds:
        raise CtkitError('a direction at the site "heads"', "no head named", f"head=0 to {lm.n_heads - 1}")
    if head is not None:
        check_heads("a direction", as_tuple(head), lm.n_heads)
