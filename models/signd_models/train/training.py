"""A network being fitted, and how far it is."""

import copy
import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..arrays import Random
from .checkpoint import load
from .net import Net

WARM_UP = 0.08
"""Share of the steps in which the rate rises."""
AVERAGED = 300
"""Steps over which weights are averaged, about, and at most a tenth of all."""


class Training:
    """A network, its optimiser, the running average of its weights, its place in the schedule."""

    def __init__(self, net: Net, steps: int, rate: float) -> None:
        self.net, self.steps = net, steps
        self.average = copy.deepcopy(net).eval()
        heavy = [p for p in net.parameters() if p.ndim >= 2]
        plain = [p for p in net.parameters() if p.ndim < 2]
        groups = [{"params": heavy, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=rate)
        warm = max(1, round(WARM_UP * steps))

        def height(step: int) -> float:
            if step < warm:
                return (step + 1) / warm
            return 0.5 + 0.5 * math.cos(math.pi * (step - warm) / max(1, steps - warm))

        self.rate = torch.optim.lr_scheduler.LambdaLR(self.optimizer, height)
        self.done = 0
        self.losses: list[float] = []

    def step(self, loss: Tensor) -> None:
        """Follows a loss by one step."""
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimizer.step()
        self.rate.step()
        self.losses.append(loss.item())
        self.done += 1
        over = max(1.0, min(AVERAGED, self.steps / 10, (self.done + 9) / 2))
        with torch.no_grad():
            for mine, its in zip(self.average.parameters(), self.net.parameters(), strict=True):
                mine.lerp_(its, 1 / over)

    def save(self, path: Path, rng: Random, draw: torch.Generator) -> None:
        """Writes a checkpoint. It is whole or not there."""
        state = {
            "parts": [part.state_dict() for part in self._parts()],
            "rng": rng.bit_generator.state,
            "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state_all(),
            "draw": draw.get_state(),
            "done": self.done,
            "losses": self.losses,
        }
        torch.save(state, path.with_suffix(".part"))
        path.with_suffix(".part").rename(path)

    def resume(self, path: Path, rng: Random, draw: torch.Generator) -> None:
        """Goes on from a checkpoint."""
        stored = load(path)
        for part, state in zip(self._parts(), stored["parts"], strict=True):
            part.load_state_dict(state)
        rng.bit_generator.state = stored["rng"]
        torch.set_rng_state(stored["torch"])
        torch.cuda.set_rng_state_all(stored["cuda"])
        draw.set_state(stored["draw"])
        self.done, self.losses = stored["done"], stored["losses"]

    def _parts(self) -> list[Any]:
        """What has a state."""
        return [self.net, self.average, self.optimizer, self.rate]
