"""One clip as other bodies, cameras and estimators would have made it.

`view` is all of it: a clip deformed, with dropouts and jitter, at another frame rate, in an image.
Everything before the image works in signer space.
"""

import numpy as np

from ..arrays import Floats, Nanoseconds, Random, Seconds
from ..clips import mirrored
from ..landmarks import AT_BODY, AT_FACE, AT_LEFT, AT_RIGHT, KEPT, POINTS, WRISTS

RATES = [15.0, 20.0, 24.0, 25.0, 30.0, 30.0, 30.0, 50.0, 60.0]
"""Frames a second of cameras, the usual one more often."""
ASPECTS = [3 / 4, 9 / 16, 4 / 3, 16 / 9]
"""Width over height of images."""


def resampled(points: Floats, t: Seconds, times: Seconds) -> Floats:
    """Points `[T,P,3]` of times `t` at other times: linear, the nearer where one is missing."""
    after = np.clip(np.searchsorted(t, times), 1, len(t) - 1)
    share = np.clip((times - t[after - 1]) / (t[after] - t[after - 1]), 0.0, 1.0)
    before, behind = points[after - 1], points[after]
    near = np.where((share < 0.5)[:, None, None], before, behind)
    out = before + (behind - before) * share[:, None, None].astype(np.float32)
    return np.where(np.isnan(out), near, out)


def rotated(points: Floats, angle: float) -> Floats:
    """Turned in the image plane about the origin, radians."""
    out = points.copy()
    c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    out[..., 0] = c * points[..., 0] - s * points[..., 1]
    out[..., 1] = s * points[..., 0] + c * points[..., 1]
    return out


def deformed(points: Floats, rng: Random, strength: float = 1.0) -> Floats:
    """As another body, another camera, another moment would have made it."""
    out = rotated(points, rng.normal(0, 0.10 * strength))
    stretch = np.exp(rng.normal(0, 0.07 * strength, 2)).astype(np.float32)
    out[..., :2] *= stretch
    out[..., 0] += np.float32(rng.normal(0, 0.05 * strength)) * out[..., 1]
    for hand, wrist in ((AT_RIGHT, 1), (AT_LEFT, 0)):
        points_of = out[:, hand]
        root = points_of[:, :1]
        shape = rotated(points_of - root, rng.normal(0, 0.12 * strength))
        yaw = rng.normal(0, 0.2 * strength)
        shape[..., 0] = shape[..., 0] * np.cos(yaw) + shape[..., 2] * np.sin(yaw)
        shape *= np.float32(np.exp(rng.normal(0, 0.08 * strength)))
        drift = rng.normal(0, 0.05 * strength, 3).astype(np.float32)
        out[:, hand] = root + shape + drift
        out[:, WRISTS[wrist]] += drift
    head = rng.normal(0, 0.04 * strength, 3).astype(np.float32)
    out[:, AT_FACE] += head
    out[:, AT_BODY.start : AT_BODY.start + 11] += head
    return out


def with_dropouts(points: Floats, rng: Random) -> Floats:
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


def in_image(points: Floats, rng: Random) -> tuple[Floats, int, int]:
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
    points: Floats, t: Seconds, rng: Random, strength: float = 1.0
) -> tuple[Floats, Nanoseconds, int, int]:
    """One bent clip as a camera would have it: landmarks, times in ns, width, height."""
    length = float(t[-1] - t[0]) * float(np.clip(np.exp(rng.normal(0, 0.22)), 0.6, 1.7))
    rate = RATES[rng.integers(len(RATES))]
    frames = max(4, round(length * rate))
    points = resampled(points, t, np.linspace(t[0], t[-1], frames))
    points = with_dropouts(deformed(points, rng, strength), rng)
    if rng.random() < 0.12:
        points = mirrored(points)
    times = np.arange(frames) / rate + rng.normal(0, 0.08 / rate, frames)
    times = np.maximum.accumulate(times - times[0]) + np.arange(frames) * 1e-4
    if rng.random() < 0.2 and frames > 8:  # frames lost on the way
        kept = rng.random(frames) > rng.uniform(0, 0.25)
        kept[[0, -1]] = True
        points, times = points[kept], times[kept]
    landmarks, width, height = in_image(points, rng)
    return landmarks, (1e9 + times * 1e9).astype(np.uint64), width, height
