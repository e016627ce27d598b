"""Clips of people signing, in one canonical form.

`signd landmarks` reads every file format; nothing here does. A clip is brought into *signer space*
(origin between the shoulders, unit their width, the image's aspect undone) and mirrored when its
dominant hand is the left one, so that parts of different clips fit together.
"""

import csv
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import msgpack
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
NO_SIGN = "no sign"

# MediaPipe Holistic's 543 landmarks: face 468, left hand 21, body 33, right hand 21.
POINTS = 543
LEFT, BODY, RIGHT = 468, 489, 522
# fmt: off
LIP_RUNS = [
    [61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291], [146, 91, 181, 84, 17, 314, 405, 321, 375],
    [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308], [95, 88, 178, 87, 14, 317, 402, 318, 324],
]
"""Runs of lip landmarks from the right to the left: reversing one mirrors it."""
LIPS = [i for run in LIP_RUNS for i in run]
RIGHT_EYE = [33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173]
LEFT_EYE = [263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398]
EYES = RIGHT_EYE + LEFT_EYE
# fmt: on
FACE = [*LIPS, *EYES, 1, 2, 98, 327, 152, 10, 234, 454]
"""Face landmarks that signd or a teacher looks at."""
FACE_MIRROR = [
    FACE.index(i)
    for i in [
        *[i for run in LIP_RUNS for i in run[::-1]],
        *(LEFT_EYE + RIGHT_EYE),
        *[1, 2, 327, 98, 152, 10, 454, 234],
    ]
]
"""For each of them the one that is its mirror image, as an index into `FACE`."""
BODY_KEPT = 25
"""Body landmarks kept: head, arms, hips."""
KEPT = [
    *FACE,
    *range(LEFT, LEFT + 21),
    *range(BODY, BODY + BODY_KEPT),
    *range(RIGHT, RIGHT + 21),
]
"""The landmarks that a clip keeps, as indices among the 543."""
N_FACE = len(FACE)
AT_LEFT = slice(N_FACE, N_FACE + 21)
AT_BODY = slice(N_FACE + 21, N_FACE + 21 + BODY_KEPT)
AT_RIGHT = slice(N_FACE + 21 + BODY_KEPT, N_FACE + 42 + BODY_KEPT)
AT_LIPS = slice(0, len(LIPS))
AT_FACE = slice(0, N_FACE)
SHOULDERS = [AT_BODY.start + 11, AT_BODY.start + 12]
"""Left and right shoulder among the kept."""
ELBOWS = [AT_BODY.start + 13, AT_BODY.start + 14]
WRISTS = [AT_BODY.start + 15, AT_BODY.start + 16]
BODY_MIRROR = [0, 4, 5, 6, 1, 2, 3, 8, 7, 10, 9, *(i ^ 1 for i in range(10, 26))]
"""Body landmark that is the mirror image of each; from 11 on left and right alternate."""


@dataclass
class Clip:
    """One recording in signer space, as a right-handed signer's."""

    points: Floats
    """`[T,P,3]`, shoulder widths, `NaN` where missing."""
    t: NDArray[np.float64]
    """Seconds from the first frame."""
    source: str
    """Name of the set it comes from."""
    path: str
    label: str
    signer: str
    fold: int
    """Signer fold 0..3; -1 where the clip is in every training set."""

    @property
    def seconds(self) -> float:
        return float(self.t[-1])


def read_landmarks(
    signd: Path, paths: list[Path]
) -> list[tuple[Floats, NDArray[np.uint64], float]]:
    """Landmarks `[T,543,3]`, capture times in ns, and width over height of each file."""
    found = []
    for at in range(0, len(paths), 500):
        command = [str(signd), "landmarks", *map(str, paths[at : at + 500])]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            for clip in msgpack.Unpacker(process.stdout, max_buffer_size=1 << 31):
                points = np.frombuffer(clip["landmarks"], "<f4").reshape(-1, POINTS, 3)
                times = np.frombuffer(clip["t"], "<u8")
                found.append((points, times, clip["width"] / clip["height"]))
        if process.returncode:
            raise SystemExit("signd landmarks failed")
    return found


