"""The clips that models are compared on, as files for `signd eval`.

    python -m signd_models.clip_lists DATA OUT_DIR

DATA holds the sets (`gislr/`, `wlasl/`, ...), each with an `index.csv`. One CSV for each kind of
clip goes to OUT_DIR, with the columns `path,label,signer,fps,width,height`:

| file | clips |
|---|---|
| `gislr.csv`, `wlasl.csv`, `webcam.csv` | known: the label is one of the vocabulary's 250 |
| `other.csv` | ASL signs that are not in the vocabulary |
| `foreign.csv` | other sign languages, less what may resemble an ASL sign, and sentences |
| `idle-eval.csv` | people who do not sign: the start of each recording kept for evaluation |

The first are *known*, the others must be refused. Where only the start of a recording counts, a
copy of it is written under OUT_DIR: evaluation takes whole files. Signers of other languages who
are in another set are left out.
"""

import csv
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from .indices import LABELLED_SETS, read_split, set_index, vocabulary_of
from .places import SPLIT

COLUMNS = ["path", "label", "signer", "fps", "width", "height"]
FOREIGN_FRAMES = 200
"""A longer recording of another sign language is a sentence, not a sign."""
IDLE_FRAMES = 90
"""Frames of an idle recording that count: about as long as the longest signs."""


def frames_of(path: Path) -> int:
    """Frames in a packed clip."""
    with np.load(path) as clip:
        return len(clip["q"])


def write_start(path: Path, frames: int, out: Path) -> None:
    """Copies the start of a packed clip. Its frames are differences from the first on, so that
    the others are simply left out."""
    with np.load(path) as clip:
        kept = {name: clip[name] for name in clip.files} | {"q": clip["q"][:frames]}
    out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(out, **kept)


def clips(data: Path, name: str) -> list[dict[str, str]]:
    """The lines of a set's index, with absolute paths."""
    return [line | {"path": str(Path(line["path"]).resolve())} for line in set_index(data, name)]


def write(path: Path, lines: Iterable[dict[str, str]]) -> None:
    """Writes one CSV and says how many clips are in it."""
    lines = list(lines)
    with path.open("w", newline="") as file:
        out = csv.DictWriter(file, COLUMNS, extrasaction="ignore", lineterminator="\n")
        out.writeheader()
        out.writerows(lines)
    print(f"{len(lines):4} {path}")


def main(data: Path, out: Path) -> None:
    """Writes all of the files."""
    split = read_split(SPLIT)
    out.mkdir(parents=True, exist_ok=True)
    vocabulary = set(vocabulary_of(data))
    asl = {name: clips(data, name) for name in LABELLED_SETS}
    for name, lines in asl.items():
        write(out / f"{name}.csv", (line for line in lines if line["label"] in vocabulary))
    asl["other_asl"] = clips(data, "other_asl")
    every = [line for lines in asl.values() for line in lines]
    others = [line for line in every if line["label"] not in vocabulary]
    write(out / "other.csv", others)
    foreign = [
        line
        for line in clips(data, "foreign")
        if ("foreign", line["signer"]) in split
        and "may resemble ASL" not in line["note"]
        and frames_of(Path(line["path"])) <= FOREIGN_FRAMES
    ]
    write(out / "foreign.csv", foreign)
    idle = [line for line in clips(data, "idle") if line["part"] == "eval"]
    for line in idle:
        start = out.resolve() / "idle-eval" / Path(line["path"]).name
        write_start(Path(line["path"]), IDLE_FRAMES, start)
        line["path"] = str(start)
    write(out / "idle-eval.csv", idle)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
