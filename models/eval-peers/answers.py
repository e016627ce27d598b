"""What a model answers to clips: inside signd, and outside it in Python.

Outside means the reference that the daemon is held against: TFLite for a TFLite file, ONNX Runtime
for an ONNX file. Every recording is read by signd.
"""

import json
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import msgpack
import numpy as np
from numpy.typing import NDArray

from models.runners import Floats, Runner, runner, session
from models.train.clips import read_index, read_landmarks

from .figures import Answer

MOST = 10
"""Labels in an answer, as many as signd gives."""


@dataclass
class Daemon:
    """Files of the daemon."""

    signd: Path
    runtime: Path

    def evaluate(self, clips: Path, model: Path) -> list[Answer]:
        """The answers of `signd eval`, in the order of the list; raises if a clip has none."""
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "eval.json"
            command = [self.signd, "eval", clips, "--model", model, "--runtime", self.runtime]
            subprocess.run([*command, "--json", out], check=True, capture_output=True)
            return [
                [tuple(pair) for pair in clip["top"]]
                for clip in json.loads(out.read_text())["clips"]
            ]

    def features(self, files: list[Path], groups: str, rate: str) -> list[Floats]:
        """Rows `[T,F]` of recordings."""
        command = [self.signd, "features", "--groups", groups, "--rate", rate, *files]
        told = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
        unpacker = msgpack.Unpacker(max_buffer_size=len(told))
        unpacker.feed(told)
        return [
            np.frombuffer(clip["data"], "<f4").reshape(-1, clip["columns"]) for clip in unpacker
        ]


@dataclass
class Subject:
    """A model to be measured."""

    name: str
    model: Path
    """What runs inside: an ONNX file with signd's metadata."""
    original: Path
    """What runs outside: the same, or the TFLite file that it was made from."""
    said: dict[str, str] = field(init=False)
    """The metadata."""
    labels: list[str] = field(init=False)
    run: Runner | None = field(init=False)
    """Runs it outside; none for a streaming form, which keeps a state."""

    def __post_init__(self) -> None:
        opened = session(self.model)
        self.said = opened.get_modelmeta().custom_metadata_map
        self.labels = json.loads(self.said["signd.labels"])
        self.run = runner(self.original) if len(opened.get_inputs()) == 1 else None

    @property
    def no_sign(self) -> str | None:
        return self.said.get("signd.no_sign")

    def rows(self, daemon: Daemon, files: list[Path]) -> list[Floats]:
        """What the model sees of recordings: landmarks `[T,543,3]` or rows `[T,F]`."""
        if self.said["signd.contract"] == "landmarks":
            return [landmarks for landmarks, _, _ in read_landmarks(daemon.signd, files)]
        return daemon.features(files, self.said["signd.groups"], self.said["signd.rate"])

    def outside(self, daemon: Daemon, files: list[Path]) -> list[Answer] | None:
        """Its answers outside signd; none for a streaming form."""
        if self.run is None:
            return None
        window, temperature = (
            int(self.said["signd.window"]),
            self.said.get("signd.temperature", "1"),
        )
        return [
            answer(self.labels, self.run(rows[-window:]) / float(temperature))
            for rows in self.rows(daemon, files)
        ]


def answer(labels: list[str], logits: NDArray[np.floating]) -> Answer:
    """The best labels by softmax."""
    weights = np.exp(logits.astype(np.float64) - logits.max())
    best = np.argsort(-weights, kind="stable")[:MOST]
    return [(labels[i], float(weights[i] / weights.sum())) for i in best]


def listed(clips: Path) -> tuple[list[Path], list[str]]:
    """Files and labels of a list for `signd eval`."""
    lines = read_index(clips)
    return [clips.parent / line["path"] for line in lines], [line["label"] for line in lines]
