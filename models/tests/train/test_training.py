"""The loop: it learns, it goes on where it was stopped, its files hold nothing but numbers."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from signd_models.train import fit as fitting
from signd_models.train.checkpoint import read_losses, read_net
from signd_models.train.clip_store import ClipStore, Kind
from signd_models.train.fit import Recipe, fit
from signd_models.train.loss import loss_of
from signd_models.train.net import Net, Shape
from signd_models.train.peer import Peer
from signd_models.train.score import outputs, scored
from signd_models.train.teachers import taught_by
from signd_models.train.training import Training

SIZES: dict[str, Any] = {"channels": 16, "pooled": 24, "blocks": 3}
HOW = Recipe(fold=1, steps=60, batch=16, rate=5e-3, sizes=SIZES)


def test_it_learns_and_its_file_gives_the_same_answers(store: ClipStore, tmp_path: Path) -> None:
    net = fit(store, tmp_path / "net.pt", HOW)
    assert scored(net, store, 1)["wlasl"][1] > 0.9, "of the signer it has not met"
    idle = np.flatnonzero(store.kind.numpy() == Kind.IDLE)
    logits, _ = outputs(net, store, idle)
    assert (logits.argmax(axis=1) == 2).mean() > 0.6, "no sign"
    again, _ = outputs(read_net(tmp_path / "net.pt"), store, idle)
    np.testing.assert_array_equal(again, logits)
    losses = read_losses(tmp_path / "net.pt")
    assert len(losses) == HOW.steps and losses[-1] < losses[0]
    assert not list(tmp_path.glob("*.checkpoint"))


def test_stopped_and_started_again_it_comes_to_the_same_network(
    store: ClipStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitting, "EVERY", 16)  # a checkpoint after every sixteen steps
    straight = fit(store, tmp_path / "straight.pt", HOW)
    save = Training.save

    def save_and_stop(self: Training, *where: Any) -> None:
        save(self, *where)
        raise KeyboardInterrupt

    monkeypatch.setattr(Training, "save", save_and_stop)
    with pytest.raises(KeyboardInterrupt):
        fit(store, tmp_path / "stopped.pt", HOW)
    monkeypatch.setattr(Training, "save", save)
    resumed = fit(store, tmp_path / "stopped.pt", HOW)
    assert read_losses(tmp_path / "stopped.pt") == read_losses(tmp_path / "straight.pt")
    for one, other in zip(straight.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_sign_is_taught_its_label_and_what_is_none_that_it_is_none() -> None:
    label = torch.tensor([0, 1, 2])
    taught = torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]]).log()
    right = torch.tensor([[5.0, 0, 0], [0, 5.0, 0], [0, 0, 5.0]])
    wrong = right.roll(1, dims=1)
    losses = [loss_of(each, label, taught, signs=1, free=1) for each in (right, wrong)]
    assert losses[0] < losses[1]
    # Of a free clip it is not known whether it is a sign.
    free = torch.tensor([[5.0, 0, 0], [1, 2.4, 0], [0, 0, 5.0]])
    more = free.clone()
    more[1, 2] = 4.0
    losses = [loss_of(each, label, taught, signs=1, free=1) for each in (free, more)]
    torch.testing.assert_close(*losses)


@torch.no_grad()
def test_teachers_answer_with_probabilities_of_the_signs() -> None:
    peer, elder = Peer(Shape(5, **SIZES)).eval(), Net(Shape(6, **SIZES)).eval()
    clips, valid = torch.randn(2, 9, 236), torch.ones(2, 9)
    for elders in ([], [elder]):
        said = taught_by(peer, elders, clips, valid, torch.tensor([False, True]))
        torch.testing.assert_close(said.exp().sum(dim=1), torch.ones(2), atol=1e-5, rtol=0)
        assert said.shape == (2, 5)


def test_a_file_that_would_run_code_is_refused(tmp_path: Path) -> None:
    torch.save({"shape": print}, tmp_path / "net.pt")
    with pytest.raises(Exception, match="[Ww]eights"):
        read_net(tmp_path / "net.pt")
