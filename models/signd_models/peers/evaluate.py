"""Measures other people's models and ours on the same clips, inside signd and outside it.

    python -m venv VENV
    VENV/bin/pip install --require-hashes --no-deps -r requirements/light.txt
    VENV/bin/python -m signd_models.clip_lists DATA CLIPS
    VENV/bin/python -m signd_models.peers.evaluate CLIPS --model A=a.onnx --tflite A=a.tflite \\
        --model ours=signd-window.onnx --bench --json peers.json

Each `--model NAME=FILE` is an ONNX file with signd's metadata (`signd_models.convert.from_tflite`
makes one from a TFLite file). `--tflite NAME=FILE` names the file that it was made from, to be run
outside; without it ONNX Runtime runs the same ONNX file there. A model in streaming form is
measured inside only.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ..arguments import add_signd, argument_parser
from ..indices import LABELLED_SETS
from ..runners import onnx_runner
from ..signd import Signd
from . import bench, figures
from .answers import Subject, inside, listed
from .figures import Answer, Figure

KNOWN = ("wlasl", "webcam")
"""What is held against the sets that must be refused. The peers were trained on `gislr`."""
REFUSED = ("other", "foreign", "idle-eval")
PLACES = ("outside", "inside")


def pairs(named: list[str]) -> dict[str, Path]:
    """`NAME=FILE` arguments."""
    split = [text.partition("=") for text in named]
    if any(not file for _, _, file in split):
        raise SystemExit(f"expected NAME=FILE, found {named}")
    return {name: Path(file) for name, _, file in split}


def same(one: list[Answer], other: list[Answer]) -> Figure:
    """Share of clips with the same best label."""
    best = [[answer[0][0] if answer else None for answer in answers] for answers in (one, other)]
    return figures.share([a == b for a, b in zip(*best, strict=True)])


def measure(subject: Subject, signd: Signd, clips: Path) -> dict[str, Any]:
    """All figures of one model: `{"sets": {SET: ...}, "open_set": {SET: ...}}`."""
    sets: dict[str, Any] = {}
    scores: dict[str, dict[str, Any]] = {place: {} for place in PLACES}
    for name in (*LABELLED_SETS, *REFUSED):
        lines = listed(clips / f"{name}.csv")
        labels = [line["label"] for line in lines]
        within = inside(signd, clips / f"{name}.csv", subject.model, subject.no_sign)
        answers = {"outside": subject.outside(signd, lines), "inside": within}
        found: dict[str, Any] = {"n": len(lines)}
        for place, found_there in answers.items():
            if found_there is None:
                continue
            scores[place][name] = figures.scores(found_there, subject.no_sign)
            if name in LABELLED_SETS:
                found[place] = figures.top(found_there, labels, subject.no_sign)
        if answers["outside"] is not None:
            found["same"] = same(answers["outside"], within)
        sets[name] = found
    open_set: dict[str, Any] = {}
    for name in REFUSED:
        open_set[name] = {"n": sets[name]["n"], "known": sum(sets[known]["n"] for known in KNOWN)}
        for place, of in scores.items():
            if of:
                known = np.concatenate([of[known] for known in KNOWN])
                open_set[name][place] = figures.open_set(known, of[name])
    return {"sets": sets, "open_set": open_set}


def print_tables(found: dict[str, dict[str, Any]]) -> None:
    """One table for each set; figures in per cent, with 95 % intervals."""
    for kind, sets, columns in (
        ("sets", LABELLED_SETS, ("top1", "top5")),
        ("open_set", REFUSED, ("auroc", "accepted")),
    ):
        for name in sets:
            n = next(iter(found.values()))[kind][name]
            against = f" against {n['known']} known" if "known" in n else ""
            print(f"\n{name}: {n['n']} clips{against}")
            heads = [f"{place} {column}" for place in PLACES for column in columns]
            print(f"{'':16}" + "".join(f"{head:22}" for head in heads) + "same top1")
            for model, of in found.items():
                cells = [
                    str(of[kind][name][place][column]) if place in of[kind][name] else "    -"
                    for place in PLACES
                    for column in columns
                ]
                cells.append(str(of["sets"][name].get("same", "    -")))
                print(f"{model:16}" + "".join(f"{cell:22}" for cell in cells).rstrip())


def run_bench(subjects: list[Subject], signd: Signd, clips: Path) -> dict[str, dict[int, float]]:
    """Times all forms that take a whole clip, on the longest of the `wlasl` clips; prints them."""
    lines = listed(clips / "wlasl.csv")
    models = {}
    for subject in subjects:
        if subject.run is None:
            continue
        rows = max(subject.rows(signd, lines), key=len)
        models[subject.name] = (subject.run, rows)
        if subject.original != subject.model:
            models[f"{subject.name} (ONNX)"] = (onnx_runner(subject.model), rows)
    taken = bench.milliseconds(models)
    first = next(iter(taken))
    print(f"\nms of processor time for one inference, and how many times that of {first}")
    print(f"{'':16}" + "".join(f"{f'{frames} frames':20}" for frames in bench.FRAMES))
    for name, of in taken.items():
        cells = [f"{ms:6.2f} x{ms / taken[first][frames]:.2f}" for frames, ms in of.items()]
        print(f"{name:16}" + "".join(f"{cell:20}" for cell in cells).rstrip())
    return taken


def main(argv: Sequence[str] | None = None) -> None:
    """Does what the command line says."""
    parser = argument_parser(__doc__, whole=True)
    parser.add_argument("clips", type=Path, help="folder that clip_lists has written")
    parser.add_argument("--model", action="append", required=True, metavar="NAME=FILE")
    parser.add_argument("--tflite", action="append", default=[], metavar="NAME=FILE")
    add_signd(parser)
    parser.add_argument("--bench", action="store_true", help="time them too")
    parser.add_argument("--json", type=Path, help="write everything here as well")
    args = parser.parse_args(argv)
    originals = pairs(args.tflite)
    subjects = [
        Subject(name, model, originals.get(name, model))
        for name, model in pairs(args.model).items()
    ]
    found = {subject.name: measure(subject, args.signd, args.clips) for subject in subjects}
    print_tables(found)
    report: dict[str, Any] = {"models": found}
    if args.bench:
        report["bench_ms"] = run_bench(subjects, args.signd, args.clips)
    if args.json:
        args.json.write_text(json.dumps(report, default=asdict, indent=1) + "\n")


if __name__ == "__main__":
    main()
