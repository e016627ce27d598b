"""What a model's rows are made of: groups of columns of the daemon's feature schema."""

import json
from pathlib import Path

GROUPS = "hand other lips nose eyes arms"
"""Groups of a row: what the network sees, and the arms, which the tagger sees besides the hands."""
POINTS = 118
"""Landmarks that the network sees, all but the arms; x and y of each, the first columns of a
row."""
HAND, OTHER, FACE, ARMS = slice(0, 21), slice(21, 42), slice(42, 118), slice(118, 124)
"""The landmarks of a row."""
CENTRE = 47
"""The middle of the lower lip among them (17 of the face mesh)."""
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
