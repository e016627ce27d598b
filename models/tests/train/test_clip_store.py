"""The file of clips: what goes in comes out, several files are one."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from signd_models.arrays import Floats
from signd_models.train.clip_store import STEP, ClipStore, Kind, write


def test_clips_come_back_as_they_were(
    clips: tuple[list[Floats], list[dict[str, Any]]], store: ClipStore
) -> None:
    rows, entries = clips
    assert len(store) == len(rows) and store.signs == 2
    for i, clip in enumerate(rows):
        again = store.clip(i).flatten(1).numpy()
        np.testing.assert_allclose(again, clip, atol=STEP)
        assert int(store.label[i]) == entries[i]["label"]


def test_two_files_are_read_as_one(
    clips: tuple[list[Floats], list[dict[str, Any]]], tmp_path: Path
) -> None:
    rows, entries = clips
    write(tmp_path / "a.xz", rows[:5], entries[:5])
    write(tmp_path / "b.xz", rows[5:], entries[5:])
    both = ClipStore.read(tmp_path / "a.xz", tmp_path / "b.xz")
    np.testing.assert_allclose(both.clip(7).flatten(1).numpy(), rows[7], atol=STEP)
    assert (both.kind == Kind.SIGN).sum() == 32


def test_between_two_rows_lies_a_line_and_the_nearer_where_one_is_missing(store: ClipStore) -> None:
    clip = torch.tensor([3])
    store.points[int(store.start[3]) + 1, 0] = torch.nan
    a, b = store.clip(3)[2], store.clip(3)[3]
    found = store.between(clip, torch.tensor([[2.5, 0.4, 0.6, 99.0]]))[0]
    torch.testing.assert_close(found[0], (a + b) / 2, equal_nan=True)
    assert torch.isfinite(found[1, 0]).all() and torch.isnan(found[2, 0]).all()
    torch.testing.assert_close(found[3], store.clip(3)[-1], equal_nan=True)
