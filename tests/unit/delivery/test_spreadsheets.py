"""Lists open in a spreadsheet as they were written, in any script, and nothing in them runs."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from datetime import date
from pathlib import Path

import fastexcel
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churnrisk.delivery import harmless, written_csv, written_xlsx
from churnrisk.delivery.spreadsheets import LONGEST_CELL

DAY = date(2026, 6, 30)
LIST = pl.DataFrame(
    {
        "name": ["Анна Ёлкина", "王小明", '=cmd|" /C calc"!A0'],
        "phone": ["+7 916 123-45-67", "+8613800138000", None],
        "customer_id": ["00123", "1e5", "-7"],
        "position": [1, 2, 3],
        "risk": [0.8125, 0.5, 0.25],
        "value": [1200.5, None, 0.0],
        "may_contact": [True, True, False],
        "as_of": [DAY, DAY, DAY],
    }
)


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("=1+1", "'=1+1"),
        ("+SUM(A1)", "'+SUM(A1)"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t'=1"),
        ("\rx", "'\rx"),
        ("  =1", "'  =1"),
        ("\u00a0=1", "'\u00a0=1"),
        ("\ufeff=1", "'\ufeff=1"),
        ("＝1", "'＝1"),
        ("Anna;=1", "Anna;'=1"),
        ("Anna\n=1", "Anna\n'=1"),
        ("+7 (916) 123-45-67", "+7 (916) 123-45-67"),
        ("+79161234567", "+79161234567"),
        ("+7-1", "'+7-1"),
        ("+7 916 123-45-67 =1", "'+7 916 123-45-67 =1"),
        ("-5", "-5"),
        ("-5,25", "-5,25"),
        ("a=1", "a=1"),
        ("O'Neill", "O'Neill"),
        ("", ""),
    ],
)
def test_a_cell_that_could_act_gets_an_apostrophe_and_nothing_else_changes(text: str, made: str) -> None:
    assert harmless(text) == made


@given(st.text(alphabet="=+-@;\t\r\n 7aЯ王'\",()|＝", max_size=12), st.sampled_from(",;"))
def test_no_text_leaves_a_cell_that_begins_like_a_formula(text: str, separator: str) -> None:
    made = harmless(text)
    assert made.replace("'", "") == text.replace("'", "")
    if made == text and re.fullmatch(r"(\+[\d ().\-/]+|-\d+)", text):
        return
    line = io.StringIO(newline="")
    csv.writer(line, lineterminator="\r\n").writerows([[made, "x"], ["x", made]])
    for row in csv.reader(io.StringIO(line.getvalue(), newline=""), delimiter=separator):
        assert not any(re.match(r"\s*[=+\-@＝]", cell) for cell in row), row


def test_csv_reads_back_as_written(tmp_path: Path) -> None:
    content = written_csv(LIST, tmp_path / "at_risk.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbfname,phone,")
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert rows[1] == [
        "Анна Ёлкина",
        "+7 916 123-45-67",
        "00123",
        "1",
        "0.8125",
        "1200.5",
        "true",
        "2026-06-30",
    ]
    assert rows[2] == ["王小明", "+8613800138000", "1e5", "2", "0.5", "", "true", "2026-06-30"]
    assert rows[3][:3] == ['\'=cmd|" /C calc"!A0', "", "-7"]
    assert content.count(b"\r\n") == 4


def test_csv_keeps_separators_quotes_and_line_breaks_inside_a_cell(tmp_path: Path) -> None:
    texts = ['a,b"c', "one\ntwo", "три;четыре"]
    content = written_csv(pl.DataFrame({"note": texts}), tmp_path / "x.csv").read_text("utf-8-sig")
    assert b'"a,b""c"\r\n' in written_csv(pl.DataFrame({"note": texts}), tmp_path / "y.csv").read_bytes()
    assert [row[0] for row in csv.reader(io.StringIO(content, newline=""))][1:] == texts


def test_xlsx_reads_back_with_types_and_every_script(tmp_path: Path) -> None:
    path = written_xlsx(
        LIST, tmp_path / "at_risk.xlsx", sheet="at risk", made_on=DAY, formats={"risk": "0.0%"}
    )
    reader = fastexcel.read_excel(path)
    assert reader.sheet_names == ["at risk"]
    back = pl.DataFrame(reader.load_sheet(0).to_arrow())
    assert back["name"].to_list() == LIST["name"].to_list()
    assert back["phone"].to_list() == LIST["phone"].to_list()
    assert back["customer_id"].to_list() == ["00123", "1e5", "-7"]
    assert back["risk"].to_list() == [0.8125, 0.5, 0.25]
    assert back["value"].to_list() == [1200.5, None, 0.0]
    assert back["may_contact"].to_list() == [True, True, False]


def test_xlsx_holds_no_formula_and_no_link_and_freezes_its_head(tmp_path: Path) -> None:
    frame = pl.DataFrame({"note": ["=1+1", "http://example.org", "{=1}", "mailto:a@b"]})
    path = written_xlsx(frame, tmp_path / "x.xlsx", sheet="x", made_on=DAY)
    with zipfile.ZipFile(path) as book:
        page = book.read("xl/worksheets/sheet1.xml").decode()
        assert "<f>" not in page
        assert "hyperlink" not in page
        assert 'state="frozen"' in page
        assert "<autoFilter" in page


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_the_same_list_gives_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    def bytes_of(name: str) -> bytes:
        path = tmp_path / f"{name}.{suffix}"
        if suffix == "csv":
            return written_csv(LIST, path).read_bytes()
        return written_xlsx(LIST, path, sheet="x", made_on=DAY).read_bytes()

    assert bytes_of("one") == bytes_of("two")


def test_the_time_inside_an_xlsx_comes_from_the_date_given(tmp_path: Path) -> None:
    path = written_xlsx(LIST, tmp_path / "x.xlsx", sheet="x", made_on=DAY)
    with zipfile.ZipFile(path) as book:
        assert b"2026-06-30T00:00:00Z" in book.read("docProps/core.xml")
        assert {each.date_time for each in book.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_texts_beyond_what_a_cell_holds_end_in_an_ellipsis(tmp_path: Path) -> None:
    frame = pl.DataFrame({"note": ["я" * (LONGEST_CELL + 5)]})
    path = written_xlsx(frame, tmp_path / "x.xlsx", sheet="x", made_on=DAY)
    back = pl.DataFrame(fastexcel.read_excel(path).load_sheet(0).to_arrow())["note"][0]
    assert (len(back), back[-1]) == (LONGEST_CELL, "…")


def test_an_empty_list_is_a_head_without_rows(tmp_path: Path) -> None:
    empty = LIST.clear()
    assert written_csv(empty, tmp_path / "x.csv").read_bytes().count(b"\r\n") == 1
    assert written_xlsx(empty, tmp_path / "x.xlsx", sheet="x", made_on=DAY).stat().st_size > 0
