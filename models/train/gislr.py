"""The full GISLR set as a bank: every clip of a `train.csv`, bent, as rows of the daemon's features.

    python -m models.train.gislr FOLDER BANK --peers PEERS

`FOLDER` holds `train.csv` (or `train.csv.gz`) and the parquet files that it names, as the
competition gives them out. Memory is bounded by one shard. A shard that is there is not made again,
so filling goes on where it was stopped, and several workers (`--worker 0 --of 2`) share the work.
Files that are missing are counted and left out.
"""

import argparse
import csv
import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from .bank import LABELLED, Base, Filter, Shard
from .clips import Clip, canonical, read_landmarks, read_split, read_vocabulary
from .synth import view
from .teachers import Teacher

PER_SHARD = 2000
FOLDS = 4


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


def clips_of(signd: Path, lines: list[Line], split: dict[tuple[str, str], int]) -> list[Clip]:
    """These clips in signer space; those without shoulders are left out. A signer that the split
    does not name has the fold of the number's remainder."""
    clips = []
    raw = read_landmarks(signd, [line.path for line in lines])
    for line, (points, times, aspect) in zip(lines, raw, strict=True):
        fold = split.get(("gislr", line.signer), int(line.signer) % FOLDS)
        clip = canonical(
            points, times, aspect, "gislr", line.path.name, line.label, line.signer, fold
        )
        if clip is not None:
            clips.append(clip)
    return clips


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("bank", type=Path)
    parser.add_argument(
        "--peers", type=Path, help="folder of the teachers; none: labels alone teach"
    )
    parser.add_argument("--labels", type=Path, help="sign_to_prediction_index_map.json [FOLDER's]")
    parser.add_argument("--views", type=int, default=2, help="bent versions of each clip")
    parser.add_argument("--signd", type=Path, default=Path("target/release/signd"))
    parser.add_argument("--split", type=Path, default=Path(__file__).parents[1] / "split.csv")
    parser.add_argument("--worker", type=int, default=0)
    parser.add_argument("--of", type=int, default=1)
    asked = parser.parse_args()
    labels = read_vocabulary(asked.labels or asked.folder / "sign_to_prediction_index_map.json")
    number = {label: i for i, label in enumerate(labels)}
    split, rows_of = read_split(asked.split), Filter(asked.signd)
    teacher = Teacher.of(asked.peers) if asked.peers else None
    listed = read_list(asked.folder)
    lines = [line for line in listed if line.path.exists()]
    print(f"{len(lines)} of {len(listed)} listed clips are there")
    # A fixed shuffle: the list is sorted by signer, and a shard should not be of one signer alone.
    lines = [lines[i] for i in np.random.default_rng(0).permutation(len(lines))]
    asked.bank.mkdir(parents=True, exist_ok=True)
    shards = range(asked.worker, -(-len(lines) // PER_SHARD), asked.of)
    for n in tqdm(shards, unit="shard"):
        out = asked.bank / f"{n:04}.npz"
        if out.exists():
            continue
        rng, shard = np.random.default_rng([2, n]), Shard()
        for clip in clips_of(asked.signd, lines[n * PER_SHARD : (n + 1) * PER_SHARD], split):
            said, pooled = teacher(clip.points, False) if teacher else (None, None)
            base = Base(
                clip.points, clip.t, LABELLED, number[clip.label], 1 << clip.fold, said, pooled
            )
            shard.add(base, [rows_of(*view(clip.points, clip.t, rng)) for _ in range(asked.views)])
        shard.write(out)


if __name__ == "__main__":
    main()
