"""What a model answers to clips: inside signd, and outside it in Python.

Outside means the reference that the daemon is held against: TFLite for a TFLite file, ONNX Runtime
for an ONNX file. Every recording is read by signd.
"""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats
from ..indices import Line, read_index
from ..onnx_session import session
from ..runners import Runner, runner
from ..signd import Recording, Signd
from .figures import Answer

MOST = 10
"""Labels in an answer, as many as signd gives."""


def inside(signd: Signd, clips: Path, model: Path, no_sign: str | None) -> list[Answer]:
    """The answers of `signd eval`, in the order of the list, *no sign* under the model's own name
    for it."""
    none = no_sign or ""
    found = [clip["top"] for clip in signd.evaluate(clips, model)]
    return [[(none if label is None else label, p) for label, p in top] for top in found]


def recordings(signd: Signd, lines: list[Line]) -> list[Recording]:
    """The listed recordings; rate and size of the list stand above what a file says or leaves out,
    as in `signd eval`."""
    found = []
    read = signd.landmarks([Path(line["path"]) for line in lines])
    for recording, line in zip(read, lines, strict=True):
        width, height, fps = (float(line[key] or 0) for key in ("width", "height", "fps"))
        if width > 0 and height > 0:
            recording = replace(recording, width=int(width), height=int(height))
        if fps > 0:
            times = 1e9 + np.arange(len(recording.times)) * (1e9 / fps)
            recording = replace(recording, times=times.astype("<u8"))
        found.append(recording)
    return found


@dataclass
class Subject:
    """A model to be measured."""

    name: str
    model: Path
    """What runs inside: an ONNX file with signd's metadata."""
    original: Path
    """What runs outside: the same, or the TFLite file that it was made from."""
    metadata: dict[str, str] = field(init=False)
    labels: list[str] = field(init=False)
    run: Runner | None = field(init=False)
    """Runs it outside; none for a streaming form, which keeps a state."""

    def __post_init__(self) -> None:
        opened = session(self.model)
        self.metadata = opened.get_modelmeta().custom_metadata_map
        self.labels = json.loads(self.metadata["signd.labels"])
        self.run = runner(self.original) if len(opened.get_inputs()) == 1 else None

    @property
    def no_sign(self) -> str | None:
        return self.metadata.get("signd.no_sign")

    def rows(self, signd: Signd, lines: list[Line]) -> list[Floats]:
        """What the model sees of recordings: landmarks `[T,543,3]` or rows `[T,F]`."""
        found = recordings(signd, lines)
        if self.metadata["signd.contract"] == "landmarks":
            return [recording.landmarks for recording in found]
        groups, rate = self.metadata["signd.groups"], float(self.metadata["signd.rate"])
        with signd.row_filter(groups, rate) as rows_of:
            return [rows_of(each.landmarks, each.times, each.width, each.height) for each in found]

    def outside(self, signd: Signd, lines: list[Line]) -> list[Answer] | None:
        """Its answers outside signd; none for a streaming form."""
        if self.run is None:
            return None
        window, temperature = (
            int(self.metadata["signd.window"]),
            self.metadata.get("signd.temperature", "1"),
        )
        return [
            answer(self.labels, self.run(rows[-window:]) / float(temperature))
            for rows in self.rows(signd, lines)
        ]


def answer(labels: list[str], logits: NDArray[np.floating]) -> Answer:
    """The best labels by softmax."""
    weights = np.exp(logits.astype(np.float64) - logits.max())
    best = np.argsort(-weights, kind="stable")[:MOST]
    return [(labels[i], float(weights[i] / weights.sum())) for i in best]


def listed(clips: Path) -> list[Line]:
    """The lines of a list for `signd eval`; paths relative to it are made so to the working
    directory."""
    return [line | {"path": str(clips.parent / line["path"])} for line in read_index(clips)]
