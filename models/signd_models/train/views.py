"""A network asked about two views of a sign: as it is, and with the dominant hand alone.

The clips that the public network was taught with show one hand, so it takes many signs of two hands
for another. The dominant hand alone is told surely, and what the other hand adds is told by the
first view. Of a hundred signs of signers who are not met, two more are told by the mean of both.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..features import OTHER
from .net import Net


class TwoViews(nn.Module):
    """Rows `[..,F]` of a sign, `NaN` where missing, to logits and an embedding, each the mean of
    both views'."""

    seen: Tensor

    def __init__(self, net: Net) -> None:
        super().__init__()
        self.net = net
        # What the second view is multiplied with, of each column.
        seen = torch.ones(2 * net.shape.points)
        seen[2 * OTHER.start : 2 * OTHER.stop] = torch.nan
        self.register_buffer("seen", seen, persistent=False)

    def views(self, rows: Tensor) -> Tensor:
        """Both views of rows `[B,..,F]`: `[2B,..,P*2]`, those of a clip side by side."""
        shown = rows[..., : len(self.seen)]
        return torch.stack([shown, shown * self.seen], dim=1).flatten(0, 1)

    def joined(self, pooled: Tensor) -> tuple[Tensor, Tensor]:
        """Logits `[B,K]` and embeddings `[B,E]` of what clips are like as a whole in both views,
        `[2B,pooled]`."""
        logits, embedding = (part.unflatten(0, (-1, 2)) for part in self.net.classified(pooled))
        mean = (logits[:, 0] + logits[:, 1]) / 2
        return mean, F.normalize(embedding[:, 0] + embedding[:, 1], dim=-1)

    def forward(self, rows: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """Clips `[B,T,F]`; `valid [B,T]` is 1 on rows that are there."""
        return self.joined(self.net(self.views(rows), valid.repeat_interleave(2, dim=0)))

    def window(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """A whole clip `[1,T,F]`."""
        shown = self.views(rows)
        return self.joined(self.net.pooled(shown, torch.ones_like(shown[..., 0]))[:, -1])

    def state_size(self) -> int:
        """Numbers in a stream's state."""
        return 2 * self.net.state_size()

    def step(self, rows: Tensor, state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """One row `[B,F]` of each of B streams and their states `[B,S]`: logits, embeddings, next
        states. A zero state is the beginning of a sign."""
        pooled, after = self.net.step(self.views(rows), state.unflatten(1, (2, -1)).flatten(0, 1))
        return *self.joined(pooled), after.unflatten(0, (-1, 2)).flatten(1)
