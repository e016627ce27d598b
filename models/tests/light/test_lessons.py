"""Lessons of the tagger."""

from pathlib import Path

import msgpack
import numpy as np

from signd_models.features import GROUPS, spans, widths
from signd_models.train import lessons


def test_the_tagger_sees_points_of_both_hands_and_the_arms() -> None:
    chosen = lessons.columns(widths(), GROUPS.split())
    where = spans()
    assert len(chosen) == len(set(chosen)) == 4 * len(lessons.POINTS) + widths()["arms"]
    assert chosen[:4] == [where["hand"].start + i for i in (0, 1, 8, 9)]
    assert chosen[-1] == where["arms"].stop - 1


def test_rows_within_a_sign_are_marked(tmp_path: Path) -> None:
    rows = np.arange(12, dtype="<f4").reshape(6, 2)
    told = {
        "data": rows.tobytes(), "columns": 2, "times": [0.0, 0.1, 0.2, 0.3, 0.4, 0.5],
        "signs": [[0.1, 0.2996]], "fold": 1, "set": "wlasl train", "fps": 30.0,
        "disturbed": False, "name": "n",
    }  # fmt: skip
    (tmp_path / "lessons").write_bytes(msgpack.packb(told))
    (found,) = lessons.read([tmp_path / "lessons"], [1])
    assert found.y.tolist() == [0, 1, 1, 1, 0, 0]
    assert found.x.tolist() == [[1], [3], [5], [7], [9], [11]]
    assert found.signs == [(0.1, 0.2996)]
