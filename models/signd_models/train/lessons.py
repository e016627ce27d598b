"""Lessons of the tagger: rows of continuous streams, and where their signs are."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgpack
import numpy as np

from ..arrays import Floats, Seconds

POINTS = (0, 4, 5, 8, 12, 17)
"""Of a hand: wrist, knuckles of index and little finger, tips of thumb, index and middle finger."""
EDGE = 1e-3
"""Seconds by which a row may lie outside of a sign and still be in it: times are rounded."""


@dataclass(frozen=True)
class Lesson:
    """One stream."""

    x: Floats
    """The columns that the tagger sees, `[T,C]`, `NaN` where missing."""
    y: Floats
    """1 on rows that lie in a sign, `[T]`."""
    times: Seconds
    fold: int
    """Of the signer."""
    set: str
    fps: float
    disturbed: bool
    name: str
    signs: list[tuple[float, float]]
    """Start and end of each, seconds."""


def columns(groups: dict[str, int], used: list[str]) -> list[int]:
    """Which columns of a model's rows the tagger sees. `groups`: widths of all groups in the order
    of the schema. `used`: the groups of the model."""
    start, first = 0, {}
    for group, width in groups.items():
        if group in used:
            first[group] = start
            start += width
    hands = [first[hand] + 2 * p + d for hand in ("hand", "other") for p in POINTS for d in (0, 1)]
    return hands + [first["arms"] + i for i in range(groups["arms"])]


def read(files: list[Path], chosen: list[int]) -> Iterator[Lesson]:
    """The lessons of files that `signd eval --streams --rows` has written; `chosen`: columns."""
    for file in files:
        with file.open("rb") as stream:
            for told in msgpack.Unpacker(stream, max_buffer_size=1 << 31):
                rows = np.frombuffer(told["data"], "<f4").reshape(-1, told["columns"])
                times = np.array(told["times"])
                signs = [(start, end) for start, end in told["signs"]]
                y = np.zeros(len(rows), np.float32)
                for start, end in signs:
                    y[(times >= start - EDGE) & (times <= end + EDGE)] = 1.0
                yield Lesson(
                    x=rows[:, chosen].copy(),
                    y=y,
                    times=times,
                    fold=told["fold"],
                    set=told["set"],
                    fps=told["fps"],
                    disturbed=told["disturbed"],
                    name=told["name"],
                    signs=signs,
                )
