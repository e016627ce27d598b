"""Makes the clips of a bank: recordings, and clips that nobody made.

Composed clips evolve: for every sign and every fold left out the maker keeps the compositions that
the teacher is surest of and mutates them, so that signs without a labelled clip are met as often as
others. Without a teacher nothing is composed, and *no sign* is only what is certain to be none.
"""

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from ..arrays import Floats, Random
from ..clips import Clip
from ..indices import FOLDS
from ..landmarks import AT_RIGHT
from .augment import deformed
from .bank import UNKNOWN, BankClip, Kind, even
from .compose import (
    ClipPool,
    Composition,
    compose,
    has_hand,
    lead_in,
    mutated,
    random_composition,
)

SHARES = {Kind.LABELLED: 0.25, Kind.BLEND: 0.1, Kind.COMPOSED: 0.45, Kind.NO_SIGN: 0.2}
"""Of each kind in a shard."""
KEPT_COMPOSITIONS = 12
"""For each sign and each fold left out."""
LEAST_MEANING = 0.15
"""A composed clip to which the teacher gives no sign this probability is *no sign*."""
NO_SIGNS = {
    "idle": 0.3,
    "word": 0.2,
    "half": 0.15,
    "reversed": 0.08,
    "spliced": 0.12,
    "rest": 0.07,
    "between": 0.08,
}
"""Kinds of *no sign* and how often each is made."""
CERTAIN = ("idle", "word", "rest")
"""Those that need no teacher to tell that no sign is left in them."""


class Opinion(Protocol):
    """What a teacher says of a clip `[T,P,3]` in signer space: log-probabilities `[250]` and pooled
    activations `[384]`; `both`: of both teachers."""

    def __call__(self, points: Floats, both: bool) -> tuple[Floats, Floats]: ...


