"""What tests have in common: the daemon's binary, a recording, clips made of random numbers."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from signd_models.arrays import Floats, Random
from signd_models.features import HAND, OTHER, POINTS
from signd_models.places import BINARY, MODELS
from signd_models.signd import Signd

if TYPE_CHECKING:  # it needs PyTorch, which not all tests have
    from signd_models.train.clip_store import ClipStore

RECORDING = MODELS.parent / "tests/recordings/signer.mcap"


@pytest.fixture(scope="session")
def signd() -> Signd:
    assert BINARY.exists(), "make setup builds it"
    return Signd(BINARY)


@pytest.fixture(scope="session")
def recording() -> Path:
    return RECORDING


@pytest.fixture
def rng() -> Random:
    return np.random.default_rng(1)


def wandering(rng: Random, frames: int, level: float) -> Floats:
    """A clip `[T,P*2]` whose landmarks wander, those of the dominant hand about a level. The other
    hand is not seen."""
    home = rng.uniform(-0.3, 0.3, (1, POINTS, 2))
    home[:, HAND, 1] += level
    clip: Floats = home + rng.normal(0, 0.02, (frames, POINTS, 2)).cumsum(axis=0)
    clip[:, OTHER] = np.nan
    return clip.reshape(frames, -1).astype(np.float32)


@pytest.fixture
def clips(rng: Random) -> tuple[list[Floats], list[dict[str, Any]]]:
    """Signs that are high or low, of a signer a fold, and people who do neither, in every fold."""
    rows, entries = [], []
    for i in range(48):
        idle = i % 3 == 2
        rows.append(wandering(rng, int(rng.integers(8, 30)), [-1.0, 1.0, 0.0][i % 3]))
        entries.append(
            {"label": i % 3, "kind": 3 if idle else 0, "fold": -1 if idle else i % 4}
            | {"path": f"wlasl/{i}.npz", "signer": f"wlasl/{i % 4}", "signs": 2}
        )
    return rows, entries


@pytest.fixture
def store(clips: tuple[list[Floats], list[dict[str, Any]]], tmp_path: Path) -> "ClipStore":
    from signd_models.train.clip_store import ClipStore, write

    write(tmp_path / "clips.xz", *clips)
    return ClipStore.read(tmp_path / "clips.xz")
