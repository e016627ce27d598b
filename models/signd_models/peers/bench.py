"""Time for one inference, on one thread, of models that take turns in one process.

It is processor time: on one thread the same as wall time, but without the waits for a core that a
busy machine adds.
"""

import statistics
import time

import numpy as np

from ..arrays import Floats
from ..runners import Runner

FRAMES = (32, 64, 128)
WARM_UP, TURNS = 5, 101


def milliseconds(models: dict[str, tuple[Runner, Floats]]) -> dict[str, dict[int, float]]:
    """Median in ms for each number of frames. `models`: what runs, and rows `[T,...]` of
    a clip, repeated until they are enough. They take turns, so that what else the machine does
    strikes all of them alike."""
    found: dict[str, dict[int, float]] = {name: {} for name in models}
    for frames in FRAMES:
        given = {name: (run, repeated(rows, frames)) for name, (run, rows) in models.items()}
        times: dict[str, list[float]] = {name: [] for name in models}
        for turn in range(WARM_UP + TURNS):
            for name, (run, rows) in given.items():
                start = time.process_time()
                run(rows)
                if turn >= WARM_UP:
                    times[name].append(1e3 * (time.process_time() - start))
        for name, taken in times.items():
            found[name][frames] = statistics.median(taken)
    return found


def repeated(rows: Floats, frames: int) -> Floats:
    """As many rows as asked for, from the start over and over."""
    return np.ascontiguousarray(rows[np.arange(frames) % len(rows)])
