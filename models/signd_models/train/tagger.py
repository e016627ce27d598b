"""The tagger: a small recurrent network that says after every row whether a sign is being made.

Two answers a row, both causal: whether this row lies in a sign, and whether the one `DELAY` rows
before did, which is easier to tell and what segments are made of. The daemon runs it on every row
of every stream, so it is small and sees few columns: palms, three fingertips and arms, and how they
moved since the row before.
"""

import base64
import json
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor, nn
from torch.nn import functional as F

DELAY = 5
"""Rows, a sixth of a second at 30 a second: as good as six, better than four."""
HIDDEN = 48
# The daemon computes these two itself: it has the same numbers at the head of its own tagger.
MOST = 4.0
"""Places and moves are clipped at this many units."""
MOVES = 10.0
"""Moves from row to row are small; in tenths they are of the size of places."""


class Tagger(nn.Module):
    """Rows `[B,T,C]` to two logits a row: in a sign now, and `DELAY` rows ago."""

    mean: Tensor
    scale: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))
        self.gru = nn.GRU(3 * width, HIDDEN, batch_first=True)
        self.head = nn.Linear(HIDDEN, 2)

    def encoded(self, x: Tensor) -> Tensor:
        """What the network is given of each row: places, moves since the row before, and what of
        both is known."""
        known = torch.isfinite(x)
        here = torch.where(known, (x - self.mean) * self.scale, 0.0).clamp(-MOST, MOST)
        before = F.pad(x, (0, 0, 1, 0), value=float("nan"))[:, :-1]
        move = (x - before) * MOVES
        move = torch.where(torch.isfinite(move), move, 0.0).clamp(-MOST, MOST)
        return torch.cat([here, move, known.to(x.dtype)], dim=-1)

    def forward(self, x: Tensor) -> Tensor:
        """Two logits a row `[B,T,2]`."""
        out: Tensor = self.head(self.gru(self.encoded(x))[0])
        return out


def written(tagger: Tagger, chosen: list[int], usual: float) -> str:
    """As the daemon reads it from the metadata of a model. `chosen`: columns that it sees. `usual`:
    mean probability that it gives a usual sign."""
    gru = dict(tagger.gru.named_parameters())
    parts = [
        tagger.mean,
        tagger.scale,
        gru["weight_ih_l0"].t(),
        gru["weight_hh_l0"].t(),
        gru["bias_ih_l0"],
        gru["bias_hh_l0"],
        tagger.head.weight,
        tagger.head.bias,
    ]
    flat = np.concatenate([part.detach().numpy().ravel() for part in parts]).astype("<f4")
    weights = base64.b64encode(flat.tobytes()).decode()
    return json.dumps(
        {
            "columns": chosen,
            "hidden": HIDDEN,
            "delay": DELAY,
            "usual": round(usual, 4),
            "weights": weights,
        }
    )


def attach(model: Path, text: str, threshold: float) -> None:
    """Puts a tagger into the metadata of a model, in place of any that is there, and the threshold
    of decisions in streams."""
    graph = onnx.load(model)
    kept = {prop.key: prop.value for prop in graph.metadata_props}
    onnx.helper.set_model_props(
        graph, {**kept, "signd.tagger": text, "signd.threshold": str(threshold)}
    )
    onnx.save(graph, model)


def groups_of(model: Path) -> list[str]:
    """Groups of columns that a model's rows have."""
    props = onnx.load(model, load_external_data=False).metadata_props
    groups: str = next(prop.value for prop in props if prop.key == "signd.groups")
    return groups.split()
