"""The clips that a network is taught, as the daemon's own rows, in one file and in memory.

    python -m signd_models.train.clip_store DATA CLIPS.xz

`CLIPS.xz` holds the columns that the network sees of every clip of DATA that may be learned from
or is judged on, and what each clip is. People who do not sign and are kept for evaluation are in no
fold and are never drawn.
"""

import json
import lzma
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..arguments import add_signd, add_split, argument_parser
from ..arrays import Floats
from ..features import POINTS
from ..indices import LABELLED_SETS, Line, read_split, set_index, vocabulary_of
from ..signd import Signd

STEP = 1 / 4096
"""Shoulder widths. Coordinates are kept as whole numbers of these."""
MISSING = -32768
EVERYWHERE = -1
"""Fold of a clip that is in every training set."""
NOWHERE = -2
"""Fold of a clip that is in none."""


class Kind(IntEnum):
    """What a clip is."""

    SIGN = 0
    """A sign of the vocabulary."""
    OTHER_SIGN = 1
    """A sign of ASL that is not in the vocabulary."""
    FOREIGN = 2
    """A sign of another language, or letters."""
    IDLE = 3
    """A person who does not sign."""


@dataclass
class ClipStore:
    """Clips `[T,P,2]`, one after the other, and what they are, an entry each."""

    points: Tensor
    """`[N,P,2]`, shoulder widths, `NaN` where missing."""
    start: Tensor
    length: Tensor
    label: Tensor
    """Number in the vocabulary. Its size for clips of other kinds."""
    kind: Tensor
    fold: Tensor
    path: list[str]
    """Of the recordings, set and file."""
    signer: list[str]
    signs: int
    """Size of the vocabulary."""

    def __len__(self) -> int:
        return len(self.path)

    def clip(self, i: int) -> Tensor:
        """Landmarks `[T,P,2]` of a clip."""
        start, length = int(self.start[i]), int(self.length[i])
        return self.points[start : start + length]

    def between(self, clip: Tensor, place: Tensor) -> Tensor:
        """Landmarks `[B,T,P,2]` of clips `[B]` at rows `place [B,T]`, between whole ones too: the
        nearer where one is missing."""
        low = place.floor().clamp(min=0).long()
        low = low.minimum(self.length[clip][:, None] - 1)
        high = (low + 1).minimum(self.length[clip][:, None] - 1)
        part = (place - low)[:, :, None, None].clamp(0, 1)
        a, b = (self.points[self.start[clip][:, None] + each].float() for each in (low, high))
        line = a + (b - a) * part
        return torch.where(torch.isnan(line), torch.where(part < 0.5, a, b), line)

    def to(self, device: str) -> Self:
        """The same on a device."""
        tensors = {name: x.to(device) for name, x in vars(self).items() if isinstance(x, Tensor)}
        return type(self)(**(vars(self) | tensors))

    @classmethod
    def read(cls, *paths: Path) -> Self:
        """What `write` has written into one file or several."""
        parts = [read_part(path) for path in paths]
        header = {name: [x for part, _ in parts for x in part[name]] for name in parts[0][0]}
        points = np.concatenate([points for _, points in parts])
        tensors = {name: torch.tensor(header[name]) for name in ("label", "kind", "fold", "length")}
        start = tensors["length"].cumsum(0) - tensors["length"]
        return cls(
            torch.from_numpy(points),
            start,
            path=header["path"],
            signer=header["signer"],
            signs=max(header["signs"]),
            **tensors,
        )


def read_part(path: Path) -> tuple[dict[str, Any], Floats]:
    """Descriptions of the clips of a file, and their landmarks `[N,P,2]`."""
    with lzma.open(path) as file:
        header = json.loads(file.readline())
        raw = np.frombuffer(file.read(), "<i2").reshape(-1, POINTS, 2).copy()
    end = np.cumsum(header["length"])
    for a, b in zip(end - header["length"], end, strict=True):
        raw[a:b] = raw[a:b].cumsum(axis=0, dtype=np.int16)
    points: Floats = np.where(raw == MISSING, np.nan, raw * np.float32(STEP)).astype(np.float32)
    return header, points


def write(path: Path, rows: list[Floats], entries: list[dict[str, Any]]) -> None:
    """Writes rows `[T,F]` of clips and what they are: kept as differences from row to row, which
    pack well."""
    header = {name: [entry[name] for entry in entries] for name in entries[0]}
    header["length"] = [len(clip) for clip in rows]
    with lzma.open(path.with_suffix(".part"), "wb", preset=3) as file:
        file.write(json.dumps(header).encode() + b"\n")
        for clip in rows:
            whole = np.clip(np.round(clip[:, : 2 * POINTS] / STEP), -32767, 32767)
            whole = np.where(np.isnan(whole), MISSING, whole).astype(np.int16)
            change: NDArray[np.int16] = np.diff(whole, axis=0, prepend=np.zeros_like(whole[:1]))
            file.write(change.astype("<i2").tobytes())
    path.with_suffix(".part").rename(path)


def gather(signd: Signd, data: Path, split_file: Path) -> tuple[list[Floats], list[dict[str, Any]]]:
    """Rows and descriptions of all clips."""
    split, labels = read_split(split_file), vocabulary_of(data)
    found = []

    def add(name: str, line: Line, kind: Kind, fold: int) -> None:
        label = labels.index(line["label"]) if kind == Kind.SIGN else len(labels)
        path = f"{name}/{Path(line['path']).name}"
        entry = {"label": label, "kind": int(kind), "fold": fold, "path": path}
        entry |= {"signer": f"{name}/{line['signer']}", "signs": len(labels)}
        found.append((Path(line["path"]), entry))

    for name in (*LABELLED_SETS, "other_asl"):
        for line in there(data, name):
            kind = Kind.SIGN if line["label"] in labels else Kind.OTHER_SIGN
            add(name, line, kind, split[name, line["signer"]])
    for line in there(data, "foreign"):
        fold = split.get(("foreign", line["signer"]))
        if fold is not None and "may resemble ASL" not in line["note"]:
            add("foreign", line, Kind.FOREIGN, fold)
    for line in there(data, "idle"):
        add("idle", line, Kind.IDLE, EVERYWHERE if line["part"] == "train" else NOWHERE)
    rows = signd.rows([path for path, _ in found])
    usable = [i for i, clip in enumerate(rows) if np.isfinite(clip[:, 0]).any()]
    return [rows[i] for i in usable], [found[i][1] for i in usable]


def there(data: Path, name: str) -> list[Line]:
    """The index of a set. No lines where DATA has no such set."""
    return set_index(data, name) if (data / name / "index.csv").exists() else []


def main(argv: Sequence[str] | None = None) -> None:
    """Does what the command line says."""
    parser = argument_parser(__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    add_signd(parser)
    add_split(parser)
    args = parser.parse_args(argv)
    rows, entries = gather(args.signd, args.data, args.split)
    write(args.out, rows, entries)
    print(f"{len(rows)} clips, {args.out.stat().st_size / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
