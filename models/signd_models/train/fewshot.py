"""Signs taught by an example: how well the embedding tells signs that are not in the vocabulary.

    python -m signd_models.train.fewshot DATA CLIPS NET.pt OUT.json

`NET` is a network that was shown no sign but those of the vocabulary (`fit --without-words`). Words
that two signers or more have made are enrolled, each from the clips of one signer, drawn anew 200
times. Asked for are the clips of all other signers: is the nearest enrolled word the right one, and
how much else is taken for an enrolled word where 95 % of the enrolled ones are accepted?
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from ..arguments import argument_parser
from ..arrays import Floats
from ..indices import SAME_PEOPLE, set_index
from .checkpoint import read_net
from .clip_store import NOWHERE, ClipStore, Kind
from .metrics import accepted, auroc
from .score import outputs

SETS = ("wlasl", "webcam", "other_asl", "foreign")
DRAWS = 200

Words = dict[str, dict[str, list[int]]]
"""Numbers of clips by word and signer."""


def words_of(store: ClipStore, data: Path) -> Words:
    """Words outside the vocabulary that two signers or more have made."""
    number = {path: i for i, path in enumerate(store.path)}
    outside = (Kind.OTHER_SIGN, Kind.FOREIGN)
    found: Words = {}
    for name in SETS:
        for line in set_index(data, name):
            i = number.get(f"{name}/{Path(line['path']).name}")
            word = line["label"] or line.get("gloss", "").strip().lower()
            spelled = "fingerspell" in line.get("language", "")
            if i is None or store.kind[i] not in outside or spelled or word in ("", "nan"):
                continue
            signer = "the same" if line["signer"] in SAME_PEOPLE else line["signer"]
            language = line["language"] if name == "foreign" else "ASL"
            found.setdefault(f"{language}: {word}", {}).setdefault(signer, []).append(i)
    return {word: signers for word, signers in sorted(found.items()) if len(signers) > 1}


def score(words: Words, embedding: dict[int, Floats], others: Floats) -> dict[str, object]:
    """Shares right and areas, means over draws of who enrols."""
    rng = np.random.default_rng(0)
    right, areas, passed, tested = [], [], [], []
    for _ in range(DRAWS):
        prototypes, tests = [], []
        for number, signers in enumerate(words.values()):
            teacher = str(rng.choice(sorted(signers)))
            mean = np.mean([embedding[i] for i in signers[teacher]], axis=0)
            prototypes.append(mean / np.linalg.norm(mean))
            for signer, clips in signers.items():
                tests += [(number, embedding[i]) for i in clips if signer != teacher]
        enrolled = np.stack(prototypes)
        near = np.stack([each for _, each in tests]) @ enrolled.T
        right.append(np.mean(near.argmax(axis=1) == np.array([number for number, _ in tests])))
        best, away = near.max(axis=1), (others @ enrolled.T).max(axis=1)
        areas.append(auroc(best, away))
        passed.append(accepted(best, away))
        tested.append(len(tests))
    return {
        "words": list(words),
        "clips a draw": float(np.mean(tested)),
        "top1": [float(np.mean(right)), *map(float, np.percentile(right, [2.5, 97.5]))],
        "auroc": float(np.mean(areas)),
        "accepted": float(np.mean(passed)),
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Does what the command line says."""
    parser = argument_parser(__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("clips", type=Path)
    parser.add_argument("net", type=Path)
    parser.add_argument("out", type=Path)
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    store, net = ClipStore.read(args.clips), read_net(args.net)
    words = words_of(store, args.data)
    mine = sorted({i for signers in words.values() for clips in signers.values() for i in clips})
    embedding = dict(zip(mine, outputs(net, store, np.array(mine))[1], strict=True))
    kind = store.kind.numpy()
    away = np.flatnonzero((kind == Kind.IDLE) & (store.fold.numpy() == NOWHERE))
    away = np.concatenate([away, np.setdiff1d(np.flatnonzero(kind == Kind.FOREIGN), mine)])
    found = score(words, embedding, outputs(net, store, away)[1])
    print({name: value for name, value in found.items() if name != "words"}, len(words), len(away))
    args.out.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
