"""People made of random numbers."""

import numpy as np

from signd_models.arrays import Floats, Random
from signd_models.landmarks import AT_LEFT, AT_RIGHT, KEPT, SHOULDERS


def points(rng: Random, frames: int = 30) -> Floats:
    """A clip `[T,P,3]` in signer space whose landmarks wander; the left hand is not seen."""
    home = rng.uniform(-1, 1, (1, len(KEPT), 3))
    found: Floats = (home + rng.normal(0, 0.02, (frames, len(KEPT), 3)).cumsum(axis=0)).astype(
        np.float32
    )
    found[:, SHOULDERS[0]], found[:, SHOULDERS[1]] = (0.5, 0, 0), (-0.5, 0, 0)
    found[:, AT_LEFT] = np.nan
    assert np.isfinite(found[:, AT_RIGHT]).all()
    return found
