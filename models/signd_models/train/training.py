"""The loop that fits a network to a bank."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from ..arrays import Floats, Random
from ..features import spans
from .batching import Batch, batch, drawn_batches
from .checkpoint import load, save_net
from .dataset import BankDataset
from .net import Net, Shape, relations

EVERY = 400
"""Steps from one checkpoint to the next, about."""
MATCHING = 2.0
"""Weight of the teacher's activations in the loss (Romero et al. 2015, hints)."""


@dataclass(frozen=True)
class Schedule:
    """How long and how fast a network is fitted."""

    steps: int
    seed: int
    averaging: float = 0.998
    """Decay of the running average of the weights, a step."""


def loss_of(net: Net, given: Batch) -> Tensor:
    """Cross entropy with the target, and the distance to the teacher's activations."""
    logits, _, matching = net(given.rows, given.valid)
    loss = -(given.target * F.log_softmax(logits, dim=1)).sum(dim=1).mean()
    near = F.smooth_l1_loss(matching, given.pooled, reduction="none").mean(dim=1)
    return loss + MATCHING * (near * given.matched).sum() / given.matched.sum().clamp(min=1)


def normalise(net: Net, bank: BankDataset, rng: Random) -> None:
    """Scales the network's columns by clips of a bank."""
    scale(net, np.concatenate([bank.view(i) for i in bank.draw(rng, 1500)]), spans())


def scale(net: Net, sample: Floats, columns: dict[str, slice]) -> None:
    """Sets mean and scale of columns, and of the relative ones, from a sample of rows `[N,F]`."""
    mean, spread = np.nanmean(sample, axis=0), np.nanstd(sample, axis=0) + 1e-2
    net.mean.copy_(torch.from_numpy(mean))
    net.scale.copy_(torch.from_numpy(1 / spread))
    for column, root in relations(columns).items():
        between = np.nanstd(sample[:, column] - sample[:, root]) + 1e-2
        net.relative[column, column] = float(spread[column] / between)
        net.relative[root, column] = float(-spread[root] / between)


class Training:
    """A network being fitted: its optimiser, its running average and its place in the schedule."""

    def __init__(self, net: Net, rate: float, how: Schedule) -> None:
        self.net = net
        self.average = torch.optim.swa_utils.AveragedModel(
            net, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(how.averaging)
        )
        plain = [p for p in net.parameters() if p.ndim < 2]
        heavy = [p for p in net.parameters() if p.ndim >= 2]
        groups = [{"params": heavy, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98))
        self.rate = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, rate, total_steps=how.steps, pct_start=0.1
        )
        self.done = 0
        self.losses: list[float] = []

    def step(self, given: Batch) -> None:
        """One step."""
        loss = loss_of(self.net, given)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimizer.step()
        self.rate.step()
        self.average.update_parameters(self.net)
        self.losses.append(loss.item())
        self.done += 1

    def save(self, path: Path, rng: Random) -> None:
        """Writes a checkpoint; it is whole or not there."""
        state = {
            "parts": [part.state_dict() for part in self._parts()],
            "rng": rng.bit_generator.state,
            "torch": torch.get_rng_state(),
            "done": self.done,
            "losses": self.losses,
        }
        torch.save(state, path.with_suffix(".part"))
        path.with_suffix(".part").rename(path)

    def resume(self, path: Path, rng: Random) -> None:
        """Goes on from a checkpoint."""
        stored = load(path)
        for part, state in zip(self._parts(), stored["parts"], strict=True):
            part.load_state_dict(state)
        rng.bit_generator.state = stored["rng"]
        torch.set_rng_state(stored["torch"])
        self.done, self.losses = stored["done"], stored["losses"]

    def _parts(self) -> list[Any]:
        """What has a state."""
        return [self.net, self.average, self.optimizer, self.rate]


def fit(bank: BankDataset, shape: Shape, how: Schedule, out: Path, start: Net | None = None) -> Net:
    """Trains, anew or from where another training came to, and writes `out`. What is returned is
    the running average of the weights."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(how.seed)
    rng = np.random.default_rng(how.seed)
    net = start.train() if start else Net(shape)
    if not start:
        normalise(net, bank, rng)
    training = Training(net.to(device), 1e-3 if start else 2e-3, how)
    checkpoint = out.with_suffix(".checkpoint")
    if checkpoint.exists():
        training.resume(checkpoint, rng)
    columns = spans()
    bar = tqdm(total=how.steps, initial=training.done, unit="step", mininterval=20)
    while training.done < how.steps:
        for views in drawn_batches(bank, rng):
            if training.done == how.steps:
                break
            training.step(batch(bank, views, rng, columns).to(device))
            bar.update()
            if training.done % 50 == 0:
                bar.set_postfix(loss=f"{np.mean(training.losses[-200:]):.3f}", refresh=False)
        if training.done % EVERY < 16:
            training.save(checkpoint, rng)
    trained = training.average.module.cpu().eval()
    assert isinstance(trained, Net)
    save_net(trained, training.losses, out)
    checkpoint.unlink(missing_ok=True)
    return trained
