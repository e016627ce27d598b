"""What a model answers to clips: inside signd, and outside it in Python.

Outside means the reference that the daemon is held against: TFLite for a TFLite file, ONNX Runtime
for an ONNX file. Every recording is read by signd.
"""

import json
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgpack
import numpy as np
from numpy.typing import NDArray

from models.runners import Floats, Runner, runner, session
from models.train.clips import POINTS, read_index

from .figures import Answer

Line = dict[str, str]
"""A line of a list for `signd eval`."""
MOST = 10
"""Labels in an answer, as many as signd gives."""


@dataclass
class Daemon:
    """Files of the daemon."""

    signd: Path
    runtime: Path

    def evaluate(self, clips: Path, model: Path, no_sign: str | None) -> list[Answer]:
        """The answers of `signd eval`, in the order of the list, *no sign* under the model's own
        name for it; exits if a clip has none."""
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "eval.json"
            asked = ["eval", clips, "--model", model, "--runtime", self.runtime, "--json", out]
            self.output(*asked)
            told = [clip["top"] for clip in json.loads(out.read_text())["clips"]]
        return [[(no_sign if label is None else label, p) for label, p in top] for top in told]

    def clips(self, lines: list[Line]) -> list[dict[str, Any]]:
        """The listed recordings as `signd landmarks` prints them; rate and size of the list stand
        above what a file says or leaves out, as in `signd eval`."""
        clips = unpacked(self.output("landmarks", *(line["path"] for line in lines)))
        for clip, line in zip(clips, lines, strict=True):
            width, height, fps = (float(line[key] or 0) for key in ("width", "height", "fps"))
            if width > 0 and height > 0:
                clip |= {"width": int(width), "height": int(height)}
            if fps > 0:
                times = 1e9 + np.arange(len(clip["t"]) // 8) * (1e9 / fps)
                clip["t"] = times.astype("<u8").tobytes()
        return clips

    def features(self, clips: list[dict[str, Any]], groups: str, rate: str) -> list[Floats]:
        """Rows `[T,F]` of clips."""
        given = b"".join(msgpack.packb(clip) for clip in clips)
        told = unpacked(
            self.output("features", "--groups", groups, "--rate", rate, "-", given=given)
        )
        return [np.frombuffer(rows["data"], "<f4").reshape(-1, rows["columns"]) for rows in told]

    def output(self, *asked: str | Path, given: bytes = b"") -> bytes:
        """What a command of signd prints; exits if it fails."""
        done = subprocess.run(
            [self.signd, *asked], input=given, stdout=subprocess.PIPE, check=False
        )
        if done.returncode:
            raise SystemExit(f"signd {asked[0]} failed with status {done.returncode}")
        return done.stdout


def unpacked(stream: bytes) -> list[dict[str, Any]]:
    """MessagePack maps, one after the other."""
    unpacker = msgpack.Unpacker(max_buffer_size=len(stream))
    unpacker.feed(stream)
    return list(unpacker)


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

    def rows(self, daemon: Daemon, lines: list[Line]) -> list[Floats]:
        """What the model sees of recordings: landmarks `[T,543,3]` or rows `[T,F]`."""
        clips = daemon.clips(lines)
        if self.said["signd.contract"] == "landmarks":
            return [np.frombuffer(c["landmarks"], "<f4").reshape(-1, POINTS, 3) for c in clips]
        return daemon.features(clips, self.said["signd.groups"], self.said["signd.rate"])

    def outside(self, daemon: Daemon, lines: list[Line]) -> list[Answer] | None:
        """Its answers outside signd; none for a streaming form."""
        if self.run is None:
            return None
        window, temperature = (
            int(self.said["signd.window"]),
            self.said.get("signd.temperature", "1"),
        )
        return [
            answer(self.labels, self.run(rows[-window:]) / float(temperature))
            for rows in self.rows(daemon, lines)
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
