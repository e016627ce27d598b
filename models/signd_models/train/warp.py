"""Deformations that change what a sign means: fingers, the path of a hand, the course of time.

What comes out is a new clip and not another view of the old one, so the teacher is asked what it
means. A student that is told the teacher's answer to ever new clips learns the teacher and not the
recordings (Beyer 2022, "a good teacher is patient and consistent").
"""

import numpy as np

from ..arrays import Floats, Random
from ..landmarks import AT_LEFT, AT_RIGHT, ELBOWS, WRISTS
from .augment import resampled

FINGERS = [(1, 2, 3, 4), (5, 6, 7, 8), (9, 10, 11, 12), (13, 14, 15, 16), (17, 18, 19, 20)]
"""Landmarks of each finger, from the palm outwards."""


def drift(frames: int, size: float, rng: Random) -> Floats:
    """A slow course `[T]`: a constant and two waves of at most one and a half periods."""
    t = np.linspace(0.0, 1.0, frames)
    out = np.full(frames, rng.normal(0.0, size))
    for _ in range(2):
        periods, phase = rng.uniform(0.3, 1.5), rng.uniform(0.0, 2 * np.pi)
        out += rng.normal(0.0, 0.6 * size) * np.sin(2 * np.pi * periods * t + phase)
    return out.astype(np.float32)


def flexed(hand: Floats, rng: Random, strength: float) -> Floats:
    """A hand `[T,21,3]` whose fingers are turned and shortened at their joints."""
    out = hand.copy()
    for finger in FINGERS:
        for joint in range(3 if rng.random() < 0.7 else 1):
            root, moved = finger[joint], list(finger[joint + 1 :])
            angle = drift(len(hand), 0.16 * strength, rng)[:, None]
            length = np.exp(drift(len(hand), 0.08 * strength, rng))[:, None]
            c, s = np.cos(angle) * length, np.sin(angle) * length
            arm = out[:, moved] - out[:, root : root + 1]
            x, y = arm[..., 0].copy(), arm[..., 1].copy()
            arm[..., 0], arm[..., 1] = c * x - s * y, s * x + c * y
            out[:, moved] = out[:, root : root + 1] + arm
    return out


def warped(points: Floats, rng: Random, strength: float = 1.0) -> Floats:
    """A clip `[T,P,3]` in signer space with other fingers, paths and timing."""
    frames = len(points)
    even = np.linspace(0.0, 1.0, frames)
    course = even + drift(frames, 0.05 * strength, rng) * np.sin(np.pi * even)
    course = np.clip(np.maximum.accumulate(course), 0.0, 1.0)
    out = resampled(points, even, course)
    for hand, side in ((AT_RIGHT, 1), (AT_LEFT, 0)):
        out[:, hand] = flexed(out[:, hand], rng, strength)
        for axis in (0, 1):
            shift = drift(frames, 0.07 * strength, rng)
            out[:, hand, axis] += shift[:, None]
            out[:, WRISTS[side], axis] += shift
            out[:, ELBOWS[side], axis] += shift / 2
    return out
