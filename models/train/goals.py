"""The figures of the model card, off the networks of the four folds.

    python -m models.train.goals CLIPS NETS LABELS OPENSET.json OUT.json

Every clip is answered by `signd eval` with the network that has not met its signer; clips that are
no known sign are answered by all four. Intervals: 2.5 % to 97.5 % of 2,000 draws of signers with
replacement, because the clips of one signer are not independent.
"""

import argparse
import csv
import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from .calibration import Calibration
from .clips import Floats, fold_of, read_index, read_split, read_vocabulary
from .export import export
from .fit import read
from .openset import FOLDS, accepted, auroc

DRAWS = 2000
SEEN = {"none": 0, "1": 1, "2 to 4": 4, "5 to 9": 9, "10 to 29": 29, "30 and more": 10**9}
FORMS = {"stream": "signd.onnx", "window": "signd-window.onnx"}


class Daemon:
    """`signd eval` with the network of a fold."""

    def __init__(self, signd: Path, nets: Path, split: dict[tuple[str, str], int]) -> None:
        self.signd, self.nets, self.split = signd, nets, split

    def fold_of(self, line: dict[str, str]) -> int:
        return fold_of(line, self.split)

    def answers(self, lines: list[dict[str, str]], fold: int, form: str) -> list[dict[str, Any]]:
        """The `clips` of its JSON."""
        folder = self.nets / f"fold{fold}"
        listed, told = folder / "clips.csv", folder / "eval.json"
        with listed.open("w", newline="") as file:
            out = csv.DictWriter(file, ["path", "label", "signer", "fps", "width", "height"])
            out.writeheader()
            out.writerows({key: line[key] for key in out.fieldnames} for line in lines)
        command = [self.signd, "eval", listed, "--model", folder / FORMS[form], "--json", told]
        subprocess.run(command, check=True, capture_output=True)
        found: list[dict[str, Any]] = json.loads(told.read_text())["clips"]
        return found

    def unmet(self, lines: list[dict[str, str]], form: str) -> list[dict[str, Any]]:
        """Answers of the network that has not met the signer."""
        found = []
        for fold in range(FOLDS):
            mine = [line for line in lines if self.fold_of(line) == fold]
            found += [clip | {"fold": fold} for clip in self.answers(mine, fold, form)]
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


def interval(groups: list[Floats], of: Any) -> tuple[float, float]:
    """Of a figure over the values of signers drawn with replacement."""
    rng = np.random.default_rng(0)
    drawn = [
        of(np.concatenate([groups[i] for i in rng.integers(len(groups), size=len(groups))]))
        for _ in range(DRAWS)
    ]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)


def by_signer(clips: list[dict[str, Any]], value: Any) -> list[Floats]:
    groups: dict[str, list[float]] = {}
    for clip in clips:
        groups.setdefault(clip["signer"], []).append(value(clip))
    return [np.array(values) for values in groups.values()]


def by_clips_seen(
    clips: list[dict[str, Any]], every: list[dict[str, str]], daemon: Daemon
) -> dict[str, list[float]]:
    """Clips and their top-1 and top-5, by how many clips of the sign the network was trained on."""
    buckets: dict[str, list[dict[str, Any]]] = {name: [] for name in SEEN}
    for clip in clips:
        seen = sum(
            line["label"] == clip["label"] and daemon.fold_of(line) != clip["fold"]
            for line in every
        )
        buckets[next(name for name, most in SEEN.items() if seen <= most)].append(clip)
    return {
        name: [len(of), *(float(np.mean([right(clip, k) for clip in of])) for k in (1, 5))]
        for name, of in buckets.items()
        if of
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path)
    parser.add_argument("nets", type=Path)
    parser.add_argument("labels", type=Path)
    parser.add_argument("calibration", type=Path, help="what openset has written")
    parser.add_argument("out", type=Path)
    parser.add_argument("--signd", type=Path, default=Path("target/release/signd"))
    parser.add_argument("--split", type=Path, default=Path(__file__).parents[1] / "split.csv")
    asked = parser.parse_args()
    labels = read_vocabulary(asked.labels)
    for fold in range(FOLDS):
        folder = asked.nets / f"fold{fold}"
        folder.mkdir(exist_ok=True)
        how = Calibration.read(asked.calibration, fold)
        name = f"signs 250, without fold {fold}"
        export(read(asked.nets / f"fold{fold}.pt"), folder, name, labels, how)
    daemon = Daemon(asked.signd, asked.nets, read_split(asked.split))
    lists = {path.stem: read_index(path) for path in sorted(asked.clips.glob("*.csv"))}
    found: dict[str, Any] = {}
    for form in FORMS:
        print(form)
        table = found[form] = {}
        known: list[dict[str, Any]] = []
        for name in ("gislr", "wlasl", "webcam"):
            clips = daemon.unmet(lists[name], form)
            line: dict[str, Any] = {"n": len(clips), "signers": len({c["signer"] for c in clips})}
            for k in (1, 5):
                groups = by_signer(clips, lambda clip, k=k: right(clip, k))
                value = float(np.concatenate(groups).mean())
                line[f"top{k}"] = [value, *interval(groups, np.mean)]
            line["folds"] = [
                float(np.mean([right(clip, 1) for clip in clips if clip["fold"] == fold]))
                for fold in range(FOLDS)
            ]
            table[name] = line
            known += clips if name != "gislr" else []
            print(f"  {name:10} n {len(clips):4}", {k: np.round(v, 3) for k, v in line.items()})
        seen = by_clips_seen(known, [*lists["wlasl"], *lists["webcam"], *lists["gislr"]], daemon)
        table["by clips of the sign in training"] = seen
        print("  by clips of the sign in training", seen)
        accepting = np.array([score(clip) for clip in known])
        others = {"other": daemon.unmet(lists["other"], form)}
        for name in ("foreign", "idle-eval"):
            every = [daemon.answers(lists[name], fold, form) for fold in tqdm(range(FOLDS))]
            others[name] = [clip for clips in every for clip in clips]
        for name, clips in others.items():
            groups = by_signer(clips, score)
            values = np.concatenate(groups)
            area, passed = auroc(accepting, values), accepted(accepting, values)
            line = {
                "n": len(lists[name]),
                "auroc": [area, *interval(groups, lambda v, known=accepting: auroc(known, v))],
            }
            line["accepted"] = [
                passed,
                *interval(groups, lambda v, known=accepting: accepted(known, v)),
            ]
            table[f"known against {name}"] = line
            print(
                f"  known {len(known)} against {name:10}",
                {k: np.round(v, 3) for k, v in line.items()},
            )
    asked.out.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
