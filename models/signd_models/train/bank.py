"""A bank of training clips: shards of rows of the daemon's own features, and what each clip is.

A shard is two files. `NNNN.npy` holds the rows of all views as 16-bit floats, and is mapped rather
than read. `NNNN.npz` holds the rest and is written last, so that a shard that has one is whole.
"""

import json
from dataclasses import dataclass, replace
from enum import IntEnum
from pathlib import Path

import numpy as np

from ..arrays import Floats, Random, Seconds
from ..signd import RowFilter
from .augment import view
from .compose import FPS, Composition, extended

VOCABULARY = 250
"""Labels that a teacher knows."""
POOLED = 384
"""Activations of the teacher's last layer but one."""
UNKNOWN = -1
"""Label of a clip of which only the teacher's answer is known."""
SURE = 0.3
"""A composed clip is worth varying if the teacher gives a sign more than this probability."""
NO_POINTS = np.empty((0, 0, 3), np.float32)


class Kind(IntEnum):
    """Where a clip comes from."""

    LABELLED = 0
    """A recording with its label."""
    BLEND = 1
    """Parts of several recordings of one sign."""
    COMPOSED = 2
    """Parts of recordings of several signs."""
    NO_SIGN = 3
    """No sign of the vocabulary."""


JOINED = (Kind.BLEND, Kind.COMPOSED)
"""Kinds without a beginning and an end of their own."""


@dataclass
class BankClip:
    """A clip before cameras see it, and what it is."""

    points: Floats
    """`[T,P,3]` in signer space."""
    t: Seconds
    kind: Kind
    label: int
    """Number of the label; the vocabulary's size for *no sign*; `UNKNOWN`."""
    folds: int
    """Bit k is set where a signer of fold k had a part in it."""
    log_probs: Floats | None = None
    """The teacher's answer `[250]`; none where no teacher was asked."""
    pooled: Floats | None = None
    """The teacher's activations `[384]`."""
    composition: Composition | None = None


def even(frames: int) -> Seconds:
    """Times of the frames of a composed clip."""
    return np.arange(frames) / FPS


def views(
    clip: BankClip, count: int, rows_of: RowFilter, rng: Random, strength: float
) -> list[Floats]:
    """Rows `[T,F]` of a clip as several cameras see it; a joined clip with lead-in and lead-out."""
    found = []
    for _ in range(count):
        points, t = clip.points, clip.t
        if clip.kind in JOINED:
            points = extended(points, rng)
            t = even(len(points))
        found.append(rows_of(*view(points, t, rng, strength)))
    return found


class Shard:
    """A part of a bank while it is being filled."""

    def __init__(self) -> None:
        self.rows: list[Floats] = []
        self.view_of: list[int] = []
        self.clips: list[BankClip] = []

    def add(self, clip: BankClip, seen: list[Floats]) -> None:
        """Adds a clip with the rows of its views."""
        for rows in seen:
            self.rows.append(np.clip(rows, -6e4, 6e4).astype(np.float16))
            self.view_of.append(len(self.clips))
        self.clips.append(replace(clip, points=NO_POINTS))

    def write(self, out: Path) -> None:
        """Writes the two files; `out` is the name of the second."""
        clips = self.clips
        kept = [i for i, clip in enumerate(clips) if clip.composition and is_sure(clip)]
        compositions = [found.plain() for i in kept if (found := clips[i].composition)]
        np.save(out.with_suffix(".npy"), np.concatenate(self.rows))
        part = out.with_suffix(".part.npz")
        np.savez(
            part,
            ends=np.cumsum([len(rows) for rows in self.rows]),
            view_of=np.array(self.view_of, np.int32),
            label=np.array([clip.label for clip in clips], np.int16),
            kind=np.array([clip.kind for clip in clips], np.int8),
            folds=np.array([clip.folds for clip in clips], np.int8),
            log_probs=_stacked([clip.log_probs for clip in clips], VOCABULARY),
            pooled=_stacked([clip.pooled for clip in clips], POOLED),
            composed=np.array(kept, np.int32),
            compositions=np.array(json.dumps(compositions)),
        )
        part.rename(out)


def is_sure(clip: BankClip) -> bool:
    """Whether a composed clip means enough to the teacher to be varied further."""
    return clip.log_probs is not None and bool(np.exp(clip.log_probs.max()) > SURE)


def read_compositions(shard: Path) -> list[tuple[Composition, Floats]]:
    """The compositions of a shard that are worth varying, with the teacher's answers `[250]`."""
    with np.load(shard) as stored:
        plain = json.loads(str(stored["compositions"]))
        log_probs = stored["log_probs"][stored["composed"]].astype(np.float32)
    return [(Composition.of(each), row) for each, row in zip(plain, log_probs, strict=True)]


def _stacked(parts: list[Floats | None], width: int) -> Floats:
    """`[N,width]`, `NaN` where there is none."""
    return np.array(
        [np.full(width, np.nan) if part is None else part for part in parts], np.float16
    )
