"""The clips of banks as a network is taught them: which are drawn, and what it should answer."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats, Random
from ..features import WINDOW_ROWS
from .bank import Kind

Shares = Mapping[Kind, float]
"""How often each kind of clip is drawn."""
FIRST_STAGE: Shares = {
    Kind.LABELLED: 0.34,
    Kind.BLEND: 0.08,
    Kind.COMPOSED: 0.43,
    Kind.NO_SIGN: 0.15,
}
SECOND_STAGE: Shares = {
    Kind.LABELLED: 0.32,
    Kind.BLEND: 0.08,
    Kind.COMPOSED: 0.5,
    Kind.NO_SIGN: 0.1,
}
TRUST = 0.3
"""Weight of the teacher's answer to a clip whose label is known."""
SMOOTHING = 0.1
"""Of labels (Szegedy et al. 2016)."""
HIDDEN_MEANING = 0.2
"""A clip that the teacher takes for labels held out with more than this probability is left out."""


class BankDataset:
    """The clips of banks in which no signer of one fold had a part."""

    def __init__(
        self,
        banks: list[Path],
        fold: int,
        labels: int,
        hidden: frozenset[int] = frozenset(),
        shares: Shares = FIRST_STAGE,
    ) -> None:
        """`fold`: left out, or -1. `labels`: size of the vocabulary. `hidden`: labels held out:
        neither clips of them are drawn nor is the teacher's word for them used."""
        self.rows = []
        shard_of, start_of, length, view_of = [], [], [], []
        tables: dict[str, list[NDArray[np.generic]]] = {
            key: [] for key in ("label", "kind", "folds", "log_probs", "pooled")
        }
        clips = 0
        shards = [shard for bank in banks for shard in sorted(bank.glob("????.npz"))]
        if not shards:
            raise SystemExit(f"no shard in {', '.join(map(str, banks))}")
        for n, path in enumerate(shards):
            self.rows.append(np.load(path.with_suffix(".npy"), mmap_mode="r"))
            with np.load(path) as shard:
                ends = shard["ends"]
                starts = np.concatenate([[0], ends[:-1]])
                shard_of.append(np.full(len(ends), n))
                start_of.append(starts)
                length.append(ends - starts)
                view_of.append(shard["view_of"] + clips)
                for key, parts in tables.items():
                    parts.append(shard[key])
                clips += len(shard["label"])
        self.shard_of, self.start_of = np.concatenate(shard_of), np.concatenate(start_of)
        self.length, self.view_of = np.concatenate(length), np.concatenate(view_of)
        self.label, self.kind, self.folds, self.log_probs, self.pooled = (
            np.concatenate(parts) for parts in tables.values()
        )
        self.labels = labels
        self.hidden = hidden
        usable = self._usable(fold)
        self.by_kind = {}
        for kind in Kind:
            views = np.flatnonzero(usable & (self.kind[self.view_of] == kind))
            weight = np.ones(len(views))
            if kind in (Kind.LABELLED, Kind.BLEND):  # rare labels more often
                of = self.label[self.view_of[views]]
                weight = 1 / np.sqrt(np.bincount(of, minlength=labels)[of])
            self.by_kind[kind] = views, np.cumsum(weight / weight.sum())
        self.shares = among(
            shares, [kind for kind, (views, _) in self.by_kind.items() if len(views)]
        )
        pooled = self.pooled[self.kind != Kind.NO_SIGN].astype(np.float32)
        if np.isfinite(pooled).any():
            self.middle, self.spread = np.nanmean(pooled, axis=0), np.nanstd(pooled, axis=0) + 1e-3
        else:  # no teacher
            self.middle, self.spread = np.zeros_like(pooled[0]), np.ones_like(pooled[0])

    def _usable(self, fold: int) -> NDArray[np.bool_]:
        """Which views may be drawn."""
        usable: NDArray[np.bool_] = self.length >= 3
        if fold >= 0:
            usable &= (self.folds[self.view_of] >> fold & 1) == 0
        if self.hidden:
            held = np.array(sorted(self.hidden))
            probable = np.exp(self.log_probs.astype(np.float32))[:, held].sum(axis=1)
            taken_for_held = (probable > HIDDEN_MEANING) & (self.kind != Kind.NO_SIGN)
            bad = np.isin(self.label, held) | taken_for_held
            usable &= ~bad[self.view_of]
        return usable

    def __len__(self) -> int:
        return sum(len(views) for views, _ in self.by_kind.values())

    def draw(self, rng: Random, count: int) -> NDArray[np.int64]:
        """Numbers of views."""
        kinds = rng.choice(list(self.shares), size=count, p=list(self.shares.values()))
        out = np.empty(count, np.int64)
        for kind, (views, cumulative) in self.by_kind.items():
            if kind in self.shares:
                mine = kinds == kind
                place = rng.random(mine.sum()) * cumulative[-1] * 0.9999999
                out[mine] = views[np.searchsorted(cumulative, place)]
        return out

    def view(self, i: int) -> Floats:
        """The rows `[T,F]` of a view, at most as many as the network sees."""
        start = int(self.start_of[i])
        rows = self.rows[self.shard_of[i]][start : start + int(self.length[i])]
        seen: Floats = rows[-WINDOW_ROWS:].astype(np.float32)
        return seen

    def target(self, i: int) -> tuple[Floats, Floats, float]:
        """Probabilities of the labels and *no sign* `[K+1]`, the teacher's activations in standard
        deviations, and the weight of matching these, 0 or 1."""
        clip = self.view_of[i]
        kind, label = int(self.kind[clip]), int(self.label[clip])
        target = np.zeros(self.labels + 1, np.float32)
        unmatched = np.zeros_like(self.middle), 0.0
        if kind == Kind.NO_SIGN:
            target[:] = SMOOTHING / 2 / (self.labels + 1)
            target[label] += 1 - SMOOTHING / 2
            return target, *unmatched
        teacher = np.exp(self.log_probs[clip].astype(np.float32))
        has_teacher = bool(np.isfinite(teacher[0]))
        if not has_teacher:
            teacher = np.eye(self.labels, dtype=np.float32)[label]
        if self.hidden:
            teacher[list(self.hidden)] = 0
        teacher /= teacher.sum()
        if kind == Kind.COMPOSED:
            trust = 0.5 if label == self.labels else 1.0
            target[:-1] = trust * teacher
            target[-1] = 1 - trust
        else:
            target[:-1] = TRUST * teacher
            target += (1 - TRUST) * SMOOTHING / (self.labels + 1)
            target[label] += (1 - TRUST) * (1 - SMOOTHING)
        if not has_teacher or self.hidden:
            return target, *unmatched
        return target, (self.pooled[clip].astype(np.float32) - self.middle) / self.spread, 1.0


def among(shares: Shares, there: list[Kind]) -> Shares:
    """Shares of the kinds of which there are any; without a teacher no clip is composed."""
    if all(kind in there for kind in shares):
        return shares
    kept = {kind: share for kind, share in shares.items() if kind in there}
    return {kind: share / sum(kept.values()) for kind, share in kept.items()}
