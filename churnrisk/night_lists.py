"""Writes the lists of a night as files, each as CSV and as a workbook; decides nothing about who is on them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

import polars as pl

from scoring import FILE_FORMATS

from .delivery import written_csv, written_xlsx


class ListFile(NamedTuple):
    """A written file: its name, where it waits, and what a person calls it."""

    name: str
    staged: Path
    label: str


def list_files(name: str, words: str, frame: pl.DataFrame, folder: Path, day: date) -> Iterator[ListFile]:
    """Write one list to ``folder`` as ``name.csv`` and ``name.xlsx``; yield both."""
    plain = written_csv(frame, folder / f"{name}.csv")
    yield ListFile(f"{name}.csv", plain, f"{words} (CSV)")
    sheet = written_xlsx(
        frame, folder / f"{name}.xlsx", sheet=name.replace("_", " "), made_on=day, formats=FILE_FORMATS
    )
    yield ListFile(f"{name}.xlsx", sheet, f"{words} (Excel)")
