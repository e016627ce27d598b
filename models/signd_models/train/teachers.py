"""What those who know more say of a clip: the public network, and networks fitted before."""

import torch
from torch import Tensor

from ..features import HAND, OTHER
from .net import Net
from .peer import Peer

ELDERS = 0.7
"""Weight of the networks fitted before, all together. The rest is the public network's."""


@torch.no_grad()
def taught_by(
    peer: Peer, elders: list[Net], rows: Tensor, valid: Tensor, mirrored: Tensor
) -> Tensor:
    """Logarithms of the probabilities of the signs `[B,K]`. The public network is asked about both
    views of the hands: it was taught with one, and takes many signs of two hands for another."""
    alone = rows.clone()
    for hand, hidden in ((OTHER, ~mirrored), (HAND, mirrored)):
        part = alone[..., 2 * hand.start : 2 * hand.stop]
        alone[..., 2 * hand.start : 2 * hand.stop] = part.masked_fill(
            hidden[:, None, None], torch.nan
        )
    said = (probabilities(peer, rows, valid) + probabilities(peer, alone, valid)) / 2
    if elders:
        own = torch.stack([probabilities(elder, rows, valid) for elder in elders]).mean(dim=0)
        said = ELDERS * own + (1 - ELDERS) * said
    return (said + 1e-9).log()


def probabilities(net: Net, rows: Tensor, valid: Tensor) -> Tensor:
    """Of the signs alone, `[B,K]`."""
    logits: Tensor = net.classify(net(rows, valid)).float()
    return logits[:, : net.shape.labels - net.OTHERS].softmax(dim=1)
