"""A file that a user asks for goes where they said, as they said, or nothing is written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from churnrisk.errors import UsageError
from churnrisk.places import drawing_place, existing_folder, nameless_place, table_place


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


def test_a_picture_of_somebody_has_one_name_that_does_not_tell_whom(tmp_path: Path) -> None:
    folder = tmp_path / "new"

    def name(about: str, key: str = "secret") -> str:
        return nameless_place(folder, "influence", ".svg", about=about, key=key).name

    assert name("00123") == name("00123")
    assert len({name("00123"), name("00124"), name("00123", "another secret")}) == 3
    assert "00123" not in name("00123")
    assert re.fullmatch(r"influence-[0-9a-f]{12}\.svg", name("00123"))
    assert list(folder.iterdir()) == []
