"""The one bridge to the daemon's binary: it reads recordings, makes rows and evaluates models.

No file format of recordings and no feature is known to Python, so that training sees just what the
daemon will see.
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import msgpack
import numpy as np

from .arrays import Floats, Nanoseconds
from .features import GROUPS, RATE_HZ
from .landmarks import POINTS

FILES_AT_ONCE = 500
"""A command line has a bounded length."""
LARGEST_ANSWER = 1 << 31
"""Bytes."""


@dataclass(frozen=True)
class Recording:
    """Landmarks of one file."""

    landmarks: Floats
    """`[T,543,3]`: x in image widths, y in image heights, `NaN` where missing."""
    times: Nanoseconds
    """Capture time of each frame, `[T]`."""
    width: int
    """Of the image, pixels."""
    height: int

    @property
    def aspect(self) -> float:
        """Width over height."""
        return self.width / self.height


class Signd:
    """Commands of the binary. A command that fails ends the program."""

    def __init__(self, binary: Path) -> None:
        self.binary = binary

    def landmarks(self, files: list[Path]) -> list[Recording]:
        """The landmarks of each file (`signd landmarks`)."""
        return [
            Recording(
                np.frombuffer(clip["landmarks"], "<f4").reshape(-1, POINTS, 3),
                np.frombuffer(clip["t"], "<u8"),
                clip["width"],
                clip["height"],
            )
            for clip in self._of_files(["landmarks"], files)
        ]

    def rows(self, files: list[Path], groups: str = GROUPS) -> list[Floats]:
        """Rows `[T,F]` of each file as it is (`signd features`)."""
        return [_rows(answer) for answer in self._of_files(_features(groups, RATE_HZ), files)]

    def row_filter(self, groups: str = GROUPS, rate: float = RATE_HZ) -> "RowFilter":
        """A filter from landmarks to rows (`signd features -`)."""
        return RowFilter(self.binary, groups, rate)

    def evaluate(self, clips: Path, model: Path, *flags: str) -> list[dict[str, Any]]:
        """The answer to each clip of a list (`signd eval`), as in `clips` of its JSON."""
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "eval.json"
            self.run("eval", clips, "--model", model, "--json", report, *flags)
            found: list[dict[str, Any]] = json.loads(report.read_text())["clips"]
        return found

    def run(self, *arguments: str | Path) -> str:
        """What a command prints to standard output."""
        command = [str(self.binary), *map(str, arguments)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"signd {arguments[0]} failed with status {done.returncode}")
        return done.stdout

    def _of_files(self, arguments: list[str], files: list[Path]) -> Iterator[dict[str, Any]]:
        """One answer a file."""
        for start in range(0, len(files), FILES_AT_ONCE):
            some = files[start : start + FILES_AT_ONCE]
            command = [str(self.binary), *arguments, *map(str, some)]
            with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
                yield from msgpack.Unpacker(process.stdout, max_buffer_size=LARGEST_ANSWER)
            if process.returncode:
                raise SystemExit(f"signd {arguments[0]} failed with status {process.returncode}")


class RowFilter:
    """A running `signd features -`: the landmarks of a clip in, its rows out. It ends with the
    `with` block that it is opened in."""

    def __init__(self, binary: Path, groups: str, rate: float) -> None:
        command = [str(binary), *_features(groups, rate), "-"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.answers = msgpack.Unpacker(max_buffer_size=LARGEST_ANSWER)

    def __call__(self, landmarks: Floats, times: Nanoseconds, width: int, height: int) -> Floats:
        """Rows `[T,F]` of landmarks `[T,543,3]` at these times, in an image of this size."""
        clip = {
            "t": times.tobytes(),
            "width": width,
            "height": height,
            "landmarks": landmarks.tobytes(),
        }
        assert self.process.stdin is not None and self.process.stdout is not None
        try:
            self.process.stdin.write(msgpack.packb(clip))
            self.process.stdin.flush()
            while (answer := next(self.answers, None)) is None:
                # As many bytes as there are: a buffered read would wait for more than one answer.
                given = os.read(self.process.stdout.fileno(), 1 << 20)
                if not given:
                    raise BrokenPipeError
                self.answers.feed(given)
        except BrokenPipeError:
            status = self.process.wait()
            raise SystemExit(f"signd features ended with status {status}") from None
        return _rows(answer)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the process."""
        assert self.process.stdin is not None and self.process.stdout is not None
        with suppress(BrokenPipeError):  # it may have ended by itself
            self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def _features(groups: str, rate: float) -> list[str]:
    return ["features", "--groups", groups, "--rate", f"{rate:g}"]


def _rows(answer: dict[str, Any]) -> Floats:
    rows: Floats = np.frombuffer(answer["data"], "<f4").reshape(-1, answer["columns"])
    return rows
