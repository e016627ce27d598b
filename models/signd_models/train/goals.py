"""The figures of the model card, off the networks of the four folds.

    python -m signd_models.train.goals CLIPS NETS LABELS OPENSET.json OUT.json

Every clip is answered by `signd eval` with the network that has not met its signer or its language.
People who do not sign are answered by all four. Intervals: 2.5 % to 97.5 % of 2,000 draws of
signers with replacement, because the clips of one signer are not independent.
"""

import csv
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from ..arguments import add_signd, add_split, argument_parser
from ..arrays import Floats
from ..clip_lists import COLUMNS
from ..indices import (
    FOLDS,
    LABELLED_SETS,
    SAME_PEOPLE,
    Line,
    Split,
    fold_of,
    read_index,
    read_split,
    read_vocabulary,
)
from ..signd import Signd
from .calibration import Calibration
from .checkpoint import read_net
from .export import export
from .metrics import accepted, auroc

DRAWS = 2000
ONE_OF = dict.fromkeys(SAME_PEOPLE, "the same")
SEEN = {"none": 0, "1": 1, "2 to 4": 4, "5 to 9": 9, "10 to 29": 29, "30 and more": 10**9}
FORMS = {"stream": "signd.onnx", "window": "signd-window.onnx"}


class FoldModels:
    """`signd eval` with the network of a fold."""

    def __init__(self, signd: Signd, nets: Path, split: Split) -> None:
        self.signd, self.nets, self.split = signd, nets, split

    def fold_of(self, line: Line) -> int:
        """Fold of a clip's signer."""
        return fold_of(line, self.split)

    def answers(self, lines: list[Line], fold: int, form: str, *flags: str) -> list[dict[str, Any]]:
        """The answers of a fold's network in a form to clips."""
        model = self.nets / f"fold{fold}" / FORMS[form]
        with tempfile.TemporaryDirectory() as folder:
            listed = Path(folder) / "clips.csv"
            with listed.open("w", newline="") as file:
                out = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
                out.writeheader()
                out.writerows(lines)
            return self.signd.evaluate(listed, model, *flags)

    def unmet(self, lines: list[Line], form: str, *flags: str) -> list[dict[str, Any]]:
        """Answers of the network that has not met the signer."""
        found = []
        for fold in range(FOLDS):
            mine = [line for line in lines if self.fold_of(line) == fold]
            found += [clip | {"fold": fold} for clip in self.answers(mine, fold, form, *flags)]
        return found


def right(clip: dict[str, Any], k: int) -> bool:
    """As `signd eval` counts: the best output is the label, or it is among the five best signs."""
    names = [label for label, _ in clip["top"]]
    if k > 1:
        names = [name for name in names if name is not None]
    return clip["label"] in names[:k]


def score(clip: dict[str, Any]) -> float:
    """Probability of the best known label."""
    return max((p for label, p in clip["top"] if label is not None), default=0.0)


def decided(clip: dict[str, Any], thresholds: list[float]) -> bool:
    """Whether the daemon would decide a sign, at the threshold found without its fold."""
    label, p = clip["top"][0]
    return label is not None and p >= thresholds[clip["fold"]]


def interval(sides: list[list[Floats]], of: Any) -> tuple[float, float]:
    """Of a figure over the values of signers, those of each side drawn with replacement."""
    rng = np.random.default_rng(0)

    def drawn_from(groups: list[Floats]) -> Floats:
        return np.concatenate([groups[i] for i in rng.integers(len(groups), size=len(groups))])

    drawn = [of(*map(drawn_from, sides)) for _ in range(DRAWS)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)


def by_signer(clips: list[dict[str, Any]], value: Any) -> list[Floats]:
    """Values of clips, those of one signer together."""
    groups: dict[str, list[float]] = {}
    for clip in clips:
        groups.setdefault(ONE_OF.get(clip["signer"], clip["signer"]), []).append(value(clip))
    return [np.array(values) for values in groups.values()]


