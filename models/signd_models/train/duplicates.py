"""Names pairs of clips that may be one take under two names.

    python -m signd_models.train.duplicates CLIPS

Compared is the course of six points of the dominant hand at sixteen moments of each clip. Pairs of
different signers are named, nearest first.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from ..arguments import argument_parser
from .clip_store import ClipStore

POINTS = [0, 4, 8, 12, 16, 20]
"""Wrist and fingertips."""
MOMENTS = 16
FEWEST = 8
"""Rows that show the hand. Clips with fewer are passed over."""


def courses(store: ClipStore) -> tuple[torch.Tensor, list[int]]:
    """Courses of clips, `[N,MOMENTS*6*2]`, shoulder widths, and their numbers."""
    found, numbers = [], []
    for i in range(len(store)):
        hand = store.clip(i)[:, POINTS]
        hand = hand[torch.isfinite(hand).all(dim=2).all(dim=1)]
        if len(hand) >= FEWEST:
            at = torch.linspace(0, len(hand) - 1, MOMENTS).round().long()
            found.append(hand[at].flatten())
            numbers.append(i)
    return torch.stack(found), numbers


def main(argv: Sequence[str] | None = None) -> None:
    """Does what the command line says."""
    parser = argument_parser(__doc__)
    parser.add_argument("clips", type=Path)
    parser.add_argument(
        "--within", type=float, default=0.06, help="shoulder widths, root mean square"
    )
    args = parser.parse_args(argv)
    store = ClipStore.read(args.clips)
    course, numbers = courses(store)
    apart = (torch.cdist(course, course) / course.shape[1] ** 0.5).numpy()
    signer = np.array(store.signer)[numbers]
    pairs = np.argwhere(np.triu(apart < args.within, 1) & (signer[:, None] != signer))
    for a, b in sorted(pairs.tolist(), key=lambda pair: float(apart[pair[0], pair[1]])):
        names = (f"{store.path[i]} (fold {int(store.fold[i])})" for i in (numbers[a], numbers[b]))
        print(f"{apart[a, b]:.3f}", *names)


if __name__ == "__main__":
    main()
