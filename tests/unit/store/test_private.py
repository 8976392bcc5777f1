"""What lies under ``restricted/`` is its owner's alone, whatever the umask; what was opened on purpose stays open."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from churnrisk.store.private import FILE_MODE, FOLDER_MODE, kept_private, made_folder


@pytest.fixture(autouse=True)
def wide_open() -> Iterator[None]:
    """Create everything for everybody, as far as the system is asked."""
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    """Return the permission bits."""
    return path.stat().st_mode & 0o777


def test_folders_and_files_under_it_are_the_owners_alone_and_others_are_left(tmp_path: Path) -> None:
    top = tmp_path / "new" / "restricted"
    folder = made_folder(top / "ties" / "as_of=2026-06-30", private_under=top)
    assert {mode(each) for each in (top, top / "ties", folder)} == {FOLDER_MODE}
    assert mode(tmp_path / "new") == 0o777
    for path, expected in ((folder / "part-0.parquet", FILE_MODE), (tmp_path / "new" / "open.csv", 0o666)):
        path.write_bytes(b"x")
        assert mode(kept_private(path, private_under=top)) == expected


def test_a_folder_that_was_opened_to_a_group_stays_open(tmp_path: Path) -> None:
    top = tmp_path / "restricted"
    top.mkdir()
    top.chmod(0o750)
    made_folder(top / "ties", private_under=top)
    assert (mode(top), mode(top / "ties")) == (0o750, FOLDER_MODE)
