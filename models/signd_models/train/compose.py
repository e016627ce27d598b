"""Clips that nobody made: parts of several clips joined.

`compose` takes the body and the path of the hand from one clip, the shape of the hand from a second
and the lips from a third. It works in signer space at `FPS` frames a second.
"""

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from ..arrays import Floats, Random
from ..clips import Clip
from ..indices import FOLDS
from ..landmarks import AT_LEFT, AT_LIPS, AT_RIGHT, ELBOWS, WRISTS
from .augment import resampled, rotated

FPS = 30.0
"""Frames a second of composed clips."""


def has_hand(clip: Clip) -> bool:
    """Whether the dominant hand is seen often enough to lend its shape or path."""
    return int(np.isfinite(clip.points[:, AT_RIGHT.start, 0]).sum()) >= 4


@dataclass(frozen=True)
class Composition:
    """What a composed clip is made of; clips by number."""

    body: int
    hand: int
    lips: int
    other: str
    """The other hand: `body`, `hand` (that clip's, moved along), `mirror` or `none`."""
    body_part: tuple[float, float]
    """Stretch of the body's clip used, shares of its length; reversed when it falls."""
    hand_part: tuple[float, float]
    seconds: float
    """Length of the whole."""
    shift: tuple[float, float]
    """Added to the path of the hand, shoulder widths."""
    swing: float
    """Size of the path about its middle."""
    turn_path: float
    """Turn of the path about its middle, radians."""
    turn_hand: float
    """Turn of the hand about its wrist, radians."""
    size: float
    """Size of the hand."""

    def sources(self) -> tuple[int, int, int]:
        """Numbers of the clips that have a part in it."""
        return self.body, self.hand, self.lips

    def plain(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self)

    @staticmethod
    def of(plain: dict[str, Any]) -> "Composition":
        """From what `plain` gave."""
        pairs = {k: tuple(plain[k]) for k in ("body_part", "hand_part", "shift")}
        return Composition(**(plain | pairs))


class ClipPool:
    """Clips to draw from: a label evenly, then one of its clips."""

    def __init__(self, clips: list[Clip]) -> None:
        self.clips = clips
        self.fold = np.array([clip.fold for clip in clips])
        labels: dict[str, list[int]] = {}
        for i, clip in enumerate(clips):
            if clip.source != "idle" and has_hand(clip):
                labels.setdefault(clip.label, []).append(i)
        self.groups = {
            without: [
                kept
                for of in labels.values()
                if (kept := [i for i in of if self.fold[i] != without])
            ]
            for without in range(FOLDS)
        }

    def draw(self, rng: Random, without: int) -> int:
        """Number of a clip whose signer is not of fold `without`."""
        groups = self.groups[without]
        group = groups[rng.integers(len(groups))]
        return int(group[rng.integers(len(group))])

    def folds(self, composition: Composition) -> int:
        """Bit k is set where a signer of fold k had a part in it."""
        return sum({1 << int(self.fold[i]) for i in composition.sources() if self.fold[i] >= 0})


def random_stretch(rng: Random) -> tuple[float, float]:
    """Most of a clip, or all of it: first and last share of its length."""
    a = float(rng.uniform(0.0, 0.35)) if rng.random() < 0.5 else 0.0
    b = float(rng.uniform(0.65, 1.0)) if rng.random() < 0.5 else 1.0
    return a, b


def random_composition(pool: ClipPool, rng: Random, without: int) -> Composition:
    """Anything: a body, a hand and lips that have nothing to do with each other."""
    body = pool.draw(rng, without)
    return Composition(
        body=body,
        hand=pool.draw(rng, without) if rng.random() < 0.85 else body,
        lips=pool.draw(rng, without) if rng.random() < 0.3 else body,
        other=str(rng.choice(["body", "hand", "mirror", "none"], p=[0.45, 0.15, 0.1, 0.3])),
        body_part=random_stretch(rng),
        hand_part=random_stretch(rng),
        seconds=float(np.clip(np.exp(rng.normal(-0.25, 0.45)), 0.25, 2.4)),
        shift=(float(rng.normal(0, 0.15)), float(rng.normal(0, 0.15))),
        swing=float(np.exp(rng.normal(0, 0.2))),
        turn_path=float(rng.normal(0, 0.15)),
        turn_hand=float(rng.normal(0, 0.25)),
        size=float(np.exp(rng.normal(0, 0.12))),
    )


def mutated(composition: Composition, pool: ClipPool, rng: Random, without: int) -> Composition:
    """One or two parts changed."""
    fresh = random_composition(pool, rng, without)
    for _ in range(int(rng.integers(1, 3))):
        match rng.integers(10):
            case 0:
                composition = replace(composition, body=fresh.body, body_part=fresh.body_part)
            case 1:
                composition = replace(composition, hand=fresh.hand, hand_part=fresh.hand_part)
            case 2:
                composition = replace(composition, lips=fresh.lips)
            case 3:
                composition = replace(composition, other=fresh.other)
            case 4:
                composition = replace(
                    composition, body_part=fresh.body_part, hand_part=fresh.hand_part
                )
            case 5:
                factor = float(np.exp(rng.normal(0, 0.25)))
                composition = replace(
                    composition, seconds=float(np.clip(composition.seconds * factor, 0.2, 2.4))
                )
            case 6 | 7:
                dx, dy = (float(x) for x in rng.normal(0, 0.15, 2))
                composition = replace(
                    composition, shift=(composition.shift[0] + dx, composition.shift[1] + dy)
                )
            case 8:
                turn = composition.turn_hand + float(rng.normal(0, 0.25))
                composition = replace(composition, turn_hand=turn, size=fresh.size)
            case 9:
                turn = composition.turn_path + float(rng.normal(0, 0.2))
                composition = replace(composition, turn_path=turn, swing=fresh.swing)
    return composition


