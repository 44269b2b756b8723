"""What is in the lake is named by its bytes, kept once, and checked when it is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from pilotage.platform.errors import CorruptArtefact, NotFound
from pilotage.platform.lake import Lake


def test_the_same_bytes_are_kept_once_under_the_same_name(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    assert lake.put(b"weather", ".bin") == lake.put(b"weather", ".bin")
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_changed_bytes_are_found(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    digest = lake.put(b"weather", ".bin")
    lake.path(digest, ".bin").write_bytes(b"wether!")
    with pytest.raises(CorruptArtefact, match="was changed after it was written"):
        lake.read(digest, ".bin")


def test_what_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="is not in the lake"):
        Lake(tmp_path).read("0" * 64, ".bin")


def test_what_was_not_kept_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), Lake(tmp_path).writing() as path:
        path.write_bytes(b"half")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
