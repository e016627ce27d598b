"""The loop: it learns, it goes on where it was stopped, its files hold nothing but numbers."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from signd_models.arrays import Random
from signd_models.train import training
from signd_models.train.bank import BankClip, Kind, Shard
from signd_models.train.checkpoint import read_losses, read_net
from signd_models.train.dataset import BankDataset
from signd_models.train.net import shape_for
from signd_models.train.score import outputs
from signd_models.train.training import Schedule, fit

SHAPE = shape_for(2, channels=16, embedding=8, dilations=[1])
STEPS = 40


@pytest.fixture
def bank(rng: Random, tmp_path: Path) -> BankDataset:
    """Rows that are high, low, or of both signs: two labels and *no sign*."""
    shard = Shard()
    for i in range(90):
        kind, label = [(Kind.LABELLED, 0), (Kind.BLEND, 1), (Kind.NO_SIGN, 2)][i % 3]
        level = [1.0, -1.0, 0.0][i % 3]
        rows = rng.normal(level, 0.5, (int(rng.integers(5, 30)), 245)).astype(np.float32)
        points = np.zeros((1, 1, 3), np.float32)
        shard.add(BankClip(points, np.zeros(1), kind, label, 1), [rows])
    shard.write(tmp_path / "0000.npz")
    return BankDataset([tmp_path], -1, 2)


def test_it_learns_and_its_file_gives_the_same_answers(bank: BankDataset, tmp_path: Path) -> None:
    net = fit(bank, SHAPE, Schedule(STEPS, 1, 0.8), tmp_path / "net.pt")
    clips = [bank.view(i) for i in range(90)]
    logits, _ = outputs(net, clips)
    assert (logits.argmax(axis=1) == bank.label).mean() > 0.95
    again, _ = outputs(read_net(tmp_path / "net.pt"), clips)
    np.testing.assert_array_equal(again, logits)
    losses = read_losses(tmp_path / "net.pt")
    assert len(losses) == STEPS and losses[-1] < losses[0]
    assert not list(tmp_path.glob("*.checkpoint"))


def test_stopped_and_started_again_it_comes_to_the_same_network(
    bank: BankDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    how = Schedule(STEPS, 1)
    straight = fit(bank, SHAPE, how, tmp_path / "straight.pt")
    monkeypatch.setattr(training, "EVERY", 16)  # a checkpoint after every sixteen steps
    save = training.Training.save

    def save_and_stop(self: training.Training, *where: Any) -> None:
        save(self, *where)
        raise KeyboardInterrupt

    monkeypatch.setattr(training.Training, "save", save_and_stop)
    with pytest.raises(KeyboardInterrupt):
        fit(bank, SHAPE, how, tmp_path / "stopped.pt")
    monkeypatch.setattr(training.Training, "save", save)
    resumed = fit(bank, SHAPE, how, tmp_path / "stopped.pt")
    assert read_losses(tmp_path / "stopped.pt") == read_losses(tmp_path / "straight.pt")
    for one, other in zip(straight.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_file_that_would_run_code_is_refused(tmp_path: Path) -> None:
    torch.save({"shape": print}, tmp_path / "net.pt")
    with pytest.raises(Exception, match="[Ww]eights"):
        read_net(tmp_path / "net.pt")
