"""The full GISLR set as clips to be taught with.

    python -m signd_models.train.gislr FOLDER CLIPS.xz

`FOLDER` holds `train.csv` (or `train.csv.gz`) and the parquet files that it names, as the
competition gives them out. Files that are missing are counted and left out.
"""

import csv
import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ..arguments import add_signd, add_split, argument_parser
from ..arrays import Floats
from ..indices import FOLDS, read_split, read_vocabulary
from .clip_store import Kind, write

AT_ONCE = 500
"""Files that are read together."""


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


def main(argv: Sequence[str] | None = None) -> None:
    """Does what the command line says."""
    parser = argument_parser(__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--labels", type=Path, help="sign_to_prediction_index_map.json [FOLDER's]")
    add_signd(parser)
    add_split(parser)
    args = parser.parse_args(argv)
    labels = read_vocabulary(args.labels or args.folder / "sign_to_prediction_index_map.json")
    number = {label: i for i, label in enumerate(labels)}
    split = read_split(args.split)
    listed = read_list(args.folder)
    lines = [line for line in listed if line.path.exists()]
    print(f"{len(lines)} of {len(listed)} listed clips are there")
    rows: list[Floats] = []
    entries = []
    for at in tqdm(range(0, len(lines), AT_ONCE), unit_scale=AT_ONCE, unit="clip"):
        some = lines[at : at + AT_ONCE]
        for line, clip in zip(some, args.signd.rows([line.path for line in some]), strict=True):
            if not np.isfinite(clip[:, 0]).any():
                continue
            # A signer that the split does not name has the fold of the number's remainder.
            fold = split.get(("gislr", line.signer), int(line.signer) % FOLDS)
            path, signer = f"gislr/{line.path.name}", f"gislr/{line.signer}"
            rows.append(clip)
            entries.append(
                {"label": number[line.label], "kind": int(Kind.SIGN), "fold": fold, "path": path}
                | {"signer": signer, "signs": len(labels)}
            )
    write(args.out, rows, entries)


if __name__ == "__main__":
    main()
