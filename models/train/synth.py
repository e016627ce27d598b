"""Clips that nobody made: parts of several clips joined, and every clip bent in many ways.

`compose` takes the body and the path of the hand from one clip, the shape of the hand from a second
and the lips from a third. `view` bends a clip as cameras, people and estimators do, and puts it into
an image. Both work in signer space at any frame rate.
"""

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .clips import (
    AT_BODY,
    AT_FACE,
    AT_LEFT,
    AT_LIPS,
    AT_RIGHT,
    ELBOWS,
    KEPT,
    POINTS,
    WRISTS,
    Clip,
    Floats,
    mirrored,
)

Random = np.random.Generator
FPS = 30.0
"""Frames a second of composed clips."""
RATES = [15.0, 20.0, 24.0, 25.0, 30.0, 30.0, 30.0, 50.0, 60.0]
ASPECTS = [3 / 4, 9 / 16, 4 / 3, 16 / 9]


def at(points: Floats, t: NDArray[np.float64], times: NDArray[np.float64]) -> Floats:
    """`points [T,P,3]` of times `t` at other times: linear, the nearer frame where one is missing."""
    after = np.clip(np.searchsorted(t, times), 1, len(t) - 1)
    share = np.clip((times - t[after - 1]) / (t[after] - t[after - 1]), 0.0, 1.0)
    before, behind = points[after - 1], points[after]
    near = np.where((share < 0.5)[:, None, None], before, behind)
    out = before + (behind - before) * share[:, None, None].astype(np.float32)
    return np.where(np.isnan(out), near, out)


def filled(hand: Floats) -> Floats:
    """A hand `[T,21,3]` seen somewhere, with its gaps filled by straight lines."""
    known = np.flatnonzero(np.isfinite(hand[:, 0, 0]))
    after = np.clip(np.searchsorted(known, np.arange(len(hand))), 1, len(known) - 1)
    i, j = known[after - 1], known[after]
    share = np.clip((np.arange(len(hand)) - i) / np.maximum(j - i, 1), 0.0, 1.0)[:, None, None]
    out: Floats = (hand[i] + (hand[j] - hand[i]) * share).astype(np.float32)
    return out


def turned(points: Floats, angle: float) -> Floats:
    """Turned in the image plane about the origin, radians."""
    out = points.copy()
    c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    out[..., 0] = c * points[..., 0] - s * points[..., 1]
    out[..., 1] = s * points[..., 0] + c * points[..., 1]
    return out


def has_hand(clip: Clip) -> bool:
    """Whether the dominant hand is seen often enough to lend its shape or path."""
    return int(np.isfinite(clip.points[:, AT_RIGHT.start, 0]).sum()) >= 4


@dataclass(frozen=True)
class Genes:
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
    shift: tuple[float, float]
    """Added to the path of the hand, shoulder widths."""
    swing: float
    """Size of the path about its middle."""
    turn_path: float
    turn_hand: float
    size: float
    """Size of the hand."""

    def sources(self) -> tuple[int, int, int]:
        return self.body, self.hand, self.lips

    def plain(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def of(plain: dict[str, Any]) -> "Genes":
        pairs = {k: tuple(plain[k]) for k in ("body_part", "hand_part", "shift")}
        return Genes(**(plain | pairs))


class Pool:
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
            for without in range(4)
        }

    def draw(self, rng: Random, without: int) -> int:
        """Number of a clip whose signer is not of fold `without`."""
        groups = self.groups[without]
        group = groups[rng.integers(len(groups))]
        return int(group[rng.integers(len(group))])

    def folds(self, genes: Genes) -> int:
        """Bit k is set where a signer of fold k had a part in it."""
        return sum({1 << int(self.fold[i]) for i in genes.sources() if self.fold[i] >= 0})


def part(rng: Random) -> tuple[float, float]:
    a = float(rng.uniform(0.0, 0.35)) if rng.random() < 0.5 else 0.0
    b = float(rng.uniform(0.65, 1.0)) if rng.random() < 0.5 else 1.0
    return a, b


def random_genes(pool: Pool, rng: Random, without: int) -> Genes:
    """Anything: a body, a hand and lips that have nothing to do with each other."""
    body = pool.draw(rng, without)
    return Genes(
        body=body,
        hand=pool.draw(rng, without) if rng.random() < 0.85 else body,
        lips=pool.draw(rng, without) if rng.random() < 0.3 else body,
        other=str(rng.choice(["body", "hand", "mirror", "none"], p=[0.45, 0.15, 0.1, 0.3])),
        body_part=part(rng),
        hand_part=part(rng),
        seconds=float(np.clip(np.exp(rng.normal(-0.25, 0.45)), 0.25, 2.4)),
        shift=(float(rng.normal(0, 0.15)), float(rng.normal(0, 0.15))),
        swing=float(np.exp(rng.normal(0, 0.2))),
        turn_path=float(rng.normal(0, 0.15)),
        turn_hand=float(rng.normal(0, 0.25)),
        size=float(np.exp(rng.normal(0, 0.12))),
    )