class ClipMaker:
    """Makes the clips of one worker, one shard after the other."""

    def __init__(
        self,
        clips: list[Clip],
        labels: list[str],
        teacher: Opinion | None,
        kept: int = KEPT_COMPOSITIONS,
    ) -> None:
        """`kept`: compositions remembered for each sign and each fold left out."""
        self.labels, self.teacher, self.kept = labels, teacher, kept
        number = {label: i for i, label in enumerate(labels)}
        self.pool = ClipPool(clips)
        self.number = [number.get(clip.label, -1) for clip in clips]
        self.known = [i for i, n in enumerate(self.number) if n >= 0]
        self.idle = [i for i, clip in enumerate(clips) if clip.source == "idle"]
        self.other_words = [
            i for i, clip in enumerate(clips) if self.number[i] < 0 and clip.source != "idle"
        ]
        self.siblings: dict[int, list[int]] = {}
        for i in self.known:
            if has_hand(clips[i]):
                self.siblings.setdefault(self.number[i], []).append(i)
        self.blendable = [group for group in self.siblings.values() if len(group) > 1]
        self.no_signs = {
            kind: share
            for kind, share in NO_SIGNS.items()
            if (teacher or kind in CERTAIN)
            and (kind != "idle" or self.idle)
            and (kind != "word" or self.other_words)
        }
        self.best: dict[tuple[int, int], list[tuple[float, Composition]]] = {}
        self.opinions: dict[int, tuple[Floats, Floats]] = {}

    def shard(self, rng: Random, count: int) -> Iterator[BankClip]:
        """The clips of a shard, `count` if there is a teacher; those to be composed are left out
        without one."""
        made = {
            Kind.LABELLED: self.labelled,
            Kind.BLEND: self.blend,
            Kind.COMPOSED: self.composed,
            Kind.NO_SIGN: self.no_sign,
        }
        for kind, share in SHARES.items():
            if kind != Kind.COMPOSED or self.teacher:
                for _ in range(round(share * count)):
                    yield made[kind](rng)

    def folds(self, *numbers: int) -> int:
        """Bit k is set where one of these clips is of fold k."""
        found = {int(self.pool.fold[i]) for i in numbers}
        return sum(1 << fold for fold in found if fold >= 0)

    def asked(self, points: Floats) -> tuple[Floats | None, Floats | None]:
        """The first teacher's answer, if there is a teacher."""
        return self.teacher(points, False) if self.teacher else (None, None)

    def labelled(self, rng: Random) -> BankClip:
        """A recording with its label."""
        i = self.known[rng.integers(len(self.known))]
        clip = self.pool.clips[i]
        opinion = self.mean_opinion(i)
        return BankClip(clip.points, clip.t, Kind.LABELLED, self.number[i], self.folds(i), *opinion)

    def mean_opinion(self, i: int) -> tuple[Floats | None, Floats | None]:
        """The teachers' mean answer to five mildly deformed versions of a recording."""
        if self.teacher is None:
            return None, None
        if i not in self.opinions:
            rng = np.random.default_rng([7, i])
            points = self.pool.clips[i].points
            found = [self.teacher(points, True)]
            found += [self.teacher(deformed(points, rng, 0.5), True) for _ in range(4)]
            log_probs, pooled = (np.mean([answer[k] for answer in found], 0) for k in (0, 1))
            self.opinions[i] = log_probs, pooled
        return self.opinions[i]

    def blend(self, rng: Random) -> BankClip:
        """Parts of two or three recordings of one sign."""
        group = self.blendable[rng.integers(len(self.blendable))]
        body, hand, lips = (group[rng.integers(len(group))] for _ in range(3))
        nothing, whole = (0.0, 0.0), (0.0, 1.0)
        composition = Composition(
            body=body,
            hand=hand,
            lips=lips,
            other="body",
            body_part=whole,
            hand_part=whole,
            seconds=self.pool.clips[body].seconds * float(np.exp(rng.normal(0, 0.1))),
            shift=nothing,
            swing=1.0,
            turn_path=0.0,
            turn_hand=0.0,
            size=1.0,
        )
        points = compose(self.pool, composition)
        label, folds = self.number[body], self.pool.folds(composition)
        opinion = self.asked(points)
        return BankClip(points, even(len(points)), Kind.BLEND, label, folds, *opinion)

    def composed(self, rng: Random) -> BankClip:
        """A clip of parts, new or a mutation of one that the teacher knows well."""
        assert self.teacher is not None, "only a teacher knows what a composed clip means"
        without, sign = int(rng.integers(FOLDS)), int(rng.integers(len(self.labels)))
        ancestors = self.best.get((without, sign), [])
        if not ancestors or rng.random() < 0.2:
            composition = random_composition(self.pool, rng, without)
        else:
            _, composition = ancestors[rng.integers(len(ancestors))]
            composition = mutated(composition, self.pool, rng, without)
        points = compose(self.pool, composition)
        log_probs, pooled = self.teacher(points, False)
        self.remember(composition, log_probs)
        folds, t = self.pool.folds(composition), even(len(points))
        label = self.meaning(log_probs)
        return BankClip(points, t, Kind.COMPOSED, label, folds, log_probs, pooled, composition)

    def meaning(self, log_probs: Floats) -> int:
        """The label of a composed clip: *no sign* if it means nothing to the teacher."""
        return len(self.labels) if np.exp(log_probs.max()) < LEAST_MEANING else UNKNOWN

    def remember(self, composition: Composition, log_probs: Floats) -> None:
        """Keeps a composition for the four signs that it is most likely to be, if it is among the
        surest of one."""
        folds = self.pool.folds(composition)
        for sign in np.argsort(-log_probs)[:4]:
            for without in range(FOLDS):
                if not folds >> without & 1:
                    kept = self.best.setdefault((without, int(sign)), [])
                    kept.append((float(log_probs[sign]), composition))
                    kept.sort(key=lambda pair: -pair[0])
                    del kept[self.kept :]

    def no_sign(self, rng: Random) -> BankClip:
        """What is no sign of the vocabulary: no sign at all, no whole one, or another one."""
        shares = np.array(list(self.no_signs.values()))
        kind = rng.choice(list(self.no_signs), p=shares / shares.sum())
        none = len(self.labels)
        while True:
            i, j = (self.known[n] for n in rng.integers(len(self.known), size=2))
            first, second = self.pool.clips[i], self.pool.clips[j]
            folds = self.folds(i)
            if kind == "idle":
                clip = self.pool.clips[self.idle[rng.integers(len(self.idle))]]
                length = rng.uniform(0.3, min(4.0, clip.seconds))
                start = rng.uniform(0, clip.seconds - length)
                kept = (clip.t >= start) & (clip.t <= start + length)
                if kept.sum() < 4:
                    continue
                return BankClip(clip.points[kept], clip.t[kept], Kind.NO_SIGN, none, 0)
            if kind == "word":
                i = self.other_words[rng.integers(len(self.other_words))]
                clip = self.pool.clips[i]
                return BankClip(clip.points, clip.t, Kind.NO_SIGN, none, self.folds(i))
            if kind == "rest":
                points = lead_in(first.points, int(rng.integers(6, 40)), rng)
                return BankClip(points, even(len(points)), Kind.NO_SIGN, none, folds)
            a, b = first.points, second.points
            if len(a) < 8 or len(b) < 8:
                continue
            if kind == "half":
                cut = int(len(a) * rng.uniform(0.25, 0.5))
                points, t = (
                    (a[:cut], first.t[:cut]) if rng.random() < 0.6 else (a[-cut:], first.t[-cut:])
                )
            elif kind == "reversed":
                points, t = a[::-1], first.t
            elif kind == "spliced":
                points = np.concatenate([a[: len(a) // 2], b[len(b) // 2 :]])
                t, folds = even(len(points)), self.folds(i, j)
            else:  # from the end of one sign to the beginning of another
                middle = lead_in(b, 6, rng)
                points = np.concatenate(
                    [a[-max(3, len(a) // 5) :], middle, b[: max(3, len(b) // 5)]]
                )
                t, folds = even(len(points)), self.folds(i, j)
            if len(points) < 4 or not np.isfinite(points[:, AT_RIGHT.start, 0]).any():
                continue
            assert self.teacher is not None, "kinds that need none are done with above"
            log_probs, _ = self.teacher(points, False)
            # What the teacher still understands is a sign after all.
            if np.exp(log_probs[[self.number[i], self.number[j]]]).max() < 0.2:
                return BankClip(points, t, Kind.NO_SIGN, none, folds)
