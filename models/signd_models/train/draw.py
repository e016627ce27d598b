"""Which clips a network is shown, batch by batch."""

import numpy as np
import torch
from numpy.typing import NDArray

from ..arrays import Random
from .augment import Plan
from .clip_store import EVERYWHERE, ClipStore, Kind

SIGNS, FREE = 0.55, 0.3
"""Shares of a batch: signs with their labels, and clips to which only the teachers know an answer.
The rest shows no sign of the vocabulary."""
FEWEST_ROWS = 4
"""Rows of a clip that is shown."""


class Draw:
    """Draws clips of all folds but one."""

    def __init__(self, store: ClipStore, fold: int, words: bool, free: bool, rng: Random) -> None:
        """`fold`: left out, or -1. `words`: whether signs that are not in the vocabulary are shown.
        `free`: whether there is a teacher who can answer to composed clips."""
        self.rng, self.free = rng, free
        fold_of, label, kind, length = (
            x.cpu().numpy() for x in (store.fold, store.label, store.kind, store.length)
        )
        usable = (fold_of >= EVERYWHERE) & ((fold_of != fold) | (fold_of == EVERYWHERE))
        usable &= length >= FEWEST_ROWS
        if not words:
            usable &= ~np.isin(kind, [Kind.OTHER_SIGN, Kind.FOREIGN])
        self.signs = np.flatnonzero(usable & (kind == Kind.SIGN))
        self.label, self.kind = label, kind
        self.of_label = {k: self.signs[label[self.signs] == k] for k in set(label[self.signs])}
        count = np.array([len(self.of_label[k]) for k in label[self.signs]])
        self.weight = count**-0.5 / (count**-0.5).sum()
        kinds = [np.flatnonzero(usable & (kind == k)) for k in Kind if k != Kind.SIGN]
        self.others = [some for some in kinds if len(some)]
        size = np.array([len(some) ** 0.5 for some in self.others])
        self.share = size / size.sum()

    def parts(self, count: int) -> tuple[int, int]:
        """Signs and free clips in a batch of so many."""
        signs, free = round(SIGNS * count), round(FREE * count)
        if not self.others:
            return count - free * self.free, free * self.free
        return (signs, free) if self.free else (signs + free, 0)

    def plan(self, count: int, device: str) -> Plan:
        """A batch: signs, then free clips, then those that show no sign of the vocabulary."""
        signs, free = self.parts(count)
        clip = np.concatenate([self.by_sign(signs // 2), self.by_clip(signs - signs // 2 + free)])
        kinds = self.drawn_kinds(count - signs - free)
        none = [self.rng.choice(self.others[k]) for k in kinds]
        clip = np.concatenate([clip, none]).astype(np.int64)
        hand, number = clip.copy(), np.arange(count)
        for i in range(signs):  # a hand that makes the same sign
            if self.rng.random() < 0.15:
                hand[i] = self.rng.choice(self.of_label[self.label[clip[i]]])
        for i in range(signs, signs + free):  # the hand of any sign
            if self.rng.random() < 0.7:
                hand[i] = self.rng.choice(self.signs)
        for i, k in enumerate(kinds, signs + free):  # a hand that makes no sign of the vocabulary
            if self.rng.random() < 0.15:
                hand[i] = self.rng.choice(self.others[k])
        whole = self.kind[clip] != Kind.IDLE
        warped = (number >= signs) & (number < signs + free)
        return Plan(*(torch.from_numpy(x).to(device) for x in (clip, hand, whole, warped)))

    def by_sign(self, count: int) -> NDArray[np.int64]:
        """Clips of signs, all signs alike."""
        labels = self.rng.choice(list(self.of_label), size=count)
        return np.array([self.rng.choice(self.of_label[k]) for k in labels], np.int64)

    def by_clip(self, count: int) -> NDArray[np.int64]:
        """Clips of signs, those of usual signs less often."""
        return self.rng.choice(self.signs, count, p=self.weight)

    def drawn_kinds(self, count: int) -> NDArray[np.int64]:
        """Of clips that show no sign, which kind each is of."""
        if count == 0:
            return np.empty(0, np.int64)
        return self.rng.choice(len(self.others), size=count, p=self.share)