def mutated(genes: Genes, pool: Pool, rng: Random, without: int) -> Genes:
    """One or two genes changed."""
    fresh = random_genes(pool, rng, without)
    for _ in range(int(rng.integers(1, 3))):
        match rng.integers(10):
            case 0:
                genes = replace(genes, body=fresh.body, body_part=fresh.body_part)
            case 1:
                genes = replace(genes, hand=fresh.hand, hand_part=fresh.hand_part)
            case 2:
                genes = replace(genes, lips=fresh.lips)
            case 3:
                genes = replace(genes, other=fresh.other)
            case 4:
                genes = replace(genes, body_part=fresh.body_part, hand_part=fresh.hand_part)
            case 5:
                factor = float(np.exp(rng.normal(0, 0.25)))
                genes = replace(genes, seconds=float(np.clip(genes.seconds * factor, 0.2, 2.4)))
            case 6 | 7:
                dx, dy = (float(x) for x in rng.normal(0, 0.15, 2))
                genes = replace(genes, shift=(genes.shift[0] + dx, genes.shift[1] + dy))
            case 8:
                turn = genes.turn_hand + float(rng.normal(0, 0.25))
                genes = replace(genes, turn_hand=turn, size=fresh.size)
            case 9:
                turn = genes.turn_path + float(rng.normal(0, 0.2))
                genes = replace(genes, turn_path=turn, swing=fresh.swing)
    return genes


def compose(pool: Pool, genes: Genes) -> Floats:
    """The clip of these genes: `[T,P,3]` in signer space at 30 frames a second."""
    frames = max(5, round(genes.seconds * FPS))

    def take(which: int, stretch: tuple[float, float]) -> Floats:
        clip = pool.clips[which]
        return at(clip.points, clip.t, np.linspace(*stretch, frames) * clip.seconds)

    out = take(genes.body, genes.body_part)
    body = pool.clips[genes.body]
    own = at(
        filled(body.points[:, AT_RIGHT]),
        body.t,
        np.linspace(*genes.body_part, frames) * body.seconds,
    )
    seen = np.isfinite(out[:, AT_RIGHT.start, 0])
    lender = pool.clips[genes.hand]
    lent = at(
        filled(lender.points[:, AT_RIGHT]),
        lender.t,
        np.linspace(*genes.hand_part, frames) * lender.seconds,
    )
    if not seen.any():
        seen[:] = True

    path = own[:, :1]
    middle = path.mean(axis=0, keepdims=True)
    moved = middle + turned((path - middle) * np.float32(genes.swing), genes.turn_path)
    moved[..., :2] += np.array(genes.shift, np.float32)
    shape = turned(lent - lent[:, :1], genes.turn_hand) * np.float32(genes.size)
    hand = moved + shape
    out[:, AT_RIGHT] = np.where(seen[:, None, None], hand, np.nan)
    delta = (moved - path)[:, 0]
    # The arm follows the hand.
    out[:, WRISTS[1]] += delta
    out[:, ELBOWS[1]] += delta / 2

    match genes.other:
        case "none":
            out[:, AT_LEFT] = np.nan
        case "hand":
            other = take(genes.hand, genes.hand_part)[:, AT_LEFT]
            out[:, AT_LEFT] = other - lent[:, :1] + moved
        case "mirror":
            out[:, AT_LEFT] = out[:, AT_RIGHT] * np.array([-1, 1, 1], np.float32)
    if genes.lips != genes.body:
        lips = take(genes.lips, (0.0, 1.0))[:, AT_LIPS]
        if np.isfinite(lips).all() and np.isfinite(out[:, AT_LIPS]).all():
            ours = out[:, AT_LIPS]
            width = np.ptp(ours[..., 0], axis=1).mean() / max(
                np.ptp(lips[..., 0], axis=1).mean(), 1e-3
            )
            centre = lips.mean(axis=1, keepdims=True)
            out[:, AT_LIPS] = ours.mean(axis=1, keepdims=True) + (lips - centre) * np.float32(width)
    return out


def lead(points: Floats, frames: int, rng: Random) -> Floats:
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
        points = np.concatenate([lead(points, int(rng.integers(3, 20)), rng), points])
    elif rng.random() < 0.3:
        points = points[int(len(points) * rng.uniform(0, 0.12)) :]
    if rng.random() < share:
        out = lead(points[::-1], int(rng.integers(3, 20)), rng)[::-1]
        points = np.concatenate([points, out])
    elif rng.random() < 0.3:
        points = points[: max(4, int(len(points) * rng.uniform(0.88, 1)))]
    return points


