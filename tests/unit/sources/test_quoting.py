"""Quotes of a CSV: no text in quotes takes rows in silence; the slow twin is the reader of the standard library."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from churnrisk.config import SourceSettings
from churnrisk.sources import quoting
from churnrisk.sources.delimited import DelimitedTable
from churnrisk.sources.quoting import QuoteFaults, RowLike, quote_faults
from churnrisk.sources.raw import SourceFault

LIKE = RowLike(b",", 2, (1, 2), has_digits=True, has_blanks=False)


def found(text: str, like: RowLike = LIKE) -> QuoteFaults:
    return quote_faults(io.BytesIO(text.encode()), like.delimiter, b'"', like)


def spans(text: str) -> list[str]:
    """Return the text of every record, as a lenient reader cuts them."""
    records, begins = [], 0
    lines = io.StringIO(text, newline="").readlines()
    reader = csv.reader(lines)
    for record in reader:
        if record:
            records.append("".join(lines[begins : reader.line_num]))
        begins = reader.line_num
    return records


def has_hidden_quote(record: str) -> bool:
    """Say whether a text of several lines begins or ends beside a mark within another text: refused, to be sure."""
    marks = [line.count('"') % 2 for line in record.strip("\r\n").splitlines()]
    return not marks[0] or not marks[-1]


def is_strict(record: str) -> bool:
    try:
        list(csv.reader(io.StringIO(record, newline=""), strict=True))
    except csv.Error:
        return False
    return True


PIECES = st.sampled_from(
    ["a", "1", ",", ",", '"', '"', '""', '5"', " ", "\n", "\n", "\r\n", "\n\n", '"\n', ',"']
)


@settings(max_examples=600, deadline=None)
@given(pieces=st.lists(PIECES, max_size=24), chunk=st.sampled_from([1, 4096]))
@example(pieces=["1", ",", '5"', ",", '"', "a", "\n", "1", ",", '5"', ",", '"', "\n"], chunk=4096)
def test_no_line_is_taken_into_another_record_unless_the_quotes_are_as_they_should(
    pieces: list[str], chunk: int
) -> None:
    text = "".join(pieces)
    records = spans(text)
    before, quoting.CHUNK = quoting.CHUNK, chunk
    try:
        faults = found(text)
    finally:
        quoting.CHUNK = before
    over_lines = [record for record in records if len(record.strip("\r\n").splitlines()) > 1]
    if faults.open_line is None and faults.n_records <= len(records):
        assert all(map(is_strict, over_lines))
    if all(map(is_strict, records)) and not any(map(has_hidden_quote, over_lines)):
        assert (faults.open_line, faults.n_records) == (None, len(records))


@settings(max_examples=150, deadline=None)
@given(
    cells=st.lists(
        st.lists(st.text(st.sampled_from('ab1,"\n '), max_size=6), min_size=3, max_size=3),
        min_size=1,
        max_size=8,
    )
)
def test_whatever_was_written_as_csv_is_read_in_full(
    cells: list[list[str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Also a text whose lines look like rows is told: it is put aside, and the other rows stay."""
    path = tmp_path_factory.mktemp("csv") / "some.csv"
    with path.open("w", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([["n", "b", "c"], *cells])
    table = DelimitedTable(path, "some.csv", SourceSettings(delimiter=","), where="some.csv", hints=[])
    rows = {
        number: row
        for b in table.batches(["n", "b", "c"])
        for number, row in zip(b.rows, b.frame.rows(), strict=True)
    }
    aside = set(table.rejected_rows())
    assert sorted([*rows, *aside]) == list(range(1, len(cells) + 1))
    assert all(rows[number] == tuple(cells[number - 1]) for number in rows)
    assert bool(aside) == bool(table.warnings)


SWALLOWED = 'id,note,n\n1,"said no,5\n2,fine,6\n3,said yes",7\n4,fine,8\n'


def read(path: Path, text: str) -> tuple[DelimitedTable, list[int]]:
    path.write_text(text, newline="")
    table = DelimitedTable(path, "some.csv", SourceSettings(), where="some.csv", hints=["id", "note", "n"])
    return table, [number for batch in table.batches(["id"]) for number in batch.rows]


def test_a_text_that_holds_rows_of_the_file_is_put_aside_and_told_with_its_lines(tmp_path: Path) -> None:
    table, kept = read(tmp_path / "some.csv", SWALLOWED)
    assert (kept, table.rejected_rows()) == ([2], [1])
    (warning,) = table.warnings
    assert "lines 2 to 4: look for a quote that is not closed" in warning
    assert "said" not in warning


@pytest.mark.parametrize(
    "note",
    [
        "first line\nsecond",
        "first, line\nsecond, line",
        "one\n\nthree, four, five",
        'he said ""no""\nand left, at once',
    ],
)
def test_texts_of_several_lines_stay(note: str, tmp_path: Path) -> None:
    text = f'id,note,n\n1,"{note}",5\n2,fine,6\n'
    table, kept = read(tmp_path / "some.csv", text)
    assert (kept, list(table.rejected_rows()), table.warnings) == ([1, 2], [], [])


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ('1,"said no,5\n2,fine,6\n3,"said yes,7\n4,fine,8\n', 2),
        ('1,fine,5\n\n2,"said no,5\n3,fine,"6"\n', 4),
        ('1,5" pipe,"said no\n2,fine,6\n3,5" pipe,"7\n', 2),
        ('1,"no"t,"said\n2,fine,6\n', 2),
    ],
)
def test_a_quote_that_is_closed_within_another_record_is_an_error_with_its_line(
    rows: str, line: int, tmp_path: Path
) -> None:
    with pytest.raises(SourceFault) as caught:
        read(tmp_path / "some.csv", f"id,note,n\n{rows}")
    (fault,) = caught.value.faults
    assert (fault.code, fault.where) == ("quote_open", f"some.csv line {line}")


def test_an_open_quote_that_swallows_more_than_any_text_holds_is_told_with_its_line_too(
    tmp_path: Path,
) -> None:
    rows = "".join(f"{number},fine,{number}\n" for number in range(2, 14_000))
    with pytest.raises(SourceFault) as caught:
        read(tmp_path / "some.csv", f'id,note,n\n1,5" pipe,"open\n{rows}')
    (fault,) = caught.value.faults
    assert (fault.code, fault.where) == ("quote_open", "some.csv line 2")


def test_marks_within_a_text_and_text_after_a_quote_are_read_as_they_stand(tmp_path: Path) -> None:
    table, kept = read(tmp_path / "some.csv", 'id,note,n\n1,5" pipe,5\n2,"so"mething,6\n3,6" and 7",8')
    assert (kept, list(table.rejected_rows()), table.warnings) == ([1, 2, 3], [], [])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1251"])
def test_lines_are_counted_whatever_ends_them_and_however_they_are_written(
    end: str, encoding: str, tmp_path: Path
) -> None:
    text = SWALLOWED.replace("fine", "хорошо").replace("\n", end)
    path = tmp_path / "some.csv"
    path.write_bytes(text.encode(encoding))
    table = DelimitedTable(
        path, "some.csv", SourceSettings(encoding=encoding), where="some.csv", hints=["id"]
    )
    assert [number for batch in table.batches(["id"]) for number in batch.rows] == [2]
    assert "lines 2 to 4" in table.warnings[0]
