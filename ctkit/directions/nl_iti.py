"""Nonlinear inference-time intervention: a small network on each head's output says which heads know (NL-ITI)."""

from math import ceil

import torch
from torch import Tensor, nn

from .iti import States

LAST = 2  # tokens at the end that a head's output is averaged over
HIDDEN = 16
EPOCHS, BATCH = 10, 32
STEPS = 300  # at least: ten epochs of the few texts that a lesson has would leave the networks as they were drawn
RATE, DECAY = 5e-4, 1e-4  # of Adam


def probe(
    train: States, labels: Tensor, check: States, check_labels: Tensor, test: States, seed: int
) -> tuple[Tensor, Tensor]:
    """The chance of "positive" on two sets of states, by a network for each head (d_head → 16 → 1, with batch
    normalisation), as it was after the epoch in which it got most of `check` right."""
    draw = torch.Generator().manual_seed(seed)
    nets = Networks(train.shape[1], train.shape[2], draw)
    adam = torch.optim.Adam(nets.parameters(), lr=RATE, weight_decay=DECAY)
    batches = max(1, len(train) // BATCH)
    best = torch.full((train.shape[1],), -1.0)
    found = [torch.zeros(len(part), train.shape[1]) for part in (check, test)]
    for _ in range(max(EPOCHS, ceil(STEPS / batches))):
        nets.train()
        for batch in torch.randperm(len(train), generator=draw).chunk(batches):
            wanted = labels[batch, None].expand(-1, train.shape[1]).float()
            loss = nn.functional.binary_cross_entropy_with_logits(nets(train[batch]), wanted, reduction="none")
            adam.zero_grad()
            loss.mean(0).sum().backward()  # a sum over heads: each network learns as if it were alone
            adam.step()
        nets.eval()
        with torch.no_grad():
            now = [nets(part).sigmoid() for part in (check, test)]
        right = ((now[0] > 0.5) == (check_labels[:, None] == 1)).float().mean(0)
        better = right > best
        best = best.where(~better, right)
        found = [old.where(~better, new) for old, new in zip(found, now, strict=True)]
    return found[0], found[1]


class Networks(nn.Module):
    """One small network for each head, all in one pass; the width of a head is read from its output."""

    def __init__(self, places: int, d_head: int, draw: torch.Generator):
        super().__init__()
        self.places = places

        def drawn(*shape: int, inputs: int) -> nn.Parameter:
            return nn.Parameter((2 * torch.rand(*shape, generator=draw) - 1) / inputs**0.5)

        self.first = drawn(places, d_head, HIDDEN, inputs=d_head)
        self.first_bias = drawn(places, HIDDEN, inputs=d_head)
        self.normal = nn.BatchNorm1d(places * HIDDEN)
        self.second = drawn(places, HIDDEN, inputs=HIDDEN)
        self.second_bias = drawn(places, inputs=HIDDEN)

    def forward(self, states: Tensor) -> Tensor:
        """(text, place, d_head) → (text, place): the log-odds of "positive"."""
        hidden = torch.einsum("tpd,pdh->tph", states, self.first) + self.first_bias
        hidden = self.normal(hidden.flatten(1)).view_as(hidden).relu()
        return (hidden * self.second).sum(-1) + self.second_bias
