"""Signs taught by a few examples: how well the embedding tells signs that were in no training.

    python -m signd_models.train.fewshot pick DATA > held-out.txt
    python -m signd_models.train.fewshot score DATA CLIPS NET OUT.json

`pick` draws the labels to be held out of training and of the teachers' targets: 15 of those of
which one signer has five clips, five more of which one has three. `score` enrols each of them from
clips of one signer, drawn anew 200 times, and asks for the clips of all other signers: is the
nearest enrolled sign the right one, and what else is taken for an enrolled sign where 95 % of the
enrolled ones are accepted?
"""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from ..arguments import add_signd, argument_parser
from ..arrays import Floats
from ..indices import LABELLED_SETS, SAME_PEOPLE, read_index, set_index, vocabulary_of
from ..places import HELD_OUT
from ..signd import Signd
from .checkpoint import read_net
from .metrics import accepted, auroc
from .score import outputs

SHOTS = {1: 20, 3: 20, 5: 15}
"""Examples of each sign, and how many signs are enrolled."""
DRAWS = 200

Clips = dict[str, dict[str, list[Path]]]
"""Files by label and signer."""


def labelled(data: Path) -> Clips:
    """Every labelled recording; signers that may be the same people are one."""
    same = {
        (name, signer): f"same{i}" for i, (name, ids) in enumerate(SAME_PEOPLE) for signer in ids
    }
    found: Clips = {}
    for name in LABELLED_SETS:
        for line in set_index(data, name):
            if line["label"]:
                signer = same.get((name, line["signer"]), f"{name}/{line['signer']}")
                of = found.setdefault(line["label"], {}).setdefault(signer, [])
                of.append(Path(line["path"]))
    return found


def teachable(clips: Clips, labels: list[str], shots: int) -> list[str]:
    """Labels of which one signer has that many clips and another has any."""
    return sorted(
        label
        for label, signers in clips.items()
        if label in labels and len(signers) > 1 and max(map(len, signers.values())) >= shots
    )


def pick(data: Path) -> list[str]:
    """Labels to be held out."""
    labels = vocabulary_of(data)
    clips, rng = labelled(data), np.random.default_rng(0)
    five = list(rng.permutation(teachable(clips, labels, 5))[: SHOTS[5]])
    rest = [label for label in teachable(clips, labels, 3) if label not in five]
    return sorted(five + list(rng.permutation(rest)[: SHOTS[3] - SHOTS[5]]))


def embedded(net: Path, signd: Signd, files: list[Path]) -> Floats:
    """Embeddings `[N,E]` of recordings."""
    return outputs(read_net(net), signd.rows(files))[1]


def score(
    held: list[str], clips: Clips, of: dict[Path, Floats], others: Floats, shots: int
) -> dict[str, object]:
    """One line of the table."""
    rng = np.random.default_rng(shots)
    possible = {
        label: [s for s, files in clips[label].items() if len(files) >= shots] for label in held
    }
    possible = {label: signers for label, signers in possible.items() if signers}
    enrolled = sorted(possible)[: SHOTS[shots]]
    top1, by_label, areas, passed = [], Counter[str](), [], []
    tested = Counter[str]()
    for _ in range(DRAWS):
        prototypes, tests = [], []
        for number, label in enumerate(enrolled):
            signer = str(rng.choice(possible[label]))
            files = clips[label][signer]
            taken = [files[i] for i in rng.permutation(len(files))[:shots]]
            mean = np.mean([of[file] for file in taken], axis=0)
            prototypes.append(mean / np.linalg.norm(mean))
            for other, more in clips[label].items():
                tests += [(number, of[file]) for file in more if other != signer]
        near = np.stack([embedding for _, embedding in tests]) @ np.stack(prototypes).T
        truth = np.array([number for number, _ in tests])
        right = near.argmax(axis=1) == truth
        top1.append(right.mean())
        by_label.update({enrolled[n]: int(right[truth == n].sum()) for n in range(len(enrolled))})
        tested.update({enrolled[n]: int((truth == n).sum()) for n in range(len(enrolled))})
        best, away = near.max(axis=1), (others @ np.stack(prototypes).T).max(axis=1)
        areas.append(auroc(best, away))
        passed.append(accepted(best, away))
    each = {label: by_label[label] / tested[label] for label in enrolled}
    return {
        "labels": len(enrolled),
        "clips a draw": float(np.mean(tested.total()) / DRAWS),
        "top1": [float(np.mean(top1)), *map(float, np.percentile(top1, [2.5, 97.5]))],
        "top1, mean of labels": float(np.mean(list(each.values()))),
        "auroc": float(np.mean(areas)),
        "accepted": float(np.mean(passed)),
        "each": each,
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Does what the command line says."""
    parser = argument_parser(__doc__)
    parser.add_argument("what", choices=["pick", "score"])
    parser.add_argument("data", type=Path)
    parser.add_argument("clips", type=Path, nargs="?")
    parser.add_argument("net", type=Path, nargs="?")
    parser.add_argument("out", type=Path, nargs="?")
    add_signd(parser)
    parser.add_argument("--held-out", type=Path, default=HELD_OUT)
    args = parser.parse_args(argv)
    if args.what == "pick":
        print("\n".join(pick(args.data)))
        return
    torch.set_num_threads(1)
    held = args.held_out.read_text().split()
    clips = labelled(args.data)
    mine = [file for label in held for files in clips[label].values() for file in files]
    of = dict(zip(mine, embedded(args.net, args.signd, mine), strict=True))
    away = [
        Path(line["path"])
        for name in ("foreign", "idle-eval")  # all that was in no training
        for line in read_index(args.clips / f"{name}.csv")
    ]
    others = embedded(args.net, args.signd, away)
    found = {}
    for shots in SHOTS:
        found[shots] = score(held, clips, of, others, shots)
        print(shots, {k: v for k, v in found[shots].items() if k != "each"}, f"others {len(away)}")
    args.out.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
