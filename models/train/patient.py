"""Fills the second bank: clips that are all new, each with the teacher's answer to that very clip.

    python -m models.train.patient DATA PEERS FIRST_BANK BANK --shards 40 --worker 0 --of 2

Recordings, joined recordings and the best of the composed clips of the first bank are warped and
bent; then the teacher is asked; then cameras and estimators do to them what they do (`view`).
"""

import argparse
from pathlib import Path

import numpy as np
from tqdm import tqdm

from . import bank
from .bank import BLEND, COMPOSED, GIBBERISH, LABELLED, NO, Base, Filter, Maker, Shard, even, recall
from .clips import load, read_split, read_vocabulary
from .synth import Random, bent, compose, extended, mutated, random_genes, view
from .teachers import Teacher
from .warp import warped

PER_SHARD = {LABELLED: 1200, BLEND: 400, COMPOSED: 2000, NO: 400}
KEPT_GENES = 60
MILD = 0.3
"""Of what a view bends by itself: it comes after the teacher's answer."""


class Patient(Maker):
    """Makes clips whose meaning is asked for last."""

    def asked(self, base: Base, rng: Random, much: float) -> Base:
        base.points = bent(warped(base.points, rng, much), rng)
        base.said, base.pooled = self.teacher(base.points, False)
        return base

    def one(self, kind: int, rng: Random) -> Base:
        if kind == NO:
            return self.no_sign(rng)
        if kind == LABELLED:
            i = self.known[rng.integers(len(self.known))]
            clip = self.pool.clips[i]
            base = Base(clip.points, clip.t, LABELLED, self.number[i], self.folds(i))
            return self.asked(base, rng, 0.5)
        if kind == BLEND:
            return self.asked(self.blend(rng), rng, 0.5)
        without, sign = int(rng.integers(4)), int(rng.integers(len(self.labels)))
        ancestors = self.best.get((without, sign), [])
        if ancestors:
            _, genes = ancestors[rng.integers(len(ancestors))]
            genes = mutated(genes, self.pool, rng, without)
        else:
            genes = random_genes(self.pool, rng, without)
        points = compose(self.pool, genes)
        base = Base(points, even(len(points)), COMPOSED, -1, self.pool.folds(genes))
        base = self.asked(base, rng, 1.0)
        if base.said is not None and np.exp(base.said.max()) < GIBBERISH:
            base.label = len(self.labels)
        return base


def fill(maker: Patient, rows_of: Filter, rng: Random, out: Path) -> None:
    shard = Shard()
    for kind, count in PER_SHARD.items():
        for _ in range(count):
            base = maker.one(kind, rng)
            points, t = base.points, base.t
            if kind in (BLEND, COMPOSED):
                points = extended(points, rng)
                t = even(len(points))
            shard.add(base, [rows_of(*view(points, t, rng, 1.0 if kind == NO else MILD))])
    shard.write(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("peers", type=Path)
    parser.add_argument("first", type=Path)
    parser.add_argument("bank", type=Path)
    parser.add_argument("--signd", type=Path, default=Path("target/release/signd"))
    parser.add_argument("--split", type=Path, default=Path(__file__).parents[1] / "split.csv")
    parser.add_argument("--shards", type=int, default=40)
    parser.add_argument("--worker", type=int, default=0)
    parser.add_argument("--of", type=int, default=1)
    asked = parser.parse_args()
    labels = read_vocabulary(asked.data / "gislr/sign_to_prediction_index_map.json")
    clips = load(
        asked.signd, asked.data, ["gislr", "wlasl", "webcam", "idle"], read_split(asked.split)
    )
    maker, rows_of = Patient(clips, labels, Teacher.of(asked.peers)), Filter(asked.signd)
    bank.KEPT_GENES = KEPT_GENES
    for shard in sorted(asked.first.glob("????.npz")):
        recall(maker, shard)
    asked.bank.mkdir(parents=True, exist_ok=True)
    for n in tqdm(range(asked.worker, asked.shards, asked.of), unit="shard"):
        out = asked.bank / f"{n:04}.npz"
        if not out.exists():
            fill(maker, rows_of, np.random.default_rng([3, n]), out)


if __name__ == "__main__":
    main()
