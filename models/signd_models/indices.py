"""The lists that say what a recording is: indices of sets, the vocabulary, the split of signers."""

import csv
import json
from pathlib import Path

LABELLED_SETS = ("gislr", "wlasl", "webcam")
"""Sets of DATA whose clips have a label."""
FOLDS = 4
SAME_PEOPLE = [
    "wlasl-10",
    "wlasl-11",
    "wlasl-src-signingsavvy.com",
    "signingsavvy-mzh",
    "signingsavvy-m2",
]
"""Ids of signers of `wlasl` and `other_asl` that may be the same few people."""
NO_SIGN = "no sign"
"""Name of the output that is no label of the vocabulary."""

Line = dict[str, str]
"""A line of an index."""
Split = dict[tuple[str, str], int]
"""Fold of each (set, signer), 0 to 3."""


def read_index(path: Path) -> list[Line]:
    """The lines of an index; labels lower case, empty for *no sign*."""
    with path.open(newline="") as file:
        return [line | {"label": line["label"].strip().lower()} for line in csv.DictReader(file)]


def set_index(data: Path, name: str) -> list[Line]:
    """The index of a set of DATA, with paths that lead to its files."""
    folder = data / name
    return [
        line | {"path": str(folder / line["path"])} for line in read_index(folder / "index.csv")
    ]


def read_vocabulary(path: Path) -> list[str]:
    """Labels in the order of a `sign_to_prediction_index_map.json`."""
    numbers = json.loads(path.read_text())
    return [label.lower() for label, _ in sorted(numbers.items(), key=lambda item: item[1])]


def vocabulary_of(data: Path) -> list[str]:
    """The vocabulary that lies in DATA."""
    return read_vocabulary(data / "gislr/sign_to_prediction_index_map.json")


def read_split(path: Path) -> Split:
    """Fold of each (set, signer)."""
    with path.open(newline="") as file:
        return {(line["set"], line["signer"]): int(line["fold"]) for line in csv.DictReader(file)}


def fold_of(line: Line, split: Split) -> int:
    """Fold of a line whose path leads into a folder named after the set."""
    sets = (folder.name for folder in Path(line["path"]).parents)
    for name in sets:
        if (name, line["signer"]) in split:
            return split[name, line["signer"]]
    raise SystemExit(f"{line['path']}: the split has no fold of signer {line['signer']}")
