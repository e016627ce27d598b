"""Figures of a model's answers, each with a 95 % interval; as `signd eval` defines them.

An answer is the best labels and their probabilities (0..1), best first: `[("milk", 0.8), ...]`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

Answer = Sequence[tuple[str, float]]

Z = 1.959964
"""Standard deviations to either side that hold 95 % of a normal distribution."""
ACCEPTED = 0.95
"""Share of the known that a threshold must let through."""


@dataclass
class Figure:
    """A figure 0..1 and the bounds of its interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """In per cent."""
        return f"{100 * self.value:5.1f} ({100 * self.low:.1f}..{100 * self.high:.1f})"


def share(hits: Sequence[bool]) -> Figure:
    """Share of hits (at least one clip), with Wilson's interval."""
    n, p = len(hits), sum(hits) / len(hits)
    middle, half = p + Z * Z / (2 * n), Z * sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    # Rounding may put a bound past the figure itself.
    low, high = ((middle + sign * half) / (1 + Z * Z / n) for sign in (-1, 1))
    return Figure(p, min(low, p), max(high, p))


def top(answers: Sequence[Answer], labels: Sequence[str], no_sign: str | None) -> dict[str, Figure]:
    """Shares of clips whose label is the best output, and among the five best signs."""
    best = [
        bool(answer) and answer[0][0] == label
        for answer, label in zip(answers, labels, strict=True)
    ]
    among = []
    for answer, label in zip(answers, labels, strict=True):
        signs = [name for name, _ in answer if name != no_sign]
        among.append(label in signs[:5])
    return {"top1": share(best), "top5": share(among)}


def scores(answers: Sequence[Answer], no_sign: str | None) -> NDArray[np.float64]:
    """Probability of each answer's best sign: what says that a known sign was made."""
    found = [next((p for name, p in answer if name != no_sign), 0.0) for answer in answers]
    return np.array(found)


def open_set(known: NDArray[np.float64], others: NDArray[np.float64]) -> dict[str, Figure]:
    """How well scores `[N]` tell known signs from others `[M]`: the area under the ROC curve, ties
    counting half, with Hanley and McNeil's interval; and the share of others accepted by the
    highest threshold that accepts 95 % of the known."""
    wins = (known[:, None] > others).mean() + (known[:, None] == others).mean() / 2
    a, n, m = float(wins), len(known), len(others)
    spread = (n - 1) * (a / (2 - a) - a * a) + (m - 1) * (2 * a * a / (1 + a) - a * a)
    half = Z * sqrt((a * (1 - a) + spread) / (n * m))
    threshold = np.sort(known)[::-1][int(np.ceil(ACCEPTED * n)) - 1]
    accepted = share([bool(score >= threshold) for score in others])
    return {"auroc": Figure(a, max(a - half, 0.0), min(a + half, 1.0)), "accepted": accepted}
