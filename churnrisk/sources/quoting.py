"""Quotes of a CSV: which are not closed, and which texts in quotes look as though they had swallowed rows.

It decides what is told for certain (a quote that is closed within another record, or nowhere) and what is a suspicion,
and refuses to know columns. A mark within a text that does not begin with one (5" pipe) is a letter like others, and
text after a closing quote on the same line is read on. Only lines with an odd number of marks are looked at one by one:
others cannot begin or end a text of several lines, but for a mark within a text beside an open quote, which `n_records`
shows.
"""

from __future__ import annotations

import io
import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO

import numpy as np

CHUNK = 4 * 1024 * 1024

_BLANK = (b"", b"\r")


@dataclass(frozen=True)
class RowLike:
    """What a line of the file looks like: so many delimiters, and a first cell like those of the sample."""

    delimiter: bytes
    n_delimiters: int
    lengths: tuple[int, int]
    has_digits: bool | None
    """Of all first cells, of none, or of some."""
    has_blanks: bool

    @classmethod
    def of(cls, records: Sequence[Sequence[str]], delimiter: bytes, n_columns: int) -> RowLike:
        """Learn it from some records."""
        cells = [record[0].strip() for record in records if record and "\n" not in record[0]] or [""]
        with_digits = {any(map(str.isdigit, cell)) for cell in cells}
        sizes = [len(cell.encode()) for cell in cells]
        return cls(
            delimiter,
            n_columns - 1,
            (min(sizes), max(sizes)),
            with_digits.pop() if len(with_digits) == 1 else None,
            any(" " in cell for cell in cells),
        )

    def fits(self, line: bytes) -> bool:
        """Say whether a line could be a row of the file."""
        if not self.n_delimiters or line.count(self.delimiter) != self.n_delimiters:
            return False
        cell = line.split(self.delimiter, 1)[0].strip()
        if not self.lengths[0] <= len(cell) <= self.lengths[1] or (b" " in cell and not self.has_blanks):
            return False
        return self.has_digits is None or self.has_digits == bool(re.search(rb"\d", cell))


@dataclass
class QuoteFaults:
    """What the quotes of a file do: lines count from 1, records from 0 without blank lines."""

    n_records: int = 0
    """Records that there are, if no further quote is open."""
    open_line: int | None = None
    """Where the first record begins of which a quote is closed nowhere, or within another record."""
    ends_open: bool = False
    """That quote is closed nowhere."""
    swallowing: list[tuple[int, int, int]] = field(default_factory=list)
    """Record, first and last line of texts that hold lines like rows."""


def quote_faults(
    stream: IO[bytes] | io.RawIOBase, delimiter: bytes, quote: bytes, row_like: RowLike
) -> QuoteFaults:
    """Find what is wrong with the quotes of a file of UTF-8; O(bytes), and some regular expressions per odd line."""
    reader = _Reader(delimiter, quote, row_like)
    for block in _blocks(stream):
        reader.read(block)
        if reader.faults.open_line is not None:
            return reader.faults
    if reader.begins:
        reader.faults.open_line, reader.faults.ends_open = reader.begins, True
    reader.faults.n_records = reader.n_filled - reader.n_continued
    return reader.faults


def _blocks(stream: IO[bytes] | io.RawIOBase) -> Iterator[bytes]:
    """Yield a file in blocks of whole lines, each ended by a line end, without the mark at its beginning."""
    held = (stream.read(CHUNK) or b"").removeprefix(b"\xef\xbb\xbf")
    if held.endswith(b"\r"):
        held += stream.read(1) or b""
    end = b"\n" if b"\n" in held or b"\r" not in held else b"\r"
    while chunk := stream.read(CHUNK):
        block, mark, rest = held.rpartition(end)
        if mark:
            yield block + mark
            held = rest
        held += chunk
    if held:
        yield held if held.endswith(end) else held + end


