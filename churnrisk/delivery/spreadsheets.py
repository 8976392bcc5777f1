"""Writes a frame as CSV or XLSX for people with a spreadsheet: same rows, same bytes, and no cell that acts.

It decides bytes, widths and what a dangerous cell is, and refuses to know what a list means.

**Cells that act.** A spreadsheet runs a CSV cell that begins like a formula. In CSV a text is therefore given a leading
apostrophe when its first character, after any blanks and invisible signs, is ``=``, ``+``, ``-``, ``@``, their
full-width twins, or when it begins with a tab or a line break. Two kinds of text stay as they are, because they cannot
call anything and an apostrophe would spoil them for a dialler or a calculation: **telephone numbers** (a ``+``, then
nothing but digits, blanks and ``( ) . - /``, at least five digits) and plain negative numbers. A formula sign that
follows a ``;``, a tab or a line break inside a text, blanks and quotes between them or not, gets the apostrophe too:
where ``;`` separates columns, it would begin a cell. In XLSX every text is written as a text, so nothing is changed.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import polars as pl

_FORMULA_SIGNS = "=+\\-@＝＋－＠"  # noqa: RUF001 - the full-width twins that East Asian input methods type
_BLANK = r"[\s\u00a0\u200b-\u200f\u2060\ufeff\x00-\x1f]"
_BEGINS = re.compile(rf"(?:{_BLANK}*[{_FORMULA_SIGNS}]|[\t\r\n])")
_BEGINS_LATER = re.compile(rf"(?<=[;\t\r\n])((?:{_BLANK}|\")*)(?=[{_FORMULA_SIGNS}])")
_TELEPHONE = re.compile(r"\+(?=(?:\D*\d){5})[\d ().\-/\u00a0]+")
_NEGATIVE = re.compile(r"-\d+(?:[.,]\d+)?")

LONGEST_CELL = 32_767
"""Characters that an XLSX cell can hold (ECMA-376, Excel's limits); longer texts end in an ellipsis there."""

_NARROWEST, _WIDEST = 8, 60
_ROWS_MEASURED = 200


def harmless(text: str) -> str:
    """Return ``text`` so that no spreadsheet runs it when it stands in a CSV file.

    >>> harmless("=HYPERLINK(0)"), harmless("+7 916 123-45-67"), harmless("-5")
    ("'=HYPERLINK(0)", '+7 916 123-45-67', '-5')
    """
    if _TELEPHONE.fullmatch(text) or _NEGATIVE.fullmatch(text):
        return text
    inside = _BEGINS_LATER.sub(r"\1'", text)
    return f"'{inside}" if _BEGINS.match(inside) else inside


def written_csv(frame: pl.DataFrame, path: Path) -> Path:
    """Write ``frame`` as CSV (RFC 4180: comma, CRLF, quotes where needed; UTF-8 with a mark that Excel needs).

    Null is an empty cell, true and false are words, days and instants ISO 8601; numbers have a point and no group
    signs. Texts are made :func:`harmless`. The same frame gives the same bytes.
    """
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL)
    writer.writerow([harmless(name) for name in frame.columns])
    writer.writerows([_csv_cell(value) for value in row] for row in frame.iter_rows())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(buffer.getvalue().encode("utf-8-sig"))
    return path


def written_xlsx(
    frame: pl.DataFrame, path: Path, *, sheet: str, made_on: date, formats: Mapping[str, str] | None = None
) -> Path:
    """Write ``frame`` as a workbook of one sheet: frozen head, filter, widths, numbers as numbers, texts as texts.

    Parameters
    ----------
    frame : pl.DataFrame
        Rows in the order shown.
    path : Path
        The file; its folder is made.
    sheet : str
        Name of the sheet, at most 31 characters.
    made_on : date
        The date inside the file. Nothing in it comes from the clock: the same frame gives the same bytes.
    formats : mapping of column to Excel number format, optional
        For instance ``{"risk": "0.0%"}``.
    """
    import xlsxwriter

    path.parent.mkdir(parents=True, exist_ok=True)
    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "in_memory": True,
    }
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"created": datetime.combine(made_on, time())})
        page = book.add_worksheet(sheet)
        head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        for column, name in enumerate(frame.columns):
            style = book.add_format(
                {"valign": "top", **_style(frame.schema[name], (formats or {}).get(name))}
            )
            page.set_column(column, column, _width(frame[name]), style)
            page.write_string(0, column, name, head)
            for row, value in enumerate(frame[name], start=1):
                _write_cell(page, row, column, value)
        page.freeze_panes(1, 0)
        if frame.width:
            page.autofilter(0, 0, frame.height, frame.width - 1)
    return path


def _csv_cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return harmless(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date) else str(value)


def _write_cell(page: Any, row: int, column: int, value: Any) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        page.write_boolean(row, column, value)
    elif isinstance(value, str):
        page.write_string(
            row, column, value if len(value) <= LONGEST_CELL else f"{value[: LONGEST_CELL - 1]}…"
        )
    elif isinstance(value, date):
        page.write_datetime(row, column, value)
    else:
        page.write_number(row, column, value)


def _style(dtype: pl.DataType, number_format: str | None) -> dict[str, Any]:
    if number_format is not None:
        return {"num_format": number_format}
    if dtype == pl.String:
        return {"num_format": "@", "text_wrap": True}
    if dtype == pl.Date:
        return {"num_format": "yyyy-mm-dd"}
    return {"num_format": "yyyy-mm-dd hh:mm"} if dtype == pl.Datetime else {}


def _width(series: pl.Series) -> int:
    """Return the width of a column in characters; East Asian ones are twice as wide."""
    shown = [series.name, *("" if value is None else str(value) for value in series.head(_ROWS_MEASURED))]
    widest = max(
        sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text[: 2 * _WIDEST])
        for text in shown
    )
    return min(max(widest + 2, _NARROWEST), _WIDEST)
