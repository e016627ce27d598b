"""What tests have in common: the daemon's binary, and people made of random numbers."""

from pathlib import Path

import numpy as np
import pytest
from people import points

from signd_models.arrays import Random
from signd_models.clips import Clip
from signd_models.places import BINARY, MODELS
from signd_models.signd import Signd

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


@pytest.fixture
def clips(rng: Random) -> list[Clip]:
    """Two recordings of each of three labels and two of no sign, of one signer a fold."""
    made = []
    for n, label in enumerate(["a", "a", "b", "b", "other", "other", "", ""]):
        moving = points(rng)
        seconds = np.arange(len(moving)) / 30
        source = "wlasl" if label else "idle"
        made.append(Clip(moving, seconds, source, f"{n}", label, f"signer {n % 4}", n % 4))
    return made
