"""Writes `split.csv`: which signer is in which fold, over all sets. Run once; the file is kept.

    python -m signd_models.train.split DATA > split.csv

Folds are balanced greedily by the clips whose label is in the vocabulary, set by set, big signers
first. Signer ids that may be the same few people stay together. Sets for evaluation only do not
appear; of `idle` the people marked for training have fold -1: they are in every training set.
"""

import csv
import sys
from collections import Counter
from pathlib import Path

from ..indices import FOLDS, LABELLED_SETS, SAME_PEOPLE, read_index, vocabulary_of


def main(data: Path) -> None:
    """Prints the split of the sets in DATA."""
    vocabulary = set(vocabulary_of(data))
    together = {
        (name, signer): f"{name}:same{i}" for i, (name, s) in enumerate(SAME_PEOPLE) for signer in s
    }
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["set", "signer", "fold"])
    for name in LABELLED_SETS:
        clips: Counter[str] = Counter()
        members: dict[str, set[str]] = {}
        for line in read_index(data / name / "index.csv"):
            group = together.get((name, line["signer"]), line["signer"])
            clips[group] += 100 if line["label"] in vocabulary else 1
            members.setdefault(group, set()).add(line["signer"])
        load = [0] * FOLDS
        for group, count in sorted(clips.items(), key=lambda item: (-item[1], item[0])):
            fold = load.index(min(load))
            load[fold] += count
            for signer in sorted(members[group]):
                out.writerow([name, signer, fold])
    people = {x["signer"]: x["part"] for x in read_index(data / "idle/index.csv")}
    for signer, part in sorted(people.items()):
        if part == "train":
            out.writerow(["idle", signer, -1])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
