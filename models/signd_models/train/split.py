"""Writes `split.csv`: which signer is in which fold, over all sets. Run once. The file is kept.

    python -m signd_models.train.split DATA > split.csv

Folds are balanced greedily by the clips whose label is in the vocabulary, set by set, big signers
first. Signer ids that may be the same few people stay together, in whatever set. Signers of other
languages are set aside by language, that of most of their clips. Those of them who are in another
set too are left out. People who do not sign are in no fold: `part` of their index says who may be
learned from.
"""

import csv
import sys
from collections import Counter
from pathlib import Path

from ..indices import FOLDS, LABELLED_SETS, SAME_PEOPLE, Line, read_index, vocabulary_of

DICTIONARY_SETS = ("wlasl", "other_asl")
SAME = "the same people"


def main(data: Path) -> None:
    """Prints the split of the sets in DATA."""
    vocabulary = set(vocabulary_of(data))
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["set", "signer", "fold"])
    fold_of_same: int | None = None
    labelled: set[str] = set()
    for name in (*LABELLED_SETS, "other_asl", "foreign"):
        lines = read_index(data / name / "index.csv")
        elsewhere = set(labelled) if name == "foreign" else set()
        labelled |= {line["signer"] for line in lines}
        group = groups(name, lines)
        clips: Counter[str] = Counter()
        for line in lines:
            together = line["language"] if name == "foreign" else group[line["signer"]]
            clips[together] += 100 if line["label"] in vocabulary else 1
        load = [0] * FOLDS
        for together, count in sorted(clips.items(), key=lambda item: (-item[1], item[0])):
            fold = load.index(min(load))
            if together == SAME:
                fold_of_same = fold = fold if fold_of_same is None else fold_of_same
            load[fold] += count
            for signer in sorted(who for who, of in group.items() if of == together):
                if signer not in elsewhere:
                    out.writerow([name, signer, fold])


def groups(name: str, lines: list[Line]) -> dict[str, str]:
    """What each signer of a set is kept together by."""
    if name == "foreign":
        languages: dict[str, Counter[str]] = {}
        for line in lines:
            languages.setdefault(line["signer"], Counter())[line["language"]] += 1
        return {signer: of.most_common(1)[0][0] for signer, of in languages.items()}
    same = SAME_PEOPLE if name in DICTIONARY_SETS else []
    signers = {line["signer"] for line in lines}
    return {signer: SAME if signer in same else signer for signer in signers}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
