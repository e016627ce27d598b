"""Bent clips: what is kept, what is lost, what is drawn."""

import numpy as np
import pytest
import torch

from signd_models.arrays import Random
from signd_models.features import FACE, HAND, OTHER
from signd_models.landmarks import MIRRORED_POINTS, ROW_MIRROR, ROW_POINTS
from signd_models.train.augment import LONGEST, SHORTEST, Course, Dice, Plan, augmented, lowered
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
        points, valid, _ = augmented(store, drawn.plan(32, "cpu"), draw)
        assert points.shape[:2] == valid.shape and points.shape[2:] == (118, 2)
        length = valid.sum(dim=1)
        assert (length >= SHORTEST).all() and (length <= LONGEST).all()
        assert torch.isnan(points[valid == 0]).all()
        known = points[torch.isfinite(points)]
        assert known.abs().max() < 8
        shown = torch.isfinite(points[..., 0]).flatten(1).any(dim=1)
        assert shown.float().mean() > 0.9


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
    for wrist in (HAND.start, OTHER.start):
        torch.testing.assert_close(alone[:, :, wrist], mixed[:, :, wrist], equal_nan=True)
    assert not torch.allclose(alone[:, :, HAND], mixed[:, :, HAND], equal_nan=True)


def test_signers_of_the_fold_left_out_are_never_drawn(store: ClipStore, drawn: Draw) -> None:
    plans = [drawn.plan(64, "cpu") for _ in range(20)]
    for shown in (torch.cat([plan.clip for plan in plans]), torch.cat([x.hand for x in plans])):
        assert (store.fold[shown] != 1).all()
        assert set(store.kind[shown].tolist()) == {Kind.SIGN, Kind.IDLE}


def test_words_that_are_not_in_the_vocabulary_can_be_left_out(
    store: ClipStore, rng: Random
) -> None:
    store.kind[2::3] = Kind.OTHER_SIGN
    for words in (True, False):
        shown = Draw(store, -1, words, True, rng).plan(64, "cpu").clip
        assert (Kind.OTHER_SIGN in store.kind[shown]) == words


def test_hands_come_from_rest_before_a_sign_and_go_there_after_it_and_else_stay(
    store: ClipStore,
) -> None:
    dice = Dice(torch.Generator().manual_seed(0), 2)
    share = torch.linspace(0, 1, 20).repeat(2, 1)
    row = torch.arange(20.0)[None]
    none, some = torch.tensor([0.0, 5.0]), torch.tensor([0.0, 4.0])
    course = Course(none, none, share, row, torch.tensor([20.0, 20.0]), none, some, torch.ones(2))
    p = torch.zeros(2, 20, 118, 2)
    low = lowered(p.clone(), course, dice)[:, :, HAND.start, 1]
    assert (low[0] == 0).all(), "neither lead-in nor lead-out"
    assert (low[1, 5:16] == 0).all() and low[1, 0] > 0.3 and low[1, -1] > 0.3
    assert (low[1, :5].diff() < 0).all() and (low[1, 15:].diff() > 0).all()


def test_a_batch_is_signs_then_free_clips_then_no_signs(store: ClipStore, drawn: Draw) -> None:
    signs, free = drawn.parts(64)
    plan = drawn.plan(64, "cpu")
    assert (store.kind[plan.clip[: signs + free]] == Kind.SIGN).all()
    assert (store.kind[plan.clip[signs + free :]] == Kind.IDLE).all()
    assert plan.warped.nonzero().flatten().tolist() == list(range(signs, signs + free))
    same = store.label[plan.clip[:signs]] == store.label[plan.hand[:signs]]
    assert same.all(), "another signer's hand makes the same sign"
