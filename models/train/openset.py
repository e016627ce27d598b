"""Which score tells a known sign from everything else: softmax, energy, distance to a prototype.

    python -m models.train.openset CLIPS NETS LABELS OUT.json

`CLIPS` are the lists of `models.clips_csv`, `NETS` the networks of the four folds. Known clips are
scored by the network that has not met their signer. The score is chosen on the *other words* of
signers not met, which are no sign of the vocabulary either; `foreign` and `idle` are reported.
Logits are as trained; what ships is calibrated besides (`calibration`).
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from .calibration import calibrated, softmax
from .clips import Floats, fold_of, read_index, read_split, read_vocabulary
from .fit import answers, read, rows_of_files
from .net import Net

FOLDS = 4


@dataclass
class Said:
    """What a network says of clips."""

    logits: Floats
    """`[N,K+1]`, *no sign* last."""
    near: Floats
    """`[N,K]`, cosine to the prototype of each sign."""


SCORES: dict[str, Callable[[Said], Floats]] = {
    "softmax, no sign among the outputs": lambda s: softmax(s.logits)[:, :-1].max(axis=1),
    "softmax of the signs alone": lambda s: softmax(s.logits[:, :-1]).max(axis=1),
    "probability of any sign": lambda s: 1 - softmax(s.logits)[:, -1],
    "energy of the signs": lambda s: energy(s.logits[:, :-1]),
    "greatest logit": lambda s: s.logits[:, :-1].max(axis=1),
    "greatest logit over no sign": lambda s: s.logits[:, :-1].max(axis=1) - s.logits[:, -1],
    "distance to the nearest prototype": lambda s: s.near.max(axis=1),
}


def energy(logits: Floats) -> Floats:
    """Free energy, negated (Liu 2020): log of the sum of the exponentials."""
    most = logits.max(axis=1)
    out: Floats = most + np.log(np.exp(logits - most[:, None]).sum(axis=1))
    return out


def auroc(known: Floats, others: Floats) -> float:
    """How often a known clip scores higher than another; ties count half."""
    ordered = np.sort(others)
    below = np.searchsorted(ordered, known, "left") + np.searchsorted(ordered, known, "right")
    return float(below.mean() / 2 / len(others))


def accepted(known: Floats, others: Floats, share: float = 0.95) -> float:
    """Share of the others that is accepted where this share of the known is."""
    return float((others >= np.quantile(known, 1 - share)).mean())


def said(net: Net, rows: list[Floats]) -> Said:
    logits, embeddings = answers(net, rows)
    prototypes = F.normalize(net.prototypes.detach(), dim=1).numpy()[:-1]
    return Said(logits, embeddings @ prototypes.T)


def joined(parts: list[Said]) -> Said:
    return Said(np.concatenate([p.logits for p in parts]), np.concatenate([p.near for p in parts]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path)
    parser.add_argument("nets", type=Path)
    parser.add_argument("labels", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--signd", type=Path, default=Path("target/release/signd"))
    parser.add_argument("--split", type=Path, default=Path(__file__).parents[1] / "split.csv")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    labels, split = read_vocabulary(asked.labels), read_split(asked.split)
    nets = [read(asked.nets / f"fold{fold}.pt") for fold in range(FOLDS)]

    def lines(name: str) -> list[dict[str, str]]:
        return read_index(asked.clips / f"{name}.csv")

    def rows(chosen: list[dict[str, str]]) -> list[Floats]:
        return rows_of_files(asked.signd, [Path(line["path"]) for line in chosen])

    def by_own_fold(chosen: list[dict[str, str]]) -> tuple[Said, list[dict[str, str]]]:
        parts, order = [], []
        for fold, net in enumerate(nets):
            mine = [line for line in chosen if fold_of(line, split) == fold]
            parts.append(said(net, rows(mine)))
            order += mine
        return joined(parts), order

    known, order = by_own_fold([*lines("wlasl"), *lines("webcam")])
    fold = np.array([fold_of(line, split) for line in order])
    truth = np.array([labels.index(line["label"]) for line in order])
    other, _ = by_own_fold(lines("other"))
    unmet = {}
    for name in ("foreign", "idle-eval"):
        there = rows(lines(name))
        unmet[name] = joined([said(net, there) for net in nets])

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
        told = "  ".join(f"{k} {a:.3f} {b:.0%}" for k, (a, b) in line.items())
        print(f"{name:40} {told}")
    asked.out.write_text(json.dumps(found, indent=1))
    print(calibration)


if __name__ == "__main__":
    main()
