"""Figures against values worked out by hand or printed in a textbook."""

import numpy as np
import pytest

from signd_models.peers import figures


def test_wilson_as_in_newcombe_1998() -> None:
    """Newcombe, *Statistics in Medicine* 17, table I: 81 of 263, 0 of 20."""
    found = figures.share([True] * 81 + [False] * 182)
    assert (found.low, found.high) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    none = figures.share([False] * 20)
    assert (none.low, none.high) == pytest.approx((0.0, 0.1611), abs=1e-4)


def test_no_sign_wins_but_takes_none_of_the_five_places() -> None:
    answer = [("no sign", 0.4), ("a", 0.2), ("b", 0.1), ("c", 0.1), ("d", 0.1), ("e", 0.05)]
    found = figures.top([answer, answer, []], ["e", "no sign", "a"], "no sign")
    assert found["top1"].value == pytest.approx(1 / 3)
    assert found["top5"].value == pytest.approx(1 / 3)
    assert figures.scores([answer, []], "no sign").tolist() == [0.2, 0.0]
    assert figures.scores([answer], None).tolist() == [0.4]


def test_ties_count_half_and_the_threshold_takes_in_95_of_100() -> None:
    few = figures.open_set(np.array([0.9, 0.5, 0.2]), np.array([0.5, 0.1]))
    assert few["auroc"].value == pytest.approx(4.5 / 6)
    known = np.arange(1, 101) / 100
    many = figures.open_set(known, np.array([0.5, 0.06, 0.059, 0.01]))
    assert many["accepted"].value == 0.5
