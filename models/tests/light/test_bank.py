"""Making clips, storing them in a bank, and drawing them from it."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from signd_models.arrays import Floats, Random
from signd_models.clips import Clip
from signd_models.signd import RowFilter, Signd
from signd_models.train import bank, clip_maker
from signd_models.train.bank import BankClip, Kind, Shard
from signd_models.train.clip_maker import ClipMaker
from signd_models.train.dataset import FIRST_STAGE, BankDataset, among

LABELS = ["a", "b"]


def surely(sign: int) -> Floats:
    """A teacher's answer."""
    probabilities = np.full(bank.VOCABULARY, 0.5 / (bank.VOCABULARY - 1), np.float32)
    probabilities[sign] = 0.5
    return np.log(probabilities)


def teacher(points: Floats, both: bool) -> tuple[Floats, Floats]:
    """Takes everything long for `a` and is at a loss with everything else."""
    if len(points) > 25:
        return surely(0), np.ones(bank.POOLED, np.float32)
    lost = np.full(bank.VOCABULARY, -np.log(bank.VOCABULARY), np.float32)
    return lost, np.zeros(bank.POOLED, np.float32)


def test_a_shard_has_its_shares_and_without_a_teacher_nothing_composed(
    clips: list[Clip], rng: Random
) -> None:
    taught = Counter(clip.kind for clip in ClipMaker(clips, LABELS, teacher).shard(rng, 40))
    assert taught == {Kind.LABELLED: 10, Kind.BLEND: 4, Kind.COMPOSED: 18, Kind.NO_SIGN: 8}
    alone = list(ClipMaker(clips, LABELS, None).shard(rng, 40))
    assert Kind.COMPOSED not in {clip.kind for clip in alone}
    assert all(clip.log_probs is None for clip in alone)
    assert {clip.label for clip in alone} == {0, 1, len(LABELS)}


def test_a_composed_clip_means_what_the_teacher_says(clips: list[Clip], rng: Random) -> None:
    maker = ClipMaker(clips, LABELS, teacher)
    for _ in range(50):
        clip = maker.composed(rng)
        long = len(clip.points) > 25
        assert clip.label == (bank.UNKNOWN if long else len(LABELS))
        assert bank.is_sure(clip) == long


def test_the_best_compositions_of_each_sign_are_kept(clips: list[Clip], rng: Random) -> None:
    maker = ClipMaker(clips, LABELS, teacher, kept=3)
    for _ in range(60):
        maker.composed(rng)
    best = maker.best[0, 0]
    assert len(best) == 3
    assert [share for share, _ in best] == sorted((share for share, _ in best), reverse=True)
    assert all(not maker.pool.folds(composition) & 1 for _, composition in best)
    assert len(ClipMaker(clips, LABELS, teacher).best) == 0
    assert clip_maker.KEPT_COMPOSITIONS == 12, "nobody has changed it"


@pytest.fixture
def rows_of(signd: Signd) -> Iterator[RowFilter]:
    with signd.row_filter() as opened:
        yield opened


@pytest.fixture
def stored(clips: list[Clip], rows_of: RowFilter, rng: Random, tmp_path: Path) -> Path:
    """A bank of one shard that a teacher has answered."""
    shard = Shard()
    for clip in ClipMaker(clips, LABELS, teacher).shard(rng, 80):
        shard.add(clip, bank.views(clip, 1, rows_of, rng, 1.0))
    shard.write(tmp_path / "0000.npz")
    return tmp_path


def test_compositions_that_the_teacher_is_sure_of_are_found_again(stored: Path) -> None:
    found = bank.read_compositions(stored / "0000.npz")
    assert found
    assert all(log_probs.argmax() == 0 for _, log_probs in found)


def test_views_of_a_fold_left_out_are_not_drawn(stored: Path, rng: Random) -> None:
    everything = BankDataset([stored], -1, len(LABELS))
    some = BankDataset([stored], 2, len(LABELS))
    assert 0 < len(some) < len(everything)
    drawn = some.draw(rng, 500)
    assert not (some.folds[some.view_of[drawn]] >> 2 & 1).any()
    kinds = Counter(some.kind[some.view_of[drawn]].tolist())
    for kind, share in FIRST_STAGE.items():
        assert kinds[kind] / 500 == pytest.approx(share, abs=0.08)


def test_targets_are_probabilities(stored: Path) -> None:
    data = BankDataset([stored], -1, bank.VOCABULARY)
    for i in range(len(data.view_of)):
        target, pooled, matched = data.target(i)
        assert target.sum() == pytest.approx(1.0, abs=2e-3)
        kind, label = data.kind[data.view_of[i]], data.label[data.view_of[i]]
        assert matched == (kind != Kind.NO_SIGN)
        assert pooled.shape == (bank.POOLED,)
        if kind in (Kind.LABELLED, Kind.BLEND):
            assert target[label] > 0.6
        assert data.view(i).shape[1] == 245


def test_labels_held_out_are_neither_drawn_nor_taught(stored: Path) -> None:
    data = BankDataset([stored], -1, bank.VOCABULARY, frozenset([0]))
    usable = np.concatenate([views for views, _ in data.by_kind.values()])
    of = data.view_of[usable]
    assert not (data.label[of] == 0).any()
    for i in usable:
        target, _, matched = data.target(i)
        assert matched == 0.0
        assert target[0] <= 0.1 or data.kind[data.view_of[i]] == Kind.NO_SIGN


def test_without_a_teacher_labels_alone_are_the_target(
    clips: list[Clip], rows_of: RowFilter, rng: Random, tmp_path: Path
) -> None:
    shard = Shard()
    for clip in ClipMaker(clips, LABELS, None).shard(rng, 40):
        shard.add(clip, bank.views(clip, 1, rows_of, rng, 1.0))
    shard.write(tmp_path / "0000.npz")
    data = BankDataset([tmp_path], -1, len(LABELS))
    assert set(data.shares) == {Kind.LABELLED, Kind.BLEND, Kind.NO_SIGN}
    assert sum(data.shares.values()) == pytest.approx(1.0)
    for i in data.draw(rng, 50):
        target, pooled, matched = data.target(i)
        assert target.argmax() == data.label[data.view_of[i]]
        assert matched == 0.0 and not pooled.any()


def test_shares_stay_as_they_are_where_all_kinds_are_there() -> None:
    assert among(FIRST_STAGE, list(Kind)) is FIRST_STAGE


def test_a_bank_without_a_shard_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no shard"):
        BankDataset([tmp_path], 0, 2)


def test_rows_are_stored_within_the_range_of_16_bits(tmp_path: Path) -> None:
    shard = Shard()
    clip = BankClip(np.zeros((4, 1, 3), np.float32), np.arange(4) / 30, Kind.LABELLED, 0, 1)
    shard.add(clip, [np.full((4, 245), 1e9, np.float32)])
    shard.write(tmp_path / "0000.npz")
    assert np.isfinite(np.load(tmp_path / "0000.npy")).all()
