"""Lists of recordings, labels and signers."""

from pathlib import Path

import pytest

from signd_models import indices
from signd_models.places import SPLIT


def test_an_index_has_labels_in_lower_case_and_paths_that_lead_to_files(tmp_path: Path) -> None:
    (tmp_path / "wlasl").mkdir()
    (tmp_path / "wlasl/index.csv").write_text("path,label,signer\na.npz, Mom ,ann\nb.npz,,bob\n")
    lines = indices.set_index(tmp_path, "wlasl")
    assert [line["label"] for line in lines] == ["mom", ""]
    assert lines[0]["path"] == str(tmp_path / "wlasl/a.npz")
    assert indices.fold_of(lines[1], {("wlasl", "bob"): 2, ("webcam", "bob"): 1}) == 2


def test_the_vocabulary_is_in_the_order_of_the_outputs(tmp_path: Path) -> None:
    path = tmp_path / "labels.json"
    path.write_text('{"TV": 1, "after": 0}')
    assert indices.read_vocabulary(path) == ["after", "tv"]


def test_the_split_in_the_project_keeps_the_same_people_in_one_fold() -> None:
    split = indices.read_split(SPLIT)
    assert set(split.values()) == set(range(indices.FOLDS))
    same = {fold for (_, who), fold in split.items() if who in indices.SAME_PEOPLE}
    assert len(same) == 1
    with pytest.raises(SystemExit, match="no fold of signer ann"):
        indices.fold_of({"path": "/nowhere/a.npz", "signer": "ann"}, split)
