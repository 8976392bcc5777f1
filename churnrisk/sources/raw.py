"""What every adapter gives: a table as it stands in the source, in batches, with what could not be read as rows.

It decides the shape in which CSV, Parquet, databases and frames meet the contracts, and refuses to know contracts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from ..errors import Fault

BATCH_ROWS = 500_000
"""Rows read and checked at a time: enough to be fast, few enough that memory stays flat."""


@dataclass(frozen=True)
class RawBatch:
    """Some records of a table: their columns by the source's names, and their numbers (from 1, header not counted)."""

    frame: pl.DataFrame
    rows: pl.Series
    bad_characters: tuple[str, ...] = ()
    """Columns in which characters could not be decoded are marked by U+FFFD; empty when the text is trusted."""


class RawTable(Protocol):
    """One file, query result or frame."""

    name: str
    """As shown to people: the path relative to the workspace, or the name of the frame."""

    fingerprint: str
    """A hash of its content."""

    warnings: list[str]

    def column_names(self) -> Sequence[str]:
        """Return the names of the columns, blanks around them cut off, in order; no name means no text."""

    def first_records(self) -> Sequence[Sequence[str]] | None:
        """Return some records after the names; None where the names are those of a schema."""

    def batches(self, columns: Sequence[str]) -> Iterator[RawBatch]:
        """Yield the records with only the columns named; raise ContractError when the file is damaged."""

    def rejected_rows(self) -> Sequence[int]:
        """Return the numbers of the records that were no rows; complete after the last batch."""


class SourceFault(Exception):
    """What is wrong with one source, on its way to being gathered with the faults of the others."""

    def __init__(self, *faults: Fault, is_missing: bool = False) -> None:
        super().__init__(*(fault.code for fault in faults))
        self.faults = faults
        self.is_missing = is_missing
