"""The bridge to the daemon's binary, on the recording that comes with the project."""

import json
from pathlib import Path

import numpy as np
import pytest

from signd_models import features
from signd_models.landmarks import POINTS
from signd_models.signd import Signd


def test_the_widths_of_groups_are_those_of_the_daemon(signd: Signd) -> None:
    assert json.loads(signd.run("features", "--columns")) == features.widths()


def test_spans_follow_one_another_in_the_order_asked_for() -> None:
    found = features.spans("arms hand")
    assert found == {"arms": slice(0, 12), "hand": slice(12, 54)}
    assert max(where.stop for where in features.spans().values()) == 248


def test_a_filter_gives_the_rows_of_the_file_again_and_again(signd: Signd, recording: Path) -> None:
    (read,) = signd.landmarks([recording])
    assert read.landmarks.shape == (len(read.times), POINTS, 3)
    (rows,) = signd.rows([recording])
    assert rows.shape[1] == 248 and np.isfinite(rows).any()
    with signd.row_filter() as rows_of:
        for _ in range(2):
            again = rows_of(read.landmarks, read.times, read.width, read.height)
            np.testing.assert_array_equal(again, rows)


def test_what_fails_ends_the_program(signd: Signd, recording: Path) -> None:
    with pytest.raises(SystemExit, match="signd rows-of failed"):
        signd.run("rows-of")
    with pytest.raises(SystemExit, match="signd landmarks failed"):
        signd.landmarks([recording.with_name("missing.mcap")])
    (read,) = signd.landmarks([recording])
    backwards = read.times[::-1].copy()
    with signd.row_filter() as rows_of, pytest.raises(SystemExit, match="signd features ended"):
        rows_of(read.landmarks, backwards, read.width, read.height)
