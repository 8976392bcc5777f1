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
from .quoting import QuoteFaults, RowLike, quote_faults
from .raw import RawBatch, SourceFault

if TYPE_CHECKING:
    import pyarrow as pa

DELIMITERS = (",", ";", "\t", "|", "^", "\x01", ":", " ")
"""Delimiters that are found by themselves, likelier ones first."""

BLOCK = 32 * 1024 * 1024
"""Bytes parsed at a time; a single record may not be longer."""

SAMPLE_RECORDS = 200

SHOWN_PLACES = 5
"""Places told in one warning before it ends in dots."""


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
        """Return the records with too few or too many fields, or whose text in quotes holds lines like rows."""
        return sorted({*self._rejected, *self._put_aside})

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
        aside = pl.Series("row", self._put_aside, dtype=pl.Int64)
        self._rejected.clear()
        n_good = 0
        try:
            with self._opened(wanted) as reader:
                for batch in reader:
                    frame = self._named(batch, {positions[name]: name for name in columns})
                    rows = self._numbers(n_good, batch.num_rows)
                    if len(aside):
                        stands = ~rows.is_in(aside.implode())
                        frame, rows = frame.filter(stands), rows.filter(stands)
                    yield RawBatch(frame, rows, self._doubtful(columns))
                    n_good += batch.num_rows
        except pa.ArrowInvalid as error:
            raise SourceFault(self._damage(error)) from error
        self._refuse_cut(n_good + len(self._rejected))

    @contextmanager
    def _opened(self, wanted: Sequence[str]) -> Iterator[pa.RecordBatchReader]:
        import pyarrow as pa
        from pyarrow import csv as arrow_csv

        names = [f"c{index}" for index in range(len(self._first))]
        with opened_bytes(self.path, self.name) as file:
            try:
                yield arrow_csv.open_csv(
                    self._utf8(file),
                    read_options=arrow_csv.ReadOptions(
                        skip_rows=self._n_blank,
                        column_names=names,
                        skip_rows_after_names=int(self._settings.header),
                        use_threads=False,  # with threads the numbers of malformed records are not told
                        block_size=BLOCK,
                    ),
                    parse_options=arrow_csv.ParseOptions(
                        delimiter=self._single,
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

    @property
    def _single(self) -> str:
        """The delimiter, or the character that stands for a longer one."""
        is_single = len(self.delimiter) == 1 and self.delimiter.isascii()
        return self.delimiter if is_single else Transcoded.unit

    def _utf8(self, file: IO[bytes]) -> IO[bytes] | io.RawIOBase:
        """Return the text of an opened file as UTF-8 with the delimiter `_single`."""
        is_same = self._single == self.delimiter
        if self.facts.is_exact and is_same:
            return file
        return Transcoded(file, self.facts.encoding, "" if is_same else self.delimiter)

    def _set_apart(self, row: Any) -> str:
        self._rejected.append(int(row.number) - int(self._settings.header) - self._n_blank)
        self._last_found = int(row.actual_columns)
        return "skip"

    def _named(self, batch: pa.RecordBatch, names: dict[str, str]) -> pl.DataFrame:
        frame = pl.DataFrame(batch)
        if self._single != self.delimiter:
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
        if not self.facts.ends_line and is_last_bad and self._last_found < len(self._first):
            raise SourceFault(self._cut(f"row {n_records}"))
        self._refuse_swallowed(n_records)

    def _cut(self, place: str) -> Fault:
        return cut_fault(
            f"{self.name} {place}", "a last record that stops before its last field, or in a quote"
        )

    @cached_property
    def _quotes(self) -> QuoteFaults | None:
        """What is wrong with the quotes of the file; SourceFault for one that is not closed."""
        if not self.facts.has_quotes:
            return None
        single = self._single.encode()
        row_like = RowLike.of(self.first_records(), single, len(self._first))
        with opened_bytes(self.path, self.name) as file:
            found = quote_faults(self._utf8(file), single, self._settings.quote.encode(), row_like)
        if found.open_line is not None:
            cut = found.ends_open and not self.facts.ends_line
            raise SourceFault(
                self._cut(f"line {found.open_line}") if cut else self._open_quote(found.open_line)
            )
        if found.swallowing:
            places = ", ".join(f"{first} to {last}" for _, first, last in found.swallowing[:SHOWN_PLACES])
            more = " ..." if len(found.swallowing) > SHOWN_PLACES else ""
            self.warnings.append(
                f"{self.name}: texts in quotes that hold lines like rows of this file were put aside as malformed, "
                f"lines {places}{more}: look for a quote that is not closed."
            )
        return found

    @property
    def _put_aside(self) -> list[int]:
        """The rows of which a text in quotes holds lines like rows."""
        found = self._quotes.swallowing if self._quotes is not None else []
        return [record + 1 - int(self._settings.header) for record, *_ in found]

    def _open_quote(self, line: int) -> Fault:
        return Fault(
            "quote_open",
            f"{self.name} line {line}",
            "every quote closed before the next delimiter or line",
            "one that is not, in this record",
            'Close it, or double ("") one that belongs to the text; quote = "" is for files without any.',
        )

    def _refuse_swallowed(self, n_records: int) -> None:
        """Refuse a file with fewer records than its lines make: a mark within a text hid a quote that is not closed."""
        if self._quotes is None or n_records + int(self._settings.header) >= self._quotes.n_records:
            return
        with self._text() as stream:
            lines = list[str]()
            reader = csv.reader(self._kept(stream, lines), delimiter=self._single, **self._quoting)
            begins = 1
            try:
                for _ in reader:
                    if len(lines) > 1 and lines[0].count(self._settings.quote) % 2 == 0:
                        break
                    begins += len(lines)
                    lines.clear()
            except csv.Error:
                # a field longer than any text: what is not closed has swallowed it
                pass
        raise SourceFault(self._open_quote(begins))

    def _kept(self, stream: IO[str], lines: list[str]) -> Iterator[str]:
        for line in stream:
            lines.append(line)
            yield line.replace(self.delimiter, self._single)

    def _damage(self, error: Exception) -> Fault:
        if "straddling" in str(error) or "sync" in str(error):
            return cut_fault(self.name, "a quoted text that does not end")
        return Fault(
            "file_unreadable", self.name, "CSV", "bytes that are none", "Check delimiter, quote and encoding."
        )
