"""A small training from end to end on the animated signer: does every step still fit the next one?

    python -m signd_models.smoke WORK

Synthetic people are drawn, and one in four is kept out of every training. A small network is fitted
to their labels, without the public one, both of its forms are exported, and a tagger is fitted and
put into them. The daemon's binary then has to take both models, and to understand the people kept
out. The figures say nothing of real signers. It takes about half a minute of one core.
"""

import csv
import json
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from .arguments import add_signd, argument_parser
from .indices import FOLDS, LABELLED_SETS, Line, read_index
from .places import SIGNER
from .signd import Signd
from .train import clip_store, export, fit, fit_tagger

PEOPLE, TIMES, SEED = 8, 2, 1
STEPS, RATE = 150, 3e-3
SIZES = {"channels": 32, "pooled": 64, "blocks": 3}
EPOCHS, BATCH = 6, 8
KEPT_OUT = 0
"""The fold that is in no training."""
LEAST_RIGHT = 0.8
"""Share of clips whose best output must be the label. Chance is one in eight, usual is all."""
LEAST_IN_STREAMS = 0.6
"""Share of signs in streams that must be decided rightly. The usual is all."""


class Work:
    """The folder in which all of it happens, laid out as `DATA.md` says."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.data, self.split = folder, folder / "data", folder / "split.csv"
        self.labels = self.data / "gislr/sign_to_prediction_index_map.json"
        self.kept_out = folder / "kept-out.csv"
        self.models = [folder / "signd.onnx", folder / "signd-window.onnx"]
        self.lessons = folder / "lessons.msgpack"

    def indices(self, *sets: str) -> list[Path]:
        """The indices of sets."""
        return [self.data / name / "index.csv" for name in sets]

    def lay_out(self, people: Path) -> None:
        """Indices of sets, the vocabulary and the split over what the animated signer made."""
        lines = read_index(people / "index.csv")
        signers = sorted({line["signer"] for line in lines})
        fold = {signer: i % FOLDS for i, signer in enumerate(signers)}
        lines = [line | {"path": str((people / line["path"]).resolve())} for line in lines]
        write_csv(self.kept_out, [line for line in lines if fold[line["signer"]] == KEPT_OUT])
        sets: dict[str, list[Line]] = {}
        for line in lines:
            # A person is in one labelled set; all who make no sign are in `idle`.
            name = LABELLED_SETS[signers.index(line["signer"]) % 3] if line["label"] else "idle"
            part = "eval" if fold[line["signer"]] == KEPT_OUT and name == "idle" else "train"
            sets.setdefault(name, []).append(line | {"part": part})
        for name, of in sets.items():
            write_csv(self.data / name / "index.csv", of)
        known = {(name, line["signer"]) for name, of in sets.items() for line in of}
        write_csv(
            self.split,
            [{"set": name, "signer": who, "fold": str(fold[who])} for name, who in sorted(known)],
        )
        labels = sorted({line["label"] for line in lines if line["label"]})
        self.labels.write_text(json.dumps({label: i for i, label in enumerate(labels)}))


def write_csv(path: Path, lines: list[Line]) -> None:
    """Writes lines that have the same columns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        out = csv.DictWriter(file, list(lines[0]))
        out.writeheader()
        out.writerows(lines)


@contextmanager
def step(name: str) -> Iterator[None]:
    """Says what is done, and how long it took."""
    print(f"smoke: {name}", flush=True)
    start = time.monotonic()
    yield
    print(f"smoke: {name}: {time.monotonic() - start:.1f} s", flush=True)


def require(share: float, least: float, what: str) -> None:
    """Ends the program if a share is too small."""
    print(f"smoke: {what}: {share:.0%}, at least {least:.0%} is asked for", flush=True)
    if not share >= least:
        raise SystemExit(f"smoke: too few {what}")


def share_right(clips: list[dict[str, Any]]) -> float:
    """Share of the labelled clips whose best output is the label."""
    known = [clip for clip in clips if clip["label"]]
    return sum(bool(clip["top"][0][0] == clip["label"]) for clip in known) / len(known)


def streams(
    signd: Signd, work: Work, sets: Sequence[str], folds: Sequence[int], *flags: str | Path
) -> dict[str, Any]:
    """The report of `signd eval --streams` on the signers of these sets and folds."""
    report = work.folder / "streams.json"
    models = [part for fold in folds for part in ("--fold", f"{fold}={work.models[0]}")]
    clips: list[str | Path] = [
        "--streams",
        *work.indices(*sets),
        "--rates",
        "30",
        "--split",
        work.split,
    ]
    signd.run("eval", *clips, *models, "--json", report, *flags)
    found: dict[str, Any] = json.loads(report.read_text())
    return found


def main(argv: Sequence[str] | None = None) -> None:
    """Does what the command line says."""
    parser = argument_parser(__doc__)
    parser.add_argument("work", type=Path, help="an empty folder")
    add_signd(parser)
    parser.add_argument("--signer", type=Path, default=SIGNER, help="the animated signer")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    work, signd = Work(args.work), args.signd
    binary = ["--signd", str(signd.binary)]
    folder, data, split = str(work.folder), str(work.data), ["--split", str(work.split)]
    clips, net, lessons = f"{folder}/clips.xz", f"{folder}/net.pt", str(work.lessons)
    with step("recordings of synthetic people"):
        people = work.folder / "people"
        drawn = [f"--people={PEOPLE}", f"--times={TIMES}", f"--seed={SEED}"]
        subprocess.run([args.signer, "clips", people, *drawn], check=True)
        work.lay_out(people)
    with step("clips"):
        clip_store.main([data, clips, *split, *binary])
    with step("network"):
        how = ["--steps", str(STEPS), "--rate", str(RATE), "--sizes", json.dumps(SIZES)]
        fit.main([clips, "--out", net, "--fold", str(KEPT_OUT), *how])
    with step("export"):
        export.main([net, folder, "--labels", str(work.labels), "--name", "smoke 1"])
    with step("answers to people kept out"):
        for model in work.models:
            signd.run("check", "--model", model)
            right = share_right(signd.evaluate(work.kept_out, model))
            require(right, LEAST_RIGHT, f"clips understood by {model.name}")
    with step("tagger"):
        taught = [fold for fold in range(FOLDS) if fold != KEPT_OUT]
        streams(signd, work, LABELLED_SETS, taught, "--rows", work.lessons)
        models = list(map(str, work.models))
        how = ["--epochs", str(EPOCHS), "--batch", str(BATCH)]
        fit_tagger.main([lessons, "--into", *models, "--without", str(KEPT_OUT), *how])
    with step("streams of people kept out"):
        for model in work.models:
            signd.run("check", "--model", model)
        groups = streams(signd, work, (*LABELLED_SETS, "idle"), [KEPT_OUT])["groups"]
        right, made = (sum(group[name] for group in groups) for name in ("right", "signs"))
        require(right / made, LEAST_IN_STREAMS, "signs decided rightly in streams")
    print("smoke: done", flush=True)


if __name__ == "__main__":
    main()
