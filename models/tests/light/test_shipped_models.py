"""The models that come with the project, as ONNX Runtime runs them."""

import json

import numpy as np
import pytest

from signd_models.features import GROUPS, WINDOW_ROWS
from signd_models.indices import NO_SIGN
from signd_models.onnx_session import session
from signd_models.places import MODELS
from signd_models.train.calibration import Calibration

STREAM, WINDOW = (session(MODELS / name) for name in ("signd.onnx", "signd-window.onnx"))


@pytest.mark.parametrize("length", [1, 9, WINDOW_ROWS])
def test_both_forms_give_the_same_answer(length: int) -> None:
    rng = np.random.default_rng(length)
    rows = rng.normal(0, 0.5, (1, length, 248)).astype(np.float32)
    rows[rng.random(rows.shape) < 0.1] = np.nan
    whole = WINDOW.run(["logits", "embedding"], {"rows": rows})
    state = np.zeros((1, STREAM.get_inputs()[1].shape[1]), np.float32)
    for t in range(length):
        logits, embedding, state = STREAM.run(None, {"rows": rows[:, t], "state": state})
    for one, other in zip(whole, (logits, embedding), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)
    assert np.linalg.norm(embedding) == pytest.approx(1.0, abs=1e-5)


def test_their_metadata_is_of_this_vocabulary_and_calibration() -> None:
    calibration = Calibration.read(MODELS / "figures/openset.json")
    for form in (STREAM, WINDOW):
        said = form.get_modelmeta().custom_metadata_map
        labels = (MODELS / "labels.txt").read_text().split("\n")
        assert json.loads(said["signd.labels"]) == [*filter(None, labels), NO_SIGN]
        assert said["signd.groups"] == GROUPS
        assert float(said["signd.temperature"]) == pytest.approx(calibration.temperature, rel=1e-5)
        assert json.loads(said["signd.tagger"])["delay"] == 5