def by_clips_seen(
    clips: list[dict[str, Any]], every: list[Line], models: FoldModels
) -> dict[str, list[float]]:
    """Clips and their top-1 and top-5, by how many clips of the sign the network was trained on."""
    buckets: dict[str, list[dict[str, Any]]] = {name: [] for name in SEEN}
    for clip in clips:
        seen = sum(
            line["label"] == clip["label"] and models.fold_of(line) != clip["fold"]
            for line in every
        )
        buckets[next(name for name, most in SEEN.items() if seen <= most)].append(clip)
    return {
        name: [len(of), *(float(np.mean([right(clip, k) for clip in of])) for k in (1, 5))]
        for name, of in buckets.items()
        if of
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Does what the command line says."""
    parser = argument_parser(__doc__)
    parser.add_argument("clips", type=Path)
    parser.add_argument("nets", type=Path)
    parser.add_argument("labels", type=Path)
    parser.add_argument("calibration", type=Path, help="what openset has written")
    parser.add_argument("out", type=Path)
    add_signd(parser)
    add_split(parser)
    args = parser.parse_args(argv)
    labels = read_vocabulary(args.labels)
    for fold in range(FOLDS):
        folder = args.nets / f"fold{fold}"
        folder.mkdir(exist_ok=True)
        how = Calibration.read(args.calibration, fold)
        name = f"signs 250, without fold {fold}"
        export(read_net(args.nets / f"fold{fold}.pt"), folder, name, labels, how)
    thresholds = [Calibration.read(args.calibration, fold).threshold for fold in range(FOLDS)]
    models = FoldModels(args.signd, args.nets, read_split(args.split))
    lists = {path.stem: read_index(path) for path in sorted(args.clips.glob("*.csv"))}
    found: dict[str, Any] = {}
    for form in FORMS:
        print(form)
        table = found[form] = {}
        known: list[dict[str, Any]] = []
        for name in LABELLED_SETS:
            clips = models.unmet(lists[name], form)
            line: dict[str, Any] = {"n": len(clips), "signers": len(by_signer(clips, len))}
            for k in (1, 5):
                groups = by_signer(clips, lambda clip, k=k: right(clip, k))
                value = float(np.concatenate(groups).mean())
                line[f"top{k}"] = [value, *interval([groups], np.mean)]
            line["folds"] = [
                float(np.mean([right(clip, 1) for clip in clips if clip["fold"] == fold]))
                for fold in range(FOLDS)
            ]
            line["no sign"] = float(np.mean([clip["top"][0][0] is None for clip in clips]))
            line["decided rightly"], line["decided wrongly"] = (
                float(
                    np.mean([decided(clip, thresholds) and right(clip, 1) == so for clip in clips])
                )
                for so in (True, False)
            )
            table[name] = line
            known += clips if name != "gislr" else []
            print(f"  {name:10} n {len(clips):4}", {k: np.round(v, 3) for k, v in line.items()})
        seen = by_clips_seen(known, [*lists["wlasl"], *lists["webcam"], *lists["gislr"]], models)
        table["by clips of the sign in training"] = seen
        print("  by clips of the sign in training", seen)
        accepting = by_signer(known, score)
        scores = np.concatenate(accepting)
        others = {name: models.unmet(lists[name], form) for name in ("other", "foreign")}
        others["idle-eval"] = [
            clip | {"fold": fold}
            for fold in tqdm(range(FOLDS))
            for clip in models.answers(lists["idle-eval"], fold, form)
        ]
        for name, clips in others.items():
            groups = by_signer(clips, score)
            values = np.concatenate(groups)
            sides = [accepting, groups]
            line = {
                "n": len(lists[name]),
                "auroc": [auroc(scores, values), *interval(sides, auroc)],
                "accepted": [accepted(scores, values), *interval(sides, accepted)],
                "decided": float(np.mean([decided(clip, thresholds) for clip in clips])),
            }
            table[f"known against {name}"] = line
            print(
                f"  known {len(known)} against {name:10}",
                {k: np.round(v, 3) for k, v in line.items()},
            )
    for name in ("wlasl", "webcam"):
        clips = models.unmet(lists[name], "stream", "--segmented")
        line = {f"top{k}": float(np.mean([right(clip, k) for clip in clips])) for k in (1, 5)}
        line["undecided"] = sum(clip["decisions"] == 0 for clip in clips)
        found[f"{name}, segmented by the daemon"] = line
        print(name, "segmented", line)
    args.out.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