class _Reader:
    """Follows the texts of several lines through a file, as a lenient reader reads them."""

    def __init__(self, delimiter: bytes, quote: bytes, row_like: RowLike) -> None:
        q, d = re.escape(quote), re.escape(delimiter)
        inner = rb"[^%b]*+(?:%b%b[^%b]*+)*+" % (q, q, q, q)
        bare = rb"(?:[^%b%b\r\n][^%b\r\n]*+)?+" % (q, d, d)
        cell = rb"(?:%b%b%b|%b)" % (q, inner, q, bare)
        lenient = rb"(?:%b%b%b[^%b\r\n]*+|%b)" % (q, inner, q, d, bare)
        self._closed = re.compile(rb"%b(?:%b%b)*+\r?" % (lenient, d, lenient))
        self._opens = re.compile(rb"(?:%b%b)*+%b%b" % (cell, d, q, inner))
        self._stays = re.compile(inner)
        self._closes = re.compile(rb"%b%b(?:%b%b)*+\r?" % (inner, q, d, cell))
        self._reopens = re.compile(rb"%b%b(?:%b%b)*?%b%b%b" % (inner, q, d, cell, d, q, inner))
        self._quote, self._row_like = quote, row_like
        self.faults = QuoteFaults()
        self.n_lines = self.n_filled = self.n_continued = 0
        """Lines, those that are not blank, and those of them that go on with a record."""
        self.begins = 0
        """The line on which the text of several lines begins that is being read; 0 outside of one."""
        self._record = self._n_like = self._n_here = 0

    def read(self, block: bytes) -> None:
        """Read on; stops at a quote that is not closed."""
        codes = np.frombuffer(block, dtype=np.uint8)
        ends = np.flatnonzero(codes == block[-1])
        starts = np.concatenate([np.zeros(1, dtype=ends.dtype), ends[:-1] + 1])
        sizes = ends - starts
        blank = np.flatnonzero((sizes == 0) | ((sizes == 1) & (codes[starts] == ord("\r"))))
        odd = np.add.reduceat((codes == self._quote[0]).view(np.uint8), starts, dtype=np.uint8) % 2
        if odd.any() or self.begins:
            self._follow(block, starts.tolist(), np.flatnonzero(odd).tolist(), blank.tolist())
        self.n_lines += len(starts)
        self.n_filled += len(starts) - len(blank)

    def _follow(
        self,
        block: bytes,
        starts: list[int],
        odd: list[int],
        blank: list[int],
    ) -> None:
        """Read the texts of several lines that begin or go on in a block."""
        starts.append(len(block))
        at = self._go_on(block, starts, 0) if self.begins else 0
        for place in odd:
            if self.faults.open_line is not None:
                return
            if place < at:
                continue
            line = block[starts[place] : starts[place + 1] - 1]
            is_open = self._opens.fullmatch(line) is not None
            if not is_open and self._closed.fullmatch(line):
                continue
            self.begins = self.n_lines + place + 1
            n_blank = bisect_left(blank, place)
            self._record = self.n_filled + place - n_blank - self.n_continued
            self._n_like = self._n_here = 0
            if is_open:
                at = self._go_on(block, starts, place + 1)
            else:
                self.faults.open_line = self.begins

    def _go_on(self, block: bytes, starts: list[int], at: int) -> int:
        """Read a text of several lines from line ``at`` of the block on; return the line after its last."""
        for place in range(at, len(starts) - 1):
            line = block[starts[place] : starts[place + 1] - 1]
            self._n_like += self._row_like.fits(line)
            self._n_here += line not in _BLANK
            if self._quote not in line:
                continue
            if self._closes.fullmatch(line):
                if 2 * self._n_like >= self._n_here:
                    self.faults.swallowing.append((self._record, self.begins, self.n_lines + place + 1))
                self.n_continued += self._n_here
                self.begins = 0
                return place + 1
            if not (self._stays.fullmatch(line) or self._reopens.fullmatch(line)):
                self.faults.open_line = self.begins
                return place
        return len(starts) - 1
