"""Which score tells a known sign from everything else, and the calibration of a network's answers.

    python -m signd_models.train.openset CLIPS NETS OUT.json

`NETS` holds the networks of the four folds. Known clips, other words and signs of other languages
are scored by the network that has not met their signer or language, people who do not sign by all
four. The score is chosen on the *other words*. `foreign` and `idle` are reported. Logits are as
trained. What ships is calibrated besides (`calibration`).
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ..arguments import argument_parser
from ..arrays import Floats
from ..indices import FOLDS
from .calibration import calibrated, softmax
from .checkpoint import read_net
from .clip_store import NOWHERE, ClipStore, Kind
from .metrics import accepted, auroc, energy
from .score import outputs

SCORES: dict[str, Callable[[Floats], Floats]] = {
    "softmax, no sign among the outputs": lambda x: softmax(x)[:, :-1].max(axis=1),
    "softmax of the signs alone": lambda x: softmax(x[:, :-1]).max(axis=1),
    "probability of any sign": lambda x: 1 - softmax(x)[:, -1],
    "energy of the signs": lambda x: energy(x[:, :-1]),
    "greatest logit": lambda x: x[:, :-1].max(axis=1),
    "greatest logit over no sign": lambda x: x[:, :-1].max(axis=1) - x[:, -1],
}
IDLE_ROWS = 90
"""Rows of people who do not sign that count: about as many as of the longest signs."""


def answers(store: ClipStore, nets: Path, kind: Kind) -> tuple[Floats, NDArray[np.int64]]:
    """Logits `[N,K+1]` of the clips of a kind, each by the networks that have not met it, and the
    clips' numbers. Of signs, those of GISLR are left out: the public network has met them."""
    found, numbers = [], []
    kinds, folds = store.kind.numpy(), store.fold.numpy()
    met = np.array([path.startswith("gislr/") for path in store.path])
    for fold in range(FOLDS):
        mine = NOWHERE if kind == Kind.IDLE else fold
        clips = np.flatnonzero((kinds == kind) & (folds == mine) & ~met)
        if len(clips):
            found.append(outputs(read_net(nets / f"fold{fold}.pt"), store, clips)[0])
            numbers.append(clips)
    return np.concatenate(found), np.concatenate(numbers)


def main(argv: Sequence[str] | None = None) -> None:
    """Does what the command line says."""
    parser = argument_parser(__doc__)
    parser.add_argument("clips", type=Path)
    parser.add_argument("nets", type=Path)
    parser.add_argument("out", type=Path)
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    store = ClipStore.read(args.clips)
    store.length = torch.where(
        store.kind == Kind.IDLE, store.length.clamp(max=IDLE_ROWS), store.length
    )
    known, clips = answers(store, args.nets, Kind.SIGN)
    fold, truth = store.fold.numpy()[clips], store.label.numpy()[clips]
    unknown = {
        name: answers(store, args.nets, kind)[0]
        for name, kind in (
            ("other words", Kind.OTHER_SIGN),
            ("foreign", Kind.FOREIGN),
            ("idle", Kind.IDLE),
        )
    }
    calibration = calibrated(known, truth)
    without = [calibrated(known[fold != k], truth[fold != k]) for k in range(FOLDS)]
    found: dict[str, object] = {
        "calibration": asdict(calibration),
        "without": [asdict(each) for each in without],
        "known": len(truth),
    }
    for name, score in SCORES.items():
        line = {
            against: (auroc(score(known), score(logits)), accepted(score(known), score(logits)))
            for against, logits in unknown.items()
        }
        found[name] = line
        figures = "  ".join(f"{k} {a:.3f} {b:.0%}" for k, (a, b) in line.items())
        print(f"{name:40} {figures}")
    args.out.write_text(json.dumps(found, indent=1))
    print(calibration)


if __name__ == "__main__":
    main()
