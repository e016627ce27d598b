"""Which score tells a known sign from everything else: softmax, energy, distance to a prototype.

    python -m signd_models.train.openset CLIPS NETS LABELS OUT.json

`CLIPS` are the lists of `signd_models.clip_lists`, `NETS` the networks of the four folds. Known
clips are scored by the network that has not met their signer. The score is chosen on the *other
words* of signers not met, which are no sign of the vocabulary either; `foreign` and `idle` are
reported.
Logits are as trained; what ships is calibrated besides (`calibration`).
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from ..arguments import add_signd, add_split, argument_parser
from ..arrays import Floats
from ..indices import FOLDS, Line, fold_of, read_index, read_split, read_vocabulary
from .calibration import calibrated, softmax
from .checkpoint import read_net
from .metrics import accepted, auroc, energy
from .net import Net
from .score import outputs


@dataclass
class Outputs:
    """What a network answers to clips."""

    logits: Floats
    """`[N,K+1]`, *no sign* last."""
    near: Floats
    """`[N,K]`, cosine to the prototype of each sign."""


SCORES: dict[str, Callable[[Outputs], Floats]] = {
    "softmax, no sign among the outputs": lambda s: softmax(s.logits)[:, :-1].max(axis=1),
    "softmax of the signs alone": lambda s: softmax(s.logits[:, :-1]).max(axis=1),
    "probability of any sign": lambda s: 1 - softmax(s.logits)[:, -1],
    "energy of the signs": lambda s: energy(s.logits[:, :-1]),
    "greatest logit": lambda s: s.logits[:, :-1].max(axis=1),
    "greatest logit over no sign": lambda s: s.logits[:, :-1].max(axis=1) - s.logits[:, -1],
    "distance to the nearest prototype": lambda s: s.near.max(axis=1),
}


def answered(net: Net, rows: list[Floats]) -> Outputs:
    """What a network answers to the rows of clips."""
    logits, embeddings = outputs(net, rows)
    prototypes = F.normalize(net.prototypes.detach(), dim=1).numpy()[:-1]
    return Outputs(logits, embeddings @ prototypes.T)


def joined(parts: list[Outputs]) -> Outputs:
    """The clips of all parts, one after the other."""
    logits, near = ([getattr(part, name) for part in parts] for name in ("logits", "near"))
    return Outputs(np.concatenate(logits), np.concatenate(near))


def main(argv: Sequence[str] | None = None) -> None:
    """Does what the command line says."""
    parser = argument_parser(__doc__)
    parser.add_argument("clips", type=Path)
    parser.add_argument("nets", type=Path)
    parser.add_argument("labels", type=Path)
    parser.add_argument("out", type=Path)
    add_signd(parser)
    add_split(parser)
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    labels, split = read_vocabulary(args.labels), read_split(args.split)
    nets = [read_net(args.nets / f"fold{fold}.pt") for fold in range(FOLDS)]

    def lines(name: str) -> list[Line]:
        return read_index(args.clips / f"{name}.csv")

    def rows(chosen: list[Line]) -> list[Floats]:
        files = [Path(line["path"]) for line in chosen]
        found: list[Floats] = args.signd.rows(files)
        return found

    def by_own_fold(chosen: list[Line]) -> tuple[Outputs, list[Line]]:
        parts, order = [], []
        for fold, net in enumerate(nets):
            mine = [line for line in chosen if fold_of(line, split) == fold]
            parts.append(answered(net, rows(mine)))
            order += mine
        return joined(parts), order

    known, order = by_own_fold([*lines("wlasl"), *lines("webcam")])
    fold = np.array([fold_of(line, split) for line in order])
    truth = np.array([labels.index(line["label"]) for line in order])
    other, _ = by_own_fold(lines("other"))
    unmet = {}
    for name in ("foreign", "idle-eval"):
        there = rows(lines(name))
        unmet[name] = joined([answered(net, there) for net in nets])

    calibration = calibrated(known.logits, truth)
    without = [calibrated(known.logits[fold != k], truth[fold != k]) for k in range(FOLDS)]
    found: dict[str, object] = {
        "calibration": asdict(calibration),
        "without": [asdict(each) for each in without],
        "known": len(truth),
    }
    for name, score in SCORES.items():
        line = {}
        for against, what in {"other": other, **unmet}.items():
            line[against] = auroc(score(known), score(what)), accepted(score(known), score(what))
        found[name] = line
        figures = "  ".join(f"{k} {a:.3f} {b:.0%}" for k, (a, b) in line.items())
        print(f"{name:40} {figures}")
    args.out.write_text(json.dumps(found, indent=1))
    print(calibration)


if __name__ == "__main__":
    main()