def read_index(path: Path) -> list[dict[str, str]]:
    """The lines of an index; labels lower case, empty for *no sign*."""
    with path.open(newline="") as file:
        return [line | {"label": line["label"].strip().lower()} for line in csv.DictReader(file)]


def read_vocabulary(path: Path) -> list[str]:
    """Labels in the order of a `sign_to_prediction_index_map.json`."""
    numbers = json.loads(path.read_text())
    return [label.lower() for label, _ in sorted(numbers.items(), key=lambda item: item[1])]


def read_split(path: Path) -> dict[tuple[str, str], int]:
    """Fold of each (set, signer)."""
    with path.open(newline="") as file:
        return {(line["set"], line["signer"]): int(line["fold"]) for line in csv.DictReader(file)}


def fold_of(line: dict[str, str], split: dict[tuple[str, str], int]) -> int:
    """Fold of a line whose path leads into a folder named after the set."""
    sets = (str(folder.name) for folder in Path(line["path"]).parents)
    return next(split[name, line["signer"]] for name in sets if (name, line["signer"]) in split)


def load(signd: Path, data: Path, sets: list[str], split: dict[tuple[str, str], int]) -> list[Clip]:
    """All clips of these sets that the split gives to training."""
    lines = [
        (name, line)
        for name in sets
        for line in read_index(data / name / "index.csv")
        if (name, line["signer"]) in split and line.get("part", "train") == "train"
    ]
    files = [data / name / line["path"] for name, line in lines]
    raw = read_landmarks(signd, files)
    clips = []
    for (name, line), (points, times, aspect) in zip(lines, raw, strict=True):
        fold = split[name, line["signer"]]
        clip = canonical(
            points, times, aspect, name, line["path"], line["label"], line["signer"], fold
        )
        if clip is not None:
            clips.append(clip)
    return clips


def canonical(
    points: Floats,
    times: NDArray[np.uint64],
    aspect: float,
    source: str,
    path: str,
    label: str,
    signer: str,
    fold: int,
) -> Clip | None:
    """Landmarks `[T,543,3]` of an image as a clip in signer space; none without shoulders."""
    placed = to_signer_space(points[:, KEPT], aspect)
    if placed is None or len(placed) < 2:
        return None
    if left_dominant(placed):
        placed = mirrored(placed)
    seconds = (times - times[0]).astype(np.float64) / 1e9
    return Clip(placed, seconds, source, path, label, signer, fold)


def to_signer_space(points: Floats, aspect: float) -> Floats | None:
    """Shoulder widths from between the shoulders (medians over the clip); none without shoulders."""
    placed = points.copy()
    placed[..., 0] *= aspect
    placed[..., 2] *= aspect
    left, right = placed[:, SHOULDERS[0], :2], placed[:, SHOULDERS[1], :2]
    seen = np.isfinite(left[:, 0]) & np.isfinite(right[:, 0])
    if not seen.any():
        return None
    unit = np.median(np.linalg.norm(left[seen] - right[seen], axis=1))
    if unit < 0.02:
        return None
    placed[..., :2] -= np.median((left[seen] + right[seen]) / 2, axis=0)
    out: Floats = (placed / unit).astype(np.float32)
    return out


def left_dominant(points: Floats) -> bool:
    """Whether the left hand is seen more, hands low in the picture counting little."""

    def weight(hand: slice) -> float:
        wrist = points[:, hand.start, 1]
        return float(np.where(np.isnan(wrist), 0.0, np.where(wrist > 1.0, 0.1, 1.0)).sum())

    return weight(AT_LEFT) > weight(AT_RIGHT)


def mirrored(points: Floats) -> Floats:
    """The mirror image: x changes sign, left and right change places."""
    out = points.copy()
    out[:, AT_FACE] = points[:, FACE_MIRROR]
    out[:, AT_LEFT], out[:, AT_RIGHT] = points[:, AT_RIGHT], points[:, AT_LEFT]
    out[:, AT_BODY] = points[:, AT_BODY][:, BODY_MIRROR[:BODY_KEPT]]
    out[..., 0] *= -1
    return out
