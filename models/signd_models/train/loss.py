"""How far a network's answers are from what they should be."""

import torch
from torch import Tensor

SMOOTHING = 0.1
"""Of labels (Szegedy et al. 2016)."""
TRUST = 0.3
"""Weight of the teachers' answer to a clip whose label is known."""
SOFTENED = 1.5
"""Temperature at which answers to free clips are held against the teachers' (Hinton et al.
2015)."""


def loss_of(logits: Tensor, label: Tensor, taught: Tensor | None, signs: int, free: int) -> Tensor:
    """Of a batch in the order of `Draw.plan`: logits `[B,K+1]`, *no sign* last, labels `[B]`, and
    what the teachers say, logarithms of probabilities `[B,K]`, if there are any."""
    p = logits.log_softmax(dim=1)
    target = torch.full_like(p[:signs], SMOOTHING / p.shape[1])
    target.scatter_add_(1, label[:signs, None], torch.full_like(target[:, :1], 1 - SMOOTHING))
    if taught is not None:
        target = (1 - TRUST) * target
        target[:, :-1] += TRUST * taught[:signs].exp()
    loss = -(target * p[:signs]).sum()
    if taught is not None:
        loss = loss + free_loss(logits[signs : signs + free], taught[signs : signs + free])
    none = p[signs + free :]
    loss = loss - ((1 - SMOOTHING) * none[:, -1]).sum()
    if taught is not None:
        loss = loss - (SMOOTHING * taught[signs + free :].exp() * none[:, :-1]).sum()
    return loss / len(logits)


def free_loss(logits: Tensor, taught: Tensor) -> Tensor:
    """Of free clips: what the teachers say, among the signs. Whether such a clip is a sign at all
    is not known, so *no sign* is left alone."""
    q = (taught / SOFTENED).log_softmax(dim=1)
    p = (logits[:, :-1] / SOFTENED).log_softmax(dim=1)
    return (q.exp() * (q - p)).sum() * SOFTENED**2
