"""Calibration and the scores that tell known signs from everything else."""

import numpy as np
import pytest
from numpy.typing import NDArray

from signd_models.arrays import Floats, Random
from signd_models.places import MODELS
from signd_models.train.calibration import Calibration, calibrated, softmax
from signd_models.train.metrics import accepted, auroc, energy


def scores(*values: float) -> Floats:
    return np.array(values, np.float32)


def drawn(rng: Random, sharpness: float) -> tuple[Floats, NDArray[np.int64]]:
    """Logits `[N,6]` whose softmax is right as often as it says, times this; and true labels."""
    logits = rng.normal(0, 2, (4000, 6)).astype(np.float32)
    logits[:, -1] = -9.0
    truth = np.array([rng.choice(6, p=p / p.sum()) for p in softmax(logits).astype(np.float64)])
    return (sharpness * logits).astype(np.float32), truth


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 2.0])
def test_the_temperature_undoes_what_logits_are_too_large_by(rng: Random, sharpness: float) -> None:
    logits, truth = drawn(rng, sharpness)
    found = calibrated(logits, truth)
    assert found.temperature == pytest.approx(sharpness, rel=0.08)
    assert found.no_sign == 0.0
    p = found.probabilities(logits)
    decided = (p[:, :-1].max(axis=1) >= found.threshold) & (p.argmax(axis=1) < 5)
    assert (decided & (p.argmax(axis=1) != truth)).mean() <= 0.05


def test_no_sign_is_lowered_until_it_takes_one_place_in_a_hundred(rng: Random) -> None:
    logits, truth = drawn(rng, 1.0)
    logits[:, -1] = logits[:, :-1].max(axis=1) + rng.uniform(-3, 1, len(logits))
    found = calibrated(logits, truth)
    assert -1.01 <= found.no_sign < 0
    alone = (logits[:, :-1].argmax(axis=1) == truth).mean()
    right = (found.probabilities(logits).argmax(axis=1) == truth).mean()
    assert alone - right <= 0.01


def test_what_is_kept_with_the_models_can_be_read() -> None:
    whole = Calibration.read(MODELS / "figures/openset.json")
    parts = [Calibration.read(MODELS / "figures/openset.json", fold) for fold in range(4)]
    assert 0.3 < whole.temperature < 3 and whole.no_sign <= 0 and 0 < whole.threshold < 1
    assert len({part.threshold for part in parts}) > 1


def test_scores_on_values_worked_out_by_hand() -> None:
    known, others = scores(0.9, 0.5, 0.2), scores(0.5, 0.1)
    assert auroc(known, others) == pytest.approx(4.5 / 6)
    assert accepted(scores(*range(1, 101)), scores(50, 6, 5.9, 1)) == 0.5
    assert energy(scores(0, 0, 0, 0)[None]) == pytest.approx(np.log(4))
