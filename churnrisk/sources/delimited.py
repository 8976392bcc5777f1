"""CSV and its relatives: finds delimiter and header, yields text columns in batches, sets malformed lines apart.

It decides what is one record (RFC 4180: quoted fields may hold line ends), and refuses to read any value.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ..config import SourceSettings
from ..errors import Fault
from .files import SAMPLE, TextFacts, Transcoded, cut_fault, opened_bytes, text_facts
from .header import FirstRow
from .raw import RawBatch, SourceFault

if TYPE_CHECKING:
    import pyarrow as pa

DELIMITERS = (",", ";", "\t", "|", "^", "\x01", ":", " ")
"""Delimiters that are found by themselves, likelier ones first."""

BLOCK = 32 * 1024 * 1024
"""Bytes parsed at a time; a single record may not be longer."""

SAMPLE_RECORDS = 200


class DelimitedTable:
    """One text file."""

    def __init__(
        self, path: Path, name: str, settings: SourceSettings, *, where: str, hints: Sequence[str]
    ) -> None:
        self.path, self.name = path, name
        self._settings, self._where, self._hints = settings, where, frozenset(hints)
        self.facts: TextFacts = text_facts(
            path, encoding=settings.encoding, quote=settings.quote, where=where, hints=self._hints
        )
        self.fingerprint = self.facts.fingerprint
        self.warnings: list[str] = []
        if self.facts.is_detected:
            self.warnings.append(
                f"{name}: read as {self.facts.encoding}, found from its letters. Name encoding to be sure."
            )
        self._rejected: list[int] = []
        self._last_found = 0

    def rejected_rows(self) -> Sequence[int]:
        """Return the records with too few or too many fields."""
        return self._rejected

    @cached_property
    def delimiter(self) -> str:
        """The declared delimiter, or the one that cuts the first records most evenly."""
        if self._settings.delimiter is not None:
            return self._settings.delimiter
        text = self._sample
        if text.lower().startswith("sep=") and "\n" in text:
            text = text.split("\n", 1)[1]
        return max(DELIMITERS, key=lambda mark: self._evenness(text, mark))

    def _evenness(self, text: str, mark: str) -> tuple[float, ...]:
        records = self._records(text, mark)
        if not records:
            return (0, 0, 0)
        widths = [len(record) for record in records]
        width = widths[0]
        known = sum(name.strip() in self._hints for name in records[0]) if self._settings.header else 0
        even = sum(item == width for item in widths) / len(widths) if width > 1 else 0.0
        return (known, round(even, 1), width if even else 0)

    @cached_property
    def _sample(self) -> str:
        with self._text() as stream:
            return stream.read(SAMPLE)

    def _records(self, text: str, mark: str) -> list[list[str]]:
        single = mark if len(mark) == 1 else Transcoded.unit
        reader = csv.reader(
            io.StringIO(text if len(mark) == 1 else text.replace(mark, single), newline=""),
            delimiter=single,
            **self._quoting,
        )
        records: list[list[str]] = []
        try:
            for record in reader:
                if record:
                    records.append(record)
                if len(records) > SAMPLE_RECORDS:
                    break
        except csv.Error:
            return records
        return records[:-1] if len(text) >= SAMPLE and len(records) > 1 else records

    @property
    def _quoting(self) -> dict[str, Any]:
        quote = self._settings.quote
        return {"quotechar": quote} if quote else {"quoting": csv.QUOTE_NONE, "quotechar": None}

    @contextmanager
    def _text(self) -> Iterator[IO[str]]:
        with opened_bytes(self.path, self.name) as file:
            errors = "strict" if self.facts.is_exact else "replace"
            encoding = "utf-8-sig" if self.facts.encoding == "utf-8" else self.facts.encoding
            yield io.TextIOWrapper(file, encoding=encoding, errors=errors, newline="")

    @cached_property
    def _beginning(self) -> list[list[str]]:
        records = self._records(self._sample, self.delimiter)
        if not records:
            raise SourceFault(
                Fault("header_missing", self._where, "a first row", "an empty file", "Export the file again.")
            )
        return records

    @property
    def _first(self) -> list[str]:
        return self._beginning[0]

    def first_records(self) -> Sequence[Sequence[str]]:
        """Return the records of the sample after the names."""
        return self._beginning[int(self._settings.header) :]

    @cached_property
    def _n_blank(self) -> int:
        """Lines without a character above the first record."""
        return next((n for n, line in enumerate(io.StringIO(self._sample)) if line.strip("\r\n")), 0)

    def column_names(self) -> Sequence[str]:
        """Return the header's names; for a file without one ``column_1``, ``column_2`` ...; unnamed ones are empty."""
        if not self._settings.header:
            return [f"column_{position}" for position in range(1, len(self._first) + 1)]
        names = [name.strip().strip("\ufeff").strip() for name in self._first]
        twice = [name for name in names if name and names.count(name) > 1]
        if twice:
            row = FirstRow(names, self._hints, self.first_records(), needs_known=True)
            places = [str(position) for position, name in enumerate(names, start=1) if name in twice]
            raise SourceFault(
                Fault(
                    "header_duplicate",
                    self._where,
                    "each column name once",
                    f"twice: {', '.join(sorted(set(twice)))}"
                    if all(row.may_tell(name) for name in twice)
                    else f"the same text in columns {', '.join(places)} of a first row that may be no header",
                    "Rename the columns in the file, or set header = false and map by position.",
                )
            )
        if not any(names):
            raise SourceFault(
                Fault(
                    "header_missing",
                    self._where,
                    "column names in the first row",
                    "blanks",
                    "Set header = false.",
                )
            )
        return names

    def batches(self, columns: Sequence[str]) -> Iterator[RawBatch]:
        """Yield the records as text."""
        import pyarrow as pa

        positions = {name: f"c{index}" for index, name in enumerate(self.column_names()) if name}
        wanted = [positions[name] for name in columns] or [next(iter(positions.values()))]
        self._rejected.clear()
        n_good = 0
        try:
            with self._opened(wanted) as reader:
                for batch in reader:
                    frame = self._named(batch, {positions[name]: name for name in columns})
                    yield RawBatch(frame, self._numbers(n_good, batch.num_rows), self._doubtful(columns))
                    n_good += batch.num_rows
        except pa.ArrowInvalid as error:
            raise SourceFault(self._damage(error)) from error
        self._refuse_cut(n_good + len(self._rejected))

    @contextmanager
    def _opened(self, wanted: Sequence[str]) -> Iterator[pa.RecordBatchReader]:
        import pyarrow as pa
        from pyarrow import csv as arrow_csv

        names = [f"c{index}" for index in range(len(self._first))]
        single = self.delimiter if len(self.delimiter) == 1 and self.delimiter.isascii() else Transcoded.unit
        with opened_bytes(self.path, self.name) as file:
            plain = self.facts.is_exact and single == self.delimiter
            stream: IO[bytes] | io.RawIOBase = (
                file
                if plain
                else Transcoded(file, self.facts.encoding, "" if single == self.delimiter else self.delimiter)
            )
            try:
                yield arrow_csv.open_csv(
                    stream,
                    read_options=arrow_csv.ReadOptions(
                        skip_rows=self._n_blank,
                        column_names=names,
                        skip_rows_after_names=int(self._settings.header),
                        use_threads=False,  # with threads the numbers of malformed records are not told
                        block_size=BLOCK,
                    ),
                    parse_options=arrow_csv.ParseOptions(
                        delimiter=single,
                        quote_char=self._settings.quote or False,
                        newlines_in_values=bool(self._settings.quote),
                        invalid_row_handler=self._set_apart,
                    ),
                    convert_options=arrow_csv.ConvertOptions(
                        include_columns=list(wanted),
                        column_types={name: pa.large_string() for name in wanted},
                        strings_can_be_null=False,
                        check_utf8=False,  # checked in the pass that made the facts, or decoded by us
                    ),
                )
            except StopIteration:
                return

    def _set_apart(self, row: Any) -> str:
        self._rejected.append(int(row.number) - int(self._settings.header) - self._n_blank)
        self._last_found = int(row.actual_columns)
        return "skip"

    def _named(self, batch: pa.RecordBatch, names: dict[str, str]) -> pl.DataFrame:
        frame = pl.DataFrame(batch)
        if self.delimiter and not (len(self.delimiter) == 1 and self.delimiter.isascii()):
            frame = frame.with_columns(
                pl.all().str.replace_all(Transcoded.unit, self.delimiter, literal=True)
            )
        return frame.select(pl.col(short).alias(name) for short, name in names.items())

    def _doubtful(self, columns: Sequence[str]) -> tuple[str, ...]:
        return () if self.facts.is_exact else tuple(columns)

    def _numbers(self, n_before: int, n_rows: int) -> pl.Series:
        """Number good records by where they stand among the malformed ones."""
        counted = np.arange(n_before, n_before + n_rows, dtype=np.int64)
        if not self._rejected:
            return pl.Series("row", counted + 1)
        goods_before = np.array(self._rejected, dtype=np.int64) - np.arange(1, len(self._rejected) + 1)
        return pl.Series("row", counted + 1 + np.searchsorted(goods_before, counted, side="right"))

    def _refuse_cut(self, n_records: int) -> None:
        is_last_bad = bool(self._rejected) and self._rejected[-1] == n_records
        is_short = is_last_bad and self._last_found < len(self._first)
        if not self.facts.ends_line and (is_short or self.facts.has_odd_quotes):
            raise SourceFault(
                cut_fault(
                    f"{self.name} row {n_records}",
                    "a last record that stops before its last field, or in a quote",
                )
            )

        if self.facts.has_odd_quotes:
            self._refuse_open_quote()

    def _refuse_open_quote(self) -> None:
        """Look for a quote that is not closed, which makes one text of all the lines to the next one or the end.

        A single mark within a text, as of inches, is none.
        """
        single = self.delimiter if len(self.delimiter) == 1 else Transcoded.unit
        with self._text() as stream:
            lines = (line.replace(self.delimiter, single) for line in stream)
            reader = csv.reader(lines, delimiter=single, strict=True, **self._quoting)
            begins = 1
            try:
                for _ in reader:
                    begins = reader.line_num + 1
            except csv.Error as error:
                raise SourceFault(
                    Fault(
                        "quote_open",
                        f"{self.name} line {begins}",
                        "every quote closed before the next delimiter or line",
                        "one that is not, in this record",
                        'Close it, or double ("") one that belongs to the text; quote = "" is for files without any.',
                    )
                ) from error

    def _damage(self, error: Exception) -> Fault:
        if "straddling" in str(error) or "sync" in str(error):
            return cut_fault(self.name, "a quoted text that does not end")
        return Fault(
            "file_unreadable", self.name, "CSV", "bytes that are none", "Check delimiter, quote and encoding."
        )
