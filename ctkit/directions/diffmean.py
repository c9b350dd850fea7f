"""Difference in means: the stream on positive texts minus the stream on negative ones."""

from jaxtyping import Float
from torch import Tensor


def difference_in_means(
    positive: Float[Tensor, "token d_model"], negative: Float[Tensor, "other d_model"]
) -> Float[Tensor, "d_model"]:
    """Mean over all tokens of the positive texts minus the mean over all tokens of the negative ones (long texts weigh
    more), not normalised: strength 1 is the whole way from one mean to the other."""
    return positive.mean(0) - negative.mean(0)
