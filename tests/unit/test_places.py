"""A file that a user asks for goes where they said, as they said, or nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from churnrisk.errors import UsageError
from churnrisk.places import drawing_place, existing_folder, numbered_place, table_place


@pytest.mark.parametrize("name", ["out.parquet", "out.csv", "OUT.CSV"])
def test_tables_are_parquet_or_csv(tmp_path: Path, name: str) -> None:
    assert table_place(tmp_path / name) == tmp_path / name


@pytest.mark.parametrize("name", ["out.xlsx", "out", "out.csv.gz"])
def test_other_formats_are_refused_with_what_is_taken(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"ends in \.parquet or \.csv") as caught:
        table_place(tmp_path / name)
    assert caught.value.codes == ("format_unknown",)


@pytest.mark.parametrize("name", ["ego.png", "ego", "ego.svg.png", "ego.html"])
def test_pictures_are_svg_and_nothing_else(tmp_path: Path, name: str) -> None:
    assert drawing_place(tmp_path / "EGO.SVG") == tmp_path / "EGO.SVG"
    with pytest.raises(UsageError, match=r"ends in \.svg") as caught:
        drawing_place(tmp_path / name)
    assert caught.value.codes == ("format_unknown",)


def test_no_folder_is_made_by_the_way(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a folder that exists"):
        table_place(tmp_path / "new" / "out.csv")
    with pytest.raises(UsageError, match="a folder that exists"):
        drawing_place(tmp_path / "new" / "ego.svg")
    with pytest.raises(UsageError, match="a file name"):
        existing_folder(tmp_path, "--svg")
    assert list(tmp_path.iterdir()) == []


def test_files_of_one_kind_are_numbered_as_they_come_and_none_is_written_over(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    names = [numbered_place(folder, "influence", ".svg").name for _ in range(3)]
    assert names == ["influence-1.svg", "influence-2.svg", "influence-3.svg"]
    (folder / names[1]).unlink()
    assert numbered_place(folder, "influence", ".svg").name == "influence-2.svg"