def bent(points: Floats, rng: Random, much: float = 1.0) -> Floats:
    """As another body, another camera, another moment would have made it."""
    out = turned(points, rng.normal(0, 0.10 * much))
    stretch = np.exp(rng.normal(0, 0.07 * much, 2)).astype(np.float32)
    out[..., :2] *= stretch
    out[..., 0] += np.float32(rng.normal(0, 0.05 * much)) * out[..., 1]
    for hand, wrist in ((AT_RIGHT, 1), (AT_LEFT, 0)):
        points_of = out[:, hand]
        root = points_of[:, :1]
        shape = turned(points_of - root, rng.normal(0, 0.12 * much))
        yaw = rng.normal(0, 0.2 * much)
        shape[..., 0] = shape[..., 0] * np.cos(yaw) + shape[..., 2] * np.sin(yaw)
        shape *= np.float32(np.exp(rng.normal(0, 0.08 * much)))
        drift = rng.normal(0, 0.05 * much, 3).astype(np.float32)
        out[:, hand] = root + shape + drift
        out[:, WRISTS[wrist]] += drift
    head = rng.normal(0, 0.04 * much, 3).astype(np.float32)
    out[:, AT_FACE] += head
    out[:, AT_BODY.start : AT_BODY.start + 11] += head
    return out


def dropped(points: Floats, rng: Random) -> Floats:
    """As an estimator loses things: hands in bursts or here and there, the face, the other hand."""
    out = points.copy()
    frames = len(out)
    for hand in (AT_RIGHT, AT_LEFT):
        if rng.random() < 0.25:
            out[rng.random(frames) < rng.uniform(0, 0.4), hand] = np.nan
        if rng.random() < 0.25:
            start, length = rng.integers(frames), max(1, int(frames * rng.uniform(0.05, 0.3)))
            out[start : start + length, hand] = np.nan
    if rng.random() < 0.15:
        out[:, AT_LEFT] = np.nan
    if rng.random() < 0.08:
        out[:, AT_FACE] = np.nan
    if rng.random() < 0.03:
        out[:, AT_BODY.start + 13 : AT_BODY.stop] = np.nan
    noise = rng.choice([0.002, 0.005, 0.01])
    out += rng.normal(0, noise, out.shape).astype(np.float32)
    return out


def placed(points: Floats, rng: Random) -> tuple[Floats, int, int]:
    """Into an image: `[T,543,3]` in image widths and heights, and the image's size in pixels."""
    aspect = ASPECTS[rng.integers(len(ASPECTS))]
    unit = rng.uniform(0.2, 0.5) * min(aspect, 1.0) * (1.3 if aspect < 1 else 1.0)
    centre = np.array([aspect / 2 + rng.normal(0, 0.06), rng.uniform(0.5, 0.75)], np.float32)
    out = np.full((len(points), POINTS, 3), np.nan, np.float32)
    moved = points * np.float32(unit)
    moved[..., :2] += centre
    moved[..., 0] /= aspect
    moved[..., 2] /= aspect
    if rng.random() < 0.6:  # hands outside of the picture are not seen
        for hand in (AT_RIGHT, AT_LEFT):
            middle = moved[:, hand.start + 9, :2]
            outside = ((middle < -0.02) | (middle > 1.02)).any(axis=1)
            moved[outside, hand] = np.nan
    out[:, KEPT] = moved
    return out, round(720 * aspect), 720


def view(
    points: Floats, t: NDArray[np.float64], rng: Random, much: float = 1.0
) -> tuple[Floats, NDArray[np.uint64], int, int]:
    """One bent clip as a camera would have it: landmarks, times in ns, width, height."""
    length = float(t[-1] - t[0]) * float(np.clip(np.exp(rng.normal(0, 0.22)), 0.6, 1.7))
    rate = RATES[rng.integers(len(RATES))]
    frames = max(4, round(length * rate))
    points = at(points, t, np.linspace(t[0], t[-1], frames))
    points = dropped(bent(points, rng, much), rng)
    if rng.random() < 0.12:
        points = mirrored(points)
    times = np.arange(frames) / rate + rng.normal(0, 0.08 / rate, frames)
    times = np.maximum.accumulate(times - times[0]) + np.arange(frames) * 1e-4
    if rng.random() < 0.2 and frames > 8:  # frames lost on the way
        kept = rng.random(frames) > rng.uniform(0, 0.25)
        kept[[0, -1]] = True
        points, times = points[kept], times[kept]
    landmarks, width, height = placed(points, rng)
    return landmarks, (1e9 + times * 1e9).astype(np.uint64), width, height
