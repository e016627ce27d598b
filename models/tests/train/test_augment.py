"""Bent clips: what is kept, what is lost, what is drawn."""

import numpy as np
import pytest
import torch

from signd_models.arrays import Random
from signd_models.features import FACE, HAND, OTHER
from signd_models.landmarks import MIRRORED_POINTS, ROW_MIRROR, ROW_POINTS
from signd_models.train.augment import LONGEST, SHORTEST, Plan, augmented
from signd_models.train.clip_store import ClipStore, Kind
from signd_models.train.draw import Draw


@pytest.fixture
def drawn(store: ClipStore, rng: Random) -> Draw:
    return Draw(store, 1, True, True, rng)


def test_a_landmark_and_its_mirror_image_change_places() -> None:
    assert [ROW_POINTS[i] for i in ROW_MIRROR] == MIRRORED_POINTS
    assert [ROW_MIRROR[i] for i in ROW_MIRROR] == list(range(118))
    # The right eye's outer corner, the right nostril, a corner of the mouth, a fingertip.
    assert {33: 263, 98: 327, 61: 291, 530: 476}.items() <= dict(
        zip(ROW_POINTS, MIRRORED_POINTS, strict=True)
    ).items()


def test_clips_stay_clips_however_they_are_bent(store: ClipStore, drawn: Draw) -> None:
    draw = torch.Generator().manual_seed(0)
    for _ in range(5):
        points, valid = augmented(store, drawn.plan(32, "cpu"), draw)
        assert points.shape[:2] == valid.shape and points.shape[2:] == (118, 2)
        length = valid.sum(dim=1)
        assert (length >= SHORTEST).all() and (length <= LONGEST).all()
        assert torch.isnan(points[valid == 0]).all()
        known = points[torch.isfinite(points)]
        assert known.abs().max() < 8
        seen = torch.isfinite(points[..., 0])
        assert seen[:, :, FACE].any() and (seen[:, :, HAND] | seen[:, :, OTHER]).any()


def test_the_same_seed_bends_alike(store: ClipStore) -> None:
    one, other = (
        augmented(
            store,
            Draw(store, -1, True, True, np.random.default_rng(5)).plan(16, "cpu"),
            torch.Generator().manual_seed(3),
        )
        for _ in range(2)
    )
    torch.testing.assert_close(one, other, equal_nan=True, rtol=0, atol=0)


def test_a_shape_of_another_hand_goes_where_the_hand_goes(store: ClipStore) -> None:
    number = torch.arange(2)
    as_is = torch.zeros(2, dtype=torch.bool)
    found = []
    for hand in (number, number.flip(0)):
        plan = Plan(number, hand, ~as_is, as_is)
        found.append(augmented(store, plan, torch.Generator().manual_seed(1))[0])
    alone, mixed = found
    torch.testing.assert_close(alone[:, :, FACE], mixed[:, :, FACE], equal_nan=True)
    assert not torch.allclose(alone[:, :, HAND], mixed[:, :, HAND], equal_nan=True)


def test_signers_of_the_fold_left_out_are_never_drawn(store: ClipStore, drawn: Draw) -> None:
    shown = torch.cat([drawn.plan(64, "cpu").clip for _ in range(20)])
    assert (store.fold[shown] != 1).all()
    assert set(store.kind[shown].tolist()) == {Kind.SIGN, Kind.IDLE}


def test_a_batch_is_signs_then_free_clips_then_no_signs(store: ClipStore, drawn: Draw) -> None:
    signs, free = drawn.parts(64)
    plan = drawn.plan(64, "cpu")
    assert (store.kind[plan.clip[: signs + free]] == Kind.SIGN).all()
    assert (store.kind[plan.clip[signs + free :]] == Kind.IDLE).all()
    assert plan.warped.nonzero().flatten().tolist() == list(range(signs, signs + free))
    same = store.label[plan.clip[:signs]] == store.label[plan.hand[:signs]]
    assert same.all(), "another signer's hand makes the same sign"
