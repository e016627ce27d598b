"""Fills the bank of the second stage: clips that are all new, each with the teacher's answer to it.

    python -m signd_models.train.fill_distillation_bank DATA PEERS FIRST_BANK BANK --shards 30

Recordings, blended recordings and the best of the composed clips of the first bank are warped and
deformed. Then the teacher is asked. Then cameras and estimators do to them what they do (`view`).
So teacher and student see nearly the same clip, and no clip twice: Beyer et al. 2022, "Knowledge
distillation: A good teacher is patient and consistent".
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ..arguments import add_signd, add_split, add_workers, argument_parser
from ..arrays import Random
from ..clips import load
from ..indices import FOLDS, TRAINING_SETS, read_split, vocabulary_of
from ..signd import RowFilter
from .augment import deformed
from .bank import UNKNOWN, BankClip, Kind, Shard, even, read_compositions, views
from .clip_maker import ClipMaker
from .compose import compose, mutated, random_composition
from .teachers import Teacher
from .warp import warped

PER_SHARD = {Kind.LABELLED: 1200, Kind.BLEND: 400, Kind.COMPOSED: 2000, Kind.NO_SIGN: 400}
KEPT_COMPOSITIONS = 60
"""For each sign and each fold left out."""
MILD = 0.3
"""Of what a view deforms by itself: it comes after the teacher's answer."""


class DistillationClipMaker(ClipMaker):
    """Makes clips whose meaning is asked for last."""

    def warped(self, clip: BankClip, rng: Random, strength: float) -> BankClip:
        """A clip warped, and the teacher's answer to what has come of it."""
        points = deformed(warped(clip.points, rng, strength), rng)
        log_probs, pooled = self.asked(points)
        return replace(clip, points=points, log_probs=log_probs, pooled=pooled)

    def one(self, kind: Kind, rng: Random) -> BankClip:
        """A clip of a kind."""
        match kind:
            case Kind.NO_SIGN:
                return self.no_sign(rng)
            case Kind.LABELLED:
                i = self.known[rng.integers(len(self.known))]
                recorded = self.pool.clips[i]
                folds = self.folds(i)
                clip = BankClip(recorded.points, recorded.t, kind, self.number[i], folds)
                return self.warped(clip, rng, 0.5)
            case Kind.BLEND:
                return self.warped(self.blend(rng), rng, 0.5)
            case Kind.COMPOSED:
                return self.warped_composition(rng)

    def warped_composition(self, rng: Random) -> BankClip:
        """A mutation of a composed clip that the teacher knows well, warped."""
        without, sign = int(rng.integers(FOLDS)), int(rng.integers(len(self.labels)))
        ancestors = self.best.get((without, sign), [])
        if ancestors:
            _, composition = ancestors[rng.integers(len(ancestors))]
            composition = mutated(composition, self.pool, rng, without)
        else:
            composition = random_composition(self.pool, rng, without)
        points = compose(self.pool, composition)
        folds = self.pool.folds(composition)
        clip = BankClip(points, even(len(points)), Kind.COMPOSED, UNKNOWN, folds)
        clip = self.warped(clip, rng, 1.0)
        assert clip.log_probs is not None, "only a teacher knows what a composed clip means"
        return replace(clip, label=self.meaning(clip.log_probs))


def fill(maker: DistillationClipMaker, rows_of: RowFilter, rng: Random, out: Path) -> None:
    """Makes one shard."""
    shard = Shard()
    for kind, count in PER_SHARD.items():
        for _ in range(count):
            clip = maker.one(kind, rng)
            shard.add(clip, views(clip, 1, rows_of, rng, 1.0 if kind == Kind.NO_SIGN else MILD))
    shard.write(out)


def main(argv: Sequence[str] | None = None) -> None:
    """Does what the command line says."""
    parser = argument_parser(__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("peers", type=Path)
    parser.add_argument("first", type=Path, help="the bank of the first stage")
    parser.add_argument("bank", type=Path)
    add_signd(parser)
    add_split(parser)
    parser.add_argument("--shards", type=int, default=40)
    add_workers(parser)
    args = parser.parse_args(argv)
    clips = load(args.signd, args.data, TRAINING_SETS, read_split(args.split))
    labels, teacher = vocabulary_of(args.data), Teacher.of(args.peers)
    maker = DistillationClipMaker(clips, labels, teacher, KEPT_COMPOSITIONS)
    for shard in sorted(args.first.glob("????.npz")):
        for composition, log_probs in read_compositions(shard):
            maker.remember(composition, log_probs)
    args.bank.mkdir(parents=True, exist_ok=True)
    with args.signd.row_filter() as rows_of:
        for n in tqdm(range(args.worker, args.shards, args.of), unit="shard"):
            out = args.bank / f"{n:04}.npz"
            if not out.exists():
                fill(maker, rows_of, np.random.default_rng([3, n]), out)


if __name__ == "__main__":
    main()
