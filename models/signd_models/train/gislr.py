"""The full GISLR set as a bank: every clip of a `train.csv`, deformed, as rows of features.

    python -m signd_models.train.gislr FOLDER BANK --peers PEERS

`FOLDER` holds `train.csv` (or `train.csv.gz`) and the parquet files that it names, as the
competition gives them out. Memory is bounded by one shard. A shard that is there is not made again,
so filling goes on where it was stopped, and several workers (`--worker 0 --of 2`) share the work.
Files that are missing are counted and left out.
"""

import csv
import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ..arguments import add_peers, add_signd, add_split, add_workers, argument_parser
from ..clips import Clip, canonical
from ..indices import FOLDS, Split, read_split, read_vocabulary
from ..signd import Signd
from .bank import BankClip, Kind, Shard, views
from .teachers import Teacher

PER_SHARD = 2000


@dataclass(frozen=True)
class Line:
    """A line of `train.csv`."""

    path: Path
    signer: str
    label: str


def read_list(folder: Path) -> list[Line]:
    """All lines of the list, in its order, whether the files are there or not."""
    plain, packed = folder / "train.csv", folder / "train.csv.gz"
    text = plain.read_text() if plain.exists() else gzip.decompress(packed.read_bytes()).decode()
    return [
        Line(folder / line["path"], line["participant_id"], line["sign"].strip().lower())
        for line in csv.DictReader(text.splitlines())
    ]


def clips_of(signd: Signd, lines: list[Line], split: Split) -> list[Clip]:
    """These clips in signer space; those without shoulders are left out. A signer that the split
    does not name has the fold of the number's remainder."""
    recordings = signd.landmarks([line.path for line in lines])
    placed = (
        canonical(
            recording,
            source="gislr",
            path=line.path.name,
            label=line.label,
            signer=line.signer,
            fold=split.get(("gislr", line.signer), int(line.signer) % FOLDS),
        )
        for line, recording in zip(lines, recordings, strict=True)
    )
    return [clip for clip in placed if clip is not None]


def main(argv: Sequence[str] | None = None) -> None:
    """Does what the command line says."""
    parser = argument_parser(__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("bank", type=Path)
    add_peers(parser)
    parser.add_argument("--labels", type=Path, help="sign_to_prediction_index_map.json [FOLDER's]")
    parser.add_argument("--views", type=int, default=2, help="of each clip")
    add_signd(parser)
    add_split(parser)
    add_workers(parser)
    args = parser.parse_args(argv)
    labels = read_vocabulary(args.labels or args.folder / "sign_to_prediction_index_map.json")
    number = {label: i for i, label in enumerate(labels)}
    split = read_split(args.split)
    teacher = Teacher.of(args.peers) if args.peers else None
    listed = read_list(args.folder)
    lines = [line for line in listed if line.path.exists()]
    print(f"{len(lines)} of {len(listed)} listed clips are there")
    # A fixed shuffle: the list is sorted by signer, and a shard should not be of one signer alone.
    lines = [lines[i] for i in np.random.default_rng(0).permutation(len(lines))]
    args.bank.mkdir(parents=True, exist_ok=True)
    shards = range(args.worker, -(-len(lines) // PER_SHARD), args.of)
    with args.signd.row_filter() as rows_of:
        for n in tqdm(shards, unit="shard"):
            out = args.bank / f"{n:04}.npz"
            if out.exists():
                continue
            rng, shard = np.random.default_rng([2, n]), Shard()
            for clip in clips_of(args.signd, lines[n * PER_SHARD : (n + 1) * PER_SHARD], split):
                opinion = teacher(clip.points, False) if teacher else (None, None)
                label, folds = number[clip.label], 1 << clip.fold
                made = BankClip(clip.points, clip.t, Kind.LABELLED, label, folds, *opinion)
                shard.add(made, views(made, args.views, rows_of, rng, 1.0))
            shard.write(out)


if __name__ == "__main__":
    main()
