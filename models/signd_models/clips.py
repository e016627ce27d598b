"""Clips of people signing, in one canonical form.

A clip is brought into *signer space* (origin between the shoulders, unit their width, the image's
aspect undone) and mirrored when its dominant hand is the left one, so that parts of different clips
fit together.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .arrays import Floats, Nanoseconds, Seconds
from .indices import Split, set_index
from .landmarks import (
    AT_BODY,
    AT_FACE,
    AT_LEFT,
    AT_RIGHT,
    BODY_KEPT,
    BODY_MIRROR,
    FACE_MIRROR,
    KEPT,
    SHOULDERS,
)
from .signd import Recording, Signd


@dataclass
class Clip:
    """One recording in signer space, as a right-handed signer's."""

    points: Floats
    """`[T,P,3]`, shoulder widths, `NaN` where missing."""
    t: Seconds
    """Seconds from the first frame."""
    source: str
    """Name of the set it comes from."""
    path: str
    label: str
    signer: str
    fold: int
    """Signer fold 0..3; -1 where the clip is in every training set."""

    @property
    def seconds(self) -> float:
        return float(self.t[-1])


def load(signd: Signd, data: Path, sets: Iterable[str], split: Split) -> list[Clip]:
    """All clips of these sets of DATA that the split gives to training."""
    lines = [
        (name, line)
        for name in sets
        for line in set_index(data, name)
        if (name, line["signer"]) in split and line.get("part", "train") == "train"
    ]
    recordings = signd.landmarks([Path(line["path"]) for _, line in lines])
    placed = (
        canonical(
            recording,
            source=name,
            path=line["path"],
            label=line["label"],
            signer=line["signer"],
            fold=split[name, line["signer"]],
        )
        for (name, line), recording in zip(lines, recordings, strict=True)
    )
    return [clip for clip in placed if clip is not None]


def canonical(
    recording: Recording, *, source: str, path: str, label: str, signer: str, fold: int
) -> Clip | None:
    """A recording as a clip in signer space; none without shoulders."""
    placed = to_signer_space(recording.landmarks[:, KEPT], recording.aspect)
    if placed is None or len(placed) < 2:
        return None
    if left_dominant(placed):
        placed = mirrored(placed)
    times: Nanoseconds = recording.times
    seconds = (times - times[0]).astype(np.float64) / 1e9
    return Clip(placed, seconds, source, path, label, signer, fold)


def to_signer_space(points: Floats, aspect: float) -> Floats | None:
    """Shoulder widths from between the shoulders, medians over the clip; none without shoulders."""
    placed = points.copy()
    placed[..., 0] *= aspect
    placed[..., 2] *= aspect
    left, right = placed[:, SHOULDERS[0], :2], placed[:, SHOULDERS[1], :2]
    seen = np.isfinite(left[:, 0]) & np.isfinite(right[:, 0])
    if not seen.any():
        return None
    unit = np.median(np.linalg.norm(left[seen] - right[seen], axis=1))
    if unit < 0.02:
        return None
    placed[..., :2] -= np.median((left[seen] + right[seen]) / 2, axis=0)
    out: Floats = (placed / unit).astype(np.float32)
    return out


def left_dominant(points: Floats) -> bool:
    """Whether the left hand is seen more, hands low in the picture counting little."""

    def weight(hand: slice) -> float:
        wrist = points[:, hand.start, 1]
        return float(np.where(np.isnan(wrist), 0.0, np.where(wrist > 1.0, 0.1, 1.0)).sum())

    return weight(AT_LEFT) > weight(AT_RIGHT)


def mirrored(points: Floats) -> Floats:
    """The mirror image: x changes sign, left and right change places."""
    out = points.copy()
    out[:, AT_FACE] = points[:, FACE_MIRROR]
    out[:, AT_LEFT], out[:, AT_RIGHT] = points[:, AT_RIGHT], points[:, AT_LEFT]
    out[:, AT_BODY] = points[:, AT_BODY][:, BODY_MIRROR[:BODY_KEPT]]
    out[..., 0] *= -1
    return out
