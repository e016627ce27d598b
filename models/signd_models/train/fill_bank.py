"""Fills the bank of the first stage: deformed and composed clips, with the teachers' answers.

    python -m signd_models.train.fill_bank DATA BANK --peers PEERS --shards 64 --worker 0 --of 2

Every shard is made from its number alone and the shards its worker made before, so filling goes on
where it was stopped. Without `--peers` there are no composed clips, and labels alone teach.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ..arguments import add_peers, add_signd, add_split, add_workers, argument_parser
from ..arrays import Random
from ..clips import load
from ..indices import TRAINING_SETS, read_split, vocabulary_of
from ..signd import RowFilter
from .bank import Kind, Shard, read_compositions, views
from .clip_maker import ClipMaker
from .teachers import Teacher

VIEWS = {Kind.LABELLED: 1, Kind.BLEND: 1, Kind.COMPOSED: 2, Kind.NO_SIGN: 1}
"""Views of each clip."""


def fill(maker: ClipMaker, rows_of: RowFilter, rng: Random, count: int, out: Path) -> None:
    """Makes one shard."""
    shard = Shard()
    for clip in maker.shard(rng, count):
        shard.add(clip, views(clip, VIEWS[clip.kind], rows_of, rng, 1.0))
    shard.write(out)


def main(argv: Sequence[str] | None = None) -> None:
    """Does what the command line says."""
    parser = argument_parser(__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("bank", type=Path)
    add_peers(parser)
    add_signd(parser)
    add_split(parser)
    parser.add_argument("--shards", type=int, default=64)
    parser.add_argument("--clips", type=int, default=4000, help="in a shard")
    add_workers(parser)
    args = parser.parse_args(argv)
    clips = load(args.signd, args.data, TRAINING_SETS, read_split(args.split))
    teacher = Teacher.of(args.peers) if args.peers else None
    maker = ClipMaker(clips, vocabulary_of(args.data), teacher)
    args.bank.mkdir(parents=True, exist_ok=True)
    with args.signd.row_filter() as rows_of:
        for n in tqdm(range(args.worker, args.shards, args.of), unit="shard"):
            out = args.bank / f"{n:04}.npz"
            if out.exists():
                for composition, log_probs in read_compositions(out):
                    maker.remember(composition, log_probs)
            else:
                fill(maker, rows_of, np.random.default_rng([1, n]), args.clips, out)


if __name__ == "__main__":
    main()
