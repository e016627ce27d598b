"""Files of networks: tensors and plain numbers alone, so that reading one runs no code."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from .net import Net, Shape


def load(path: Path) -> dict[str, Any]:
    """What a file holds, on the CPU."""
    stored: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return stored


def save_net(net: Net, losses: list[float], path: Path) -> None:
    """Writes a fitted network with the losses of its steps. Its weights as 16-bit floats, as it is
    shipped."""
    weights = {name: value.half() for name, value in net.state_dict().items()}
    torch.save({"shape": asdict(net.shape), "weights": weights, "losses": losses}, path)


def read_net(path: Path) -> Net:
    """A network that `fit` has written, for inference."""
    stored = load(path)
    net = Net(Shape(**stored["shape"]))
    net.load_state_dict(stored["weights"])
    return net.eval()


def read_losses(path: Path) -> list[float]:
    """The losses of its steps."""
    losses: list[float] = load(path)["losses"]
    return losses