def compose(pool: ClipPool, composition: Composition) -> Floats:
    """The clip of this composition: `[T,P,3]` in signer space at 30 frames a second."""
    frames = max(5, round(composition.seconds * FPS))

    def take(which: int, stretch: tuple[float, float]) -> Floats:
        clip = pool.clips[which]
        return resampled(clip.points, clip.t, np.linspace(*stretch, frames) * clip.seconds)

    out = take(composition.body, composition.body_part)
    body = pool.clips[composition.body]
    own = resampled(
        filled(body.points[:, AT_RIGHT]),
        body.t,
        np.linspace(*composition.body_part, frames) * body.seconds,
    )
    seen = np.isfinite(out[:, AT_RIGHT.start, 0])
    lender = pool.clips[composition.hand]
    lent = resampled(
        filled(lender.points[:, AT_RIGHT]),
        lender.t,
        np.linspace(*composition.hand_part, frames) * lender.seconds,
    )
    if not seen.any():
        seen[:] = True

    path = own[:, :1]
    middle = path.mean(axis=0, keepdims=True)
    moved = middle + rotated((path - middle) * np.float32(composition.swing), composition.turn_path)
    moved[..., :2] += np.array(composition.shift, np.float32)
    shape = rotated(lent - lent[:, :1], composition.turn_hand) * np.float32(composition.size)
    hand = moved + shape
    out[:, AT_RIGHT] = np.where(seen[:, None, None], hand, np.nan)
    delta = (moved - path)[:, 0]
    # The arm follows the hand.
    out[:, WRISTS[1]] += delta
    out[:, ELBOWS[1]] += delta / 2

    match composition.other:
        case "none":
            out[:, AT_LEFT] = np.nan
        case "hand":
            other = take(composition.hand, composition.hand_part)[:, AT_LEFT]
            out[:, AT_LEFT] = other - lent[:, :1] + moved
        case "mirror":
            out[:, AT_LEFT] = out[:, AT_RIGHT] * np.array([-1, 1, 1], np.float32)
    if composition.lips != composition.body:
        lips = take(composition.lips, (0.0, 1.0))[:, AT_LIPS]
        if np.isfinite(lips).all() and np.isfinite(out[:, AT_LIPS]).all():
            ours = out[:, AT_LIPS]
            width = np.ptp(ours[..., 0], axis=1).mean() / max(
                np.ptp(lips[..., 0], axis=1).mean(), 1e-3
            )
            centre = lips.mean(axis=1, keepdims=True)
            out[:, AT_LIPS] = ours.mean(axis=1, keepdims=True) + (lips - centre) * np.float32(width)
    return out


def filled(hand: Floats) -> Floats:
    """A hand `[T,21,3]` seen somewhere, with its gaps filled by straight lines."""
    known = np.flatnonzero(np.isfinite(hand[:, 0, 0]))
    after = np.clip(np.searchsorted(known, np.arange(len(hand))), 1, len(known) - 1)
    i, j = known[after - 1], known[after]
    share = np.clip((np.arange(len(hand)) - i) / np.maximum(j - i, 1), 0.0, 1.0)[:, None, None]
    out: Floats = (hand[i] + (hand[j] - hand[i]) * share).astype(np.float32)
    return out


def lead_in(points: Floats, frames: int, rng: Random) -> Floats:
    """Frames in which the hand comes up from rest to where the clip begins; hands may be hidden."""
    out = np.repeat(points[:1], frames, axis=0)
    share = np.linspace(0, 1, frames, endpoint=False, dtype=np.float32)
    share = (share * share * (3 - 2 * share))[:, None, None]
    for hand, side in ((AT_RIGHT, -1), (AT_LEFT, 1)):
        seen = np.flatnonzero(np.isfinite(points[:, hand.start, 0]))
        if not len(seen):
            continue
        first = points[seen[0] : seen[0] + 1, hand]
        rest = np.array([side * rng.uniform(0.1, 0.6), rng.uniform(1.2, 2.2), 0], np.float32)
        out[:, hand] = first + (rest - first[:, :1]) * (1 - share)
        if rng.random() < 0.6:
            out[: int(frames * rng.uniform(0.2, 1.0)), hand] = np.nan
        wrist = WRISTS[1 if side < 0 else 0]
        out[:, wrist] += ((rest - first[:, :1]) * (1 - share))[:, 0]
    return out


def extended(points: Floats, rng: Random, share: float = 0.35) -> Floats:
    """With the lead-in and lead-out that a clip may have, or a little of its ends cut off."""
    if rng.random() < share:
        points = np.concatenate([lead_in(points, int(rng.integers(3, 20)), rng), points])
    elif rng.random() < 0.3:
        points = points[int(len(points) * rng.uniform(0, 0.12)) :]
    if rng.random() < share:
        out = lead_in(points[::-1], int(rng.integers(3, 20)), rng)[::-1]
        points = np.concatenate([points, out])
    elif rng.random() < 0.3:
        points = points[: max(4, int(len(points) * rng.uniform(0.88, 1)))]
    return points
