"""Writes `split.csv`: which signer is in which fold, over all sets. Run once; the file is kept.

    python -m signd_models.train.split DATA > split.csv

Folds are balanced greedily by the clips whose label is in the vocabulary, set by set, big signers
first. Signer ids that may be the same few people stay together, in whatever set. Signs of other
languages are set aside by language. People who do not sign are in no fold: `part` of their index
says who may be learned from.
"""

import csv
import sys
from collections import Counter
from pathlib import Path

from ..indices import FOLDS, LABELLED_SETS, SAME_PEOPLE, owner, read_index, vocabulary_of

DICTIONARY_SETS = ("wlasl", "other_asl")


def main(data: Path) -> None:
    """Prints the split of the sets in DATA."""
    vocabulary = set(vocabulary_of(data))
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["set", "signer", "fold"])
    fold_of_people: dict[str, int] = {}
    for name in (*LABELLED_SETS, "other_asl", "foreign"):
        clips: Counter[str] = Counter()
        members: dict[str, set[str]] = {}
        for line in read_index(data / name / "index.csv"):
            who = owner(name, line)
            together = "the same" if name in DICTIONARY_SETS and who in SAME_PEOPLE else who
            clips[together] += 100 if line["label"] in vocabulary else 1
            members.setdefault(together, set()).add(who)
        load = [0] * FOLDS
        for together, count in sorted(clips.items(), key=lambda item: (-item[1], item[0])):
            fold = load.index(min(load))
            if together == "the same":
                fold = fold_of_people.setdefault(together, fold)
            load[fold] += count
            for signer in sorted(members[together]):
                out.writerow([name, signer, fold])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
