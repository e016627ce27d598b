"""Clips as cameras see them, and clips joined of parts."""

import numpy as np
from people import points

from signd_models.arrays import Random
from signd_models.clips import Clip
from signd_models.landmarks import AT_LEFT, AT_RIGHT, POINTS
from signd_models.train import augment, compose
from signd_models.train.warp import warped


def test_resampling_is_linear_and_takes_the_nearer_where_one_is_missing() -> None:
    line = np.array([0.0, 1.0, np.nan], np.float32)[:, None, None]
    seconds = np.array([0.0, 1.0, 2.0])
    found = augment.resampled(line, seconds, np.array([0.25, 1.25, 1.75]))
    np.testing.assert_array_equal(found[:, 0, 0], np.array([0.25, 1.0, np.nan], np.float32))


def test_a_view_is_an_image_whose_times_rise(rng: Random) -> None:
    clip, seconds = points(rng), np.arange(30) / 30
    for _ in range(50):
        landmarks, times, width, height = augment.view(clip, seconds, rng)
        assert landmarks.shape == (len(times), POINTS, 3) and len(times) >= 4
        assert (np.diff(times.astype(np.int64)) > 0).all()
        assert height == 720 and width in {round(720 * aspect) for aspect in augment.ASPECTS}


def test_the_same_seed_gives_the_same_view_and_another_one_another(rng: Random) -> None:
    clip, seconds = points(rng), np.arange(30) / 30
    one, same, other = (augment.view(clip, seconds, np.random.default_rng(n)) for n in (1, 1, 2))
    np.testing.assert_array_equal(one[0], same[0])
    assert one[0].shape != other[0].shape or not np.allclose(one[0], other[0], equal_nan=True)


def test_what_is_missing_stays_missing_when_warped(rng: Random) -> None:
    found = warped(points(rng), rng)
    assert np.isnan(found[:, AT_LEFT]).all() and np.isfinite(found[:, AT_RIGHT]).all()


def test_a_composition_has_no_part_of_the_fold_left_out(clips: list[Clip], rng: Random) -> None:
    pool = compose.ClipPool(clips)
    found = compose.random_composition(pool, rng, 1)
    for _ in range(50):
        found = compose.mutated(found, pool, rng, 1)
        assert not pool.folds(found) >> 1 & 1
        assert compose.compose(pool, found).shape[0] == max(5, round(30 * found.seconds))
    assert compose.Composition.of(found.plain()) == found
