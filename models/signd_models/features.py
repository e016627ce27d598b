"""What a model's rows are made of: groups of columns of the daemon's feature schema."""

import json
from pathlib import Path

GROUPS = "hand other lips arms face_distance tip_distance finger_angle other_angle arm_angle"
"""Groups that the shipped network sees."""
RATE_HZ = 30
"""Rows a second."""
WINDOW_ROWS = 128
"""Most rows of a sign that the network sees; of a longer one these last rows."""


def widths() -> dict[str, int]:
    """Number of columns of each group, as `signd features --columns` prints it."""
    found: dict[str, int] = json.loads(Path(__file__).with_name("columns.json").read_text())
    return found


def spans(groups: str = GROUPS) -> dict[str, slice]:
    """Columns of each group in rows that have these groups."""
    found, start, width = {}, 0, widths()
    for name in groups.split():
        found[name] = slice(start, start + width[name])
        start += width[name]
    return found
