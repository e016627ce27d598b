"""How well scores tell known signs from everything else."""

import numpy as np

from ..arrays import Floats


def energy(logits: Floats) -> Floats:
    """Free energy of logits `[N,K]`, negated (Liu et al. 2020): log of the sum of exponentials."""
    most = logits.max(axis=1)
    out: Floats = most + np.log(np.exp(logits - most[:, None]).sum(axis=1))
    return out


def auroc(known: Floats, others: Floats) -> float:
    """How often a known clip scores higher than another, 0 to 1; ties count half."""
    ordered = np.sort(others)
    below = np.searchsorted(ordered, known, "left") + np.searchsorted(ordered, known, "right")
    return float(below.mean() / 2 / len(others))


def accepted(known: Floats, others: Floats, share: float = 0.95) -> float:
    """Share of the others that is accepted where this share of the known is."""
    return float((others >= np.quantile(known, 1 - share)).mean())
