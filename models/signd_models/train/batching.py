"""Batches of clips: of about equal length, parts of each hidden from the network."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..arrays import Floats, Random
from ..features import WINDOW_ROWS
from .dataset import BankDataset

BATCH = 96
SORTED = 16
"""Batches whose clips are drawn together and sorted by length."""
MASKED_GROUPS = {"lips": 0.2, "other": 0.1, "arms": 0.06, "face_distance": 0.06}
"""How often a group of columns is hidden from a whole clip."""


@dataclass
class Batch:
    """Clips and what the network should answer."""

    rows: Tensor
    """`[B,T,F]`, `NaN` behind the end of each clip."""
    valid: Tensor
    """`[B,T]`, 1 on rows that are there."""
    target: Tensor
    """Probabilities `[B,K+1]`."""
    pooled: Tensor
    """The teacher's activations `[B,384]`, in standard deviations."""
    matched: Tensor
    """Weight of matching these, `[B]`."""

    def to(self, device: str) -> "Batch":
        """The same on a device."""
        return Batch(**{name: part.to(device) for name, part in vars(self).items()})


def masked(rows: Floats, rng: Random, columns: dict[str, slice]) -> Floats:
    """Hides parts of a clip, in place: groups of columns, stretches of time."""
    for name, often in MASKED_GROUPS.items():
        if name in columns and rng.random() < often:
            rows[:, columns[name]] = np.nan
    if rng.random() < 0.4:
        for _ in range(int(rng.integers(1, 3))):
            at, length = rng.integers(len(rows)), rng.integers(1, max(2, len(rows) // 5 + 1))
            rows[at : at + length] = np.nan
    return rows


def drawn_batches(bank: BankDataset, rng: Random) -> list[NDArray[np.int64]]:
    """Several batches of views of about equal length each."""
    views = bank.draw(rng, BATCH * SORTED)
    length = np.minimum(bank.length[views], WINDOW_ROWS) + rng.uniform(0, 6, len(views))
    views = views[np.argsort(length)]
    return [views[k * BATCH : (k + 1) * BATCH] for k in rng.permutation(SORTED)]


def batch(
    bank: BankDataset, views: NDArray[np.int64], rng: Random, columns: dict[str, slice]
) -> Batch:
    """The batch of these views."""
    clips = [masked(bank.view(i), rng, columns) for i in views]
    targets = [bank.target(i) for i in views]
    rows, valid = padded(clips)
    parts = (np.stack([target[k] for target in targets]) for k in (0, 1))
    target, pooled = (torch.from_numpy(part.astype(np.float32)) for part in parts)
    matched = torch.tensor([target[2] for target in targets])
    return Batch(rows, valid, target, pooled, matched)


def padded(clips: list[Floats]) -> tuple[Tensor, Tensor]:
    """Clips as one batch: rows `[B,T,F]`, `NaN` behind their ends, and 1 where there is a row."""
    longest = max(map(len, clips))
    rows = np.full((len(clips), longest, clips[0].shape[1]), np.nan, np.float32)
    valid = np.zeros((len(clips), longest), np.float32)
    for i, clip in enumerate(clips):
        rows[i, : len(clip)] = clip
        valid[i, : len(clip)] = 1
    return torch.from_numpy(rows), torch.from_numpy(valid)
