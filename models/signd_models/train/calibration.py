"""From a network's logits to probabilities that mean what they say.

Found by `openset` on clips of signers that the network has not met. What ships has it built in.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats

WRONG = 0.05
"""Share of known signs that may be decided wrongly."""


@dataclass
class Calibration:
    """What is done to a network's logits, and the threshold of decisions."""

    temperature: float = 1.0
    """Divides all of them."""
    no_sign: float = 0.0
    """Added to that of *no sign* before."""
    threshold: float = 0.5
    """Least probability of a decided sign."""

    @staticmethod
    def read(path: Path, without: int | None = None) -> "Calibration":
        """What `openset` has found on all folds, or on all but one."""
        found = json.loads(path.read_text())
        return Calibration(
            **(found["calibration"] if without is None else found["without"][without])
        )

    def probabilities(self, logits: Floats) -> Floats:
        """Of logits `[N,K+1]`, *no sign* last."""
        shifted = logits.copy()
        shifted[:, -1] += self.no_sign
        return softmax(shifted / self.temperature)


def calibrated(known: Floats, truth: NDArray[np.int64]) -> Calibration:
    """Calibration on logits `[N,K+1]` of clips of signers not met and their labels `[N]`.

    Training calls much that is strange *no sign*, and strange signers too are called it: its logit
    is lowered until a known sign loses no more than one place in a hundred to it. The temperature
    makes the true labels most probable (Guo 2017). The threshold lets one known sign in twenty be
    decided wrongly.
    """
    alone = float((known[:, :-1].argmax(axis=1) == truth).mean())
    lost = [(b, alone - _top1(known, truth, b)) for b in np.arange(0.0, -6.0, -0.25)]
    no_sign = float(next(b for b, loss in lost if loss <= 0.01))
    picked = np.arange(len(truth))
    tried = {}
    for t in np.geomspace(0.3, 3.0, 61):
        p = Calibration(t, no_sign, 0.0).probabilities(known)[picked, truth]
        tried[float(t)] = float(-np.log(p + 1e-12).mean())
    temperature = min(tried, key=lambda t: tried[t])
    made = Calibration(temperature, no_sign, 0.0)
    p = made.probabilities(known)
    wrong = np.where(p.argmax(axis=1) != truth, p[:, :-1].max(axis=1), 0.0)
    wrong[p.argmax(axis=1) == p.shape[1] - 1] = 0.0
    made.threshold = float(np.ceil(100 * np.quantile(wrong, 1 - WRONG)) / 100)
    return made


def _top1(logits: Floats, truth: NDArray[np.int64], no_sign: float) -> float:
    """Share of right best outputs, this added to the logit of *no sign*."""
    shifted = logits.copy()
    shifted[:, -1] += no_sign
    return float((shifted.argmax(axis=1) == truth).mean())


def softmax(logits: Floats) -> Floats:
    """Probabilities `[N,K]` of logits `[N,K]`."""
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    out: Floats = p / p.sum(axis=1, keepdims=True)
    return out
